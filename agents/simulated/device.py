"""One virtual device: what it remembers, its clock, its segments of numbers, and its limits while offline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec import Struct

from agents.simulated import calendar
from agents.simulated.memory import Statement
from agents.simulated.numbers import number
from agents.simulated.refusals import Refusal

CLOCK_LIMIT = 30 * 60
"""Seconds a clock may be off: below, calibration finds nothing to do; above, nothing is signed (99800011, 09e105)."""


LEAVING = "*"
"""In place of a terminal: the run is on its way back to the bureau, and for nobody to use."""


class KindFacts(Struct):
    """监控数据 of one kind, as the bureau wrote it; dates yyyyMMdd, money decimal text, 0 = not limited."""

    kind: str
    issue_deadline: str
    report_from: str
    report_to: str
    last_report_date: str
    upload_deadline_day: int
    single_limit: str
    offline_max_hours: int
    offline_max_count: int
    offline_max_amount: str
    red_needs_original: int = 0
    """1: a red invoice's blue one must be on this device."""
    red_max_days: int = 0


class PeriodWish(Struct, forbid_unknown_fields=True):
    """A tax period to put a device into; dates yyyyMMdd."""

    report_from: str
    report_to: str
    issue_deadline: str
    last_report_date: str = ""


class Company(Struct):
    """企业信息 as the bureau told it."""

    taxpayer_id: str
    taxpayer_name: str
    taxpayer_kind: str
    may_issue: bool
    authority_code: str
    authority_name: str
    flags: dict[str, str]


class Pacing(Struct, frozen=True):
    """How fast to upload: ``sczs`` invoices in a batch, ``scsjjg`` seconds between its two calls."""

    sczs: int = 1
    scsjjg: float = 11.0


class DeviceFacts(Struct):
    """What a device remembers apart from its segments and invoices."""

    taxpayer_id: str
    taxpayer_name: str
    area: str
    company: Company | None = None
    certificate_not_after: str = ""
    key: str = ""
    kinds: list[KindFacts] = []
    rates: list[str] = []
    terminals: dict[str, str] = {}
    pacing: Pacing = Pacing()
    clock_offset: float = 0.0
    offline_since: str = ""
    certificate_issued_at: str = ""
    cancelled_at: str = ""


@dataclass
class Segment:
    """A run of numbers on the device; ``terminal`` empty = not distributed, ``place`` = order of use."""

    place: int
    grant_no: str
    kind: str
    code: str
    start: int
    end: int
    next: int
    terminal: str
    received_on: str

    @property
    def left(self) -> int:
        """Numbers not yet used."""
        return self.end - self.next + 1

    def shown(self) -> dict[str, str | int]:
        """As GP_LGXXCX tells it."""
        return {
            "LPBH": self.grant_no,
            "FPLXDM": self.kind,
            "FPDM": self.code,
            "QSHM": number(self.start),
            "ZZHM": number(self.end),
            "DQHM": number(self.next),
            "SYFS": self.left,
            "KPZDDM": "" if self.terminal == LEAVING else self.terminal,
            "LGRQ": self.received_on,
        }

    def remembered(self, device_no: str) -> Statement:
        """The statement that stores this segment."""
        row = (self.place, self.grant_no, self.kind, self.code, self.start, self.end, self.next, self.terminal)
        return (
            "INSERT OR REPLACE INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (device_no, *row, self.received_on),
        )


@dataclass
class Device:
    """One virtual device. ``clock`` is true time; the device's own is off by ``facts.clock_offset`` seconds."""

    device_no: str
    tax_server_no: str
    facts: DeviceFacts
    clock: Callable[[], datetime]
    segments: list[Segment] = field(default_factory=list)
    last_index: int = 0
    waiting_count: int = 0
    waiting_fen: int = 0
    working_on: str = ""
    """流水号 of the changing call under way, empty when there is none."""
    trouble: str = ""
    """Why this device's own uploads fail, empty when they do not."""

    def now(self) -> datetime:
        """Device time."""
        return self.clock().astimezone(calendar.CHINA) + timedelta(seconds=self.facts.clock_offset)

    def kind(self, kind: str) -> KindFacts:
        """Monitor data of a kind; refuses 09d110 when the device may not issue it."""
        for facts in self.facts.kinds:
            if facts.kind == kind:
                return facts
        raise Refusal("09d110", kind)

    def certified(self) -> bool:
        """Whether the certificate is there and has not expired by device time."""
        return (
            self.facts.certificate_not_after >= calendar.day(self.now()) if self.facts.certificate_not_after else False
        )

    def current(self, kind: str, terminal: str) -> Segment:
        """The segment whose next number the terminal uses next; refuses 1002 when there is none."""
        for segment in self.segments:
            if segment.kind == kind and segment.terminal == terminal and segment.left > 0:
                return segment
        missing = "" if terminal in self.facts.terminals else f"开票终端不存在 {terminal}"
        raise Refusal("1002", missing)

    def add_segment(self, segment: Segment) -> None:
        """Take in a segment written from a grant, or cut from one."""
        self.segments.append(segment)
        self.segments.sort(key=lambda s: s.place)

    def next_place(self) -> int:
        """Place for one more segment: behind all others."""
        return max((segment.place for segment in self.segments), default=0) + 1

    def offline_hours(self) -> float:
        """Hours since the bureau was last reached, 0 when online."""
        if not self.facts.offline_since:
            return 0.0
        return max(0.0, (self.clock() - calendar.read_stamp(self.facts.offline_since)).total_seconds() / 3600)
