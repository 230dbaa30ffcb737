"""A bureau's address (税局地址): region × service, in versions that follow each other; what the address book lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final, Literal

from controlplane.domain.acts import ActSpec, Field, Words
from controlplane.domain.dated import DEVICE_ZONE, Row
from controlplane.domain.lifecycle import machine

SERVICES: Final = {
    "verify": ("查验", "verification"),
    "upload_rsa": ("上报抄报 (RSA)", "upload (RSA)"),
    "upload_gm": ("上报抄报 (国密)", "upload (national cipher)"),
    "document_platform": ("版式平台", "document platform"),
    "invoice_service_platform": ("综合服务平台", "invoice service platform"),
}
"""Service kind → (Chinese, English)."""

CARRIERS: Final = {"telecom": ("电信", "Telecom"), "unicom": ("联通", "Unicom"), "mobile": ("移动", "Mobile")}
"""Carriers for which a region may publish an address of its own."""

MACHINE: Final = machine(
    "bureau_address",
    "disabled",
    (
        ("disabled", "enable", "enabled"),
        ("disabled", "change", "disabled"),
        ("disabled", "remove", "removed"),
        ("enabled", "disable", "disabled"),
        ("enabled", "change", "enabled"),
    ),
)
"""An address that is checked is switched off before it is removed; a removed one is kept for its samples."""

_NOUN = "bureau-addresses"
_CARRIER = Field("carrier", "choice", choices=tuple(CARRIERS), optional=True)
_NOTE = Field("note", "text", 200, optional=True)
_SOURCE = Field("source", "text", 120, optional=True)

ACTS: Final = (
    ActSpec(
        _NOUN,
        "register",
        (
            Field("area_code", "area"),
            Field("region", "text", 40),
            Field("service", "choice", choices=tuple(SERVICES)),
            Field("target", "target"),
            _CARRIER,
            Field("starts_at", "moment", optional=True),
            _NOTE,
            _SOURCE,
        ),
        "tables.change",
        "collection",
    ),
    ActSpec(
        _NOUN, "change", (Field("target", "target"), Field("starts_at", "moment"), _NOTE, _SOURCE), "tables.change"
    ),
    ActSpec(_NOUN, "enable", permission="tables.change"),
    ActSpec(_NOUN, "disable", permission="tables.change", dangerous=True),
    ActSpec(_NOUN, "remove", permission="tables.change", dangerous=True),
    ActSpec(
        _NOUN, "import", (Field("content", "file"), Field("dry_run", "flag", optional=True)), "tables.change",
        "collection",
    ),
)  # fmt: skip
"""What may be done with bureau addresses."""

WORDS: Final[Words] = {
    "verb": {
        "enable": ("启用", "enable"),
        "disable": ("禁用", "disable"),
        "remove": ("删除", "remove"),
        "import": ("导入", "import"),
    },
    "field": {
        "area_code": ("地区代码", "area code"),
        "service": ("服务类别", "service kind"),
        "target": ("地址", "address"),
        "carrier": ("运营商", "carrier"),
        "starts_at": ("启用时间", "starts at"),
        "note": ("备注", "note"),
        "source": ("来源", "source"),
        "content": ("文件内容", "file content"),
        "dry_run": ("只检查", "dry run"),
    },
    "choice": {**SERVICES, **CARRIERS},
}
"""Words for verbs, fields and choices."""

LABELS: Final = {"enabled": ("启用", "enabled"), "disabled": ("禁用", "disabled"), "removed": ("已删除", "removed")}
"""State → (Chinese, English) as shown."""

Standing = Literal["future", "current", "ended"]


def standing(valid_from: str, valid_to: str | None, now: str) -> Standing:
    """Where a version stands at a time; all three as sortable text, an empty ``valid_from`` = always was."""
    if valid_from > now:
        return "future"
    return "ended" if valid_to is not None and valid_to <= now else "current"


def starts(text: str) -> datetime:
    """The moment a field of shape ``moment`` names: a day begins at midnight of the device zone; ValueError."""
    if text.endswith("Z"):
        return datetime.fromisoformat(text)
    if "T" not in text:
        return datetime.combine(date.fromisoformat(text), time(), DEVICE_ZONE)
    return datetime.fromisoformat(text).replace(tzinfo=DEVICE_ZONE)


# --- what the book lacks

Completeness = Literal["ok", "missing", "raw_ip_omitted", "duplicate"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One region × service: what there is of it now."""

    area_code: str
    region: str
    service: str
    status: Completeness
    targets: tuple[str, ...]
    enabled: int
    """How many of the targets are checked."""


def completeness(
    regions: Mapping[str, str], gaps: Iterable[Row], addresses: Iterable[tuple[str, str, str, str, bool]]
) -> Sequence[Cell]:
    """Every region × service kind; ``addresses``: (area code, service, carrier, target, enabled) in force now.

    ``regions`` code → name. ``gaps``: services the public lists give as a bare address only. Two addresses of the same
    carrier are a duplicate.
    """
    omitted = {(row["area_code"], row["service"]) for row in gaps if row["gap"] == "raw_ip_omitted"}
    held: dict[tuple[str, str], list[tuple[str, str, bool]]] = {}
    for area_code, service, carrier, target, enabled in addresses:
        held.setdefault((area_code, service), []).append((carrier, target, enabled))
    found = []
    for area_code, region in sorted(regions.items()):
        for service in SERVICES:
            there = held.get((area_code, service), [])
            carriers = [carrier for carrier, _, _ in there]
            status: Completeness = "ok"
            if not there:
                status = "raw_ip_omitted" if (area_code, service) in omitted else "missing"
            elif len(set(carriers)) < len(carriers):
                status = "duplicate"
            targets = tuple(target for _, target, _ in there)
            found.append(Cell(area_code, region, service, status, targets, sum(one[2] for one in there)))
    return found
