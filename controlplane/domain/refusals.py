"""Named refusals: what a rule, a device or a bureau said no to, with its remedy and its runbook page.

A refusal is a value first: rules return it, lists collect it, records keep its code and params. It can also be raised.
Texts are Chinese by default and English on request; the catalogue's rows live in the ``refusals_of_*`` modules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, cast

from controlplane.domain import (
    refusals_of_devices,
    refusals_of_fleet,
    refusals_of_invoices,
    refusals_of_lines,
    refusals_of_offsets,
    refusals_of_people,
    refusals_of_reporting,
    refusals_of_requests,
    refusals_of_seals,
    refusals_of_stock,
    refusals_of_tables,
)

ReasonClass = Literal["data", "stock", "limit", "clock", "device", "bureau", "unknown"]
Language = Literal["zh", "en"]
Param = str | int

WAITING_CLASSES: Final = frozenset({"stock", "limit", "clock", "device", "bureau"})
"""Classes that time or an operator can cure without changing the request: the invoice waits."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One catalogue row; texts are templates with ``{param}`` places."""

    code: str
    reason_class: ReasonClass
    http_status: int
    runbook: str
    message: str
    message_en: str
    remedy: str
    remedy_en: str


_ROOMS: Final = (
    refusals_of_requests,
    refusals_of_invoices,
    refusals_of_devices,
    refusals_of_fleet,
    refusals_of_tables,
    refusals_of_seals,
    refusals_of_stock,
    refusals_of_reporting,
    refusals_of_offsets,
    refusals_of_lines,
    refusals_of_people,
)


def _catalogue() -> Mapping[str, Rule]:
    rows = [row for room in _ROOMS for row in room.ROWS]
    rules = {
        row[0]: Rule(row[0], cast(ReasonClass, row[1]), row[2], row[3], row[4], row[5], row[6], row[7]) for row in rows
    }
    if len(rules) != len(rows):
        raise ValueError("a refusal code stands twice in the catalogue")
    return MappingProxyType(rules)


CATALOGUE: Final = _catalogue()
"""Every refusal code of the product."""

DUTIES: Final[tuple[str, ...]] = (
    "stock-low",
    "upload-waiting",
    "line-certificate-expiring",
    "mail-not-delivered",
)
"""Pages of things an operator sees without any refusal."""
RUNBOOKS: Final = tuple(sorted({rule.runbook for rule in CATALOGUE.values()} | set(DUTIES)))
"""Slugs of ``runbooks/<slug>.md``, named by what the operator sees."""


class _Params(dict[str, Any]):
    """Template params; a missing one shows as a dash, because a text must never fail where an error is being told."""

    def __missing__(self, key: str) -> str:
        return "—"


