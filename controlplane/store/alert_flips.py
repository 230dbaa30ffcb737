"""Flips of alerts, and whom each is told to: one row per flip and recipient, until it stands in a letter."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class AlertFlipRow(SQLModel, table=True):
    """A line (or, without ``line_id``, a vantage) that was found abnormal, or normal again.

    ``opened_by``: of a closing flip, the one that opened. ``rule_id`` is empty for a vantage; its closing
    flip has the number of slots missed as its reason.
    """

    __tablename__ = "alert_flips"
    __table_args__ = (Index("ix_alert_flips_line_id", "line_id"),)
    id: str = Field(primary_key=True)
    rule_id: str
    line_id: str
    vantage: str
    move: str
    slot: str
    at: str
    failing_phase: str
    reason: str
    opened_by: str = ""


class AlertTellRow(SQLModel, table=True):
    """A flip that a recipient is to hear of. ``state`` waiting, told (in letter ``outbox_id``) or dropped."""

    __tablename__ = "alert_tells"
    __table_args__ = (Index("ix_alert_tells_state", "state", "recipient"),)
    flip_id: str = Field(primary_key=True)
    recipient: str = Field(primary_key=True)
    state: str = "waiting"
    outbox_id: str | None = None


_RECIPIENTS = Statement("SELECT recipient FROM alert_tells WHERE flip_id = :flip_id AND state <> 'dropped'")
_WAITING = Statement(
    "SELECT t.recipient, f.* FROM alert_tells t JOIN alert_flips f ON f.id = t.flip_id "
    "WHERE t.state = 'waiting' ORDER BY t.recipient, f.id"
)
_TOLD = Statement(
    "UPDATE alert_tells SET state = :state, outbox_id = :outbox_id WHERE flip_id = :flip_id AND recipient = :recipient"
)
_MAILS = Statement(
    "SELECT t.recipient, t.state, t.outbox_id, o.state AS delivery FROM alert_tells t "
    "LEFT JOIN outbox o ON o.id = t.outbox_id WHERE t.flip_id = :flip_id ORDER BY t.recipient"
)
_LAST_OF_VANTAGE = Statement(
    "SELECT * FROM alert_flips WHERE line_id = '' AND vantage = :vantage ORDER BY id DESC LIMIT 1"
)


def recipients(hand: Connection, flip_id: str) -> list[str]:
    """Who was told of a flip, or is about to be."""
    return [row["recipient"] for row in hand.rows(_RECIPIENTS, {"flip_id": flip_id})]


def waiting(hand: Connection) -> dict[str, list[Row]]:
    """Recipient → flips that are not in a letter yet, in the order they happened."""
    found: dict[str, list[Row]] = {}
    for row in hand.rows(_WAITING):
        found.setdefault(row["recipient"], []).append(row)
    return found


def told(hand: Connection, rows: list[Row]) -> None:
    """Write what became of tells: flip_id, recipient, state, outbox_id."""
    hand.run_many(_TOLD, rows)


def mails(hand: Connection, flip_id: str) -> list[Row]:
    """Who hears of a flip, and how far the letter is."""
    return hand.rows(_MAILS, {"flip_id": flip_id})


def last_of_vantage(hand: Connection, vantage: str) -> Row | None:
    """The newest flip of a vantage."""
    return hand.one(_LAST_OF_VANTAGE, {"vantage": vantage})
