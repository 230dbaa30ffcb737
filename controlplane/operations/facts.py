"""Device rows as the rules know them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from controlplane.domain import money
from controlplane.domain.dated import day_of
from controlplane.domain.readiness import DeviceFacts, KindLimits
from controlplane.store.statement import Row
from controlplane.store.times import from_text
from controlplane.wire.agents import KindFacts


def of_device(row: Row, stock: Mapping[str, int]) -> DeviceFacts:
    """Facts of a device row as joined by ``store.devices.of_taxpayer``; ``stock`` by kind."""
    company = msgspec.json.decode(row["company"])
    return DeviceFacts(
        device_no=row["device_no"] or row["name"],
        state=row["state"],
        server_state=row["server_state"] or "certified",
        device_kind=row["device_kind"],
        may_issue=company.get("may_issue", True),
        read_at=_moment(row["read_at"]),
        reachable=row["reachable"] != 0,
        clock_offset_seconds=row["clock_offset_seconds"],
        bureau_online=None if row["bureau_online"] is None else bool(row["bureau_online"]),
        offline_since=_moment(row["offline_since"]),
        offline_count=row["offline_count"],
        offline_fen=row["offline_fen"],
        certificate_not_after=_moment(row["certificate_not_after"]),
        server_certificate_not_after=_moment(row["server_certificate_not_after"]),
        kinds={kind.kind: _limits(kind) for kind in msgspec.json.decode(row["kinds"], type=list[KindFacts])},
        rates=frozenset(money.rate_text(Decimal(rate)) for rate in msgspec.json.decode(row["rates"], type=list[str])),
        stock=stock,
    )


def _moment(text: str | None) -> datetime | None:
    return from_text(text) if text else None


def _limits(kind: KindFacts) -> KindLimits:
    return KindLimits(
        issue_deadline=day_of(kind.issue_deadline) if kind.issue_deadline else None,
        single_limit_fen=money.fen_of(kind.single_limit),
        upload_deadline_day=kind.upload_deadline_day,
        offline_max_hours=kind.offline_max_hours,
        offline_max_count=kind.offline_max_count,
        offline_max_fen=money.fen_of(kind.offline_max_amount),
    )