class Refusal(Exception):
    """A named "no". Equal when code, field and params are equal; treat as immutable.

    ``field`` is the path of the offending input (``lines[2].rate``) or empty. ``details`` holds the params of the
    texts: text and integers only, so it can be stored as JSON and rebuilt with ``refuse(code, field, **details)``.
    """

    def __init__(self, rule: Rule, field: str = "", details: Mapping[str, Param] | None = None) -> None:
        super().__init__(rule.code)
        self.rule: Final = rule
        self.field: Final = field
        self.details: Final[dict[str, Param]] = dict(details or {})

    @property
    def code(self) -> str:
        """Text code, stable for ever."""
        return self.rule.code

    @property
    def reason_class(self) -> ReasonClass:
        """Who or what has to change: data, stock, limit, clock, device, bureau or unknown."""
        return self.rule.reason_class

    @property
    def http_status(self) -> int:
        """Status when this refusal alone answers a request."""
        return self.rule.http_status

    @property
    def runbook(self) -> str:
        """Slug of the runbook page."""
        return self.rule.runbook

    @property
    def waits(self) -> bool:
        """True when an invoice stopped by this waits (time or an operator cures it); False: the invoice is refused."""
        return self.rule.reason_class in WAITING_CLASSES

    @property
    def message(self) -> str:
        """What is wrong, in Chinese."""
        return self.told("zh")[0]

    @property
    def message_en(self) -> str:
        """What is wrong, in English."""
        return self.told("en")[0]

    @property
    def remedy(self) -> str:
        """What to do, in Chinese."""
        return self.told("zh")[1]

    @property
    def remedy_en(self) -> str:
        """What to do, in English."""
        return self.told("en")[1]

    def told(self, language: Language) -> tuple[str, str]:
        """Message and remedy in one language."""
        rule, params = self.rule, _Params(self.details)
        chinese = language == "zh"
        message = rule.message if chinese else rule.message_en
        remedy = rule.remedy if chinese else rule.remedy_en
        return message.format_map(params), remedy.format_map(params)

    def as_dict(self, language: Language = "zh") -> dict[str, Any]:
        """For records and answers: code, message, remedy, runbook, reason_class, field, details."""
        message, remedy = self.told(language)
        return {
            "code": self.code,
            "message": message,
            "remedy": remedy,
            "runbook": self.runbook,
            "reason_class": self.reason_class,
            "field": self.field,
            "details": dict(self.details),
        }

    def __str__(self) -> str:
        at = f" at {self.field}" if self.field else ""
        return f"{self.code}{at}: {self.message_en}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Refusal):
            return NotImplemented
        return (self.code, self.field, self.details) == (other.code, other.field, other.details)

    def __hash__(self) -> int:
        return hash((self.code, self.field))


def refuse(code: str, field: str = "", /, **params: Param) -> Refusal:
    """The refusal of that code with its params filled in. Unknown codes are a defect of the caller (KeyError)."""
    return Refusal(CATALOGUE[code], field, params)


DEVICE_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "0001": "still_working",
        "1002": "no_stock",
        "1003": "number_differs",
        "2000": "call_not_supported",
        "7503": "device_busy",
        "9001": "nothing_under_serial",
        "9990": "serial_reused",
        "9996": "device_unreadable_answer",
        "9997": "device_unreadable_answer",
        "9998": "device_failed",
        "9999": "device_failed",
        "09d106": "red_original_missing",
        "09d11b": "red_too_late",
        "09d11c": "device_void_refused",
        "09d11d": "device_void_refused",
        "09d11e": "device_void_refused",
        "09d109": "issue_deadline",
        "09d110": "kind_not_on_device",
        "09d115": "over_single_limit",
        "09d116": "rate_not_authorised",
        "09d11f": "offline_hours",
        "09d120": "offline_count",
        "09d121": "offline_amount",
        "09d122": "offline_date",
        "09d12a": "uploads_waiting",
        "09d12b": "device_zombie",
        "09d12c": "period_open",
        "09e105": "clock_off",
        "09c001": "certificate_expired",
        "092400": "device_finds_fault",
        "09d108": "device_finds_fault",
        "200003": "device_not_there",
        "200001": "step_out_of_order",
        "200002": "quota_used_up",
        "200004": "device_not_empty",
        "200005": "device_cancelled",
        "300001": "bureau_unreachable",
        "300002": "bureau_refused",
        "300004": "report_not_verified",
        "300005": "return_not_filed",
    }
)
"""Codes of devices and bureaus (dialect page, "Refusals") → code of our catalogue."""


def from_device(native_code: str, native_message: str, /, **params: Param) -> Refusal:
    """What a device or bureau refused, in our words; its own code and text are kept in the details.

    A code nobody wrote down becomes ``device_refused`` (reason class unknown) and shows the device's own text.
    """
    code = DEVICE_CODES.get(native_code, "device_refused")
    return refuse(code, "", **{**params, "native_code": native_code, "native_message": native_message})


def summed_up(refusals: Iterable[Refusal]) -> Refusal:
    """One refusal for many: the first one that cannot be waited out, else the first. ValueError when there is none."""
    found = list(refusals)
    if not found:
        raise ValueError("no refusals to sum up")
    return next((one for one in found if not one.waits), found[0])
