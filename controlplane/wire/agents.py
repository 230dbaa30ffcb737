"""What an agent and the control plane say to each other: enrolment, lease, orders, outcomes, observations.

Times are RFC 3339 UTC text with milliseconds (``2026-11-22T17:00:00.000Z``) unless a field says *device time*; money
is a decimal string with two places. Whatever is here loads neither pydantic nor the server.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

JOIN_PATH = "/v1/agent/join"
LEASE_PATH = "/v1/agent/lease"
OUTCOMES_PATH = "/v1/agent/outcomes"

Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[A-Za-z0-9._:-]+\Z")]
Secret = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Result = Literal["done", "refused", "unreachable", "unknown"]


class Frame(Struct, forbid_unknown_fields=True, kw_only=True):
    """Base of all messages: unknown fields are refused."""


class JoinRequest(Frame):
    """First words of a new agent. ``secret`` is 256 bits of its own making; the server keeps only its hash."""

    token: Annotated[str, Meta(min_length=16, max_length=128)]
    host_id: Name
    name: Name
    secret: Secret
    version: Annotated[str, Meta(max_length=32)]


class JoinAnswer(Frame):
    """The agent's identity. Later requests carry ``Authorization: Bearer <agent_id>.<secret>``."""

    agent_id: str
    instance_id: str


class DeviceAddress(Frame):
    """Where a device is reached and in which dialect it is spoken to."""

    device_kind: str
    """Key of the driver catalog, e.g. ``new_tax_server``."""
    host: str
    port: int
    tax_server_no: str | None = None
    device_no: str | None = None
    """None: the order is for the tax server itself."""
    taxpayer_id: str | None = None


# --- work: the closed list of what an agent may be asked to do


class SynchroniseServer(Frame, tag="server.synchronise"):
    """Read number, quota, clock and kernel version of the tax server."""


class CalibrateServer(Frame, tag="server.calibrate"):
    """Set the tax server's clock to the bureau's."""


class CommissionServer(Frame, tag="server.commission"):
    """发行: register the tax server at its bureau."""


class CertifyServer(Frame, tag="server.certify"):
    """制证: fetch the tax server's certificate."""


class CommissionDevice(Frame, tag="device.commission"):
    """发行 of a virtual device for one taxpayer; the tax server assigns its number."""

    taxpayer_id: str
    taxpayer_name: str
    region: str


class FetchCompany(Frame, tag="device.fetch_company"):
    """企业信息获取: flags of the taxpayer as the bureau has them."""


class CertifyDevice(Frame, tag="device.certify"):
    """虚拟设备制证."""


class FetchKinds(Frame, tag="device.fetch_kinds"):
    """发票类型获取: kinds and their limits."""


class FetchRates(Frame, tag="device.fetch_rates"):
    """核定税率获取."""


class CalibrateDevice(Frame, tag="device.calibrate"):
    """Set the virtual device's clock."""


class ReadDevice(Frame, tag="device.read"):
    """Read clock, limits, stock and uploads now; the answer is an observation."""


class AddTerminal(Frame, tag="terminal.add"):
    """Create a terminal (开票终端) on the device."""

    terminal_code: str
    terminal_name: str


class ApplySegment(Frame, tag="segment.apply"):
    """申领: ask the bureau for numbers of one kind."""

    kind: str
    count: int


class ReceiveSegments(Frame, tag="segment.receive"):
    """领用: query what was granted, write it to the device, confirm to the bureau (three calls, resumable)."""

    kind: str


class DistributeSegment(Frame, tag="segment.distribute"):
    """分发: move ``count`` numbers from ``start_no`` on to a terminal."""

    kind: str
    invoice_code: str
    start_no: str
    count: int
    terminal_code: str


class Party(Frame):
    """Buyer or seller as printed."""

    tax_id: str = ""
    name: str = ""
    address_phone: str = ""
    bank_account: str = ""


class IssueLine(Frame):
    """One priced line; decimals as text, ``nature`` 0 normal, 1 discount, 2 discounted."""

    nature: int
    item_name: str
    tax_class_code: str
    rate: str
    amount: str
    tax: str
    quantity: str | None = None
    unit_price: str | None = None
    unit: str = ""
    spec: str = ""
    preference_flag: int = 0
    preference_note: str = ""
    zero_rate_kind: str = ""


class IssueInvoice(Frame, tag="invoice.issue"):
    """开具: the device signs and assigns code and number from the terminal's stock."""

    kind: str
    direction: Literal["blue", "red"]
    request_id: str
    order_no: str
    terminal_code: str
    seller: Party
    buyer: Party
    lines: list[IssueLine]
    net_total: str
    tax_total: str
    gross_total: str
    issuer: str
    payee: str = ""
    reviewer: str = ""
    remark: str = ""


