"""``tcp://host:port``: does the connection open?"""

from __future__ import annotations

from probes.connection import connected
from probes.measurement import Measurement, measured
from probes.reading import Reading
from probes.settings import ProbeSettings
from probes.target import Target


async def probe(target: Target, settings: ProbeSettings, deadline: float) -> Reading:
    """Open a connection and let go of it; nothing is sent. Phases dns, tcp."""
    return await measured(Measurement(target, settings, deadline), _open)


async def _open(measurement: Measurement) -> None:
    async with connected(measurement):
        pass
