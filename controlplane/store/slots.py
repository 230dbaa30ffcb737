"""Slots of clock work of any kind: claimed by whoever inserts the row, so that of many replicas one does it."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Insert


class SlotRow(SQLModel, table=True):
    """A slot of clock work: whoever inserts the row does the work. ``state`` claimed, done or missed."""

    __tablename__ = "slots"
    __table_args__ = (Index("ix_slots_state", "state", "work"),)
    work: str = Field(primary_key=True)
    slot: str = Field(primary_key=True)
    holder: str
    at: str
    state: str = "claimed"


_CLAIM = Insert(
    "slots",
    SlotRow.model_fields,
    "ON CONFLICT (work, slot) DO UPDATE SET holder = excluded.holder, at = excluded.at, state = excluded.state "
    "WHERE slots.state = 'missed'",
)


def claim(hand: Connection, row: SlotRow) -> bool:
    """Claim a slot; False when another process has it."""
    return hand.run(_CLAIM, row.model_dump()) == 1
