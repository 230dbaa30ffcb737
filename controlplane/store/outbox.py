"""Every message that leaves: one table for all channels, delivered after the commit that caused it."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class OutboxRow(SQLModel, table=True):
    """One message to one recipient. ``payload`` is JSON; ``state`` waiting, sent or given_up."""

    __tablename__ = "outbox"
    id: str = Field(primary_key=True)
    channel: str
    recipient: str
    cause: str
    payload: str
    state: str = "waiting"
    attempts: int = 0
    next_try_at: str
    last_error: str = ""
    sent_at: str | None = None
    created_at: str


_DUE = Statement(
    "SELECT * FROM outbox WHERE state = 'waiting' AND channel = :channel AND next_try_at <= :now "
    "ORDER BY id LIMIT :limit"
)
_CLAIM = Statement(
    "UPDATE outbox SET attempts = attempts + 1, next_try_at = :next_try_at "
    "WHERE id = :id AND state = 'waiting' AND attempts = :attempts"
)
_DONE = Statement("UPDATE outbox SET state = :state, last_error = :last_error, sent_at = :sent_at WHERE id = :id")


def due(hand: Connection, channel: str, now: str, limit: int = 50) -> list[Row]:
    """Messages of a channel whose time has come."""
    return hand.rows(_DUE, {"channel": channel, "now": now, "limit": limit})


def claim(hand: Connection, row: Row, next_try_at: str) -> bool:
    """Take a message for one try; False when another process has taken it."""
    values = {"id": row["id"], "attempts": row["attempts"], "next_try_at": next_try_at}
    return hand.run(_CLAIM, values) == 1


def conclude(hand: Connection, values: Row) -> None:
    """Write what became of a try: id, state, last_error, sent_at."""
    hand.run(_DONE, values)
