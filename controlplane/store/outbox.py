"""Every message that leaves: one table for all channels, delivered after the commit that caused it."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class OutboxRow(SQLModel, table=True):
    """One message to one recipient. ``payload`` is JSON; ``state`` queued, deferred, sent or given_up.

    ``next_try_at`` of a message in hand is when its taker is held to be lost.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "state", "next_try_at"),
        Index("ix_outbox_recipient", "recipient", "cause"),
    )
    id: str = Field(primary_key=True)
    channel: str
    recipient: str
    cause: str
    payload: str
    state: str = "queued"
    attempts: int = 0
    next_try_at: str
    last_error: str = ""
    sent_at: str | None = None
    created_at: str


_DUE = Statement(
    "SELECT * FROM outbox WHERE state IN ('queued', 'deferred') AND channel = :channel AND next_try_at <= :now "
    "ORDER BY id LIMIT :limit"
)
_CLAIM = Statement(
    "UPDATE outbox SET attempts = attempts + 1, next_try_at = :next_try_at "
    "WHERE id = :id AND state IN ('queued', 'deferred') AND attempts = :attempts"
)
_DONE = Statement(
    "UPDATE outbox SET state = :state, last_error = :last_error, sent_at = :sent_at, next_try_at = :next_try_at "
    "WHERE id = :id AND state IN ('queued', 'deferred') AND attempts = :attempts"
)
_LATEST = Statement(
    "SELECT * FROM outbox WHERE recipient = :recipient AND cause = :cause ORDER BY created_at DESC, id DESC LIMIT 1"
)


def due(hand: Connection, channel: str, now: str, limit: int = 50) -> list[Row]:
    """Messages of a channel whose time has come."""
    return hand.rows(_DUE, {"channel": channel, "now": now, "limit": limit})


def claim(hand: Connection, row: Row, lost_at: str) -> bool:
    """Take a message for one try; False when another process has taken it. Who has not told by then is held lost."""
    values = {"id": row["id"], "attempts": row["attempts"], "next_try_at": lost_at}
    return hand.run(_CLAIM, values) == 1


def conclude(hand: Connection, values: Row) -> bool:
    """Write what became of a try: id, attempts, state, last_error, sent_at, next_try_at; False when it was lost."""
    return hand.run(_DONE, values) == 1


def latest(hand: Connection, recipient: str, cause: str) -> Row | None:
    """The newest message of a cause to a recipient."""
    return hand.one(_LATEST, {"recipient": recipient, "cause": cause})
