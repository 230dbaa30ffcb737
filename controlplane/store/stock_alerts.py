"""Stock alerts: thresholds with their recipients, and what each has told of which device and kind."""

from __future__ import annotations

from typing import Any

from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Insert, Row, Statement


class StockAlertRow(SQLModel, table=True):
    """One threshold of one taxpayer. Empty ``device_id``: each device; empty ``kind``: each kind. JSON: recipients."""

    __tablename__ = "stock_alerts"
    id: str = Field(primary_key=True)
    taxpayer_id: str = Field(index=True)
    device_id: str = ""
    kind: str = ""
    threshold: int
    recipients: str
    state: str
    version: int = 1
    created_at: str
    updated_at: str


class StockLevelRow(SQLModel, table=True):
    """What an enabled alert has told last of one device and kind; the flip of ``level`` is claimed by updating it."""

    __tablename__ = "stock_levels"
    alert_id: str = Field(primary_key=True)
    device_id: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    level: str
    numbers: int
    """Numbers left when it flipped."""
    at: str


_ONE = Statement("SELECT * FROM stock_alerts WHERE id = :id")
_LOCKED = Statement("SELECT * FROM stock_alerts WHERE id = :id", for_update=True)
_SAME = Statement(
    "SELECT * FROM stock_alerts WHERE taxpayer_id = :taxpayer_id AND device_id = :device_id AND kind = :kind "
    "AND state <> 'removed'"
)
_CHANGE = Statement(
    "UPDATE stock_alerts SET threshold = :threshold, recipients = :recipients, state = :state, version = version + 1, "
    "updated_at = :now WHERE id = :id"
)
_LEVELS = Statement("SELECT * FROM stock_levels WHERE alert_id = :alert_id ORDER BY device_id, kind")
_FORGET = Statement("DELETE FROM stock_levels WHERE alert_id = :alert_id")
_FIRST = Insert("stock_levels", StockLevelRow.model_fields, "ON CONFLICT DO NOTHING")
_FLIP = Statement(
    "UPDATE stock_levels SET level = :level, numbers = :numbers, at = :at "
    "WHERE alert_id = :alert_id AND device_id = :device_id AND kind = :kind AND level <> :level"
)
# A pair is watched when the device has, or ever had, numbers of the kind; one that an alert names, in any case.
_PAIRS = Statement(
    "SELECT a.id AS alert_id, a.taxpayer_id, a.threshold, a.recipients, p.device_id, p.kind, p.numbers, l.level, "
    "d.device_no, d.name AS device_name, d.read_at, t.name AS taxpayer_name FROM stock_alerts a JOIN ("
    "SELECT '' AS alert_id, taxpayer_id, device_id, kind, "
    "SUM(CASE WHEN state IN ('on_device', 'on_terminal') THEN end_no - next_no + 1 ELSE 0 END) AS numbers "
    "FROM segments WHERE taxpayer_id IN (SELECT taxpayer_id FROM stock_alerts WHERE state = 'enabled') "
    "GROUP BY taxpayer_id, device_id, kind "
    "UNION ALL SELECT n.id AS alert_id, n.taxpayer_id, n.device_id, n.kind, 0 AS numbers FROM stock_alerts n "
    "WHERE n.device_id <> '' AND n.kind <> '' AND n.state = 'enabled' AND NOT EXISTS (SELECT 1 FROM segments s "
    "WHERE s.taxpayer_id = n.taxpayer_id AND s.device_id = n.device_id AND s.kind = n.kind)"
    ") p ON p.taxpayer_id = a.taxpayer_id AND (p.alert_id = '' OR p.alert_id = a.id) "
    "AND (a.device_id = '' OR a.device_id = p.device_id) AND (a.kind = '' OR a.kind = p.kind) "
    "JOIN devices d ON d.id = p.device_id AND d.state <> 'cancelled' "
    "JOIN taxpayers t ON t.taxpayer_id = a.taxpayer_id "
    "LEFT JOIN stock_levels l ON l.alert_id = a.id AND l.device_id = p.device_id AND l.kind = p.kind "
    "WHERE a.state = 'enabled' ORDER BY a.id, p.device_id, p.kind"
)


def find(hand: Connection, alert_id: str, lock: bool = False) -> Row | None:
    """One alert, its row locked until the end of the batch when ``lock``."""
    return hand.one(_LOCKED if lock else _ONE, {"id": alert_id})


def same(hand: Connection, values: Row) -> Row | None:
    """The alert on record for this taxpayer, device and kind."""
    return hand.one(_SAME, values)


def change(hand: Connection, row: Row, values: dict[str, Any], now: str) -> None:
    """Write threshold, recipients and state; what is not in ``values`` stays as it is in ``row``."""
    hand.run(_CHANGE, {**row, **values, "now": now})


def levels(hand: Connection, alert_id: str) -> list[Row]:
    """What an alert has told of each device and kind."""
    return hand.rows(_LEVELS, {"alert_id": alert_id})


def forget(hand: Connection, alert_id: str) -> None:
    """Forget what was told: the next look tells anew."""
    hand.run(_FORGET, {"alert_id": alert_id})


def pairs(hand: Connection) -> list[Row]:
    """Every (enabled alert, device, kind) with the numbers left and the level told last (None: none yet)."""
    return hand.rows(_PAIRS)


def flip(hand: Connection, row: StockLevelRow) -> bool:
    """Put a level on record; False when it stands there already, put by this or another replica.

    Of replicas that see the same flip only one changes a row: the others wait for its commit and change none.
    """
    values = row.model_dump()
    return hand.run(_FIRST, values) == 1 or hand.run(_FLIP, values) == 1
