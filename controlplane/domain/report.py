"""Reporting and clearing (抄报、清零) of one kind of one device for one period: states, gates, where a kind stands.

The rule of where a kind stands is that of public device middleware: silent for too long, past its deadline, already
cleared because its deadline lies in a later month, or due.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Final, Literal

from controlplane.domain.acts import ActSpec, Words, acts
from controlplane.domain.dated import Row, day_of, in_force, last_day_of
from controlplane.domain.lifecycle import machine
from controlplane.domain.refusals import Refusal, refuse

Standing = Literal["zombie", "locked", "not_due", "due"]

MACHINE: Final = machine(
    "report",
    "report_due",
    (
        ("report_due", "report", "reported"),
        ("report_due", "find_cleared", "cleared"),
        ("reported", "verify", "verified"),
        ("reported", "refuse", "report_due"),
        ("reported", "accept_totals", "reported"),
        ("reported", "find_cleared", "cleared"),
        ("verified", "file_return", "return_filed"),
        ("verified", "clear", "cleared"),
        ("verified", "verify", "verified"),
        ("verified", "refuse", "report_due"),
        ("verified", "accept_totals", "verified"),
        ("verified", "find_cleared", "cleared"),
        ("return_filed", "clear", "cleared"),
        ("return_filed", "verify", "return_filed"),
        ("return_filed", "refuse", "report_due"),
        ("return_filed", "accept_totals", "return_filed"),
        ("return_filed", "find_cleared", "cleared"),
    ),
)
"""``verify`` may be asked again, ``refuse`` is the bureau's no to a summary, which is then reported anew.

