"""Many targets, so many at once, each with its own deadline; readings come as they are ready."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator

from probes.catalog import find
from probes.measurement import LONGEST
from probes.reading import Reading
from probes.settings import ProbeSettings
from probes.target import Target

AT_ONCE = 64
"""More checks at once measure our own queue rather than the line."""


async def check(target: Target, settings: ProbeSettings, seconds: float = LONGEST) -> Reading:
    """Probe one target now, for at most ``seconds`` (never more than ten)."""
    return await find(target.scheme)(target, settings, time.monotonic() + min(seconds, LONGEST))


async def sweep(
    targets: Iterable[Target], settings: ProbeSettings, *, seconds: float = LONGEST, at_once: int = AT_ONCE
) -> AsyncIterator[Reading]:
    """One reading per target, in the order they are ready. Closing the iterator early cancels what is under way.

    A target's time starts when its check starts, not when it is queued.
    """
    listed = list(targets)
    for scheme in {target.scheme for target in listed}:
        find(scheme)  # loaded before the first stamp, or its loading would count as somebody's connect time
    waiting = iter(listed)
    ready: asyncio.Queue[Reading | None] = asyncio.Queue()
    workers = [asyncio.create_task(_work(waiting, settings, seconds, ready)) for _ in range(min(at_once, len(listed)))]
    working = len(workers)
    try:
        while working:
            reading = await ready.get()
            if reading is None:
                working -= 1
            else:
                yield reading
    finally:
        for worker in workers:
            worker.cancel()
        outcomes = await asyncio.gather(*workers, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _work(
    waiting: Iterator[Target], settings: ProbeSettings, seconds: float, ready: asyncio.Queue[Reading | None]
) -> None:
    try:
        for target in waiting:
            ready.put_nowait(await check(target, settings, seconds))
    finally:
        ready.put_nowait(None)
