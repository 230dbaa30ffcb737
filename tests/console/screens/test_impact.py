"""What stops if this stops, one key away; a tax server's certificate on its page."""

import pytest

from tests.console.operator import console
from tests.console.plane import Plane


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_what_stops_with_a_server(plane: Plane, size: tuple[int, int]) -> None:
    async with console(plane, size) as operator:
        await operator.goes("fwq", "3 条")
        await operator.goes("fwq 宁波", "显示 1 / 3 条")
        await operator.press("u")
        await operator.sees("关联", "虚拟设备", "停了它会停什么", "受影响的纳税人")
        text = operator.app.screen.query_one("#impact").text  # type: ignore[attr-defined]
        assert "840" in text and "94920.00" in text and "retail" in text
        assert text.index("Acme 中国") < text.index("厦门鹭岛茶业"), "who is left with nobody comes first"
        hit = next(line for line in text.splitlines() if "Acme 中国" in line)
        assert "电子普票 电子专票" in hit


async def test_that_it_is_not_known_is_said(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.goes("xnsb", "5 条")
        await operator.press("u")
        await operator.sees("关联", "没有这条记录")


async def test_other_nouns_have_only_their_lists(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.goes("nsr", "1 条")
        await operator.press("u")
        await operator.sees("关联")
        assert not operator.app.screen.query_one("#impact").display
        assert not any(path.endswith("/impact") for path in plane.asked)


async def test_a_server_tells_of_its_certificate(plane: Plane) -> None:
    async with console(plane, (120, 60)) as operator:
        await operator.goes("fwq 上海", "显示 1 / 3 条")
        await operator.press("enter")
        await operator.sees("证书", "阶段", "正式证书", "签发", "应更新", "2026-10-29")
