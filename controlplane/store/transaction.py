"""One operation's hand on the ledger: its statements, its operation-log entry and the events it raises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlmodel import SQLModel

from controlplane.store.statement import Connection, Insert, Row
from controlplane.store.times import utc_text

LOGGED = "in the operation log"
"""Note on an exception whose refusal already has its row."""


@dataclass(slots=True)
class Event:
    """One line of the change feed. ``topic`` is the device or tax server whose agent should look, if any."""

    noun: str
    record_id: str
    taxpayer_id: str
    verb: str
    version: int = 0
    topic: str | None = None
    seq: int = 0
    at: str = ""


@dataclass(slots=True)
class Entry:
    """One row of the operation log: who did (or was refused) what to which record, and why."""

    actor_id: str
    actor_name: str
    actor_kind: str
    action: str
    noun: str
    subject_id: str = ""
    taxpayer_id: str = ""
    reason: str = ""
    outcome: str = "allowed"
    detail: dict[str, Any] = field(default_factory=dict)
    request_id: str = ""


@cache
def _insert_of(model: type[SQLModel]) -> Insert:
    return Insert(str(model.__tablename__), [column.name for column in model.__table__.columns])  # type: ignore[attr-defined]


@cache
def _columns_of(model: type[SQLModel]) -> tuple[Row, frozenset[str]]:
    """(defaults, names of all columns)."""
    fields = model.model_fields
    defaults = {name: field.get_default() for name, field in fields.items() if not field.is_required()}
    return defaults, frozenset(fields)


def row_of(model: type[SQLModel], **values: Any) -> Row:
    """A row of a table model as plain columns, defaults filled in; TypeError when a column is missing or unknown.

    For tables that get many rows: an instance of the model costs ten times as much.
    """
    defaults, names = _columns_of(model)
    row = {**defaults, **values}
    if row.keys() != names:
        raise TypeError(f"{model.__tablename__}: {sorted(row.keys() ^ names)}")
    return row


class Transaction(Connection):
    """A connection inside one savepoint of the writer's batch.

    What an operation logs and raises is appended at the end of the batch, so that the chain of the operation log and
    the numbers of the change feed have one order and no gaps.
    """

    def __init__(self, hand: Connection, moment: datetime) -> None:
        super().__init__(hand._cursor, hand.dialect)
        self.memo = hand.memo
        self.moment = moment
        self.now = utc_text(moment)
        self.entries: list[Entry] = []
        self.events: list[Event] = []
        self.stops_changed = False
        """An emergency stop came or went (``store.stops``)."""
        self._on_refusal: Entry | None = None

    def add(self, row: SQLModel) -> None:
        """Insert one row of a table model."""
        self.run(_insert_of(type(row)), row.model_dump())

    def add_rows(self, model: type[SQLModel], rows: Sequence[Row]) -> None:
        """Insert rows made by :func:`row_of`."""
        self.insert(_insert_of(model), rows)

    def begin_entry(self, entry: Entry) -> Entry:
        """Log ``entry``; should the operation be refused, a copy marked ``refused`` is kept in its place."""
        self.entries.append(entry)
        self._on_refusal = entry
        return entry

    def no_entry(self) -> None:
        """Nothing changed (a replay): leave no row in the operation log."""
        self.entries.clear()
        self._on_refusal = None

    def raise_event(self, event: Event) -> None:
        """Tell followers of the change feed, once this is durable."""
        self.events.append(event)

    def forget(self, refusal: Exception) -> None:
        """The savepoint was rolled back: keep only the row that says what was refused."""
        self.events.clear()
        self.entries.clear()
        self.stops_changed = False
        if self._on_refusal is not None:
            entry = self._on_refusal
            entry.outcome = "refused"
            entry.detail = {"code": getattr(refusal, "code", type(refusal).__name__)}
            self.entries.append(entry)
            refusal.add_note(LOGGED)
