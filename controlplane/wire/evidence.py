"""Evidence: what an agent found on the device, told with an outcome.

Times are RFC 3339 UTC text with milliseconds unless a field says *device time*; money is decimal text with two places.
Whatever is here loads neither pydantic nor the server.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from controlplane.wire.frame import Frame


class ServerFacts(Frame, tag="server"):
    """State of a tax server after a server.* job."""

    tax_server_no: str
    quota_total: int
    quota_left: int
    kernel_version: str
    clock_offset_seconds: float
    commissioned: bool
    certified: bool
    certificate_not_after: str | None = None
    tax_authority_code: str = ""
    tax_authority_name: str = ""
    certificate_issued_at: str | None = None
    certificate_stage: Literal["", "none", "temporary", "formal_requested", "formal_synced"] = ""
    """Empty: the server does not tell."""
    certificate_status: Literal["", "00", "01", "02", "03"] = ""
    formal_requested_at: str | None = None
    formal_synced_at: str | None = None


class DeviceCommissioned(Frame, tag="device_commissioned"):
    """Number the tax server gave to the new virtual device, and how many more it can take (None: not told)."""

    device_no: str
    quota_left: int | None = None


class Company(Frame, tag="company"):
    """企业信息 as held by the device; flags by their native names."""

    taxpayer_id: str
    taxpayer_name: str
    taxpayer_kind: str
    tax_authority_code: str
    tax_authority_name: str
    may_issue: bool
    flags: dict[str, str]


class Certified(Frame, tag="certified"):
    """Certificate of a virtual device; ``issued_at`` None: not told."""

    not_after: str
    issued_at: str | None = None


class KindFacts(Frame):
    """监控数据 of one invoice kind. Dates are YYYYMMDD, money decimal text, 0 = not limited (see offline flags)."""

    kind: str
    issue_deadline: str
    report_from: str
    report_to: str
    last_report_date: str
    single_limit: str
    upload_deadline_day: int
    offline_max_hours: int
    offline_max_count: int
    offline_max_amount: str
    red_needs_original: bool = False
    """fsfpbz: the blue invoice of a red one must be on this device."""
    red_max_days: int = 0
    """fsfpts: how many days old a blue invoice may be to be red-offset."""


class Kinds(Frame, tag="kinds"):
    """Kinds the device may issue."""

    kinds: list[KindFacts]


class Rates(Frame, tag="rates"):
    """授权税率, as decimals in text: ``0.13``."""

    rates: list[str]


class SegmentFacts(Frame):
    """A run of numbers as the device holds it; ``terminal_code`` None = on the device, not distributed."""

    kind: str
    invoice_code: str
    start_no: str
    end_no: str
    next_no: str
    left: int
    terminal_code: str | None
    received_on: str
    grant_no: str


class Applied(Frame, tag="applied"):
    """The bureau's number for an application."""

    application_no: str


class GrantFacts(Frame):
    """A run of numbers the bureau granted; ``application_no`` is empty where it does not say which one it answers."""

    grant_no: str
    kind: str
    invoice_code: str
    start_no: str
    end_no: str
    status: Literal["granted", "written", "confirmed"]
    application_no: str = ""


class Segments(Frame, tag="segments"):
    """All segments on the device after receive, distribute, reclaim or return.

    A receive tells its ``grants`` too, each as it stands now; ``stopped_by`` is the device's or bureau's text when it
    could not finish them all: what is written then waits to be confirmed.
    """

    segments: list[SegmentFacts]
    grants: list[GrantFacts] = field(default_factory=list)
    stopped_by: str = ""


class IssuedInvoice(Frame, tag="issued"):
    """An invoice as read back from the device's own journal."""

    index: int
    """Position in the device's journal, from 1, without gaps."""
    serial: str
    request_id: str
    order_no: str
    kind: str
    terminal_code: str
    invoice_code: str
    invoice_no: str
    check_code: str
    cipher: str
    signature: str
    issued_at: str
    """Device time, ``YYYY-MM-DDTHH:MM:SS+08:00``."""
    net_total: str
    tax_total: str
    gross_total: str
    payload_hash: str
    """SHA-256 hex of the issue request's canonical content, computed by the device."""


class Nothing(Frame, tag="nothing"):
    """Done, with nothing more to tell."""


class FlagFacts(Frame):
    """One flag of a taxpayer with its validity; days are YYYY-MM-DD, empty = no end known."""

    name: str
    value: str
    valid_from: str = ""
    valid_to: str = ""


