"""Taxpayers as the API shows them: flags, warnings, what may be done now, and what a change would make wrong."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec

from controlplane.domain import taxpayer as rule
from controlplane.domain.dated import DEVICE_ZONE, day_of
from controlplane.domain.issuing_right import NO, Effect, HeldDevice, effects
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal, refuse
from controlplane.domain.registry import acts_of
from controlplane.operations import acts, taxpayer_fetches
from controlplane.operations.acts import Viewer
from controlplane.operations.issuing_rights import of_taxpayer
from controlplane.store import board, jobs, taxpayers
from controlplane.store.statement import Connection, Row

_SHOWN_LEFT = 12


def views(hand: Connection, rows: list[Row], viewer: Viewer) -> list[dict[str, Any]]:
    """Taxpayers in a list."""
    ids = [row["taxpayer_id"] for row in rows]
    held = {job["subject_id"]: job for job in board.open_jobs(hand, ids)}
    busy = taxpayers.busy(hand, ids)
    shown = []
    for row in rows:
        taxpayer_id = row["taxpayer_id"]
        left = refuse("taxpayer_not_empty", "", taxpayer_id=taxpayer_id, left="…") if taxpayer_id in busy else None
        shown.append(_view(row, held.get(taxpayer_id), left, viewer))
    return shown


def _view(row: Row, held: Row | None, left: Refusal | None, viewer: Viewer) -> dict[str, Any]:
    why = left.message if left else None
    return row | {
        "may_issue": bool(row["may_issue"]),
        "flags": _flags(row),
        "warnings": _warnings(row, viewer),
        "open_job": held,
        "allowed": [
            acts.verdict(spec, _why(spec, row, held, why, viewer.caller)) for spec in acts_of("taxpayers")
        ],
    }  # fmt: skip


def whole(hand: Connection, row: Row, viewer: Viewer) -> dict[str, Any]:
    """A taxpayer with contacts, fetches, and what stands in the way of retiring it."""
    taxpayer_id = row["taxpayer_id"]
    whole_phone = viewer.caller.may("fleet.act")
    contacts = taxpayers.contacts(hand, taxpayer_id)
    left = retire_refusal(hand, taxpayer_id)
    return _view(row, jobs.open_of(hand, taxpayer_id), left, viewer) | {
        "contacts": [one if whole_phone else _masked(one) for one in contacts],
        "flag_history": taxpayers.flags(hand, taxpayer_id),
        "fetches": taxpayer_fetches.shown_of(hand, taxpayer_id),
        "leftovers": leftovers(hand, taxpayer_id),
    }


def _why(spec: Any, row: Row, held: Row | None, why_not_retire: str | None, caller: Principal) -> str | None:
    fetching = held if spec.verb == "fetch" else None
    why = acts.why_not(spec, row["state"], rule.MACHINE, fetching, caller)
    return why_not_retire if why is None and spec.verb == "retire" else why


def _flags(row: Row) -> list[dict[str, str]]:
    kept: dict[str, list[list[str]]] = msgspec.json.decode(row["flags"])
    return [
        {"name": name, "value": value, "valid_from": first, "valid_to": last}
        for name, spans in sorted(kept.items())
        for value, first, last in spans
    ]


def _warnings(row: Row, viewer: Viewer) -> list[dict[str, Any]]:
    """Check digits that do not fit, and flags that end soon."""
    found = [doubt.as_dict() for doubt in rule.doubts(row["taxpayer_id"], "taxpayer_id")]
    today = viewer.now.astimezone(DEVICE_ZONE).date()
    soon = today + timedelta(days=viewer.rules.table_rules.get("flag_warn_days", 30))
    for flag in _flags(row):
        if flag["value"] not in NO and flag["valid_to"] and today <= day_of(flag["valid_to"]) <= soon:
            known = viewer.rules.rights.name_of(flag["name"])
            found.append(
                refuse(
                    "flag_ends_soon",
                    f"flags.{flag['name']}",
                    flag=flag["name"],
                    name=known.told if known else flag["name"],
                    valid_to=flag["valid_to"],
                ).as_dict()
            )
    return found


def _masked(contact: Row) -> Row:
    """Without what would let a reader call or write."""
    phone, mail = contact["phone"], contact["mail"]
    name, _, domain = mail.partition("@")
    return contact | {
        "phone": "*" * max(0, len(phone) - 2) + phone[-2:] if len(phone) > 2 else "*" * len(phone),
        "mail": f"{name[:1]}***@{domain}" if mail else "",
    }


# --- retiring


def leftovers(hand: Connection, taxpayer_id: str) -> list[dict[str, Any]]:
    """What must be gone before a taxpayer is retired: {what, device_no, kind, count}."""
    found: list[dict[str, Any]] = []
    for device in taxpayers.live_devices(hand, taxpayer_id):
        number = device["device_no"] or device["name"]
        found.append(_left("device", number))
        found += _unreported(hand, taxpayer_id, device, number)
    found += [
        _left("stock", row["device_no"] or "", row["kind"], int(row["n"]))
        for row in taxpayers.stock_left(hand, taxpayer_id)
    ]
    found += [_left(what, count=count) for what, count in taxpayers.count_open(hand, taxpayer_id).items() if count]
    found += [_left("child", child) for child in taxpayers.children(hand, taxpayer_id)]
    return found


def _unreported(hand: Connection, taxpayer_id: str, device: Row, number: str) -> list[dict[str, Any]]:
    """Kinds with invoices issued after the device's last report."""
    found = []
    for kind in msgspec.json.decode(device["kinds"]):
        last = str(kind.get("last_report_date", ""))
        day = day_of(last).isoformat() if last else ""
        count = taxpayers.issued_since(hand, taxpayer_id, device["id"], kind["kind"], day)
        if count:
            found.append(_left("not_reported", number, kind["kind"], count))
    return found


