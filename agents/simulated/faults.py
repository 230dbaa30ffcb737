"""Faults that can be switched while a process runs, deterministic by seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from agents.simulated.http_peer import Reply

Kind = Literal[
    "down",
    "slow",
    "answer_after_timeout",
    "answer_lost",
    "half_answer",
    "sent_not_executed",
    "lost_write_back",
    "signature_rejected",
    "not_found",
    "clock_drift",
    "stock_spent",
    "busy",
    "refuse_before_sign",
    "application_refused",
    "wrong_seal_signature",
    "self_test_failed",
    "form_refused",
    "form_waits",
]

TRANSPORT: frozenset[str] = frozenset(
    {"down", "sent_not_executed", "answer_after_timeout", "answer_lost", "half_answer"}
)
"""Kinds that strike between the caller and an answer; at most one of them per call."""

_SECONDS = {"slow": 2.0, "answer_after_timeout": 7.0}


class Fault(Struct, kw_only=True, forbid_unknown_fields=True):
    """One fault on one target.

    ``calls``: interface codes it concerns, empty = all; ``after``: so many matching calls pass first; ``times``: it
    then strikes so often, None = until cleared; ``probability`` of striking; ``seconds``: how late, or how far the
    clock drifts. Uploads are the calls SUBMIT (signature_rejected) and RESULT (not_found, lost_write_back); transport
    kinds strike them only where they are named.
    """

    kind: Kind
    calls: list[str] = []
    times: Annotated[int, Meta(ge=1)] | None = None
    after: Annotated[int, Meta(ge=0)] = 0
    probability: Annotated[float, Meta(ge=0, le=1)] = 1.0
    seconds: float | None = None

    def wait(self) -> float:
        """Seconds to wait for the kinds that are late."""
        return _SECONDS.get(self.kind, 0.0) if self.seconds is None else max(0.0, self.seconds)


class FaultSet(Struct, forbid_unknown_fields=True):
    """Body of ``PUT …/faults``: replaces what the target had."""

    faults: list[Fault] = field(default_factory=list)


class _Armed:
    """A fault with what is left of it."""

    def __init__(self, fault: Fault, rng: random.Random) -> None:
        self.fault = fault
        self.rng = rng
        self.after = fault.after
        self.times = fault.times
        self.hits = 0

    def strikes(self, call: str, named: bool) -> bool:
        if self.times == 0 or (call not in self.fault.calls and (named or self.fault.calls)):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.fault.probability < 1.0 and self.rng.random() >= self.fault.probability:
            return False
        self.times = None if self.times is None else self.times - 1
        self.hits += 1
        return True


class Faults:
    """All faults of a process, by target; what strikes depends on the seed, the target and its own calls alone.

    They end with the process. What they did to a device stays: a clock that drifted is still wrong after a restart.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._armed: dict[str, list[_Armed]] = {}

    def put(self, target: str, faults: list[Fault]) -> None:
        """Replace the faults of a target; counters start anew."""
        self._armed[target] = [
            _Armed(fault, random.Random(f"{self._seed}:{target}:{place}")) for place, fault in enumerate(faults)
        ]

    def drop(self, target: str, kind: str) -> None:
        """Take back the faults of one kind."""
        self._armed[target] = [armed for armed in self._armed.get(target, []) if armed.fault.kind != kind]

    def show(self, target: str) -> list[dict[str, object]]:
        """The faults of a target with what is left of each and how often it struck."""
        return [
            {
                "kind": armed.fault.kind,
                "calls": armed.fault.calls,
                "times": armed.times,
                "after": armed.after,
                "probability": armed.fault.probability,
                "seconds": armed.fault.seconds,
                "hits": armed.hits,
            }
            for armed in self._armed.get(target, [])
        ]

    def active(self, target: str, kind: str) -> list[Fault]:
        """The faults of one kind that are not used up."""
        return [a.fault for a in self._armed.get(target, []) if a.fault.kind == kind and a.times != 0]

    def take(self, targets: Collection[str], call: str, kinds: Collection[str], named: bool = False) -> Fault | None:
        """The first fault of these kinds that strikes this call; counts it. ``named``: only if it names the call."""
        for target in targets:
            for armed in self._armed.get(target, ()):
                if armed.fault.kind in kinds and armed.strikes(call, named):
                    return armed.fault
        return None


async def strike(fault: Fault | None, execute: Callable[[], Awaitable[Reply]]) -> Reply | None:
    """Execute a call under a transport fault, or without one; None = the connection closes without an answer."""
    if fault is None:
        return await execute()
    if fault.kind in ("down", "sent_not_executed"):
        return None
    reply = await execute()
    if fault.kind == "answer_lost":
        return None
    if fault.kind == "half_answer":
        return Reply(reply.body, reply.status, cut=True)
    await asyncio.sleep(fault.wait())
    return reply
