"""Devices on paper: what a tax server in good health would answer to each order of an agent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from controlplane.domain.dated import DEVICE_ZONE
from controlplane.store.times import utc_text
from controlplane.wire import agents as wire
from controlplane.wire import evidence, work
from tests.controlplane.operations import tables

KINDS = ("026", "028")
CODES = {"026": "044002600111", "028": "044002600211"}
"""Invoice code of each kind."""
RATES = ["0.09", "0.13", "0.06", "0"]


def kind_facts(kind: str, now: datetime, **changes: Any) -> evidence.KindFacts:
    """监控数据 of a kind with room for everything."""
    deadline = (now.astimezone(DEVICE_ZONE) + timedelta(days=20)).strftime("%Y%m%d")
    fields: dict[str, Any] = {
        "kind": kind,
        "issue_deadline": deadline,
        "report_from": "20261201",
        "report_to": "20261215",
        "last_report_date": "20261101",
        "single_limit": "100000.00",
        "upload_deadline_day": 0,
        "offline_max_hours": 0,
        "offline_max_count": 0,
        "offline_max_amount": "0.00",
    }
    return evidence.KindFacts(**{**fields, **changes})


@dataclass
class Paper:
    """One device: its segments, the journal of what it issued, and what the bureau said of it."""

    device_no: str
    server_no: str
    segments: list[evidence.SegmentFacts] = field(default_factory=list)
    journal: list[evidence.IssuedInvoice] = field(default_factory=list)
    forms: dict[str, evidence.RedFormFacts] = field(default_factory=dict)
    """Red forms at the bureau by our number; approved at once unless ``verdict`` says otherwise."""
    verdict: str = "TZD0000"

    def stock(self, kind: str, start_no: int, count: int, terminal_code: str | None = "1") -> None:
        """Put a run of numbers on the device or on a terminal of it."""
        self.segments.append(run(kind, start_no, start_no + count - 1, terminal_code))

    def issue(self, order: wire.Order, now: datetime) -> evidence.IssuedInvoice:
        """Sign the order's invoice with the next number of its terminal."""
        asked = order.work
        assert isinstance(asked, work.IssueInvoice)
        place = (asked.kind, asked.terminal_code)
        held = next(one for one in self.segments if (one.kind, one.terminal_code) == place and one.left)
        number = held.next_no
        held.left -= 1
        held.next_no = f"{int(number) + 1:08d}"
        issued = evidence.IssuedInvoice(
            index=len(self.journal) + 1,
            serial=order.serial,
            request_id=asked.request_id,
            order_no=asked.order_no,
            kind=asked.kind,
            terminal_code=asked.terminal_code,
            invoice_code=held.invoice_code,
            invoice_no=number,
            check_code="12345678901234567890",
            cipher="03*5<8",
            signature="MEUCIQ==",
            issued_at=now.astimezone(DEVICE_ZONE).strftime("%Y-%m-%dT%H:%M:%S+08:00"),
            net_total=asked.net_total,
            tax_total=asked.tax_total,
            gross_total=asked.gross_total,
            payload_hash=hashlib.sha256(asked.request_id.encode()).hexdigest(),
        )
        self.journal.append(issued)
        return issued

    def void(self, asked: work.VoidInvoice, now: datetime) -> evidence.Voided:
        """Void an invoice of the journal."""
        one = next(row for row in self.journal if row.invoice_no == asked.invoice_no)
        at = now.astimezone(DEVICE_ZONE).strftime("%Y-%m-%dT%H:%M:%S+08:00")
        return evidence.Voided(
            invoice_code=one.invoice_code, invoice_no=one.invoice_no, voided_at=at, index=one.index
        )

    def form(self, asked: work.UploadRedForm | work.QueryRedForm | work.CancelRedForm) -> evidence.RedFormFacts:
        """What the bureau says of a red form now."""
        status = "TZD0082" if isinstance(asked, work.CancelRedForm) else self.verdict
        known = self.forms.get(asked.form_no)
        number = known.red_form_no if known else ""
        if not number and status == "TZD0000":
            number = f"44030126{len(self.forms) + 1:08d}"
        found = evidence.RedFormFacts(form_no=asked.form_no, red_form_no=number, status=status, message="")
        self.forms[asked.form_no] = found
        return found

    def uploads(self, status: str = "uploaded", message: str = "") -> list[wire.UploadFacts]:
        """What the device says of all it issued."""
        return [
            wire.UploadFacts(
                index=one.index,
                serial=one.serial,
                invoice_code=one.invoice_code,
                invoice_no=one.invoice_no,
                status=status,  # type: ignore[arg-type]
                receipt_no=f"SL{one.index:08d}" if status == "uploaded" else None,
                at="2026-11-22T03:00:05.000Z",
                message=message,
            )
            for one in self.journal
        ]

    def reading(self, now: datetime, **changes: Any) -> wire.Observation:
        """A reading of the device in good health."""
        fields: dict[str, Any] = {
            "device_no": self.device_no,
            "tax_server_no": self.server_no,
            "read_at": utc_text(now),
            "reachable": True,
            "clock_offset_seconds": 0.5,
            "bureau_online": True,
            "last_index": len(self.journal),
            "kinds": [kind_facts(kind, now) for kind in KINDS],
            "segments": self.segments,
        }
        return wire.Observation(**{**fields, **changes})


