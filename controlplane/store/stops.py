"""Emergency stops, and how every writer learns of them in time.

A batch with a change counts ``ledger_head.stop_seq`` up at its end. One that looks at the stops notes the number it
saw; at its end, under the head row's lock, the number must still be the same, or all of it is done again. So nothing
that was placed by what was known before a stop is committed after it, on any replica, and a batch pays for one read of
a table that is empty as a rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement, among
from controlplane.store.transaction import Transaction

MEMO = "stops"
_ACTIVE = text("state = 'active'")


class StopRow(SQLModel, table=True):
    """One emergency stop. ``taxpayer_id`` and ``region`` say for whom it exists; the other is empty."""

    __tablename__ = "stops"
    __table_args__ = (
        Index("uq_stops_active", "target_noun", "target_id", unique=True,
              sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
    )  # fmt: skip
    id: str = Field(primary_key=True)
    target_noun: str
    target_id: str
    target_name: str
    taxpayer_id: str = ""
    region: str = ""
    state: str = "active"
    reason: str
    stopped_by: str
    stopped_by_id: str
    resumed_by: str | None = None
    resumed_at: str | None = None
    resume_reason: str | None = None
    version: int = 1
    created_at: str
    updated_at: str


class Stale(Exception):
    """A stop came or went while a batch was at work: all of it has to be done again."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The stops that hold, and the number they were seen under."""

    seq: int
    rows: tuple[Row, ...]


_IN_FORCE = Statement(
    "SELECT h.stop_seq, s.id, s.target_noun, s.target_id, s.target_name, s.reason, s.stopped_by, s.created_at "
    "FROM ledger_head h LEFT JOIN stops s ON s.state = 'active' WHERE h.id = 1 ORDER BY s.id"
)
_ONE = Statement("SELECT * FROM stops WHERE id = :id")
_LOCKED = Statement("SELECT * FROM stops WHERE id = :id", for_update=True)
_ON = Statement(
    "SELECT * FROM stops WHERE state = 'active' AND target_noun = :target_noun AND target_id = :target_id"
)
_RESUME = Statement(
    "UPDATE stops SET state = :state, resumed_by = :resumed_by, resumed_at = :now, resume_reason = :reason, "
    "version = version + 1, updated_at = :now WHERE id = :id"
)
_DEVICES = (
    "SELECT d.id, d.taxpayer_id FROM devices d LEFT JOIN tax_servers s ON s.id = d.tax_server_id "
    "LEFT JOIN taxpayers t ON t.taxpayer_id = d.taxpayer_id WHERE "
)
_UNDER = {
    "taxpayer": Statement(_DEVICES + "d.taxpayer_id = :target_id ORDER BY d.id"),
    "device": Statement(_DEVICES + "d.id = :target_id ORDER BY d.id"),
    "tax_server": Statement(_DEVICES + "d.tax_server_id = :target_id ORDER BY d.id"),
    "region": Statement(_DEVICES + "s.region = :target_id OR t.region = :target_id ORDER BY d.id"),
}


def in_force(hand: Connection) -> InForce:
    """The stops that hold now, read once per transaction of the database."""
    found = hand.memo.get(MEMO)
    if not isinstance(found, InForce):
        rows = hand.rows(_IN_FORCE)
        seq = int(rows[0]["stop_seq"]) if rows else 0
        found = hand.memo[MEMO] = InForce(seq, tuple(row for row in rows if row["id"] is not None))
    return found


def still_so(hand: Connection, seq: int) -> None:
    """:class:`Stale` when the stops this transaction saw are not those of number ``seq``."""
    seen = hand.memo.get(MEMO)
    if isinstance(seen, InForce) and seen.seq != seq:
        raise Stale


def changed(tx: Transaction) -> None:
    """A stop came or went in this transaction: what its batch knew is read again, and all others learn of it."""
    tx.stops_changed = True
    tx.memo.pop(MEMO, None)


def find(hand: Connection, stop_id: str, lock: bool = False) -> Row | None:
    """One stop, its row locked until the end of the batch when ``lock``."""
    return hand.one(_LOCKED if lock else _ONE, {"id": stop_id})


def active_on(hand: Connection, target_noun: str, target_id: str) -> Row | None:
    """The stop in force on this very target."""
    return hand.one(_ON, {"target_noun": target_noun, "target_id": target_id})


def resume(hand: Connection, values: dict[str, Any]) -> None:
    """Write who resumed, when and why. Its columns: id, state, resumed_by, reason, now."""
    hand.run(_RESUME, values)


def places(hand: Connection, device_ids: Sequence[str]) -> list[Row]:
    """What of devices can be stopped: id, taxpayer_id, tax_server_id, server_region, taxpayer_region."""
    parameters: dict[str, Any] = {}
    chosen = among(hand.dialect, "d.id", "id", device_ids, parameters)
    return hand.rows(
        Statement(
            "SELECT d.id, d.taxpayer_id, d.tax_server_id, s.region AS server_region, t.region AS taxpayer_region "
            "FROM devices d LEFT JOIN tax_servers s ON s.id = d.tax_server_id "
            f"LEFT JOIN taxpayers t ON t.taxpayer_id = d.taxpayer_id WHERE {chosen}"
        ),
        parameters,
    )


def devices_under(hand: Connection, target_noun: str, target_id: str) -> list[Row]:
    """id and taxpayer_id of the devices a stop on this target holds."""
    return hand.rows(_UNDER[target_noun], {"target_id": target_id})
