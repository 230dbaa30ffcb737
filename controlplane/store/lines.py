"""Bureau lines: the address book, one sample per address and slot, when each line was watched, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Insert, Row, Statement

SLOT, MANUAL = "slot", "manual"
"""Kinds of samples."""


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
    """One check of one address from one vantage; ``ok`` is null when the slot was missed.

    ``slot``: the slot's time; of a manual check the time it was made.
    """

    __tablename__ = "line_samples"
    endpoint_id: str = Field(primary_key=True)
    slot: str = Field(primary_key=True)
    vantage: str = Field(primary_key=True)
    kind: str = Field(default=SLOT, primary_key=True)
    at: str
    ok: int | None
    failing_phase: str
    reason: str
    duration_ms: float | None
    phases: str
    address: str
    certificate_not_after: str | None = None


class LineWatchRow(SQLModel, table=True):
    """A time in which a line was watched: every slot from ``since`` up to ``until`` owes it a row."""

    __tablename__ = "line_watches"
    endpoint_id: str = Field(primary_key=True)
    since: str = Field(primary_key=True)
    until: str | None = None


class LineStateRow(SQLModel, table=True):
    """Where a line stands: its verdict since when, the streaks, and the last slot that counted."""

    __tablename__ = "line_states"
    endpoint_id: str = Field(primary_key=True)
    verdict: str
    failed: int
    good: int
    slot: str
    slot_ok: int | None
    since: str


_IN_FORCE = "removed_at IS NULL AND valid_from <= :now AND (valid_to IS NULL OR valid_to > :now)"
_ENABLED = Statement(
    f"SELECT * FROM bureau_endpoints WHERE enabled = 1 AND {_IN_FORCE} ORDER BY area_code, service, id"
)
_ALL = Statement("SELECT * FROM bureau_endpoints")
_ONE = Statement("SELECT * FROM bureau_endpoints WHERE id = :id")
_ONE_LOCKED = Statement("SELECT * FROM bureau_endpoints WHERE id = :id", for_update=True)
_SAME = Statement(
    "SELECT * FROM bureau_endpoints WHERE area_code = :area_code AND service = :service AND target = :target "
    "AND removed_at IS NULL AND valid_to IS NULL"
)
_SWITCH = Statement(
    "UPDATE bureau_endpoints SET enabled = :enabled, version = version + 1, updated_at = :now WHERE id = :id"
)
_SEEN = ("at", "ok", "failing_phase", "reason", "duration_ms", "phases", "address", "certificate_not_after")
_SAMPLE = Insert(
    "line_samples",
    SampleRow.model_fields,
    "ON CONFLICT (endpoint_id, slot, vantage, kind) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _SEEN)
    + " WHERE line_samples.ok IS NULL",
)
_MISSED = Insert("line_samples", SampleRow.model_fields, "ON CONFLICT DO NOTHING")
_SEEN_IN_SLOT = Statement(
    "SELECT endpoint_id FROM line_samples WHERE slot = :slot AND vantage = :vantage AND kind = 'slot' "
    "AND ok IS NOT NULL AND endpoint_id = :endpoint_id"
)
_NEWEST = Statement("SELECT * FROM line_samples WHERE endpoint_id = :endpoint_id ORDER BY slot DESC, kind LIMIT :limit")
_STATES = Statement("SELECT * FROM line_states")
_STATE = Statement("SELECT * FROM line_states WHERE endpoint_id = :endpoint_id")
_KEEP_STATE = Insert(
    "line_states",
    LineStateRow.model_fields,
    "ON CONFLICT (endpoint_id) DO UPDATE SET verdict = excluded.verdict, failed = excluded.failed, "
    "good = excluded.good, slot = excluded.slot, slot_ok = excluded.slot_ok, since = excluded.since",
)
_FORGET_STATE = Statement("DELETE FROM line_states WHERE endpoint_id = :endpoint_id")
_WATCHES = Statement("SELECT * FROM line_watches WHERE since < :before AND (until IS NULL OR until > :after)")
_OPEN_WATCHES = Statement("SELECT * FROM line_watches WHERE until IS NULL")
_WATCH = Insert(
    "line_watches", LineWatchRow.model_fields, "ON CONFLICT (endpoint_id, since) DO UPDATE SET until = excluded.until"
)
_END_WATCH = Statement("UPDATE line_watches SET until = :until WHERE endpoint_id = :endpoint_id AND until IS NULL")


def enabled(hand: Connection, now: str) -> list[Row]:
    """Addresses to be checked: enabled, and in force at that time, so that a switch-over needs nobody's act."""
    return hand.rows(_ENABLED, {"now": now})


