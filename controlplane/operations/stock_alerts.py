"""Stock alerts: keeping thresholds, and the clock's look that writes one letter per recipient when stock flips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from controlplane.domain import stock_alert
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.domain.stock_alert import Level, level
from controlplane.mail.letter import Letter
from controlplane.mail.outbox import post
from controlplane.operations import acts
from controlplane.operations.acts import Act, Viewer
from controlplane.operations.principals import SYSTEM
from controlplane.store import devices, stock_alerts, taxpayers, times
from controlplane.store.statement import Connection, Row
from controlplane.store.stock_alerts import StockAlertRow, StockLevelRow
from controlplane.store.transaction import Entry, Event, Transaction

NOUN = "stock-alerts"
_MAIL_MOST = 200
"""Flips told one by one in a letter; of the rest it says how many there are."""


def register(tx: Transaction, caller: Principal, values: dict[str, Any], rules: IssuingRules) -> str:
    """A new alert, enabled; its id. One per taxpayer, device and kind (``already_exists``)."""
    entry = tx.begin_entry(Entry(caller.id, caller.name, caller.kind, f"{NOUN}.register", NOUN, detail=dict(values)))
    entry.taxpayer_id = taxpayer_id = values["taxpayer_id"]
    device_id, kind = values["device_id"] or "", values["kind"] or ""
    if not caller.sees(taxpayer_id) or taxpayers.find(tx, taxpayer_id) is None:
        raise refuse("not_found")
    device = devices.find(tx, device_id) if device_id else None
    if device_id and (device is None or device["taxpayer_id"] != taxpayer_id):
        raise refuse("not_found")
    today = tx.moment.astimezone(DEVICE_ZONE).date()
    if kind and rules.kinds.find(kind, today) is None:
        allowed = ", ".join(one.code for one in rules.kinds.on_day(today))
        raise refuse("kind_unknown", "kind", kind=kind, allowed=allowed)
    if stock_alerts.same(tx, {"taxpayer_id": taxpayer_id, "device_id": device_id, "kind": kind}) is not None:
        raise refuse("already_exists", "kind", name=" ".join(filter(None, (taxpayer_id, device_id, kind))))
    row = StockAlertRow(
        id=times.new_id(),
        taxpayer_id=taxpayer_id,
        device_id=device_id,
        kind=kind,
        threshold=values["threshold"],
        recipients=_kept(values["recipients"]),
        state=stock_alert.MACHINE.initial,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.add(row)
    entry.subject_id = row.id
    tx.raise_event(Event(NOUN, row.id, taxpayer_id, "registered", 1))
    return row.id


def _kept(recipients: Sequence[str]) -> str:
    return msgspec.json.encode(list(dict.fromkeys(recipients))).decode()


def act(tx: Transaction, wanted: Act) -> None:
    """``change``, ``enable``, ``disable``, ``test`` or ``remove``."""
    entry = acts.begin(tx, wanted, NOUN)
    row = acts.check(stock_alerts.find(tx, wanted.record_id, lock=True), wanted, stock_alert.MACHINE)
    entry.taxpayer_id = row["taxpayer_id"]
    values: dict[str, Any] = {"state": stock_alert.MACHINE.after(row["state"], wanted.verb)}
    if wanted.verb == "change":
        values["threshold"] = wanted.arguments["threshold"]
        values["recipients"] = _kept(wanted.arguments["recipients"])
    elif wanted.verb == "test":
        _test(tx, row)
    else:
        stock_alerts.forget(tx, row["id"])
    stock_alerts.change(tx, row, values, tx.now)
    tx.raise_event(Event(NOUN, row["id"], row["taxpayer_id"], wanted.verb, row["version"] + 1))


def _test(tx: Transaction, row: Row) -> None:
    what = f"纳税人 {row['taxpayer_id']}, 设备 {row['device_id'] or '全部'}, 票种 {row['kind'] or '全部'}"
    text = f"这是一封测试邮件, 库存没有变化。\n{what}\n预警余量: {row['threshold']}"
    for recipient in msgspec.json.decode(row["recipients"], type=list[str]):
        post(tx, Letter(recipient, "[taxplane] 测试: 发票库存预警", text), f"stock-alert/{row['id']}/test")


def view(hand: Connection, row: Row, viewer: Viewer) -> dict[str, Any]:
    """An alert as the API shows it: what it has told of each device and kind, and its verbs."""
    device = devices.find(hand, row["device_id"]) if row["device_id"] else None
    kept = ("device_id", "kind", "level", "at")
    levels = [
        {name: one[name] for name in kept} | {"left": one["numbers"]} for one in stock_alerts.levels(hand, row["id"])
    ]
    return row | {
        "device_id": row["device_id"] or None,
        "device_no": device["device_no"] if device else None,
        "kind": row["kind"] or None,
        "recipients": msgspec.json.decode(row["recipients"]),
        "levels": levels,
        "low": sum(one["level"] == "low" for one in levels),
        "allowed": acts.allowed(hand, row, NOUN, stock_alert.MACHINE, viewer.caller),
    }


# --- the clock's look


def _found(row: Row) -> Level:
    return level(int(row["numbers"]), row["threshold"], cast("Level | None", row["level"]))


def flips(hand: Connection) -> bool:
    """Whether any level on record is no longer what stock says: a cheap look before the writer is asked."""
    return any(_found(row) != row["level"] for row in stock_alerts.pairs(hand))


def sweep(tx: Transaction, rules: IssuingRules) -> int:
    """Put every flip on record and write of all of them, one letter per recipient; how many there were.

    A pair seen for the first time with enough numbers is put on record and not written of. Several replicas may do this
    at once: a flip belongs to the one whose update changed the row.
    """
    told: dict[str, list[tuple[Level, str]]] = {}
    count = 0
    for row in stock_alerts.pairs(tx):
        found = _found(row)
        if found == row["level"]:
            continue
        put = StockLevelRow(
            alert_id=row["alert_id"], device_id=row["device_id"], kind=row["kind"], level=found,
            numbers=int(row["numbers"]), at=tx.now,
        )  # fmt: skip
        if not stock_alerts.flip(tx, put) or (row["level"] is None and found == "enough"):
            continue
        count += 1
        line = _line(row, found, rules, tx)
        for recipient in msgspec.json.decode(row["recipients"], type=list[str]):
            told.setdefault(recipient, []).append((found, line))
        tx.raise_event(Event(NOUN, row["alert_id"], row["taxpayer_id"], found))
    for recipient, lines in sorted(told.items()):
        post(tx, _letter(recipient, lines), f"stock-alerts/{tx.now}")
    if count:
        entry = Entry(SYSTEM.id, SYSTEM.name, SYSTEM.kind, f"{NOUN}.told", NOUN)
        entry.detail = {"flips": count, "letters": len(told)}
        tx.begin_entry(entry)
    return count


def _line(row: Row, found: Level, rules: IssuingRules, tx: Transaction) -> str:
    kind = rules.kinds.find(row["kind"], tx.moment.astimezone(DEVICE_ZONE).date())
    name = f"{row['kind']} {kind.name}" if kind else row["kind"]
    read_at = (
        times.from_text(row["read_at"]).astimezone(DEVICE_ZONE).strftime("%Y-%m-%d %H:%M") if row["read_at"] else "—"
    )
    return (
        f"{stock_alert.LABELS[found][0]}: 销方 {row['taxpayer_name']} ({row['taxpayer_id']}), "
        f"设备 {row['device_no'] or row['device_name']}, 票种 {name}, 剩余 {int(row['numbers'])} 张, "
        f"预警余量 {row['threshold']} 张, 读数 {read_at}"
    )


_STEPS = """
处理 (运维手册 stock-low):
1. 控制台 :stock 看余量在哪里: 设备上有而终端上没有的, 先分发; 别的终端有多的, 先回收再分发。
2. 都不够: 在设备上申领, 批准后领用并分发。申领状态看 :applications。
3. 只剩当天用量时, 让业务前端改用同一纳税人的其他设备。
"""


def _letter(recipient: str, lines: list[tuple[Level, str]]) -> Letter:
    low = sum(found == "low" for found, _ in lines)
    subject = f"[taxplane] 发票库存: {low} 项不足, {len(lines) - low} 项恢复"
    shown = [line for _, line in sorted(lines, key=lambda one: one[0] != "low")]
    rest = [f"另有 {len(shown) - _MAIL_MOST} 项, 见控制台 :stock-alerts"] if len(shown) > _MAIL_MOST else []
    return Letter(recipient, subject, "\n".join([*shown[:_MAIL_MOST], *rest]) + (_STEPS if low else ""))
