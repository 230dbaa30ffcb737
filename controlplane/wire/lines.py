"""What a probe clock and the control plane say to each other."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from controlplane.wire.records import Record, Strict, Word

SLOTS_PATH = "/v1/lines/slots"
SAMPLES_PATH = "/v1/lines/samples"
TAKE_PATH = "/v1/lines/checks/take"
CHECKS_PATH = "/v1/lines/checks"
MOST_SAMPLES = 2000


def _is_moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Moment = Annotated[
    str,
    StringConstraints(pattern=r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"),
    AfterValidator(_is_moment),
]
"""A time as it stands in every table."""


class ClaimSlot(Strict):
    """A probe clock asks to do the work of one slot from its vantage; ``period`` is the slot's length in seconds."""

    slot: Moment
    period: Annotated[float, Field(ge=1, le=3600)]
    vantage: Word
    holder: Word


class LineTarget(Record):
    """One address to check."""

    id: str
    target: str


class ClaimedSlot(Record):
    """Whether the slot is the asker's, and what to check then."""

    claimed: bool
    targets: list[LineTarget]


class Sample(Strict):
    """One check of one address. ``ok`` None: it was not checked, with the reason."""

    endpoint_id: Word
    at: Moment
    ok: bool | None
    failing_phase: Annotated[str, StringConstraints(max_length=16)] = ""
    reason: Annotated[str, StringConstraints(max_length=64)] = ""
    duration_ms: Annotated[float, Field(ge=0, le=60_000)] | None = None
    phases: dict[Word, Annotated[float, Field(ge=0, le=60_000)]] = Field(default_factory=dict)
    address: Annotated[str, StringConstraints(max_length=64)] = ""
    certificate_not_after: Moment | None = None


class SampleReport(Strict):
    """Checks of one slot from one vantage, by the holder of the slot; ``final``: no more of this slot will come."""

    slot: Moment
    vantage: Word
    holder: Word
    samples: Annotated[list[Sample], Field(max_length=MOST_SAMPLES)]
    final: bool = True


class TakeChecks(Strict):
    """A probe process asks for checks wanted by hand, waiting up to ``wait`` seconds for some."""

    vantage: Word
    holder: Word
    wait: Annotated[float, Field(ge=0, le=30)] = 0.0


class WantedCheck(LineTarget):
    """One check wanted by hand: ``id`` names the check."""


class WantedChecks(Record):
    """Checks that are the asker's to do now."""

    checks: list[WantedCheck]


class CheckReport(Strict):
    """What a check by hand saw; the sample's ``endpoint_id`` is that of the line the check was asked for."""

    check_id: Word
    vantage: Word
    holder: Word
    sample: Sample


class AskedChecks(Record):
    """Which lines will be checked now, and which were checked too lately."""

    asked: list[dict[str, str]]
    limited: list[dict[str, str | int]]
