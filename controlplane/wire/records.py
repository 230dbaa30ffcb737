"""Management records and requests as pydantic models: what the API takes strictly and what it answers."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

T = TypeVar("T")

TaxpayerId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{15,20}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=120)]
OptionalText = Annotated[str, StringConstraints(max_length=120)]
Word = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._:-]{1,64}$")]
AreaCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
KindCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]


class Strict(BaseModel):
    """A request body: no extra fields, no coercion."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=False)


class Record(BaseModel):
    """An answer; fields may be added over time."""

    model_config = ConfigDict(extra="allow")


class Problem(BaseModel):
    """An RFC 9457 problem with our code, remedy and runbook page."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    remedy: str
    runbook: str
    reason_class: str
    details: dict[str, Any] = {}
    errors: list[dict[str, Any]] = []
    allowed: list[str] = []


class Listing(BaseModel, Generic[T]):
    """One page of a list and the cursor of the next page."""

    items: list[T]
    next: str | None


# --- requests


class SignIn(Strict):
    """A person's name and password."""

    username: Text
    password: Annotated[str, StringConstraints(min_length=1, max_length=256)]


class NewJoinToken(Strict):
    """A token for the agent of one host. An empty host_id binds the token to the first host that uses it."""

    host_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._:-]{0,64}$")] = ""
    name: Word


class Move(Strict):
    """An act on a record: why, and the version the caller has seen."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    version: Annotated[int, Field(ge=1, lt=2**31)]


class Bind(Move):
    """Give a tax server and its devices to an agent."""

    tax_server_id: Word


class NewLine(Strict):
    """An address to watch: ``scheme://host:port``."""

    region: Text
    area_code: AreaCode
    service: Word
    target: Annotated[str, StringConstraints(pattern=r"^(tcp|tls|http|https)://[0-9A-Za-z.:/_\[\]-]{3,200}$")]
    enabled: bool = False


# --- answers


class Verb(Record):
    """A verb, whether it may be done now, and if not, why."""

    verb: str
    enabled: bool
    why: str


class Taxpayer(Record):
    """A taxpayer with the verbs that are allowed now."""

    id: str
    taxpayer_id: str
    name: str
    taxpayer_kind: str
    region: str
    may_issue: bool
    version: int
    allowed: list[Verb]


class HealthRecord(Record):
    """ok, warn, stopped or unknown; the limiting cause and the minutes until it stops issuing."""

    verdict: str
    cause: str
    text: str
    runbook: str
    minutes_until_stop: int | None


class TaxServer(Record):
    """A tax server with the verbs that are allowed now."""

    id: str
    tax_server_no: str
    state: str
    version: int
    allowed: list[Verb]


class VirtualDevice(Record):
    """A virtual device with its reading, stock, health and the verbs that are allowed now."""

    id: str
    device_no: str | None
    taxpayer_id: str
    state: str
    version: int
    health: HealthRecord
    allowed: list[Verb]


class FleetCount(Record):
    """Virtual devices added up: of one tax server (with its places) or of one taxpayer."""

    id: str
    devices: dict[str, int]
    """State → how many."""
    issuable: int
    issued_total: int
    issued_today: int
    gross_today: str


class Impact(Record):
    """What stops if a tax server or virtual device stops; ``take_over`` of a taxpayer: kind → devices that could."""

    id: str
    taxpayers: list[dict[str, Any]]
    devices: list[dict[str, Any]]
    terminals: list[dict[str, Any]]
    business_types: list[str]
    waiting_invoices: int
    issued_today: int
    gross_today: str


class BatchReport(Record):
    """What a file of virtual devices would do (dry run) or did."""

    dry_run: bool
    batch_id: str | None
    total: int
    faults: list[dict[str, Any]]
    servers: list[dict[str, Any]]


class Batch(Record):
    """How far a batch of virtual devices has come."""

    id: str
    total: int
    ready: int
    stopped: int
    states: dict[str, int]
    rows: list[dict[str, Any]]


class Device(Record):
    """A device of any kind."""

    id: str
    device_no: str | None
    device_kind: str
    custody: str
    taxpayer_id: str
    state: str


class Terminal(Record):
    """A terminal."""

    id: str
    device_id: str
    terminal_code: str
    terminal_name: str


class Segment(Record):
    """A segment of numbers."""

    id: str
    device_id: str
    kind: str
    invoice_code: str
    start_no: str
    end_no: str
    next_no: str | None
    """None when all are used."""
    left: int


class Stock(Record):
    """Numbers of one kind on one terminal."""

    taxpayer_id: str
    device_id: str
    terminal_code: str
    kind: str
    left: int
    waiting: int
    available: int


class Application(Record):
    """An application for numbers, with its grants and the verbs that are allowed now."""

    id: str
    device_id: str
    taxpayer_id: str
    kind: str
    count: int
    application_no: str
    state: str
    version: int
    allowed: list[Verb]


class Grant(Record):
    """A run the bureau granted. ``used`` + ``returned`` + ``unused`` + ``unaccounted`` = ``count``."""

    id: str
    device_id: str
    taxpayer_id: str
    kind: str
    invoice_code: str
    start_no: str
    end_no: str
    state: str
    count: int
    used: int
    returned: int
    unused: int
    unaccounted: int


class StockTree(Record):
    """Stock of a taxpayer by device, terminal and segment."""

    taxpayer_id: str
    age_seconds: int | None
    complete: bool
    kinds: dict[str, dict[str, int]]
    devices: list[dict[str, Any]]


class StockAlert(Record):
    """A threshold and whom it writes to. No device: each device; no kind: each kind."""

    id: str
    taxpayer_id: str
    device_id: str | None
    kind: str | None
    threshold: int
    recipients: list[str]
    state: str
    version: int
    low: int
    """Devices and kinds that are low now, as last told."""
    allowed: list[Verb]


class Order(Record):
    """An order as received, and the invoice it became."""

    id: str
    order_no: str
    request_id: str
    attempt: int


class Job(Record):
    """A job and its trail."""

    id: str
    kind: str
    state: str
    attempts: int


class Agent(Record):
    """An agent; nothing of its secret."""

    id: str
    name: str
    host_id: str
    state: str
    heartbeat: str


class LogRow(Record):
    """One row of the operation log."""

    seq: int
    at: str
    actor_name: str
    action: str
    outcome: str
    hash: str


class Line(Record):
    """A bureau address and its latest check."""

    id: str
    region: str
    service: str
    target: str
    enabled: bool


class Report(Record):
    """Reporting and clearing of one kind of one device for one period; ``standing`` is computed on reading."""

    id: str
    taxpayer_id: str
    device_id: str
    device_no: str | None
    kind: str
    period: str
    state: str
    standing: str
    deadline: str
    days_left: int
    version: int
    allowed: list[Verb]


class ReportSchedule(Record):
    """From when on due kinds are reported and cleared by themselves; no taxpayer: the platform's default."""

    id: str
    taxpayer_id: str | None
    hour: int
    minute: int
    days_before: int
    state: str
    version: int
    allowed: list[Verb]


class Upload(Record):
    """What became of one invoice's upload: the device's code, the bureau's text, time and receipt number."""

    id: str
    taxpayer_id: str
    device_no: str | None
    kind: str
    invoice_code: str | None
    invoice_no: str | None
    status: str
    code: str
    text: str
    at: str | None
    receipt_no: str | None


class Acted(Record):
    """The record an act was done on, and the job it opened, if any."""

    job: dict[str, Any] | None
    record: dict[str, Any]
