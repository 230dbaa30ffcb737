"""Devices of every kind; a virtual device is one that lives on a tax server."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement

JSON_COLUMNS = ("kinds", "rates", "company")


class DeviceRow(SQLModel, table=True):
    """One device and its last reading. JSON columns: kinds (监控数据 per kind), rates, company (企业信息)."""

    __tablename__ = "devices"
    id: str = Field(primary_key=True)
    taxpayer_id: str = Field(index=True)
    device_no: str | None = Field(default=None, unique=True)
    device_kind: str
    custody: str
    medium: str
    tax_server_id: str | None = Field(default=None, index=True)
    name: str
    state: str
    held_reason: str = ""
    """Why an operator suspended it."""
    to_ready: int = 0
    """1 while the steps of its commissioning follow each other by themselves."""
    kinds: str = "[]"
    rates: str = "[]"
    company: str = "{}"
    certificate_issued_at: str | None = None
    certificate_not_after: str | None = None
    reachable: int | None = None
    unreachable_message: str = ""
    clock_offset_seconds: float | None = None
    bureau_online: int | None = None
    bureau_message: str = ""
    offline_since: str | None = None
    offline_count: int = 0
    offline_fen: int = Field(default=0, sa_type=BigInteger)
    last_index: int = 0
    upload_cursor: int = 0
    read_at: str | None = None
    segments_at: str | None = None
    """When the segments on record were told by the device; what was told before that no longer counts."""
    version: int = 1
    created_at: str
    updated_at: str


_ONE = Statement("SELECT * FROM devices WHERE id = :id")
_LOCKED = Statement("SELECT * FROM devices WHERE id = :id", for_update=True)
_BY_NUMBER = Statement("SELECT * FROM devices WHERE device_no = :device_no")
_OF_SERVER = Statement("SELECT * FROM devices WHERE tax_server_id = :server_id ORDER BY id")
_LEFT_ON = Statement(
    "SELECT id, device_no, name, state FROM devices WHERE tax_server_id = :server_id AND state <> 'cancelled' "
    "ORDER BY id"
)
_TAKEN = Statement(
    "SELECT COUNT(*) AS registered, SUM(CASE WHEN state = 'registered' THEN 1 ELSE 0 END) AS uncommissioned "
    "FROM devices WHERE tax_server_id = :server_id AND state <> 'cancelled'"
)
_NAMED = Statement(
    "SELECT id FROM devices WHERE taxpayer_id = :taxpayer_id AND tax_server_id = :tax_server_id AND name = :name "
    "AND state <> 'cancelled' LIMIT 1"
)
_DATED = Statement(
    "SELECT id, taxpayer_id, state, version, certificate_issued_at, certificate_not_after FROM devices "
    "WHERE certificate_not_after IS NOT NULL AND state <> 'cancelled' ORDER BY id"
)
_OF_TAXPAYER = Statement(
    "SELECT d.*, s.state AS server_state, s.certificate_not_after AS server_certificate_not_after, "
    "s.certificate_status AS server_certificate_status FROM devices d "
    "LEFT JOIN tax_servers s ON s.id = d.tax_server_id WHERE d.taxpayer_id = :taxpayer_id ORDER BY d.id"
)


def find(hand: Connection, device_id: str, lock: bool = False) -> Row | None:
    """The device, its row locked until the end of the batch when ``lock``."""
    return hand.one(_LOCKED if lock else _ONE, {"id": device_id})


def by_number(hand: Connection, device_no: str) -> Row | None:
    """The device that carries this number."""
    return hand.one(_BY_NUMBER, {"device_no": device_no})


def of_taxpayer(hand: Connection, taxpayer_id: str) -> list[Row]:
    """All devices of a taxpayer with the state of their tax server."""
    return hand.rows(_OF_TAXPAYER, {"taxpayer_id": taxpayer_id})


def of_server(hand: Connection, server_id: str) -> list[Row]:
    """All virtual devices of a tax server."""
    return hand.rows(_OF_SERVER, {"server_id": server_id})


def change(hand: Connection, table: str, record_id: str, values: dict[str, Any], now: str) -> None:
    """Set columns of one record (``tax_servers`` or ``devices``), count its version up."""
    columns = ", ".join(f"{name} = :{name}" for name in values)
    statement = Statement(f"UPDATE {table} SET {columns}, version = version + 1, updated_at = :now WHERE id = :id")
    hand.run(statement, {**values, "now": now, "id": record_id})


def read(hand: Connection, device_id: str, values: dict[str, Any]) -> None:
    """Write columns of a reading; the version stays."""
    columns = ", ".join(f"{name} = :{name}" for name in values)
    hand.run(Statement(f"UPDATE devices SET {columns} WHERE id = :id"), {**values, "id": device_id})


def left_on(hand: Connection, server_id: str) -> list[Row]:
    """Virtual devices of a tax server that are not cancelled."""
    return hand.rows(_LEFT_ON, {"server_id": server_id})


def taken(hand: Connection, server_id: str) -> tuple[int, int]:
    """How many of a tax server's places are taken here, and how many of these are not commissioned yet."""
    row = hand.one(_TAKEN, {"server_id": server_id})
    return (int(row["registered"]), int(row["uncommissioned"] or 0)) if row else (0, 0)


def named(hand: Connection, values: Row) -> bool:
    """Whether a taxpayer has a device of this name on this tax server. Keys: taxpayer_id, tax_server_id, name."""
    return hand.one(_NAMED, values) is not None


def with_certificates(hand: Connection) -> list[Row]:
    """Devices that have a certificate, with its dates."""
    return hand.rows(_DATED)
