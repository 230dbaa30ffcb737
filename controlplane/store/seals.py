"""Seals: public facts only. A private key never comes here; the device keeps it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement

LIVE = "state IN ('not_applied', 'key_fetched', 'applied', 'downloaded', 'uploaded', 'in_use')"


class SealRow(SQLModel, table=True):
    """One seal (电子监制章) of an area on a tax server; ``state`` is a word of ``domain.seal``.

    ``place``: ``current`` is used or will be, ``next`` is prepared to replace it; one live seal per place. JSON column:
    test_cause (code and details of what the last canary found, empty when it passed).
    """

    __tablename__ = "seals"
    __table_args__ = (
        Index("uq_seals_live", "tax_server_id", "area_code", "place", unique=True,
              sqlite_where=text(LIVE), postgresql_where=text(LIVE)),
    )  # fmt: skip
    id: str = Field(primary_key=True)
    tax_server_id: str = Field(index=True)
    area_code: str
    seal_name: str
    state: str
    place: str
    replaces: str | None = Field(default=None, index=True)
    key_index: str = ""
    public_key: str = ""
    application_no: str = ""
    bureau_status: str = ""
    bureau_message: str = ""
    handler_name: str = ""
    handler_mobile: str = ""
    handler_id: str = ""
    not_after: str | None = None
    algorithm: str = ""
    tested_at: str | None = None
    test_passed: int | None = None
    test_cause: str = ""
    used_since: str | None = None
    request_kind: str = ""
    request_by: str = ""
    request_by_name: str = ""
    request_at: str | None = None
    request_reason: str = ""
    version: int = 1
    created_at: str
    updated_at: str


_ONE = Statement("SELECT * FROM seals WHERE id = :id")
_LOCKED = Statement("SELECT * FROM seals WHERE id = :id", for_update=True)
_CURRENT = Statement(
    "SELECT * FROM seals WHERE tax_server_id = :tax_server_id AND area_code = :area_code AND place = 'current' "
    f"AND {LIVE}"
)
_SUCCESSOR = Statement(f"SELECT * FROM seals WHERE replaces = :id AND {LIVE} ORDER BY id LIMIT 1")


def find(hand: Connection, seal_id: str, lock: bool = False) -> Row | None:
    """The seal, its row locked until the end of the batch when ``lock``."""
    return hand.one(_LOCKED if lock else _ONE, {"id": seal_id})


def current(hand: Connection, tax_server_id: str, area_code: str) -> Row | None:
    """The seal that an area uses, or prepares to use, on a tax server."""
    return hand.one(_CURRENT, {"tax_server_id": tax_server_id, "area_code": area_code})


def successor(hand: Connection, seal_id: str) -> Row | None:
    """The live seal that is prepared in place of this one."""
    return hand.one(_SUCCESSOR, {"id": seal_id})


def issued(hand: Connection, server_ids: Sequence[str], kinds: Sequence[str], span: tuple[str, str]) -> list[Row]:
    """Per tax server and area of the taxpayers: invoices of these kinds issued from the first day to before the last.

    Days are the device zone's, ``YYYY-MM-DD``.
    """
    if not server_ids or not kinds:
        return []
    parameters = {"first": span[0], "last": span[1]}
    parameters |= {f"server{number}": value for number, value in enumerate(server_ids)}
    parameters |= {f"kind{number}": value for number, value in enumerate(kinds)}
    servers = ", ".join(f":server{number}" for number in range(len(server_ids)))
    among = ", ".join(f":kind{number}" for number in range(len(kinds)))
    statement = Statement(
        "SELECT d.tax_server_id, t.region, COUNT(*) AS n FROM devices d "
        "JOIN taxpayers t ON t.taxpayer_id = d.taxpayer_id "
        f"JOIN invoice_facts f ON f.device_id = d.id WHERE d.tax_server_id IN ({servers}) "
        f"AND f.day >= :first AND f.day < :last AND f.kind IN ({among}) GROUP BY d.tax_server_id, t.region"
    )
    return hand.rows(statement, parameters)
