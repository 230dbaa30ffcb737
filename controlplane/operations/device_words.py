"""What devices and agents say, looked at before it is kept: a text that is no time would break all who read it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from controlplane.domain import money
from controlplane.domain.dated import day_of
from controlplane.domain.foreign_text import clean, first_hazard
from controlplane.domain.issuing_right import NATIVE_KINDS
from controlplane.domain.refusals import Refusal
from controlplane.wire import agents as wire
from controlplane.wire import evidence

_MOMENT = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?(Z|\+08:00)")
_DAY = re.compile(r"20[0-9]{6}")
_NUMBER = re.compile(r"[0-9]{1,8}")
_WORD = re.compile(r"[0-9A-Za-z._:-]{1,64}")
_HEX = re.compile(r"([0-9A-Fa-f]{2}){1,256}")
_DATE = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
_RED_FORM_NO = re.compile(r"([0-9]{16})?")
_STATUS = re.compile(r"TZD[0-9]{4}")
_CODE = re.compile(r"[0-9]{19}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LONGEST = 300
_MOST_ROWS = 500
_MOST_SECONDS = 1e9
_MOST_TEXT = 2000


def _moment(value: str | None) -> bool:
    return value is None or (_MOMENT.fullmatch(value) is not None and _parses(datetime.fromisoformat, value))


def _day(value: str) -> bool:
    return not value or (_DAY.fullmatch(value) is not None and _parses(day_of, value))


def _amount(value: str) -> bool:
    return _parses(money.fen_of, value) and not value.startswith("-")


def _signed(value: str) -> bool:
    return _parses(money.fen_of, value)


def _rates(value: list[str]) -> bool:
    return all(_parses(money.rate_of, rate) and Decimal(rate) >= 0 for rate in value)


def _count(value: int) -> bool:
    return 0 <= value < 2**31


def _number(value: str) -> bool:
    return _NUMBER.fullmatch(value) is not None


def _red_form_no(value: str) -> bool:
    return _RED_FORM_NO.fullmatch(value) is not None


def _status(value: str) -> bool:
    return _STATUS.fullmatch(value) is not None


def _given_word(value: str) -> bool:
    return _WORD.fullmatch(value) is not None


def _moment_or_none(value: str) -> bool:
    return not value or _moment(value)


def _seconds(value: float | None) -> bool:
    return value is None or (math.isfinite(value) and abs(value) < _MOST_SECONDS)


def _word(value: str) -> bool:
    """A number or version that goes back into calls: nothing, or a plain word."""
    return not value or _WORD.fullmatch(value) is not None


def _hex(value: str) -> bool:
    return not value or _HEX.fullmatch(value) is not None


def _date(value: str) -> bool:
    return not value or (_DATE.fullmatch(value) is not None and _parses(day_of, value))


def _given_date(value: str) -> bool:
    return bool(value) and _date(value)


def _text(value: str) -> bool:
    """Words for people: not endless, and with nothing in them that acts on a terminal."""
    return len(value) <= _MOST_TEXT and clean(value, "sheet") == value


def _line(value: str) -> bool:
    """A text that stands in one cell of a table."""
    return len(value) <= _LONGEST and first_hazard(value) is None and "\t" not in value and "\n" not in value


def _code_rates(value: str) -> bool:
    return len(value) <= _LONGEST and _rates(value.split())


def _page(value: list[Any]) -> bool:
    return len(value) <= _MOST_ROWS


def _parses(parse: Callable[[str], Any], text: str) -> bool:
    try:
        parse(text)
    except (ValueError, Refusal):
        return False
    return True


_FITS: Mapping[type, Mapping[str, Callable[[Any], bool]]] = {
    wire.Outcome: {"at": _moment},
    evidence.ServerFacts: {
        "certificate_not_after": _moment,
        "certificate_issued_at": _moment,
        "formal_requested_at": _moment,
        "formal_synced_at": _moment,
        "clock_offset_seconds": _seconds,
        "quota_total": _count,
        "quota_left": _count,
    },
    evidence.Certified: {"not_after": _moment, "issued_at": _moment},
    evidence.DeviceCommissioned: {"quota_left": lambda left: left is None or _count(left)},
    evidence.Rates: {"rates": _rates},
    evidence.KindFacts: {
        "issue_deadline": _day,
        "report_from": _day,
        "report_to": _day,
        "last_report_date": _day,
        "single_limit": _amount,
        "offline_max_amount": _amount,
        "upload_deadline_day": _count,
        "offline_max_hours": _count,
        "offline_max_count": _count,
        "red_max_days": _count,
    },
    evidence.Summary: {
        **dict.fromkeys(("opening", "received", "returned", "closing"), _count),
        **dict.fromkeys(("blue_count", "red_count", "void_count"), _count),
        **dict.fromkeys(("blue_net", "blue_tax"), _amount),
        **dict.fromkeys(("red_net", "red_tax"), _signed),
    },
    evidence.Voided: {"index": _count, "invoice_no": _number, "voided_at": _moment},
    evidence.RedFormFacts: {"red_form_no": _red_form_no, "status": _status},
    evidence.SegmentFacts: {"start_no": _number, "end_no": _number, "left": _count},
    evidence.SealFacts: {
        "key_index": _word,
        "public_key": _hex,
        "application_no": _word,
        "message": _text,
        "not_after": _moment,
    },
    evidence.SealTested: {"digest": _hex, "signature": _hex, "public_key": _hex},
    evidence.Releases: {"current": _word},
    evidence.ReleaseFacts: {"version": _word, "released_on": _given_date, "effective_on": _date, "notes": _text},
    evidence.Upgraded: {"version": _word, "message": _text},
    evidence.ProxyFacts: {
        "version": _word,
        "connections": _count,
        "max_connections": _count,
        "socket_connections": _count,
        "offline_interval_hours": _count,
        "log_level": _count,
        "areas": _count,
    },
    evidence.GrantFacts: {
        "start_no": _number,
        "end_no": _number,
        "grant_no": _given_word,
        "application_no": _word,
    },
    evidence.ApplicationFacts: {"application_no": _given_word, "count": _count, "at": _moment_or_none},
    evidence.Applied: {"application_no": _given_word},
    evidence.IssuedInvoice: {"index": _count, "invoice_no": _number, "issued_at": _moment},
    evidence.TaxpayerFacts: {
        "taxpayer_id": _word,
        "name": _line,
        "taxpayer_kind": NATIVE_KINDS.__contains__,
        "registration_seq": _word,
        "tax_authority_code": _word,
        "tax_authority_name": _line,
    },
    evidence.FlagFacts: {"name": _word, "value": _word, "valid_from": _date, "valid_to": _date},
    evidence.CodePage: {
        "version": _word,
        "published_on": _date,
        "total": _count,
        "start": _count,
        "digest": lambda value: _DIGEST.fullmatch(value) is not None,
        "rows": _page,
    },
    evidence.CodeFacts: {
        "code": lambda value: _CODE.fullmatch(value) is not None,
        "name": _line,
        "short_name": _line,
        "rates": _code_rates,
        "parent": _word,
        "note": _line,
        "valid_from": _date,
        "valid_to": _date,
    },
    wire.UploadFacts: {"index": _count, "at": _moment},
    wire.Observation: {
        "read_at": _moment,
        "offline_since": _moment,
        "offline_count": _count,
        "offline_amount": _amount,
        "clock_offset_seconds": _seconds,
        "last_index": _count,
    },
}
_LISTS = ("kinds", "segments", "uploads", "releases", "flags", "rows", "grants", "applications")


def flaw(said: object) -> str:
    """What in an outcome, its evidence or a reading cannot be what its field says; empty when all can."""
    for name, fits in _FITS.get(type(said), {}).items():
        value = getattr(said, name)
        if not fits(value):
            return f"{type(said).__name__}.{name} cannot be {clean(str(value), 'log', 60)}"
    if isinstance(said, evidence.SegmentFacts) and not _run(said):
        return f"SegmentFacts.next_no cannot be {clean(said.next_no, 'log', 60)}"
    if isinstance(said, evidence.Cleared):
        return flaw(said.facts)
    inner = (one for name in _LISTS for one in getattr(said, name, ()))
    return next(filter(None, map(flaw, inner)), "")


def _run(segment: evidence.SegmentFacts) -> bool:
    """The next number lies in the segment, as long as any are left."""
    if segment.left == 0:
        return True
    return _number(segment.next_no) and int(segment.start_no) <= int(segment.next_no) <= int(segment.end_no)