Work = (
    SynchroniseServer
    | CalibrateServer
    | CommissionServer
    | CertifyServer
    | CommissionDevice
    | FetchCompany
    | CertifyDevice
    | FetchKinds
    | FetchRates
    | CalibrateDevice
    | ReadDevice
    | AddTerminal
    | ApplySegment
    | ReceiveSegments
    | DistributeSegment
    | IssueInvoice
)


class Order(Frame):
    """One job for one device. ``serial`` is the 流水号 given to the device: the same at every attempt."""

    job_id: str
    taxpayer_id: str
    """Shard key of the job (``-`` for work of the platform itself); sent back with the outcome."""
    serial: Annotated[str, Meta(max_length=32)]
    epoch: int
    redelivered: bool
    """True when any agent held this order before: read the device's journal before anything else."""
    address: DeviceAddress
    work: Work


class LeaseRequest(Frame):
    """A long poll for work. ``session`` is new at each start of the agent."""

    session: Name
    wait: Annotated[int, Meta(ge=0, le=30)] = 0
    limit: Annotated[int, Meta(ge=1, le=64)] = 16
    """Most orders in hand per device."""
    revision: str = ""
    """Revision of the address list the agent already has."""
    holding: Annotated[list[str], Meta(max_length=4096)] = field(default_factory=list)
    """Jobs this session already has in hand; one that was leased to it but is missing here is sent again."""


class LeaseAnswer(Frame):
    """Orders per device in their order of work, and what this agent serves."""

    instance_id: str
    ledger_seq: int
    """Never goes back; an agent that is shown a lower one takes no work (restored or split control plane)."""
    orders: list[Order] = field(default_factory=list)
    revision: str = ""
    serves: list[DeviceAddress] | None = None
    """All addresses this agent serves, sent when ``revision`` differs from the agent's."""


# --- evidence: what was found on the device


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


class DeviceCommissioned(Frame, tag="device_commissioned"):
    """Number the tax server gave to the new virtual device."""

    device_no: str


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
    """Certificate of a virtual device."""

    not_after: str


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


class Segments(Frame, tag="segments"):
    """All segments on the device after receive or distribute."""

    segments: list[SegmentFacts]


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
)


class Outcome(Frame):
    """What became of one order. ``unknown`` is an interim word: the agent goes on reading the device's journal."""

    job_id: str
    taxpayer_id: str
    epoch: Annotated[int, Meta(ge=0, lt=2**31)]
    result: Result
    at: str
    code: Annotated[str, Meta(max_length=64)] = ""
    """The device's or bureau's own code when refused; a reason word when unreachable or unknown."""
    message: Annotated[str, Meta(max_length=512)] = ""
    evidence: Evidence | None = None


class UploadFacts(Frame):
    """Upload state of one invoice, by its position in the device's journal."""

    index: int
    serial: str
    invoice_code: str
    invoice_no: str
    status: Literal["uploaded", "failed", "signature_rejected"]
    receipt_no: str | None
    at: str
    message: str = ""


class Observation(Frame):
    """A reading of one device, taken between jobs."""

    device_no: str
    tax_server_no: str | None
    read_at: str
    reachable: bool
    message: str = ""
    clock_offset_seconds: float | None = None
    bureau_online: bool | None = None
    bureau_message: str = ""
    offline_since: str | None = None
    offline_count: int = 0
    offline_amount: str = "0.00"
    last_index: int = 0
    """Newest position of the device's journal."""
    kinds: list[KindFacts] = field(default_factory=list)
    segments: list[SegmentFacts] = field(default_factory=list)
    uploads: list[UploadFacts] = field(default_factory=list)


class OutcomeReport(Frame):
    """A batch of outcomes and observations; may be sent again in whole or part without effect."""

    session: Name
    outcomes: Annotated[list[Outcome], Meta(max_length=256)] = field(default_factory=list)
    observations: Annotated[list[Observation], Meta(max_length=256)] = field(default_factory=list)


class OutcomeAck(Frame):
    """``settled`` need not be sent again; ``stale`` came from an older epoch (kept as evidence, not applied)."""

    settled: list[str]
    stale: list[str]
    ledger_seq: int
    upload_cursors: dict[str, int] = field(default_factory=dict)
    """Per device_no: highest journal index up to which every upload is already recorded."""


ORDERS = msgspec.json.Decoder(Work)
"""Work as kept in a job's row."""
FORMS = (JoinRequest, JoinAnswer, LeaseRequest, LeaseAnswer, OutcomeReport, OutcomeAck, Company)
# msgspec learns a type when it first meets it; two threads must not teach it at once, so it is done here, at import.
for _form in FORMS:
    msgspec.json.Decoder(_form)
