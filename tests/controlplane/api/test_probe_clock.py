"""The probe clock against the served application: its slots, and a check by hand that shows at once."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator

import pytest

from controlplane.probe_clock import ProbeClock
from controlplane.settings import Settings
from tests.controlplane.api.house import House
from tests.controlplane.operations.scene import Clock
from tests.controlplane.operations.watching import Watch


@contextlib.asynccontextmanager
async def ticking(house: House, clock: Clock) -> AsyncIterator[None]:
    settings = Settings(vantage="v", probe_allow=("127.0.0.0/8",), probe_seconds=2.0)
    task = asyncio.create_task(ProbeClock(settings, house.url, house.tokens["probe"], clock).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(done: object, seconds: float = 10.0) -> float:
    """Wait for something to become true; how long it took."""
    began = time.monotonic()
    while not done():  # type: ignore[operator]
        assert time.monotonic() - began < seconds
        await asyncio.sleep(0.02)
    return time.monotonic() - began


@pytest.fixture
def door() -> socket.socket:
    """A listener that takes connections and says nothing."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.listen(64)
    return listener


async def test_a_slot_is_worked_and_a_check_by_hand_shows_within_three_seconds(
    house: House, clock: Clock, door: socket.socket
) -> None:
    watch = Watch(house.scene, clock)
    up, down = watch.line(door.getsockname()[1]), watch.line(1)
    async with ticking(house, clock):
        await until(lambda: len(watch.samples(up)) == 1 and len(watch.samples(down)) == 1)
        assert [ok for _, ok, _ in (*watch.samples(up), *watch.samples(down))] == [1, 0]
        door.close()
        ask = asyncio.to_thread(house.post, "/v1/lines/check", {"ids": ["all"]}, "operator")
        status, answer = await ask
        assert status == 202 and len(answer["asked"]) == 2
        took = await until(lambda: watch.view(up)["check"]["state"] == "done")
        assert took < 3 and watch.view(up)["history"][0]["kind"] == "manual"
        assert (watch.view(up)["failing_phase"], watch.view(up)["reason"]) == ("tcp", "refused")
        await until(lambda: watch.verdict(down) == "abnormal")


async def test_a_server_that_cannot_be_reached_ends_no_clock(house: House, clock: Clock, unused_tcp_port: int) -> None:
    away = house.at(f"http://127.0.0.1:{unused_tcp_port}")
    settings = Settings(vantage="v", probe_allow=("127.0.0.0/8",))
    task = asyncio.create_task(ProbeClock(settings, away.url, "t", clock).run())
    await asyncio.sleep(1.5)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_clock_with_a_token_that_was_revoked_goes_on_asking(house: House, clock: Clock) -> None:
    settings = Settings(vantage="v", probe_allow=("127.0.0.0/8",))
    task = asyncio.create_task(ProbeClock(settings, house.url, "revoked".ljust(32, "x"), clock).run())
    await asyncio.sleep(1.0)
    assert not task.done() and house.scene.rows("SELECT * FROM line_vantages") == []
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
