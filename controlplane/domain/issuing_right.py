"""What a taxpayer may issue: 允许开票, and the flags the bureau sets on it, each for a stretch of time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

from controlplane.domain.dated import Row, day_of, in_force, last_day_of, on_day
from controlplane.domain.refusals import Refusal, refuse

NO: Final = frozenset({"", "0", "00"})
"""Values of a flag that mean "no"."""


@dataclass(frozen=True, slots=True)
class FlagSpan:
    """A flag's value in one stretch of time; None = always, or no end known."""

    value: str
    valid_from: date | None = None
    valid_to: date | None = None

    def holds(self, day: date) -> bool:
        """True when the stretch covers the day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


Flags = Mapping[str, Sequence[FlagSpan]]
"""Flag by native name → its stretches of time."""


@dataclass(frozen=True, slots=True)
class FlagRule:
    """Who needs which flag for what. ``taxpayer_kinds`` empty = everyone."""

    what: Literal["kind", "special_type"]
    code: str
    taxpayer_kinds: frozenset[str]
    flag: str
    values: frozenset[str]
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class FlagName:
    """A flag as operators know it. ``taxpayer_kinds`` empty = it means something for everyone."""

    flag: str
    name: str
    name_en: str
    taxpayer_kinds: frozenset[str]
    valid_from: date
    valid_to: date | None

    @property
    def told(self) -> str:
        """The name in both languages."""
        return f"{self.name} / {self.name_en}"


@dataclass(frozen=True, slots=True)
class KindRate:
    """A rate that taxpayers of one kind may be authorised for."""

    taxpayer_kind: str
    rate: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class RightRules:
    """The dated tables of this page."""

    flags: tuple[FlagRule, ...] = ()
    names: tuple[FlagName, ...] = ()
    rates: tuple[KindRate, ...] = ()

    def name_of(self, flag: str) -> FlagName | None:
        """The flag's entry, the latest there is."""
        return next((one for one in reversed(self.names) if one.flag == flag), None)


@dataclass(frozen=True, slots=True)
class TaxpayerFacts:
    """A taxpayer as far as issuing depends on it."""

    taxpayer_id: str
    taxpayer_kind: str = "general"
    state: str = "active"
    may_issue: bool = True
    flags: Flags = field(default_factory=dict)


def right_refusal(
    taxpayer: TaxpayerFacts, kind: str, special_type: str, rules: RightRules, day: date
) -> Refusal | None:
    """Why the taxpayer may not issue such an invoice on that day; None when it may."""
    if taxpayer.state == "retired":
        return refuse("taxpayer_retired", taxpayer_id=taxpayer.taxpayer_id)
    if not taxpayer.may_issue:
        return refuse("taxpayer_may_not_issue", taxpayer_id=taxpayer.taxpayer_id)
    for rule in rules.flags:
        wanted = kind if rule.what == "kind" else special_type
        if rule.code != wanted or not in_force(rule, day):
            continue
        if rule.taxpayer_kinds and taxpayer.taxpayer_kind not in rule.taxpayer_kinds:
            continue
        found = _flag_refusal(taxpayer, rule, rules, day)
        if found is not None:
            return found
    return None


def _flag_refusal(taxpayer: TaxpayerFacts, rule: FlagRule, rules: RightRules, day: date) -> Refusal | None:
    spans = taxpayer.flags.get(rule.flag, ())
    if any(span.holds(day) and span.value in rule.values for span in spans):
        return None
    known = rules.name_of(rule.flag)
    told: dict[str, str] = {
        "taxpayer_id": taxpayer.taxpayer_id,
        "what": rule.code,
        "flag": rule.flag,
        "name": known.told if known else rule.flag,
        "needed": ", ".join(sorted(rule.values)),
    }
    fitting = [span for span in spans if span.value in rule.values]
    if not fitting:
        value = next((span.value for span in spans if span.holds(day)), "—")
        return refuse("flag_missing", "", **told, value=value)
    nearest = fitting[-1]
    first, last = (one.isoformat() if one else "—" for one in (nearest.valid_from, nearest.valid_to))
    return refuse("flag_not_in_force", "", **told, value=nearest.value, valid_from=first, valid_to=last)


