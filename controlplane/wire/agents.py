"""What an agent and the control plane say to each other: enrolment, lease, orders, outcomes, observations.

Times are RFC 3339 UTC text with milliseconds (``2026-11-22T17:00:00.000Z``) unless a field says *device time*; money
is a decimal string with two places. Whatever is here loads neither pydantic nor the server.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from controlplane.wire.evidence import Company, Evidence, KindFacts, SegmentFacts
from controlplane.wire.frame import Frame, Name, Result, Secret
from controlplane.wire.work import Work

JOIN_PATH = "/v1/agent/join"
LEASE_PATH = "/v1/agent/lease"
OUTCOMES_PATH = "/v1/agent/outcomes"


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
    code: Annotated[str, Meta(max_length=64)] = ""
    """The device's own code of the result."""


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


FORMS = (JoinRequest, JoinAnswer, LeaseRequest, LeaseAnswer, OutcomeReport, OutcomeAck, Company)
# msgspec learns a type when it first meets it; two threads must not teach it at once, so it is done here, at import.
for _form in FORMS:
    msgspec.json.Decoder(_form)
