"""Slots of the line watch: done, missed or in hand, and how far each vantage's slots are settled."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from controlplane.store.slots import SlotRow
from controlplane.store.statement import Connection, Insert, Row, Statement


class LineVantageRow(SQLModel, table=True):
    """A place that lines are watched from. Every slot up to ``settled_to`` has its rows.

    ``silent_since``: the first of at least two slots in a row that were missed; null while all is well.
    """

    __tablename__ = "line_vantages"
    vantage: str = Field(primary_key=True)
    period: float
    settled_to: str
    silent_since: str | None = None
    missed: int = 0
    """Slots missed in a row up to ``settled_to``."""


_MISS = Insert("slots", SlotRow.model_fields, "ON CONFLICT DO NOTHING")
_FIND = Statement("SELECT * FROM slots WHERE work = :work AND slot = :slot", for_update=True)
_BETWEEN = Statement("SELECT * FROM slots WHERE work = :work AND slot > :after AND slot < :before ORDER BY slot")
_UNREPORTED = Statement("SELECT * FROM slots WHERE state = 'claimed' AND work = :work AND at < :before")
_END = Statement("UPDATE slots SET state = :state WHERE work = :work AND slot = :slot AND state = 'claimed'")
_VANTAGES = Statement("SELECT * FROM line_vantages ORDER BY vantage")
_VANTAGE = Statement("SELECT * FROM line_vantages WHERE vantage = :vantage", for_update=True)
_MEET = Insert("line_vantages", LineVantageRow.model_fields, "ON CONFLICT DO NOTHING")
_PERIOD = Statement("UPDATE line_vantages SET period = :period WHERE vantage = :vantage AND period <> :period")
_SETTLE = Statement(
    "UPDATE line_vantages SET settled_to = :settled_to, silent_since = :silent_since, missed = :missed "
    "WHERE vantage = :vantage"
)


def miss(hand: Connection, row: SlotRow) -> None:
    """Write down that nobody worked a slot."""
    hand.run(_MISS, row.model_dump())


def find(hand: Connection, work: str, slot: str) -> Row | None:
    """One slot, locked."""
    return hand.one(_FIND, {"work": work, "slot": slot})


def between(hand: Connection, work: str, after: str, before: str) -> dict[str, Row]:
    """Slots on record strictly between two times."""
    found = hand.rows(_BETWEEN, {"work": work, "after": after, "before": before})
    return {row["slot"]: row for row in found}


def unreported(hand: Connection, work: str, before: str) -> list[Row]:
    """Slots claimed before a time whose samples have not come."""
    return hand.rows(_UNREPORTED, {"work": work, "before": before})


def end(hand: Connection, work: str, slot: str, state: str) -> None:
    """A claimed slot is done, or missed after all."""
    hand.run(_END, {"work": work, "slot": slot, "state": state})


def vantages(hand: Connection) -> list[Row]:
    """Every vantage that ever claimed a slot."""
    return hand.rows(_VANTAGES)


def vantage(hand: Connection, name: str) -> Row | None:
    """One vantage, locked."""
    return hand.one(_VANTAGE, {"vantage": name})


def meet(hand: Connection, row: LineVantageRow) -> None:
    """A vantage claims its first slot, or one of another length."""
    hand.insert(_MEET, [row.model_dump()])
    hand.run(_PERIOD, {"vantage": row.vantage, "period": row.period})


def settle(hand: Connection, row: Row) -> None:
    """Write how far a vantage's slots are settled, and whether it is silent."""
    hand.run(_SETTLE, {name: row[name] for name in ("vantage", "settled_to", "silent_since", "missed")})
