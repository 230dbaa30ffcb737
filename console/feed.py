"""Follows the change feed: resumes where it was cut off, and hands changes on at most ten times a second."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from console.link import Change, Link, LinkDown, LinkError, LinkProblem

SHORTEST_GAP: Final = 0.1
"""Seconds between two deliveries: more repaints than this nobody can read."""

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 15.0

Standing = Literal["connecting", "live", "lost", "signed_out"]


@dataclass(slots=True)
class Batch:
    """Changes since the last delivery: ids by noun, and whether to read all afresh."""

    changed: dict[str, set[str]] = field(default_factory=dict)
    resync: bool = False

    def add(self, change: Change) -> None:
        """Take in one change; a record that changes twice counts once."""
        self.changed.setdefault(change.noun, set()).add(change.id)

    def merge(self, other: Batch) -> None:
        """Take in another batch."""
        for noun, ids in other.changed.items():
            self.changed.setdefault(noun, set()).update(ids)
        self.resync = self.resync or other.resync


class Listener(Protocol):
    """Who hears of changes."""

    def feed_delivered(self, batch: Batch) -> None:
        """Some records changed."""
        ...

    def feed_stands(self, standing: Standing, reason: str) -> None:
        """The line to the control plane came up or went down."""
        ...


class Feed:
    """One follower for the whole console. ``pause`` is awaited between attempts; tests pass a shorter one."""

    def __init__(
        self,
        link: Link,
        listener: Listener,
        chance: random.Random,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._link = link
        self._listener = listener
        self._chance = chance
        self._pause = pause
        self.last_seq: int | None = None
        self._batch = Batch()
        self._delivered_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def follow(self) -> None:
        """Follow until cancelled or the token is refused."""
        pause = _FIRST_PAUSE
        cut_off = False
        while True:
            started = time.monotonic()
            reason = ""
            try:
                await self._read(cut_off)
            except LinkDown as down:
                reason = str(down)
            except LinkProblem as problem:
                reason = problem.message
                if problem.signed_out:
                    self._listener.feed_stands("signed_out", reason)
                    return
                if problem.status in (400, 410, 422):  # our place is no longer kept: start from now, reading all afresh
                    self.last_seq = None
            except LinkError as error:
                reason = str(error)
            cut_off = True
            pause = _FIRST_PAUSE if time.monotonic() - started > _LONGEST_PAUSE else min(pause * 2, _LONGEST_PAUSE)
            self._listener.feed_stands("lost", reason)
            await self._pause(pause * self._chance.uniform(0.5, 1.0))

    async def _read(self, cut_off: bool) -> None:
        async with aclosing(self._link.changes(self.last_seq)) as changes:
            live = False
            async for change in changes:
                if not live:
                    live = True
                    self._listener.feed_stands("live", "")
                    if cut_off:
                        self._batch.resync = True
                        self._schedule()
                if change is not None:
                    self.last_seq = change.seq
                    if change.noun:
                        self._batch.add(change)
                        self._schedule()

    def _schedule(self) -> None:
        if self._timer is None:
            wait = max(0.0, self._delivered_at + SHORTEST_GAP - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait, self._deliver)

    def _deliver(self) -> None:
        self._timer = None
        self._delivered_at = time.monotonic()
        batch, self._batch = self._batch, Batch()
        self._listener.feed_delivered(batch)
