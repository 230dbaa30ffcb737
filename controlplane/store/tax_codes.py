"""Versions of the tax class code table, and their rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class CodeVersionRow(SQLModel, table=True):
    """One synchronisation and what it brought. ``table_version`` is empty until the first page came.

    ``valid_from`` (day) is set by activation; ``digest`` is the bureau's over the whole version.
    """

    __tablename__ = "code_versions"
    __table_args__ = (
        Index("uq_code_versions_day", "valid_from", unique=True, sqlite_where=text("state = 'active'"),
              postgresql_where=text("state = 'active'")),
        Index("uq_code_versions_fetching", "state", unique=True, sqlite_where=text("state = 'fetching'"),
              postgresql_where=text("state = 'fetching'")),
    )  # fmt: skip
    id: str = Field(primary_key=True)
    wanted: str = ""
    table_version: str = ""
    published_on: str = ""
    tax_server_id: str
    state: str
    valid_from: str | None = None
    digest: str = ""
    total: int = 0
    rows_done: int = 0
    error: str = ""
    requested_by: str = ""
    started_at: str
    ended_at: str | None = None
    version: int = 1
    created_at: str
    updated_at: str


class CodeRow(SQLModel, table=True):
    """One row of a version, in the bureau's order from 0; ``rates`` as ``0.13`` joined by blanks, days YYYY-MM-DD."""

    __tablename__ = "code_rows"
    __table_args__ = (Index("ix_code_rows_code", "version_id", "code"), {"sqlite_with_rowid": False})
    version_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    code: str
    name: str
    short_name: str
    rates: str
    sum_only: int
    usable: int
    parent: str
    note: str
    valid_from: str
    valid_to: str


_ONE = Statement("SELECT * FROM code_versions WHERE id = :id", for_update=True)
_GLANCE = Statement("SELECT * FROM code_versions WHERE id = :id")
_FETCHING = Statement("SELECT * FROM code_versions WHERE state = 'fetching'")
_ACTIVE = Statement("SELECT * FROM code_versions WHERE state = 'active' ORDER BY valid_from")
_TWINS = Statement(
    "SELECT * FROM code_versions WHERE table_version = :table_version AND digest = :digest AND id <> :id "
    "AND state IN ('complete', 'active', 'rolled_back') ORDER BY id LIMIT 1"
)
_LAST_SUCCESS = Statement(
    "SELECT MAX(ended_at) AS at FROM code_versions WHERE state IN ('complete', 'active', 'rolled_back', 'known')"
)
_BY_NAME = Statement(
    "SELECT * FROM code_versions WHERE table_version = :table_version "
    "AND state IN ('complete', 'active', 'rolled_back') ORDER BY id DESC LIMIT 1"
)
_ANY_SERVER = Statement(
    "SELECT s.* FROM tax_servers s JOIN bindings b ON b.target_id = s.id "
    "WHERE s.state = 'certified' AND b.agent_id IS NOT NULL ORDER BY s.id LIMIT 1"
)
_ROWS = Statement("SELECT * FROM code_rows WHERE version_id = :version_id ORDER BY position")
_DROP_ROWS = Statement("DELETE FROM code_rows WHERE version_id = :version_id")
_CODES = Statement("SELECT COUNT(DISTINCT code) AS n FROM code_rows WHERE version_id = :version_id")
_USED = "SELECT tax_class_code AS code, COUNT(*) AS n FROM invoice_lines WHERE invoice_id >= :since"


def find(hand: Connection, version_id: str, lock: bool = False) -> Row | None:
    """One version, its row locked until the end of the batch when ``lock``."""
    return hand.one(_ONE if lock else _GLANCE, {"id": version_id})


def fetching(hand: Connection) -> Row | None:
    """The synchronisation under way; there is at most one."""
    return hand.one(_FETCHING)


def active(hand: Connection) -> list[Row]:
    """Versions that are or will be in force, by first day."""
    return hand.rows(_ACTIVE)


def twin(hand: Connection, row: Row) -> Row | None:
    """Another whole copy of the same version with the same digest."""
    return hand.one(_TWINS, {name: row[name] for name in ("table_version", "digest", "id")})


def by_name(hand: Connection, table_version: str) -> Row | None:
    """The latest whole copy of a version by the bureau's name for it."""
    return hand.one(_BY_NAME, {"table_version": table_version})


def any_server(hand: Connection) -> Row | None:
    """A tax server in service that an agent looks after."""
    return hand.one(_ANY_SERVER)


def last_success(hand: Connection) -> str | None:
    """When a synchronisation last came to its end."""
    row = hand.one(_LAST_SUCCESS)
    return row["at"] if row else None


def change(hand: Connection, version_id: str, values: dict[str, Any], now: str) -> None:
    """Set columns of a version, count its record version up."""
    columns = ", ".join(f"{name} = :{name}" for name in values)
    statement = Statement(
        f"UPDATE code_versions SET {columns}, version = version + 1, updated_at = :now WHERE id = :id"
    )
    hand.run(statement, {**values, "now": now, "id": version_id})


def rows(hand: Connection, version_id: str) -> list[Row]:
    """All rows of a version in the bureau's order."""
    return hand.rows(_ROWS, {"version_id": version_id})


def distinct_codes(hand: Connection, version_id: str) -> int:
    """How many different codes a version has."""
    row = hand.one(_CODES, {"version_id": version_id})
    return int(row["n"]) if row else 0


def drop_rows(hand: Connection, version_id: str) -> None:
    """Forget the rows of a version that is to be fetched anew."""
    hand.run(_DROP_ROWS, {"version_id": version_id})


def used_since(hand: Connection, invoice_id: str, scope: list[str] | None) -> dict[str, int]:
    """Code → invoice lines that used it since the invoice with that (time-ordered) id, within a scope of taxpayers."""
    asked: dict[str, Any] = {"since": invoice_id}
    clause = ""
    if scope is not None:
        names = [f":scope{number}" for number in range(len(scope))]
        asked |= {f"scope{number}": taxpayer_id for number, taxpayer_id in enumerate(scope)}
        clause = f" AND taxpayer_id IN ({', '.join(names)})" if names else " AND 1 = 0"
    found = hand.rows(Statement(f"{_USED}{clause} GROUP BY tax_class_code"), asked)
    return {row["code"]: int(row["n"]) for row in found}


def search(hand: Connection, version_id: str, wanted: str, after: str, limit: int) -> list[Row]:
    """Rows of a version whose code begins with, or whose name holds, a text; by code, after ``after``."""
    clauses, asked = ["version_id = :version_id", "code > :after"], {"version_id": version_id, "after": after}
    if wanted.isascii() and wanted.isdigit():
        clauses.append("code >= :low AND code <= :high")
        asked |= {"low": wanted, "high": wanted.ljust(19, "9")}
    elif wanted:
        clauses.append("(LOWER(name) LIKE :wanted ESCAPE '!' OR LOWER(short_name) LIKE :wanted ESCAPE '!')")
        escaped = "".join(f"!{letter}" if letter in "!%_" else letter for letter in wanted.lower())
        asked["wanted"] = f"%{escaped}%"
    where = " AND ".join(clauses)
    statement = Statement(f"SELECT * FROM code_rows WHERE {where} ORDER BY code LIMIT :limit")
    return hand.rows(statement, {**asked, "limit": limit})