class TaxpayerFacts(Frame, tag="taxpayer"):
    """What the bureau knows of a taxpayer."""

    taxpayer_id: str
    name: str
    taxpayer_kind: str
    """01 general, 02 small-scale, 03 converted (domain: 纳税人性质)."""
    registration_seq: str
    tax_authority_code: str
    tax_authority_name: str
    may_issue: bool
    flags: list[FlagFacts]


class CodeFacts(Frame):
    """One row of the tax class code table; ``rates`` as ``0.13`` joined by blanks; days YYYY-MM-DD."""

    code: str
    name: str
    short_name: str
    rates: str
    sum_only: bool
    usable: bool
    parent: str = ""
    note: str = ""
    valid_from: str = ""
    valid_to: str = ""


class CodePage(Frame, tag="codes"):
    """One page of the code table of a version; ``total`` rows in all, ``digest`` over the whole version."""

    version: str
    published_on: str
    total: int
    start: int
    digest: str
    rows: list[CodeFacts]


class SealFacts(Frame, tag="seal"):
    """Where a seal stands after a step. Public things only: key index, public key, dates."""

    step: Literal["key_fetched", "applied", "downloaded", "uploaded"]
    key_index: str = ""
    public_key: str = ""
    application_no: str = ""
    bureau_status: str = ""
    """applied, granted or refused, as the bureau says."""
    message: str = ""
    not_after: str | None = None


class SealTested(Frame, tag="seal_tested"):
    """A signed canary: digest of the document, signature, the public key it verifies under (all hex)."""

    digest: str
    signature: str
    public_key: str
    algorithm: str


class ReleaseFacts(Frame):
    """One release as published; days YYYY-MM-DD."""

    version: str
    released_on: str
    effective_on: str
    notes: str


class Releases(Frame, tag="releases"):
    """What runs and what is published, oldest first."""

    product: str
    current: str
    releases: list[ReleaseFacts]


class Upgraded(Frame, tag="upgraded"):
    """The version that runs after an upgrade; ``rolled_back`` when the new one failed its self-test."""

    product: str
    version: str
    self_test: Literal["passed", "failed"]
    rolled_back: bool
    message: str = ""


class ProxyFacts(Frame, tag="proxy"):
    """State of a secure proxy."""

    version: str
    running: bool
    connections: int
    max_connections: int
    socket_connections: int
    offline_interval_hours: int
    log_level: int
    use_platform_key: bool
    areas: int


class ApplicationFacts(Frame):
    """One application for numbers as the bureau sees it."""

    application_no: str
    kind: str
    count: int
    status: Literal["waiting", "granted", "refused", "cancelled"]
    message: str = ""
    at: str = ""


class Applications(Frame, tag="applications"):
    """Applications of a device for one kind, newest last, and what the bureau granted."""

    applications: list[ApplicationFacts]
    grants: list[GrantFacts] = field(default_factory=list)


class Voided(Frame, tag="voided"):
    """An invoice as voided in the device's journal."""

    invoice_code: str
    invoice_no: str
    voided_at: str
    index: int


class RedFormFacts(Frame, tag="redform"):
    """A red form at the bureau: its 16-digit number once approved, and the bureau's status code (TZD…)."""

    form_no: str
    red_form_no: str
    status: str
    message: str = ""


class Summary(Frame, tag="summary"):
    """The period's summary of one kind as the device read it out and sent it: counts, and totals as decimal text."""

    kind: str
    period: str
    report_no: str
    """受理序列号 of the bureau."""
    opening: int
    received: int
    returned: int
    closing: int
    blue_count: int
    blue_net: str
    blue_tax: str
    red_count: int
    red_net: str
    red_tax: str
    void_count: int


class ReportVerdict(Frame, tag="report_verdict"):
    """What the bureau says of a report; ``clear_needs_return`` when it wants the return filed before clearing."""

    kind: str
    period: str
    status: Literal["accepted", "processing", "refused"]
    code: str
    message: str
    clear_needs_return: bool
    return_filed: bool


class Cleared(Frame, tag="cleared"):
    """Monitor data read back from the device after clearing: its own new deadline is the proof."""

    kind: str
    period: str
    facts: KindFacts


Evidence = (
    ServerFacts
    | DeviceCommissioned
    | Company
    | Certified
    | Kinds
    | Rates
    | Applied
    | Segments
    | IssuedInvoice
    | Nothing
    | TaxpayerFacts
    | CodePage
    | SealFacts
    | SealTested
    | Releases
    | Upgraded
    | ProxyFacts
    | Applications
    | Voided
    | RedFormFacts
    | Summary
    | ReportVerdict
    | Cleared
)
"""Everything an outcome may prove."""
