"""Schedules of automatic reporting: one per taxpayer, and the platform's default under taxpayer id ``-``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class ReportScheduleRow(SQLModel, table=True):
    """From ``days_before`` days before a deadline, at ``hour``:``minute`` device time, due kinds go by themselves."""

    __tablename__ = "report_schedules"
    __table_args__ = (Index("ix_report_schedules_id", "id"),)
    taxpayer_id: str = Field(primary_key=True)
    id: str
    hour: int
    minute: int
    days_before: int
    state: str
    version: int = 1
    created_at: str
    updated_at: str


_ONE = Statement("SELECT * FROM report_schedules WHERE id = :id", for_update=True)
_OF_TAXPAYER = Statement("SELECT * FROM report_schedules WHERE taxpayer_id = :taxpayer_id", for_update=True)
_ALL = Statement("SELECT * FROM report_schedules")


def find(hand: Connection, schedule_id: str) -> Row | None:
    """One schedule, locked."""
    return hand.one(_ONE, {"id": schedule_id})


def of_taxpayer(hand: Connection, taxpayer_id: str) -> Row | None:
    """The schedule of a taxpayer (``-``: the platform's), locked."""
    return hand.one(_OF_TAXPAYER, {"taxpayer_id": taxpayer_id})


def by_taxpayer(hand: Connection) -> dict[str, Row]:
    """All schedules."""
    return {row["taxpayer_id"]: row for row in hand.rows(_ALL)}


def change(hand: Connection, row: Row, values: dict[str, Any], now: str) -> None:
    """Set columns of a schedule, count its version up."""
    columns = ", ".join(f"{name} = :{name}" for name in values)
    statement = Statement(
        f"UPDATE report_schedules SET {columns}, version = version + 1, updated_at = :now "
        "WHERE taxpayer_id = :taxpayer_id"
    )
    hand.run(statement, {**values, "now": now, "taxpayer_id": row["taxpayer_id"]})