# --- what a change of kind makes wrong


@dataclass(frozen=True, slots=True)
class HeldDevice:
    """What a device holds of its taxpayer: the kind it was told (native code), kinds and rates it is authorised for."""

    device_no: str
    told_kind: str
    kinds: Sequence[str]
    rates: Sequence[str]


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that becomes wrong. ``what`` device, rate, kind or flag; ``value`` the thing itself."""

    what: Literal["device", "rate", "kind", "flag"]
    device_no: str
    value: str
    text: str
    text_en: str


NATIVE_KINDS: Final = {"01": "general", "02": "small", "03": "converted"}
"""纳税人性质 as bureaus and devices write it → ours."""


def effects(
    taxpayer: TaxpayerFacts, wanted: str, devices: Iterable[HeldDevice], rules: RightRules, day: date
) -> list[Effect]:
    """What becomes wrong when the taxpayer becomes one of kind ``wanted``."""
    found: list[Effect] = []
    changed = TaxpayerFacts(taxpayer.taxpayer_id, wanted, flags=taxpayer.flags)
    usable = {row.rate for row in on_day(rules.rates, day) if row.taxpayer_kind == wanted}
    for device in devices:
        found += _effects_on(device, changed, usable, rules, day)
    for name, spans in sorted(taxpayer.flags.items()):
        known = rules.name_of(name)
        holding = [span for span in spans if span.holds(day) and span.value not in NO]
        if holding and known is not None and known.taxpayer_kinds and wanted not in known.taxpayer_kinds:
            found.append(
                Effect("flag", "", name, f"标志“{known.name}”对该类纳税人没有意义",
                       f"flag {known.name_en} means nothing for such a taxpayer")
            )  # fmt: skip
    return found


def _effects_on(
    device: HeldDevice, changed: TaxpayerFacts, usable: set[str], rules: RightRules, day: date
) -> list[Effect]:
    found: list[Effect] = []
    number = device.device_no
    if NATIVE_KINDS.get(device.told_kind, device.told_kind) != changed.taxpayer_kind:
        found.append(
            Effect(
                "device", number, device.told_kind, "设备上的纳税人性质须重新获取", "fetch company information again"
            )
        )
    for rate in sorted(device.rates):
        if usable and rate not in usable:
            found.append(Effect("rate", number, rate, f"授权税率 {rate} 不再适用", f"rate {rate} no longer applies"))
    for kind in sorted(device.kinds):
        refusal = right_refusal(changed, kind, "", rules, day)
        if refusal is not None:
            found.append(Effect("kind", number, kind, refusal.message, refusal.message_en))
    return found


# --- tables


def _kinds(text: str) -> frozenset[str]:
    return frozenset(text.split())


def load_flag_rules(rows: Iterable[Row]) -> tuple[FlagRule, ...]:
    """Rules from rows with what, code, taxpayer_kinds, flag, values, valid_from, valid_to."""
    return tuple(
        FlagRule(
            "kind" if row["what"] == "kind" else "special_type",
            row["code"],
            _kinds(row["taxpayer_kinds"]),
            row["flag"],
            _kinds(row["values"]),
            day_of(row["valid_from"]),
            last_day_of(row["valid_to"]),
        )
        for row in rows
    )


def load_flag_names(rows: Iterable[Row]) -> tuple[FlagName, ...]:
    """Flags from rows with flag, name, name_en, taxpayer_kinds, valid_from, valid_to."""
    return tuple(
        FlagName(
            row["flag"],
            row["name"],
            row["name_en"],
            _kinds(row["taxpayer_kinds"]),
            day_of(row["valid_from"]),
            last_day_of(row["valid_to"]),
        )
        for row in rows
    )


def load_kind_rates(rows: Iterable[Row]) -> tuple[KindRate, ...]:
    """Rates from rows with taxpayer_kind, rate, valid_from, valid_to."""
    return tuple(
        KindRate(row["taxpayer_kind"], row["rate"], day_of(row["valid_from"]), last_day_of(row["valid_to"]))
        for row in rows
    )