def _left(what: str, device_no: str = "", kind: str = "", count: int = 1) -> dict[str, Any]:
    return {"what": what, "device_no": device_no, "kind": kind, "count": count}


_WORDS = {
    "device": ("设备 {device_no} 未注销", "device {device_no} is not cancelled"),
    "stock": ("设备 {device_no} 票种 {kind} 余 {count}", "device {device_no} holds {count} numbers of {kind}"),
    "not_reported": (
        "设备 {device_no} 票种 {kind} {count} 张未抄报",
        "device {device_no}: {count} of {kind} not reported",
    ),
    "not_uploaded": ("{count} 张未上传", "{count} invoices not uploaded"),
    "waiting": ("{count} 张等待开具", "{count} invoices wait"),
    "open_jobs": ("{count} 项作业未完成", "{count} jobs are open"),
    "child": ("下级 {device_no} 未退役", "{device_no} below it is not retired"),
}
"""What is left → (Chinese, English)."""


def retire_refusal(hand: Connection, taxpayer_id: str) -> Refusal | None:
    """The refusal that lists what stands in the way of retiring; None when nothing does."""
    found = leftovers(hand, taxpayer_id)
    if not found:
        return None
    told = "; ".join(" / ".join(words).format(**one) for one in found[:_SHOWN_LEFT] for words in (_WORDS[one["what"]],))
    if len(found) > _SHOWN_LEFT:
        told += f"; + {len(found) - _SHOWN_LEFT}"
    return refuse("taxpayer_not_empty", "", taxpayer_id=taxpayer_id, left=told)


# --- effects of a change of kind


def effects_of(hand: Connection, row: Row, wanted: str, viewer: Viewer) -> dict[str, Any]:
    """What becomes wrong on the taxpayer's devices when it becomes one of another kind."""
    today: date = viewer.now.astimezone(DEVICE_ZONE).date()
    devices = [_held(device) for device in taxpayers.live_devices(hand, row["taxpayer_id"])]
    found = effects(of_taxpayer(row), wanted, devices, viewer.rules.rights, today)
    return {
        "taxpayer_id": row["taxpayer_id"],
        "from": row["taxpayer_kind"],
        "to": wanted,
        "items": [_shown(one) for one in found],
    }


def _held(device: Row) -> HeldDevice:
    return HeldDevice(
        device_no=device["device_no"] or device["name"],
        told_kind=msgspec.json.decode(device["company"]).get("taxpayer_kind", ""),
        kinds=[kind["kind"] for kind in msgspec.json.decode(device["kinds"])],
        rates=msgspec.json.decode(device["rates"]),
    )


def _shown(one: Effect) -> dict[str, str]:
    return {
        "what": one.what,
        "device_no": one.device_no,
        "value": one.value,
        "text": one.text,
        "text_en": one.text_en,
    }
