"""The feed: coalesced, resumed, never silent about its state."""

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from console.feed import SHORTEST_GAP, Batch, Feed
from console.link import Change, HttpTransport, Link
from tests.console.plane import TOKEN, Plane


class Ear:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.batches: list[tuple[float, Batch]] = []
        self.standings: list[str] = []

    def feed_delivered(self, batch: Batch) -> None:
        self.batches.append((time.monotonic(), batch))

    def feed_stands(self, standing: str, reason: str) -> None:
        self.standings.append(standing)

    def ids(self) -> set[str]:
        return {one for _, batch in self.batches for ids in batch.changed.values() for one in ids}


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("waited in vain")


async def soon(seconds: float) -> None:
    await asyncio.sleep(0.02)


@pytest.fixture
async def ear(plane: Plane) -> AsyncIterator[Ear]:
    async with following(plane, TOKEN) as (ear, _):
        yield ear


@contextlib.asynccontextmanager
async def following(
    plane: Plane, token: str, pause: Callable[[float], Awaitable[None]] = soon
) -> AsyncIterator[tuple[Ear, Feed]]:
    ear = Ear()
    transport = HttpTransport(plane.url, token)
    feed = Feed(Link(transport), ear, random.Random(1), pause)
    task = asyncio.create_task(feed.follow())
    yield ear, feed
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await transport.close()


async def test_a_thousand_changes_are_few_deliveries(plane: Plane, ear: Ear) -> None:
    await until(lambda: ear.standings == ["live"])
    for number in range(1000):
        plane.tell("invoices", f"i-{number % 400}", "issued")
    await until(lambda: len(ear.ids()) == 400)
    times = [at for at, _ in ear.batches]
    assert len(times) <= 12
    assert all(later - earlier >= SHORTEST_GAP * 0.9 for earlier, later in itertools.pairwise(times))


async def test_it_goes_on_where_it_was_cut_off(plane: Plane, ear: Ear) -> None:
    await until(lambda: ear.standings == ["live"])
    plane.tell("jobs", "before", "done")
    await until(lambda: "before" in ear.ids())
    plane.cut_feeds()
    plane.tell("jobs", "while away", "done")
    await until(lambda: "while away" in ear.ids())
    assert ear.standings == ["live", "lost", "live"]
    assert plane.first_afters == [None, "1"]
    assert any(batch.resync for _, batch in ear.batches)


async def test_it_waits_for_a_server_that_went_away(plane: Plane, ear: Ear) -> None:
    await until(lambda: ear.standings == ["live"])
    plane.stop()
    await until(lambda: "lost" in ear.standings)
    plane.start()
    plane.tell("jobs", "afterwards", "done")
    await until(lambda: "afterwards" in ear.ids() or ear.standings[-1] == "live")
    assert ear.standings[-1] == "live"


async def test_a_refused_token_ends_it(plane: Plane) -> None:
    async with following(plane, "wrong") as (ear, _):
        await until(lambda: ear.standings == ["signed_out"])


async def test_pauses_grow(plane: Plane) -> None:
    plane.stop()
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    async with following(plane, TOKEN, pause):
        await until(lambda: len(pauses) >= 8)
    assert pauses[0] <= 1.0 and max(pauses) <= 15.0
    assert pauses[6] > pauses[0] * 4


def test_batches_merge() -> None:
    one, other = Batch(), Batch(resync=True)
    one.add(Change(1, "jobs", "a", "x"))
    other.add(Change(2, "jobs", "b", "x"))
    one.merge(other)
    assert one.changed == {"jobs": {"a", "b"}} and one.resync
