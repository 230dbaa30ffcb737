"""Reports: one row per taxpayer, device, invoice kind and period, from due to cleared; and what the ledger sums up."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Insert, Row, Statement

_OPEN = "state <> 'cleared'"


class ReportRow(SQLModel, table=True):
    """One report. Days are YYYY-MM-DD of the device zone.

    JSON columns: summary (the device's), ledger_totals (ours, as last compared), differences (names), totals_accepted
    ({by, reason, at}), refusals ([{at, step, code, text, reason}]), stopped (why the clock does not go on).
    """

    __tablename__ = "reports"
    __table_args__ = (
        UniqueConstraint("taxpayer_id", "device_id", "kind", "period"),
        Index("ix_reports_id", "id"),
        Index("ix_reports_open", "device_id", sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
    )
    taxpayer_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    device_id: str
    kind: str
    period: str
    state: str
    report_from: str
    report_to: str
    deadline: str
    """The device's issue deadline when the report came into being."""
    report_no: str = ""
    summary: str = "{}"
    ledger_totals: str = "{}"
    differences: str = "[]"
    totals_accepted: str = "{}"
    verdict_code: str = ""
    verdict_message: str = ""
    clear_needs_return: int = 0
    reported_at: str | None = None
    verified_at: str | None = None
    return_filed_at: str | None = None
    return_filed_by: str = ""
    cleared_at: str | None = None
    cleared_by: str = ""
    """us, or elsewhere: the device showed its new deadline without our doing."""
    new_deadline: str = ""
    refusals: str = "[]"
    stopped: str = "{}"
    next_try_at: str | None = None
    tries: int = 0
    version: int = 1
    created_at: str
    updated_at: str


_INSERT = Insert("reports", ReportRow.model_fields, "ON CONFLICT DO NOTHING")
_FIND = "SELECT * FROM reports WHERE id = :id"
_ONE, _LOCKED = Statement(_FIND), Statement(_FIND, for_update=True)
_OF_DEVICE = Statement(f"SELECT * FROM reports WHERE device_id = :device_id AND {_OPEN} ORDER BY kind, period")
_KNOWN = Statement("SELECT device_id, kind, period FROM reports WHERE period >= :since")
_TO_LOOK_AT = Statement(
    "SELECT r.*, d.kinds AS device_kinds FROM reports r JOIN devices d ON d.id = r.device_id "
    f"WHERE r.{_OPEN} AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.subject_id = r.id "
    "AND j.state IN ('queued', 'leased', 'unknown')) ORDER BY r.id"
)
_REPORTING = Statement(
    "SELECT id, taxpayer_id, kinds FROM devices WHERE state IN ('ready', 'suspended') AND kinds <> '[]' ORDER BY id"
)
_WAITING = Statement(
    "SELECT COUNT(*) AS n FROM invoices WHERE device_id = :device_id AND kind = :kind "
    "AND state = 'issued' AND upload_status <> 'uploaded'"
)
_REPORTED_UNTIL = Statement(
    "SELECT MAX(report_to) AS day FROM reports WHERE device_id = :device_id AND kind = :kind "
    "AND state <> 'report_due'"
)
_SUMS = Statement(
    "SELECT i.direction, i.state, COUNT(*) AS n, SUM(f.net_fen) AS net, SUM(f.tax_fen) AS tax FROM invoice_facts f "
    "JOIN invoices i ON i.taxpayer_id = f.taxpayer_id AND i.id = f.invoice_id WHERE f.device_id = :device_id "
    "AND f.kind = :kind AND f.day BETWEEN :first AND :last GROUP BY i.direction, i.state"
)


def add(hand: Connection, row: ReportRow) -> bool:
    """Insert a report; False when there is one for this device, kind and period."""
    return hand.run(_INSERT, row.model_dump()) == 1


def find(hand: Connection, report_id: str, lock: bool = False) -> Row | None:
    """One report, its row locked until the end of the batch when ``lock``."""
    return hand.one(_LOCKED if lock else _ONE, {"id": report_id})


def open_of_device(hand: Connection, device_id: str) -> list[Row]:
    """Reports of a device that are not cleared."""
    return hand.rows(_OF_DEVICE, {"device_id": device_id})


def known(hand: Connection, since: str) -> set[tuple[str, str, str]]:
    """(device id, kind, period) of every report from a period on."""
    return {(row["device_id"], row["kind"], row["period"]) for row in hand.rows(_KNOWN, {"since": since})}


def to_look_at(hand: Connection) -> list[Row]:
    """Reports that are not cleared and have no open job, with their device's ``kinds`` as ``device_kinds``."""
    return hand.rows(_TO_LOOK_AT)


def reporting_devices(hand: Connection) -> list[Row]:
    """Devices in service that hold kinds: id, taxpayer_id, kinds."""
    return hand.rows(_REPORTING)


def waiting_uploads(hand: Connection, device_id: str, kind: str) -> int:
    """Issued invoices of a device and kind without the bureau's receipt."""
    row = hand.one(_WAITING, {"device_id": device_id, "kind": kind})
    return int(row["n"]) if row else 0


def reported_until(hand: Connection, device_id: str, kind: str) -> str | None:
    """Last day (YYYY-MM-DD) of what a device has reported of a kind, cleared or not; None when nothing."""
    row = hand.one(_REPORTED_UNTIL, {"device_id": device_id, "kind": kind})
    return row["day"] if row else None


def sums(hand: Connection, row: Row) -> list[Row]:
    """What the ledger holds of a report's device, kind and days, by direction and state: n, net, tax."""
    span = {"first": row["report_from"], "last": row["report_to"]}
    return hand.rows(_SUMS, {"device_id": row["device_id"], "kind": row["kind"], **span})


def change(hand: Connection, row: Row, values: dict[str, Any], now: str) -> None:
    """Set columns of a report, count its version up."""
    columns = ", ".join(f"{name} = :{name}" for name in values)
    statement = Statement(
        f"UPDATE reports SET {columns}, version = version + 1, updated_at = :now "
        "WHERE taxpayer_id = :taxpayer_id AND id = :id"
    )
    hand.run(statement, {**values, "now": now, "taxpayer_id": row["taxpayer_id"], "id": row["id"]})
