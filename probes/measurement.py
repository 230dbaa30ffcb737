"""The stop-watch of one check: phases as they pass, and every failure folded into a reading."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable

from probes.reading import Certificate, FailingPhase, Phase, Reading, Reason
from probes.settings import ProbeSettings
from probes.target import Target

LONGEST = 10.0
"""Seconds any probe may take, whatever its caller allows."""

_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL}


class Failed(Exception):
    """A step ended badly; carries the coarse reason, the phase is the one under way."""

    def __init__(self, reason: Reason, phase: FailingPhase | None = None) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.phase = phase


class Measurement:
    """Collects what one check sees. ``enter`` names the phase under way, ``passed`` books its time."""

    def __init__(self, target: Target, settings: ProbeSettings, deadline: float, longest: float = LONGEST) -> None:
        self.target = target
        self.settings = settings
        self.zero = time.monotonic()
        self.deadline = min(deadline, self.zero + longest)
        self.started_at = settings.clock()
        self.address: str | None = None
        self.certificate: Certificate | None = None
        self.phases: dict[Phase, float] = {}
        self.facts: dict[str, str | int | float] = {}
        self.phase: FailingPhase = "reach"
        self._entered = self.zero

    @property
    def left(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self.deadline - time.monotonic())

    def enter(self, phase: FailingPhase) -> None:
        """Name the phase that begins now."""
        self.phase = phase
        self._entered = time.monotonic()

    def passed(self, phase: Phase, at: float | None = None) -> None:
        """Book the phase under way; ``at`` is when it ended by ``time.monotonic`` (default: now)."""
        end = time.monotonic() if at is None else at
        self.phases[phase] = max(0.0, end - self._entered) * 1000

    def close(self, reason: Reason = "", phase: FailingPhase | None = None) -> Reading:
        """The finished reading; with a reason it is a failed one."""
        return Reading(
            target=self.target.url,
            started_at=self.started_at,
            duration_ms=(time.monotonic() - self.zero) * 1000,
            ok=not reason,
            address=self.address,
            phases=dict(self.phases),
            failing_phase=(phase or self.phase) if reason else None,
            reason=reason,
            certificate=self.certificate,
            facts=dict(self.facts),
        )


async def measured(measurement: Measurement, steps: Callable[[Measurement], Awaitable[None]]) -> Reading:
    """Run ``steps`` under the deadline; what goes wrong on the way becomes part of the reading."""
    try:
        async with asyncio.timeout(measurement.left):
            await steps(measurement)
    except Failed as failure:
        return measurement.close(failure.reason, failure.phase)
    except OSError as error:
        return measurement.close(reason_of(error))
    return measurement.close()


def reason_of(error: OSError) -> Reason:
    """The coarse word for an operating-system error (time-outs are among them)."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
        return "reset"
    if error.errno in _UNREACHABLE:
        return "unreachable"
    return "failed"
