"""Checks asked for by hand: wanted by a person, taken by a probe process, done with a sample of their own."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class LineCheckRow(SQLModel, table=True):
    """One check of one line by hand. ``state`` wanted, taken or done."""

    __tablename__ = "line_checks"
    __table_args__ = (
        Index("ix_line_checks_endpoint", "endpoint_id", "asked_at"),
        Index("ix_line_checks_state", "state", "asked_at"),
    )
    id: str = Field(primary_key=True)
    endpoint_id: str
    asked_by: str
    asked_at: str
    state: str = "wanted"
    holder: str = ""
    taken_at: str | None = None
    done_at: str | None = None


_LATEST = Statement(
    "SELECT * FROM line_checks WHERE endpoint_id = :endpoint_id ORDER BY asked_at DESC, id DESC LIMIT 1"
)
_FIND = Statement("SELECT * FROM line_checks WHERE id = :id", for_update=True)
_WANTED = Statement(
    "SELECT c.*, e.target FROM line_checks c JOIN bureau_endpoints e ON e.id = c.endpoint_id "
    "WHERE c.state IN ('wanted', 'taken') AND c.asked_at > :fresh AND (c.taken_at IS NULL OR c.taken_at < :lost) "
    "AND e.enabled = 1 ORDER BY c.asked_at, c.id LIMIT :limit"
)
_TAKE = Statement(
    "UPDATE line_checks SET state = 'taken', holder = :holder, taken_at = :now "
    "WHERE id = :id AND state IN ('wanted', 'taken') AND (taken_at IS NULL OR taken_at < :lost)"
)
_FINISH = Statement("UPDATE line_checks SET state = 'done', done_at = :now WHERE id = :id")


def latest(hand: Connection, endpoint_id: str) -> Row | None:
    """The newest check of a line by hand."""
    return hand.one(_LATEST, {"endpoint_id": endpoint_id})


def find(hand: Connection, check_id: str) -> Row | None:
    """One check, locked."""
    return hand.one(_FIND, {"id": check_id})


def wanted(hand: Connection, fresh: str, lost: str, limit: int = 500) -> list[Row]:
    """Checks asked for since ``fresh`` that nobody has in hand, or whose taker was not heard of since ``lost``."""
    return hand.rows(_WANTED, {"fresh": fresh, "lost": lost, "limit": limit})


def take(hand: Connection, row: Row) -> bool:
    """Take a check in hand (id, holder, now, lost); False when another process has it."""
    return hand.run(_TAKE, row) == 1


def finish(hand: Connection, check_id: str, now: str) -> None:
    """The check's sample is here."""
    hand.run(_FINISH, {"id": check_id, "now": now})
