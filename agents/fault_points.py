"""Named places at which a test may kill, stop or disturb this process; silent unless ``TAXPLANE_FAULT_POINTS`` is set.

``agent.sign_ret=kill@3;agent.poll=delay:0.5`` means: kill at the third reach of the one, half a second at each reach of
the other. Kinds: kill, raise, hang, delay:SECONDS, ENOSPC, EIO. Without ``@n`` every reach counts.
"""

from __future__ import annotations

import errno
import itertools
import os
import signal
import threading
import time

VARIABLE = "TAXPLANE_FAULT_POINTS"

_CLEARING = frozenset({"clr.report_sent", "clr.report_ok", "clr.zero_sent", "clr.zero_ok"})
"""Report and clear: sent and not answered yet, answered and not noted yet."""

NAMES = _CLEARING | frozenset(
    f"agent.{place}"
    for place in (
        "poll",
        "lease_ack",
        "intent_write",
        "intent_sync",
        "dev_open",
        "sign_sent",
        "sign_ret",
        "readback",
        "local_commit",
        "report_sent",
        "report_acked",
        "cleanup",
    )
)


class FaultInjected(Exception):
    """Raised by a fault point of kind ``raise``."""


class _Fault:
    """One armed fault point."""

    def __init__(self, kind: str, nth: int | None) -> None:
        self._kind, _, self._argument = kind.partition(":")
        self._nth = nth
        self._count = itertools.count(1)

    def strike(self, name: str) -> None:
        """Do the harm if this is the reach that was asked for."""
        if self._nth is not None and next(self._count) != self._nth:
            return
        if self._kind == "kill":
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        if self._kind in ("kill", "hang"):
            threading.Event().wait()
        if self._kind == "delay":
            time.sleep(float(self._argument))
        if self._kind == "raise":
            raise FaultInjected(name)
        if self._kind in ("ENOSPC", "EIO"):
            number = getattr(errno, self._kind)
            raise OSError(number, os.strerror(number), name)


_armed: dict[str, _Fault] = {}


def reach(name: str) -> None:
    """Mark that the program has come to the place ``name``; costs one look-up when nothing is armed."""
    fault = _armed.get(name)
    if fault is not None:
        fault.strike(name)


def arm(text: str) -> list[str]:
    """Arm the points listed in ``text`` in place of those armed before; returns their names.

    Raises:
        ValueError: a name or kind that does not exist.
    """
    faults: dict[str, _Fault] = {}
    for entry in filter(None, (part.strip() for part in text.split(";"))):
        name, _, what = entry.partition("=")
        kind, _, nth = what.partition("@")
        if name not in NAMES or kind.partition(":")[0] not in ("kill", "raise", "hang", "delay", "ENOSPC", "EIO"):
            raise ValueError(f"unknown fault point: {entry}")
        faults[name] = _Fault(kind, int(nth) if nth else None)
    _armed.clear()
    _armed.update(faults)
    return sorted(faults)
