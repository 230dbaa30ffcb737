"""Health: how many minutes until something stops a device or a tax server, and which limit that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final, Literal

from controlplane.domain import certificate, tax_server
from controlplane.domain.certificate import Life
from controlplane.domain.clock_rule import in_month_last_hour, next_month_last_hour, rule_at
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.readiness import DeviceFacts, KindLimits, blocks
from controlplane.domain.refusals import Language, Param, Refusal
from controlplane.domain.stop import Stop

Verdict = Literal["ok", "warn", "stopped", "unknown"]

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_UNKNOWN_CODES: Final = frozenset({"device_not_read", "device_facts_old"})

_STATUS_CAUSES: Final = {
    certificate.SUSPENDED: "certificate_suspended",
    certificate.REVOKED: "certificate_revoked",
}

TEXTS: Final = {
    "fine": ("正常", "fine"),
    "no_stock": ("票种 {kind} 号码约 {lasting} 后用完", "numbers of kind {kind} last {lasting}"),
    "issue_deadline": ("票种 {kind} 须抄报清零: {lasting} 后到开票截止",
                       "report and clear kind {kind}: it reaches its issue deadline in {lasting}"),
    "offline_hours": ("离线时长 {lasting} 后到限", "offline hours run out in {lasting}"),
    "offline_count": ("离线张数约 {lasting} 后到限", "the offline count runs out in {lasting}"),
    "offline_amount": ("离线金额约 {lasting} 后到限", "the offline amount runs out in {lasting}"),
    "certificate_expired": ("证书 {lasting} 后到期", "the certificate expires in {lasting}"),
    "certificate_lapsed": ("证书已过期", "the certificate has expired"),
    "server_certificate_expired": ("服务器证书 {lasting} 后到期", "the server's certificate expires in {lasting}"),
    "certificate_renewal_due": ("证书已到更新时间", "the certificate is due for renewal"),
    "certificate_suspended": ("证书已挂起", "the certificate is suspended"),
    "certificate_revoked": ("证书已注销", "the certificate is revoked"),
    "clock_off": ("时钟相差 {seconds} 秒", "the clock is off by {seconds} seconds"),
    "clock_off_month_end": ("时钟相差 {seconds} 秒, {lasting} 后 (月末最后一小时) 停开",
                            "the clock is off by {seconds} seconds; it stops issuing in {lasting} (month's last hour)"),
    "bureau_unreachable": ("局端网络不通, 正在离线开票", "the bureau cannot be reached; issuing offline"),
    "server_not_in_service": ("税控服务器状态: {state}", "tax server state: {state}"),
    "device_unreachable": ("代理连不上税控服务器", "the agent cannot reach the tax server"),
    "device_not_read": ("还没有读数", "not read yet"),
    "device_facts_old": ("读数已有 {lasting}", "last read {lasting} ago"),
}  # fmt: skip
"""Cause code → (Chinese, English) while it has not stopped anything yet; afterwards the refusal's own text is shown."""


@dataclass(frozen=True, slots=True)
class Burn:
    """Recent rates of use, per minute."""

    numbers: Mapping[str, float] = field(default_factory=dict)
    """Kind → numbers given per minute."""
    fen: float = 0.0


