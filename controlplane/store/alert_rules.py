"""Alert rules, and the alerts they have open."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class AlertRuleRow(SQLModel, table=True):
    """Whom to tell about which lines, after how many slots. ``scope_values`` and ``recipients`` are JSON lists."""

    __tablename__ = "alert_rules"
    id: str = Field(primary_key=True)
    name: str
    scope: str
    scope_values: str
    recipients: str
    open_after: int
    close_after: int
    state: str = "enabled"
    version: int = 1
    created_at: str
    updated_at: str


class OpenAlertRow(SQLModel, table=True):
    """A line that a rule holds to be abnormal, and the flip that opened it."""

    __tablename__ = "open_alerts"
    rule_id: str = Field(primary_key=True)
    line_id: str = Field(primary_key=True)
    flip_id: str
    opened_at: str


_FIND = Statement("SELECT * FROM alert_rules WHERE id = :id")
_LOCKED = Statement("SELECT * FROM alert_rules WHERE id = :id", for_update=True)
_NAMED = Statement("SELECT * FROM alert_rules WHERE name = :name AND state <> 'removed'")
_ANY = Statement("SELECT id FROM alert_rules LIMIT 1")
_IN_STATE = Statement("SELECT * FROM alert_rules WHERE state = :state ORDER BY id")
_ALL = Statement("SELECT * FROM alert_rules ORDER BY id")
_CHANGE = Statement(
    "UPDATE alert_rules SET name = :name, scope = :scope, scope_values = :scope_values, recipients = :recipients, "
    "open_after = :open_after, close_after = :close_after, state = :state, version = version + 1, updated_at = :now "
    "WHERE id = :id"
)
_OPEN = Statement("SELECT * FROM open_alerts")
_OPEN_OF_RULE = Statement("SELECT COUNT(*) AS n FROM open_alerts WHERE rule_id = :rule_id")
_OPEN_OF_LINE = Statement("SELECT * FROM open_alerts WHERE line_id = :line_id")
_CLOSE = Statement("DELETE FROM open_alerts WHERE rule_id = :rule_id AND line_id = :line_id")


def find(hand: Connection, rule_id: str, lock: bool = False) -> Row | None:
    """One rule."""
    return hand.one(_LOCKED if lock else _FIND, {"id": rule_id})


def named(hand: Connection, name: str) -> Row | None:
    """The rule of that name that is not removed."""
    return hand.one(_NAMED, {"name": name})


def any_at_all(hand: Connection) -> bool:
    """True when there ever was a rule."""
    return hand.one(_ANY) is not None


def enabled(hand: Connection) -> list[Row]:
    """Rules that are on."""
    return hand.rows(_IN_STATE, {"state": "enabled"})


def by_id(hand: Connection) -> dict[str, Row]:
    """Every rule, removed ones too."""
    return {row["id"]: row for row in hand.rows(_ALL)}


def change(hand: Connection, row: Row, now: str) -> None:
    """Write a rule anew, one version on."""
    hand.run(_CHANGE, row | {"now": now})


def open_alerts(hand: Connection) -> dict[tuple[str, str], Row]:
    """(rule id, line id) → the alert that is open."""
    return {(row["rule_id"], row["line_id"]): row for row in hand.rows(_OPEN)}


def open_of_line(hand: Connection, line_id: str) -> list[Row]:
    """Alerts open on one line."""
    return hand.rows(_OPEN_OF_LINE, {"line_id": line_id})


def open_count(hand: Connection, rule_id: str) -> int:
    """How many lines a rule holds to be abnormal."""
    row = hand.one(_OPEN_OF_RULE, {"rule_id": rule_id})
    return int(row["n"]) if row else 0


def close(hand: Connection, rule_id: str, line_id: str) -> None:
    """An alert is over."""
    hand.run(_CLOSE, {"rule_id": rule_id, "line_id": line_id})
