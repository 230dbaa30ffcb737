"""Batches of virtual devices taken from one file: which line became which device."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class BatchRow(SQLModel, table=True):
    """One file that was applied; ``digest`` is its SHA-256."""

    __tablename__ = "batches"
    id: str = Field(primary_key=True)
    requested_by: str
    digest: str
    total: int
    version: int = 1
    created_at: str
    updated_at: str


class BatchLineRow(SQLModel, table=True):
    """One line of the file and the device it became."""

    __tablename__ = "batch_rows"
    batch_id: str = Field(primary_key=True)
    line: int = Field(primary_key=True)
    device_id: str


_ONE = Statement("SELECT * FROM batches WHERE id = :id")
_LINES = Statement(
    "SELECT r.line, d.id, d.device_no, d.taxpayer_id, d.tax_server_id, d.name, d.state, d.to_ready, d.version "
    "FROM batch_rows r JOIN devices d ON d.id = r.device_id WHERE r.batch_id = :id ORDER BY r.line"
)


def find(hand: Connection, batch_id: str) -> Row | None:
    """One batch."""
    return hand.one(_ONE, {"id": batch_id})


def lines(hand: Connection, batch_id: str) -> list[Row]:
    """The devices of a batch by line of its file."""
    return hand.rows(_LINES, {"id": batch_id})