@dataclass(frozen=True, slots=True)
class Health:
    """``cause`` is the limiting one; ``minutes_until_stop`` 0 = stopped, None = nothing in sight (or not known)."""

    verdict: Verdict
    cause: str = "fine"
    minutes_until_stop: int | None = None
    params: Mapping[str, Param] = field(default_factory=dict)
    refusal: Refusal | None = None

    def told(self, language: Language = "zh") -> str:
        """The cause as one line of text."""
        if self.refusal is not None:
            return self.refusal.told(language)[0]
        column = 0 if language == "zh" else 1
        lasting = duration(int(self.params.get("minutes", self.minutes_until_stop or 0)), language)
        shown = {**self.params, "lasting": lasting}
        if "state" in shown:
            shown["state"] = tax_server.LABELS[str(shown["state"])][column]
        return TEXTS[self.cause][column].format_map(shown)

    @property
    def text(self) -> str:
        """The cause in Chinese."""
        return self.told("zh")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What is known of a tax server, as last read."""

    state: str
    read_at: datetime | None = None
    reachable: bool = True
    clock_offset_seconds: float | None = None
    certificate_not_after: datetime | None = None
    certificate_issued_at: datetime | None = None
    certificate_status: str = ""
    """As the server told it last; empty = not told."""
    stop: Stop | None = None


@dataclass(frozen=True, slots=True)
class _Stop:
    """Something that will stop issuing in so many minutes; ``warn`` when it is near enough, whatever the minutes."""

    minutes: int | None
    cause: str
    params: Mapping[str, Param]
    warn: bool


def health(facts: DeviceFacts, now: datetime, rules: IssuingRules, burn: Burn | None = None) -> Health:
    """The verdict on a device: over every kind it was ever stocked with, the first limit that will stop it."""
    kinds = sorted(facts.stock) or sorted(facts.kinds) or [""]
    for kind in kinds:
        found = blocks(facts, kind, 1, now, rules)
        if found:
            worst = found[0]
            verdict: Verdict = "unknown" if worst.code in _UNKNOWN_CODES else "stopped"
            minutes = None if verdict == "unknown" else 0
            return Health(verdict, worst.code, minutes, worst.details, worst)
    stops = [*_device_stops(facts, now, rules)]
    for kind in kinds:
        stops += _kind_stops(facts, kind, now, burn or Burn())
    return _verdict(stops, rules)


def server_health(facts: ServerFacts, now: datetime, rules: IssuingRules) -> Health:
    """The verdict on a tax server: state, reach, age of the reading, clock, certificate."""
    if facts.stop is not None:
        refusal = facts.stop.refusal()
        return Health("stopped", refusal.code, 0, refusal.details, refusal)
    if facts.state not in tax_server.SERVING:
        return Health("stopped", "server_not_in_service", 0, {"state": facts.state})
    if facts.read_at is None:
        return Health("unknown", "device_not_read")
    age = now - facts.read_at
    if age > rules.facts_max_age:
        return Health("unknown", "device_facts_old", None, {"minutes": age // _MINUTE})
    if not facts.reachable:
        return Health("stopped", "device_unreachable", 0)
    left = _minutes(facts.certificate_not_after, now)
    if facts.certificate_status in certificate.STOPPED:
        return Health("stopped", _STATUS_CAUSES[facts.certificate_status], 0)
    if left == 0:
        return Health("stopped", "certificate_lapsed", 0)
    stops = [*_clock_stops(facts.clock_offset_seconds, now, rules)]
    stops += _renewal_stops((facts.certificate_issued_at, facts.certificate_not_after), now, rules)
    if left is not None:
        stops.append(_Stop(left, "certificate_expired", {}, False))
    return _verdict(stops, rules)


def duration(minutes: int, language: Language = "zh") -> str:
    """Minutes as an operator reads them: the two largest units of days, hours, minutes."""
    days, rest = divmod(max(0, minutes), 1440)
    hours, mins = divmod(rest, 60)
    day, hour, minute = ("天", "小时", "分钟") if language == "zh" else ("d", "h", "min")
    parts = [f"{amount} {unit}" for amount, unit in ((days, day), (hours, hour), (mins, minute)) if amount]
    return " ".join(parts[:2]) or f"0 {minute}"


def _verdict(stops: list[_Stop], rules: IssuingRules) -> Health:
    warned = [stop for stop in stops if stop.warn or _near(stop, rules)]
    shown = min(warned or [stop for stop in stops if stop.minutes is not None], key=_soonest, default=None)
    if shown is None:
        return Health("ok")
    return Health("warn" if warned else "ok", shown.cause, shown.minutes, shown.params)


def _near(stop: _Stop, rules: IssuingRules) -> bool:
    return stop.minutes is not None and stop.minutes <= rules.warn_minutes.get(stop.cause, 0)


def _soonest(stop: _Stop) -> tuple[bool, int]:
    return stop.minutes is None, stop.minutes or 0


def _device_stops(facts: DeviceFacts, now: datetime, rules: IssuingRules) -> Iterator[_Stop]:
    yield from _clock_stops(facts.clock_offset_seconds, now, rules)
    for cause, not_after in (
        ("certificate_expired", facts.certificate_not_after),
        ("server_certificate_expired", facts.server_certificate_not_after),
    ):
        yield _Stop(_minutes(not_after, now), cause, {}, False)
    yield from _renewal_stops((facts.certificate_issued_at, facts.certificate_not_after), now, rules)
    if facts.bureau_online is False:
        yield _Stop(None, "bureau_unreachable", {}, True)


def _renewal_stops(
    dates: tuple[datetime | None, datetime | None], now: datetime, rules: IssuingRules
) -> Iterator[_Stop]:
    """A certificate past its time of renewal warns: the clock opens the job by itself, so something keeps it."""
    issued_at, not_after = dates
    rule = certificate.rule_at(rules.certificates, now)
    if rule is None or not_after is None:
        return
    if certificate.renewal_due_at(Life(issued_at, not_after), rule) <= now:
        yield _Stop(None, "certificate_renewal_due", {}, True)


def _clock_stops(offset: float | None, now: datetime, rules: IssuingRules) -> Iterator[_Stop]:
    """A clock that is off warns; when it is off by more than the tight bound, the month's last hour stops it."""
    rule = rule_at(rules.clock, now)
    if rule is None or offset is None or abs(offset) <= rule.warn_seconds:
        return
    params = {"seconds": round(abs(offset))}
    begins = next_month_last_hour(now)
    tight = rule_at(rules.clock, begins)
    if not in_month_last_hour(now) and tight is not None and abs(offset) > tight.refuse_seconds:
        yield _Stop(_minutes(begins, now), "clock_off_month_end", params, True)
    else:
        yield _Stop(None, "clock_off", params, True)


