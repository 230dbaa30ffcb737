"""The end of every batch: operation-log rows chained to the one before, change-feed rows numbered without gaps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from controlplane.store import stops
from controlplane.store.statement import Connection, Insert, Row, Statement
from controlplane.store.transaction import Entry, Event, Transaction

ALGORITHM = "sha256"
GENESIS = "0" * 64


class LedgerHead(SQLModel, table=True):
    """The one row that orders all commits: last numbers and last hash, and this ledger's identity."""

    __tablename__ = "ledger_head"
    id: int = Field(primary_key=True)
    instance_id: str
    log_seq: int = Field(sa_type=BigInteger)
    log_hash: str
    event_seq: int = Field(sa_type=BigInteger)
    stop_seq: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    """Changes of emergency stops so far (``store.stops``)."""


class OperationLogRow(SQLModel, table=True):
    """One operation, chained by the digest of the row before it."""

    __tablename__ = "operation_log"
    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    at: str = Field(index=True)
    actor_id: str = Field(index=True)
    actor_name: str
    actor_kind: str
    action: str
    noun: str
    subject_id: str = Field(index=True)
    taxpayer_id: str = Field(index=True)
    reason: str
    outcome: str
    detail: str
    request_id: str
    algorithm: str
    previous_hash: str
    hash: str


class EventRow(SQLModel, table=True):
    """One line of the change feed."""

    __tablename__ = "events"
    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    at: str
    noun: str
    record_id: str
    taxpayer_id: str
    verb: str
    version: int
    topic: str | None


_HEAD = Statement("SELECT log_seq, log_hash, event_seq, stop_seq FROM ledger_head WHERE id = 1", for_update=True)
_COUNT = Statement("SELECT COUNT(*) AS n FROM operation_log")
_HEAD_NOW = Statement("SELECT log_seq, log_hash FROM ledger_head WHERE id = 1")
_MOVE = Statement(
    "UPDATE ledger_head SET log_seq = :log_seq, log_hash = :log_hash, event_seq = :event_seq, "
    "stop_seq = :stop_seq WHERE id = 1"
)
_LOG = Insert("operation_log", OperationLogRow.model_fields)
_EVENT = Insert("events", EventRow.model_fields)
_NOTIFY = Statement("SELECT pg_notify('taxplane_feed', :seq)")
_SINCE = Statement("SELECT * FROM events WHERE seq > :seq ORDER BY seq LIMIT :limit")
_ROWS = Statement("SELECT * FROM operation_log WHERE seq > :seq ORDER BY seq LIMIT :limit")
_TOUCH = Statement("UPDATE ledger_head SET id = id WHERE id = 1")
_LAST = Statement("SELECT event_seq, instance_id FROM ledger_head WHERE id = 1")


def append(hand: Connection, transactions: Sequence[Transaction]) -> list[Event]:
    """Write the batch's log rows and events under the head row's lock; returns the numbered events."""
    entries = [(entry, transaction) for transaction in transactions for entry in transaction.entries]
    events = [(event, transaction) for transaction in transactions for event in transaction.events]
    if not entries and not events:
        return []
    head = hand.one(_HEAD)
    assert head is not None
    stops.still_so(hand, int(head["stop_seq"]))
    head["stop_seq"] += any(transaction.stops_changed for transaction in transactions)
    rows: list[Row] = []
    for entry, transaction in entries:
        head["log_seq"] += 1
        row = _log_row(entry, transaction.now, head)
        head["log_hash"] = row["hash"]
        rows.append(row)
    for event, transaction in events:
        head["event_seq"] += 1
        event.seq, event.at = head["event_seq"], transaction.now
    hand.insert(_LOG, rows)
    numbered = [event for event, _ in events]
    hand.insert(_EVENT, [event_fields(event) for event in numbered])
    hand.run(_MOVE, head)
    if numbered and hand.dialect == "postgresql":
        hand.rows(_NOTIFY, {"seq": str(head["event_seq"])})
    return numbered


def event_fields(event: Event) -> dict[str, Any]:
    """An event as the columns of its row."""
    return {name: getattr(event, name) for name in EventRow.model_fields}


def digest(row: Row) -> str:
    """Hash of one operation-log row over all its fields but the hash itself, the previous hash included."""
    content = msgspec.json.encode({key: value for key, value in row.items() if key != "hash"}, order="sorted")
    return hashlib.sha256(content).hexdigest()


def _log_row(entry: Entry, now: str, head: Row) -> Row:
    row: Row = {
        "seq": head["log_seq"],
        "at": now,
        "actor_id": entry.actor_id,
        "actor_name": entry.actor_name,
        "actor_kind": entry.actor_kind,
        "action": entry.action,
        "noun": entry.noun,
        "subject_id": entry.subject_id,
        "taxpayer_id": entry.taxpayer_id,
        "reason": entry.reason,
        "outcome": entry.outcome,
        "detail": msgspec.json.encode(entry.detail).decode(),
        "request_id": entry.request_id,
        "algorithm": ALGORITHM,
        "previous_hash": head["log_hash"],
    }
    row["hash"] = digest(row)
    return row


def events_since(hand: Connection, seq: int, limit: int = 1000) -> list[Event]:
    """Events after ``seq`` in order, at most ``limit``."""
    return [Event(**row) for row in hand.rows(_SINCE, {"seq": seq, "limit": limit})]


def log_rows(hand: Connection, at_once: int = 1000) -> Iterator[Row]:
    """Every row of the operation log in order, read ``at_once`` at a time."""
    seq = 0
    while rows := hand.rows(_ROWS, {"seq": seq, "limit": at_once}):
        yield from rows
        seq = rows[-1]["seq"]


def log_head(hand: Connection) -> tuple[int, str]:
    """Number and hash of the last row of the operation log."""
    row = hand.one(_HEAD_NOW)
    assert row is not None
    return row["log_seq"], row["log_hash"]


def log_count(hand: Connection) -> int:
    """How many rows the operation log has."""
    row = hand.one(_COUNT)
    return row["n"] if row else 0


def position(hand: Connection) -> tuple[str, int]:
    """This ledger's instance id and the number of its last event."""
    row = hand.one(_LAST)
    assert row is not None
    return row["instance_id"], row["event_seq"]


def touch(hand: Connection) -> None:
    """Write what every commit writes, and change nothing: proves that the ledger can be written."""
    hand.run(_TOUCH)


def has_head(hand: Connection) -> bool:
    """Whether this ledger was founded."""
    return hand.one(_LAST) is not None
