"""Many targets at once: bounded, as they come, true in their times, and leaving nothing behind."""

import asyncio
import gc
import statistics

import psutil

from probes.loop import run
from probes.sweep import check, sweep
from probes.target import parse
from tests.probes.conftest import OK, answering, listener, silent, unused_port


async def test_sweep_gives_one_reading_each_as_they_come(settings):
    async def slow(reader, writer):
        await asyncio.sleep(0.3)
        writer.write(OK)

    async with listener(answering(OK)) as fast_port, listener(slow) as slow_port:
        urls = [f"http://127.0.0.1:{slow_port}/"] + [f"http://127.0.0.1:{fast_port}/{n}" for n in range(30)]
        urls.append(f"tcp://127.0.0.1:{unused_port()}")
        readings = [reading async for reading in sweep([parse(url) for url in urls], settings, at_once=8)]
    assert sorted(reading.target for reading in readings) == sorted(urls)
    assert readings[-1].target == urls[0]
    assert sum(not reading.ok for reading in readings) == 1


async def test_sweep_bounds_what_is_open_at_once(settings):
    now = most = 0

    async def counting(reader, writer):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        writer.write(OK)

    async with listener(counting) as port:
        targets = [parse(f"http://127.0.0.1:{port}/{number}") for number in range(20)]
        assert len([reading async for reading in sweep(targets, settings, at_once=3)]) == 20
    assert most <= 4


async def test_a_sweep_left_early_leaves_nothing_running(settings):
    async with listener(silent) as port:
        targets = [parse(f"http://127.0.0.1:{port}/{number}") for number in range(5)]
        readings = sweep([*targets, parse(f"tcp://127.0.0.1:{port}")], settings)
        assert (await anext(readings)).ok
        await readings.aclose()
    await asyncio.sleep(0.01)
    assert [task for task in asyncio.all_tasks() if "_work" in repr(task)] == []


async def test_a_sweep_leaks_no_descriptor(settings):
    async with listener(answering(OK)) as port:
        targets = [parse(f"http://127.0.0.1:{port}/{number}") for number in range(50)]

        async def once():
            assert all([reading.ok async for reading in sweep(targets, settings)])
            gc.collect()
            await asyncio.sleep(0.05)
            return psutil.Process().num_fds()

        first = await once()
        assert await once() <= first


async def test_check_is_a_sweep_of_one(settings):
    async with listener(answering(OK)) as port:
        assert (await check(parse(f"http://127.0.0.1:{port}/"), settings, 1.0)).ok


def test_first_byte_times_stay_true_with_many_at_once(settings):
    async def late(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.05)
        writer.write(OK)
        await writer.drain()

    async def measure():
        async with listener(late) as port:
            targets = [parse(f"http://127.0.0.1:{port}/{number}") for number in range(100)]
            return [reading.phases["ttfb"] async for reading in sweep(targets, settings, at_once=20)]

    # The listener shares our loop here, so the bound is wider than what the prober alone keeps to.
    assert abs(statistics.median(run(measure())) - 50) < 15