def _kind_stops(facts: DeviceFacts, kind: str, now: datetime, burn: Burn) -> Iterator[_Stop]:
    rate = burn.numbers.get(kind, 0.0)
    params = {"kind": kind}
    if rate > 0:
        yield _Stop(int(facts.stock.get(kind, 0) / rate), "no_stock", params, False)
    limits = facts.kinds.get(kind)
    if limits is None:
        return
    if limits.issue_deadline is not None:
        locked = datetime.combine(limits.issue_deadline + _DAY, time(), DEVICE_ZONE)
        yield _Stop(_minutes(locked, now), "issue_deadline", params, False)
    yield from _offline_stops(facts, limits, now, (sum(burn.numbers.values()), burn.fen))


def _offline_stops(
    facts: DeviceFacts, limits: KindLimits, now: datetime, per_minute: tuple[float, float]
) -> Iterator[_Stop]:
    if facts.offline_since is None:
        return
    numbers, fen = per_minute
    if limits.offline_max_hours > 0:
        ends = facts.offline_since + timedelta(hours=limits.offline_max_hours)
        yield _Stop(_minutes(ends, now), "offline_hours", {}, False)
    if limits.offline_max_count > 0 and numbers > 0:
        left = limits.offline_max_count - facts.offline_count
        yield _Stop(int(left / numbers), "offline_count", {}, False)
    if limits.offline_max_fen > 0 and fen > 0:
        yield _Stop(int((limits.offline_max_fen - facts.offline_fen) / fen), "offline_amount", {}, False)


def _minutes(until: datetime | None, now: datetime) -> int | None:
    """Whole minutes from now until a moment, at least 0; None for no moment."""
    return None if until is None else max(0, (until - now) // _MINUTE)
