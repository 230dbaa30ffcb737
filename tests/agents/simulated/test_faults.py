"""Faults: when they strike, how often, and the same again by seed."""

from __future__ import annotations

import asyncio
from typing import Any

from agents.simulated.faults import TRANSPORT, Fault, Faults, strike
from agents.simulated.http_peer import Reply


def strikes(seed: int, target: str, count: int, **options: Any) -> list[bool]:
    faults = Faults(seed)
    faults.put(target, [Fault(kind="busy", **options)])
    return [faults.take((target,), "GP_FPKJ", ("busy",)) is not None for _ in range(count)]


def test_after_lets_calls_pass_and_times_ends_it():
    assert strikes(1, "d", 6, after=2, times=3) == [False, False, True, True, True, False]


def test_probability_is_decided_by_seed_and_target_alone():
    first = strikes(7, "d", 200, probability=0.3)
    assert first == strikes(7, "d", 200, probability=0.3)
    assert first != strikes(8, "d", 200, probability=0.3)
    assert first != strikes(7, "e", 200, probability=0.3)
    assert 30 < sum(first) < 90


def test_other_targets_do_not_disturb_a_target():
    faults = Faults(7)
    for target in ("d", "e"):
        faults.put(target, [Fault(kind="busy", probability=0.3)])
    seen = []
    for _ in range(200):
        faults.take(("e",), "GP_FPKJ", ("busy",))
        seen.append(faults.take(("d",), "GP_FPKJ", ("busy",)) is not None)
    assert seen == strikes(7, "d", 200, probability=0.3)


def test_calls_narrow_a_fault_and_some_places_need_them_named():
    faults = Faults(1)
    faults.put("d", [Fault(kind="down"), Fault(kind="slow", calls=["SUBMIT"])])
    assert faults.take(("d",), "SUBMIT", TRANSPORT, named=True) is None
    assert faults.take(("d",), "RESULT", ("slow",)) is None
    assert faults.take(("d",), "SUBMIT", ("slow",), named=True) is not None
    assert faults.take(("d",), "GP_FPKJ", TRANSPORT) is not None


def test_what_is_left_can_be_read():
    faults = Faults(1)
    faults.put("d", [Fault(kind="busy", times=2)])
    faults.take(("d",), "GP_FPKJ", ("busy",))
    assert [(f["times"], f["hits"]) for f in faults.show("d")] == [(1, 1)]
    faults.put("d", [])
    assert faults.show("d") == []


async def test_strike_decides_whether_the_call_runs_and_what_comes_back():
    ran = 0

    async def execute() -> Reply:
        nonlocal ran
        ran += 1
        return Reply(b"{}")

    async def outcome(kind: Any, seconds: float = 0) -> Reply | None:
        return await strike(Fault(kind=kind, seconds=seconds), execute)

    assert await outcome("sent_not_executed") is None and await outcome("down") is None and ran == 0
    assert await outcome("answer_lost") is None and ran == 1
    half = await outcome("half_answer")
    assert half is not None and half.cut and ran == 2
    started = asyncio.get_running_loop().time()
    assert await outcome("answer_after_timeout", 0.05) == Reply(b"{}")
    assert asyncio.get_running_loop().time() - started >= 0.05 and ran == 3
