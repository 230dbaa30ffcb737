"""``dns://name`` and ``dns://server/name``: does the name have an address that we may reach?"""

from __future__ import annotations

import random

from probes.connection import looked_up
from probes.measurement import Failed, Measurement, measured
from probes.reach import BadHost, canonical_host
from probes.reading import Reading
from probes.resolver import LookupFailed, NameServers
from probes.settings import ProbeSettings
from probes.target import Target


async def probe(target: Target, settings: ProbeSettings, deadline: float) -> Reading:
    """Phase dns; ``address`` is the first one found. Asking a named server needs that server to be allowed too."""
    return await measured(Measurement(target, settings, deadline), _look_up if not target.path else _ask_server)


async def _look_up(measurement: Measurement) -> None:
    await looked_up(measurement, measurement.target.host)


async def _ask_server(measurement: Measurement) -> None:
    target = measurement.target
    server = await looked_up(measurement, target.host)
    measurement.enter("dns")
    names = NameServers([(server, target.port)], {}, random.SystemRandom())
    try:
        found = await names.addresses(canonical_host(target.path[1:]), measurement.deadline)
    except BadHost as error:
        raise Failed("not_allowed", "reach") from error
    except LookupFailed as error:
        raise Failed(error.reason) from error
    measurement.passed("dns")
    measurement.address = server
    measurement.facts["addresses"] = " ".join(str(address) for address in found[:8])
