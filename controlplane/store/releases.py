"""Releases as published, when they were asked for, and what became of upgrades."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from controlplane.store.jobs import OPEN
from controlplane.store.statement import Connection, Insert, Row, Statement


class ReleaseRow(SQLModel, table=True):
    """One published version of a product; days YYYY-MM-DD, ``effective_on`` None when nobody said."""

    __tablename__ = "releases"
    __table_args__ = (UniqueConstraint("product", "release_version"),)
    id: str = Field(primary_key=True)
    product: str
    release_version: str
    released_on: str
    effective_on: str | None
    notes: str
    first_seen_at: str
    first_seen_on: str
    """The tax server through which it was first seen."""


class ReleaseCheckRow(SQLModel, table=True):
    """When a tax server was last asked for releases of a product."""

    __tablename__ = "release_checks"
    tax_server_id: str = Field(primary_key=True)
    product: str = Field(primary_key=True)
    checked_at: str


class UpgradeRow(SQLModel, table=True):
    """One upgrade that a device finished: ``result`` upgraded or rolled_back, as the device reported."""

    __tablename__ = "upgrades"
    id: str = Field(primary_key=True)
    noun: str
    record_id: str = Field(index=True)
    product: str
    from_version: str
    wanted_version: str
    running_version: str
    result: str
    self_test: str
    message: str
    requested_by: str
    at: str


_ONE = Statement("SELECT * FROM releases WHERE id = :id")
_OF_PRODUCT = Statement("SELECT * FROM releases WHERE product = :product ORDER BY released_on, release_version")
_ALL = Statement("SELECT * FROM releases ORDER BY product, released_on, release_version")
_SEEN = Insert(
    "releases",
    ReleaseRow.model_fields,
    "ON CONFLICT (product, release_version) DO UPDATE SET released_on = excluded.released_on, "
    "effective_on = excluded.effective_on, notes = excluded.notes",
)
_CHECKED = Insert(
    "release_checks",
    ReleaseCheckRow.model_fields,
    "ON CONFLICT (tax_server_id, product) DO UPDATE SET checked_at = excluded.checked_at",
)
_OPEN_JOBS = Statement(
    "SELECT COUNT(*) AS n FROM jobs WHERE (target_id = :server_id OR target_id IN "
    f"(SELECT id FROM devices WHERE tax_server_id = :server_id)) AND {OPEN}"
)


def find(hand: Connection, release_id: str) -> Row | None:
    """One release."""
    return hand.one(_ONE, {"id": release_id})


def of_product(hand: Connection, product: str) -> list[Row]:
    """All releases of a product, oldest first."""
    return hand.rows(_OF_PRODUCT, {"product": product})


def everything(hand: Connection) -> list[Row]:
    """All releases, oldest first within each product."""
    return hand.rows(_ALL)


def seen(hand: Connection, rows: Sequence[ReleaseRow]) -> None:
    """Take in what is published; of a known release its days and notes may be corrected."""
    for row in rows:
        hand.run(_SEEN, row.model_dump())


def checked(hand: Connection, row: ReleaseCheckRow) -> None:
    """A tax server was asked."""
    hand.run(_CHECKED, row.model_dump())


def checks(hand: Connection, server_ids: Sequence[str]) -> list[Row]:
    """When these tax servers were asked, per product."""
    return _among(hand, "SELECT * FROM release_checks WHERE tax_server_id IN ({})", server_ids)


def last_upgrades(hand: Connection, record_ids: Sequence[str]) -> list[Row]:
    """The newest upgrade of each of these records."""
    text = (
        "SELECT u.* FROM upgrades u JOIN (SELECT record_id, MAX(id) AS id FROM upgrades WHERE record_id IN ({}) "
        "GROUP BY record_id) n ON n.id = u.id"
    )
    return _among(hand, text, record_ids)


def open_jobs(hand: Connection, server_id: str) -> int:
    """Jobs under way or waiting on a tax server and its devices."""
    row = hand.one(_OPEN_JOBS, {"server_id": server_id})
    return int(row["n"]) if row else 0


def _among(hand: Connection, text: str, ids: Sequence[str]) -> list[Row]:
    if not ids:
        return []
    names = [f"id{number}" for number in range(len(ids))]
    statement = Statement(text.format(", ".join(f":{name}" for name in names)))
    return hand.rows(statement, dict(zip(names, ids, strict=True)))
