"""Device rows as the rules know them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType

import msgspec

from controlplane.domain import money
from controlplane.domain import stop as stop_rules
from controlplane.domain.dated import DEVICE_ZONE, day_of
from controlplane.domain.readiness import DeviceFacts, KindLimits
from controlplane.domain.stop import Stop
from controlplane.store import stops
from controlplane.store.statement import Connection, Row
from controlplane.store.times import from_text
from controlplane.wire.evidence import KindFacts

_MOST = 4096


def holding(hand: Connection, device_ids: Sequence[str]) -> dict[str, Stop]:
    """Devices that an emergency stop holds → that stop. Costs nothing while there is none."""
    rows = stops.in_force(hand).rows
    if not rows:
        return {}
    known = [stop_of(row) for row in rows]
    found: dict[str, Stop] = {}
    for place in stops.places(hand, device_ids):
        regions = frozenset({place["server_region"], place["taxpayer_region"]} - {None})
        stop = stop_rules.holding(known, place["taxpayer_id"], place["id"], place["tax_server_id"], regions)
        if stop is not None:
            found[place["id"]] = stop
    return found


def holding_server(hand: Connection, server_id: str, region: str) -> Stop | None:
    """The emergency stop that holds a whole tax server."""
    known = [stop_of(row) for row in stops.in_force(hand).rows]
    return stop_rules.holding(known, "", "", server_id, frozenset({region}))


def stop_of(row: Row) -> Stop:
    """A stop in force as the rules know it."""
    at = from_text(row["created_at"]).astimezone(DEVICE_ZONE)
    names = ("id", "target_noun", "target_id", "target_name", "reason")
    return Stop(**{name: row[name] for name in names}, actor=row["stopped_by"], at=f"{at:%Y-%m-%d %H:%M:%S}")


def of_device(row: Row, stock: Mapping[str, int], stop: Stop | None = None) -> DeviceFacts:
    """Facts of a device row as joined by ``store.devices.of_taxpayer``; ``stock`` by kind, ``stop`` what holds it."""
    return DeviceFacts(
        device_no=row["device_no"] or row["name"],
        state=row["state"],
        server_state=row["server_state"] or "certified",
        device_kind=row["device_kind"],
        may_issue=_may_issue(row["company"]),
        read_at=_moment(row["read_at"]),
        reachable=row["reachable"] != 0,
        clock_offset_seconds=row["clock_offset_seconds"],
        bureau_online=None if row["bureau_online"] is None else bool(row["bureau_online"]),
        offline_since=_moment(row["offline_since"]),
        offline_count=row["offline_count"],
        offline_fen=row["offline_fen"],
        certificate_not_after=_moment(row["certificate_not_after"]),
        certificate_issued_at=_moment(row["certificate_issued_at"]),
        server_certificate_not_after=_moment(row["server_certificate_not_after"]),
        server_certificate_status=row["server_certificate_status"] or "",
        kinds=_kinds(row["kinds"]),
        rates=_rates(row["rates"]),
        stock=stock,
        stop=stop,
    )


# Every request looks at every device of its taxpayer, and these texts change only when a device is read anew.


@lru_cache(_MOST)
def _may_issue(company: str) -> bool:
    return bool(msgspec.json.decode(company).get("may_issue", True))


@lru_cache(_MOST)
def _kinds(text: str) -> Mapping[str, KindLimits]:
    found = {kind.kind: _limits(kind) for kind in msgspec.json.decode(text, type=list[KindFacts])}
    return MappingProxyType(found)


@lru_cache(_MOST)
def _rates(text: str) -> frozenset[str]:
    return frozenset(money.rate_text(Decimal(rate)) for rate in msgspec.json.decode(text, type=list[str]))


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
        red_needs_original=kind.red_needs_original,
        red_max_days=kind.red_max_days,
    )