``find_cleared``: the device itself shows a later deadline, so it was cleared elsewhere (tax hall, vendor's tool).
"""

JOB_KINDS: Final = {"report": "report.send", "verify": "report.verify", "clear": "report.clear"}
"""Verbs that need an agent → job kind. ``file_return`` and ``accept_totals`` are recorded at once."""

_NOUN = "reports"

ACTS: Final = (
    *acts(_NOUN, "report", "verify", "file_return", "clear"),
    ActSpec(_NOUN, "accept_totals", dangerous=True),
)
"""What may be done with a report."""

STEPS: Final = machine(
    "report",
    MACHINE.initial,
    ((at, move, to) for (at, move), to in MACHINE.table.items() if move in {spec.verb for spec in ACTS}),
)
"""The moves people make; ``refuse`` and ``find_cleared`` are the bureau's and the device's."""

WORDS: Final[Words] = {
    "verb": {
        "report": ("抄报", "report"),
        "verify": ("查询抄报结果", "ask for the verdict"),
        "file_return": ("登记已申报", "record that the return is filed"),
        "clear": ("清零解锁", "clear"),
        "accept_totals": ("接受合计差异", "accept the difference of totals"),
    },
}
"""Words for verbs."""

LABELS: Final = {
    "report_due": ("待抄报", "to report"),
    "reported": ("已抄报待受理", "reported"),
    "verified": ("已受理待清零", "accepted, to clear"),
    "return_filed": ("已申报待清零", "return filed, to clear"),
    "cleared": ("已清零", "cleared"),
}
"""State → (Chinese, English) as shown."""

STANDING_LABELS: Final = {
    "zombie": ("僵尸盘", "silent for too long"),
    "locked": ("已锁死", "locked"),
    "not_due": ("未到抄报期", "not due"),
    "due": ("抄报期内", "due"),
}
"""Where a kind stands → (Chinese, English) as shown."""


@dataclass(frozen=True, slots=True)
class ReportingRule:
    """Days without a report after which a device can no longer be cleared from afar."""

    zombie_days: int
    valid_from: date
    valid_to: date | None


def load_rules(rows: Iterable[Row]) -> tuple[ReportingRule, ...]:
    """Rules from rows with zombie_days, valid_from, valid_to."""
    return tuple(
        ReportingRule(int(row["zombie_days"]), day_of(row["valid_from"]), last_day_of(row["valid_to"])) for row in rows
    )


def zombie_days(rules: Iterable[ReportingRule], day: date) -> int:
    """The days in force; LookupError on a day without a rule."""
    for rule in rules:
        if in_force(rule, day):
            return rule.zombie_days
    raise LookupError(f"no reporting rule in force on {day}")


@dataclass(frozen=True, slots=True)
class KindPeriod:
    """The open period of a kind as the device tells it; days of the device zone, None = the device does not say."""

    kind: str
    first: date | None
    last: date | None
    deadline: date | None
    """Last day, included, on which the device issues."""
    last_report: date | None

    @property
    def period(self) -> str:
        """``YYYY-MM``, empty when the device tells no period."""
        return f"{self.first:%Y-%m}" if self.first else ""


def standing(facts: KindPeriod, today: date, silent_days: int) -> Standing:
    """Where a kind stands on a day of the device zone."""
    if facts.last_report is not None and (today - facts.last_report).days > silent_days:
        return "zombie"
    if facts.deadline is None:
        return "not_due"
    if today > facts.deadline:
        return "locked"
    if facts.last is not None and today > facts.last:
        return "due"  # the device still holds a period open that is over, whatever month its deadline lies in
    return "due" if (facts.deadline.year, facts.deadline.month) == (today.year, today.month) else "not_due"


@dataclass(frozen=True, slots=True)
class Totals:
    """What a period adds up to; amounts in fen, those of red invoices negative. Voided invoices are only counted."""

    blue_count: int = 0
    blue_net: int = 0
    blue_tax: int = 0
    red_count: int = 0
    red_net: int = 0
    red_tax: int = 0
    void_count: int = 0


def differences(device: Totals, ledger: Totals) -> list[str]:
    """Names of the sums in which device and ledger do not agree."""
    names = [field.name for field in fields(Totals)]
    return [name for name in names if getattr(device, name) != getattr(ledger, name)]


def numbers_add_up(numbers: Mapping[str, int], used: Totals) -> bool:
    """Opening + received - returned - used = closing, ``numbers`` being those four of the device's summary."""
    spent = used.blue_count + used.red_count + used.void_count
    left = numbers["opening"] + numbers["received"] - numbers["returned"] - spent
    return left == numbers["closing"]


@dataclass(frozen=True, slots=True)
class Gate:
    """What decides, besides the state, whether a step may be taken."""

    device_no: str
    kind: str
    period: str
    standing: Standing
    deadline: str = ""
    last_report: str = ""
    silent_days: int = 0
    period_over: bool = True
    waiting_uploads: int = 0
    """Issued invoices of this kind without the bureau's receipt."""
    device_waiting: int = 0
    """Positions of the device's journal whose upload has no final word yet."""
    kinds_to_report: tuple[str, ...] = ()
    """Other kinds that have to be reported before any clears; empty where the dialect goes kind by kind."""
    needs_return: bool = False
    return_filed: bool = False
    differences: tuple[str, ...] = ()
    totals_accepted: bool = False


def gate(verb: str, facts: Gate) -> Refusal | None:
    """Why the step may not be taken now although the state allows it; None when it may."""
    named = {"device_no": facts.device_no, "kind": facts.kind, "period": facts.period}
    if facts.standing == "zombie" and verb in ("report", "clear"):
        return refuse("device_zombie", **named, last_report=facts.last_report, limit=facts.silent_days)
    if verb == "report":
        return _report_gate(facts, named)
    if verb == "clear":
        return _clear_gate(facts, named)
    if verb == "accept_totals" and not facts.differences:
        return refuse("totals_agree", **named)
    return None


def _report_gate(facts: Gate, named: dict[str, str]) -> Refusal | None:
    if facts.standing != "locked" and not facts.period_over:
        return refuse("period_open", **named)
    if facts.waiting_uploads:
        return refuse("uploads_waiting", **named, count=facts.waiting_uploads)
    if facts.device_waiting:
        return refuse("device_uploads_waiting", **named, count=facts.device_waiting)
    return None


def _clear_gate(facts: Gate, named: dict[str, str]) -> Refusal | None:
    if facts.kinds_to_report:
        return refuse("kinds_to_report", **named, kinds=", ".join(facts.kinds_to_report))
    if facts.needs_return and not facts.return_filed:
        return refuse("return_not_filed", **named)
    if facts.differences and not facts.totals_accepted:
        return refuse("totals_differ", **named, names=", ".join(facts.differences))
    return None


def next_step(state: str, needs_return: bool) -> str | None:
    """The step that leads on; None at the end. Until a return that is wanted is filed, the verdict is asked again."""
    if state == "verified":
        return "verify" if needs_return else "clear"
    return {"report_due": "report", "reported": "verify", "return_filed": "clear"}.get(state)