def is_watched(line: Row, now: str) -> bool:
    """The same for one address."""
    begun, over = line["valid_from"] <= now, line["valid_to"] is not None and line["valid_to"] <= now
    return bool(line["enabled"]) and line["removed_at"] is None and begun and not over


def by_id(hand: Connection) -> dict[str, Row]:
    """Every address on record."""
    return {row["id"]: row for row in hand.rows(_ALL)}


def find(hand: Connection, endpoint_id: str, lock: bool = False) -> Row | None:
    """One address."""
    return hand.one(_ONE_LOCKED if lock else _ONE, {"id": endpoint_id})


def same(hand: Connection, values: Row) -> Row | None:
    """The address on record for this area code, service and target."""
    return hand.one(_SAME, values)


def switch(hand: Connection, endpoint_id: str, enabled: int, now: str) -> None:
    """Switch the checking of an address on or off."""
    hand.run(_SWITCH, {"id": endpoint_id, "enabled": enabled, "now": now})


def add_samples(hand: Connection, samples: Sequence[Row]) -> None:
    """Store samples, each address once; a check takes the place of a missed row, and nothing that of a check."""
    hand.insert(_SAMPLE, samples)


def add_missed(hand: Connection, samples: Sequence[Row]) -> None:
    """Store rows of missed slots; what is already there stays as it is."""
    hand.insert(_MISSED, samples)


def is_seen(hand: Connection, endpoint_id: str, slot: str, vantage: str) -> bool:
    """True when an address was checked in a slot."""
    return hand.one(_SEEN_IN_SLOT, {"endpoint_id": endpoint_id, "slot": slot, "vantage": vantage}) is not None


def newest(hand: Connection, endpoint_id: str, limit: int) -> list[Row]:
    """The latest samples of an address, newest first."""
    return hand.rows(_NEWEST, {"endpoint_id": endpoint_id, "limit": limit})


def states(hand: Connection) -> dict[str, Row]:
    """Where every line stands that was checked before."""
    return {row["endpoint_id"]: row for row in hand.rows(_STATES)}


def state(hand: Connection, endpoint_id: str) -> Row | None:
    """Where one line stands."""
    return hand.one(_STATE, {"endpoint_id": endpoint_id})


def keep_states(hand: Connection, rows: Sequence[Row]) -> None:
    """Write where lines stand now."""
    hand.insert(_KEEP_STATE, rows)


def forget_state(hand: Connection, endpoint_id: str) -> None:
    """A line that is watched no more stands nowhere."""
    hand.run(_FORGET_STATE, {"endpoint_id": endpoint_id})


def watches(hand: Connection, after: str, before: str) -> list[Row]:
    """Watches that overlap a span of time."""
    return hand.rows(_WATCHES, {"after": after, "before": before})


def watched(hand: Connection) -> set[str]:
    """Lines that are watched now."""
    return {row["endpoint_id"] for row in hand.rows(_OPEN_WATCHES)}


def watch(hand: Connection, endpoint_id: str, since: str) -> None:
    """Begin to watch a line."""
    hand.insert(_WATCH, [{"endpoint_id": endpoint_id, "since": since, "until": None}])


def end_watch(hand: Connection, endpoint_id: str, until: str) -> None:
    """Stop watching a line."""
    hand.run(_END_WATCH, {"endpoint_id": endpoint_id, "until": until})
