"""The page of a report: totals side by side, what differs, refusals, and why it does not go on."""

from __future__ import annotations

from tests.console.operator import console
from tests.console.plane import Plane


async def test_a_report_shows_what_is_wrong_with_it(plane: Plane) -> None:
    async with console(plane, (140, 50)) as operator:
        await operator.sees("宁波一号")
        await operator.goes("cb", "已锁死", "-6d")
        await operator.press("enter")
        await operator.sees("310.00 | 300.00", "未申报", "300005", "已受理待清零")
