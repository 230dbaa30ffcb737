"""Bureau lines: the address book, one sample per address and slot, and the slots claimed by probe clocks."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Insert, Row, Statement


class BureauEndpointRow(SQLModel, table=True):
    """One version of one address of one bureau's service; shipped disabled.

    In force from ``valid_from`` (empty: always was) until ``valid_to``; the two are times. Versions of one area code,
    service and carrier follow each other.
    """

    __tablename__ = "bureau_endpoints"
    __table_args__ = (UniqueConstraint("area_code", "service", "carrier", "target", "valid_from"),)
    id: str = Field(primary_key=True)
    region: str
    area_code: str
    service: str
    target: str
    enabled: int = 0
    carrier: str = ""
    valid_from: str = ""
    valid_to: str | None = None
    removed_at: str | None = None
    note: str = ""
    source: str = ""
    version: int = 1
    created_at: str
    updated_at: str


class SampleRow(SQLModel, table=True):
    """One check of one address in one slot from one vantage; ``ok`` is null when the slot was missed."""

    __tablename__ = "line_samples"
    endpoint_id: str = Field(primary_key=True)
    slot: str = Field(primary_key=True)
    vantage: str = Field(primary_key=True)
    at: str
    ok: int | None
    failing_phase: str
    reason: str
    duration_ms: float | None
    phases: str
    address: str


class SlotRow(SQLModel, table=True):
    """A slot of clock work: whoever inserts the row does the work."""

    __tablename__ = "slots"
    work: str = Field(primary_key=True)
    slot: str = Field(primary_key=True)
    holder: str
    at: str


_CLAIM = Insert("slots", SlotRow.model_fields, "ON CONFLICT DO NOTHING")
_LAST_SLOT = Statement("SELECT MAX(slot) AS slot FROM slots WHERE work = :work")
_IN_FORCE = "removed_at IS NULL AND valid_from <= :now AND (valid_to IS NULL OR valid_to > :now)"
_ENABLED = Statement(
    f"SELECT * FROM bureau_endpoints WHERE enabled = 1 AND {_IN_FORCE} ORDER BY area_code, service, id"
)
_ONE = Statement("SELECT * FROM bureau_endpoints WHERE id = :id")
_SAME = Statement(
    "SELECT * FROM bureau_endpoints WHERE area_code = :area_code AND service = :service AND target = :target "
    "AND removed_at IS NULL AND valid_to IS NULL"
)
_SWITCH = Statement(
    "UPDATE bureau_endpoints SET enabled = :enabled, version = version + 1, updated_at = :now WHERE id = :id"
)
_SAMPLE = Insert("line_samples", SampleRow.model_fields, "ON CONFLICT DO NOTHING")
_NEWEST = Statement("SELECT * FROM line_samples WHERE endpoint_id = :endpoint_id ORDER BY slot DESC LIMIT :limit")


def claim_slot(hand: Connection, row: SlotRow) -> bool:
    """Claim a slot; False when another process has it."""
    return hand.run(_CLAIM, row.model_dump()) == 1


def last_slot(hand: Connection, work: str) -> str | None:
    """The newest slot claimed for a kind of work."""
    row = hand.one(_LAST_SLOT, {"work": work})
    return row["slot"] if row else None


def enabled(hand: Connection, now: str) -> list[Row]:
    """Addresses to be checked: enabled, and in force at that time, so that a switch-over needs nobody's act."""
    return hand.rows(_ENABLED, {"now": now})


def add_samples(hand: Connection, samples: list[SampleRow]) -> None:
    """Store samples; one that is already there for its slot stays as it is."""
    hand.insert(_SAMPLE, [sample.model_dump() for sample in samples])


def newest(hand: Connection, endpoint_id: str, limit: int) -> list[Row]:
    """The latest samples of an address, newest first."""
    return hand.rows(_NEWEST, {"endpoint_id": endpoint_id, "limit": limit})


def find(hand: Connection, endpoint_id: str) -> Row | None:
    """One address."""
    return hand.one(_ONE, {"id": endpoint_id})


def same(hand: Connection, values: Row) -> Row | None:
    """The address on record for this area code, service and target."""
    return hand.one(_SAME, values)


def switch(hand: Connection, endpoint_id: str, enabled: int, now: str) -> None:
    """Switch the checking of an address on or off."""
    hand.run(_SWITCH, {"id": endpoint_id, "enabled": enabled, "now": now})