def run(kind: str, start_no: int, end_no: int, terminal_code: str | None, **changes: Any) -> evidence.SegmentFacts:
    """A run of unused numbers."""
    fields: dict[str, Any] = {
        "kind": kind,
        "invoice_code": CODES[kind],
        "start_no": f"{start_no:08d}",
        "end_no": f"{end_no:08d}",
        "next_no": f"{start_no:08d}",
        "left": end_no - start_no + 1,
        "terminal_code": terminal_code,
        "received_on": "20261101",
        "grant_no": "G1",
    }
    return evidence.SegmentFacts(**{**fields, **changes})


def fleet_evidence(order: wire.Order, quota: int, now: datetime) -> evidence.Evidence:
    """What comes back from everything but issuing, when it is done."""
    asked = order.work
    if isinstance(asked, work.FetchCompany):
        return evidence.Company(
            taxpayer_id=order.taxpayer_id,
            taxpayer_name="某公司",
            taxpayer_kind="general",
            tax_authority_code="14401000000",
            tax_authority_name="某税务局",
            may_issue=True,
            flags={},
        )
    if isinstance(asked, work.CertifyDevice):
        return evidence.Certified(not_after=utc_text(now + timedelta(days=300)))
    if isinstance(asked, work.FetchKinds):
        return evidence.Kinds(kinds=[kind_facts(kind, now) for kind in KINDS])
    if isinstance(asked, work.FetchRates):
        return evidence.Rates(rates=list(RATES))
    if isinstance(asked, work.FetchTaxpayer):
        return tables.facts(asked.taxpayer_id)
    if isinstance(asked, work.FetchCodes):
        return tables.page([tables.code(number) for number in range(1, 4)], asked.start, asked.most)
    if isinstance(asked, work.ApplySegment):
        return evidence.Applied(application_no="A1")
    if isinstance(asked, work.ReceiveSegments | work.DistributeSegment | work.ReclaimSegment | work.ReturnSegment):
        return evidence.Segments(segments=[])
    if isinstance(asked, work.QueryApplications):
        return evidence.Applications(applications=[])
    servers = work.SynchroniseServer | work.CalibrateServer | work.CommissionServer | work.CertifyServer
    servers |= work.RequestFormal | work.SynchroniseFormal | work.RenewServer
    return server_facts(order, quota, now) if isinstance(asked, servers) else evidence.Nothing()


def server_facts(order: wire.Order, quota: int, now: datetime) -> evidence.ServerFacts:
    """State of a tax server in good health."""
    return evidence.ServerFacts(
        tax_server_no=str(order.address.tax_server_no),
        quota_total=quota,
        quota_left=quota,
        kernel_version="V4.2",
        clock_offset_seconds=0.2,
        commissioned=True,
        certified=True,
        certificate_not_after=utc_text(now + timedelta(days=300)),
    )
