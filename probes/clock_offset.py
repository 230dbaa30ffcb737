"""``clock+http://`` and ``clock+https://``: how far a server's clock is from ours, by the Date of its answer."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

from probes.http_get import ask, opened
from probes.measurement import Failed, Measurement, measured
from probes.reading import Reading
from probes.settings import ProbeSettings
from probes.target import Target

_HALF_SECOND = 0.5
"""A Date header names the second that has begun: on average half a second has passed since."""


async def probe(target: Target, settings: ProbeSettings, deadline: float) -> Reading:
    """Facts ``offset_seconds`` (theirs minus ours) and ``uncertainty_seconds`` (either way), besides ``status``."""
    return await measured(Measurement(target, settings, deadline), _compare)


async def _compare(measurement: Measurement) -> None:
    async with opened(measurement) as stream:
        asked_at = measurement.settings.clock()
        head, _ = await ask(measurement, stream)
    try:
        theirs = parsedate_to_datetime(head.headers.get("date", ""))
    except ValueError as error:
        raise Failed("bad_answer", "body") from error
    round_trip = measurement.phases["ttfb"] / 1000
    offset = (theirs.replace(tzinfo=theirs.tzinfo or UTC) - asked_at).total_seconds() - round_trip / 2 + _HALF_SECOND
    measurement.facts["status"] = head.status
    measurement.facts["offset_seconds"] = round(offset, 3)
    measurement.facts["uncertainty_seconds"] = round(_HALF_SECOND + round_trip / 2, 3)
