"""The tables' screens: addresses and what the book lacks, code versions and codes, a taxpayer's file."""

from tests.console.operator import console
from tests.console.plane import Plane
from tests.console.screens.test_acting import choose


async def test_the_address_book(plane: Plane) -> None:
    async with console(plane, (160, 40)) as operator:
        await operator.goes("税局地址", "2 条", "https://upload1.bureau.example:443", "上报抄报 (RSA)", "现行", "将来")
        await operator.press("enter")
        await operator.sees("税局地址 https://upload1.bureau.example:443", "公告", "2026-12-01T00:00:00.000Z")
        await operator.press("a")
        await operator.sees("禁用")


async def test_what_the_book_lacks_comes_first(plane: Plane) -> None:
    async with console(plane, (120, 36)) as operator:
        await operator.goes("dzwz", "2 条", "缺")
        places = [operator.text().index(words) for words in ("缺", "https://upload1")]
        assert places == sorted(places) and "齐" in operator.line_with("https://upload1")
        await operator.press("u")
        await operator.sees("税局地址")


async def test_a_code_version_draws_how_far_it_is(plane: Plane) -> None:
    async with console(plane, (120, 36)) as operator:
        await operator.goes("bmbb", "2 条", "██░░░░░░░░ 1,000/4,000", "██████████ 4,000/4,000", "同步中", "已启用")
        await operator.press("enter")
        await operator.sees("编码版本 2.0", "1,000/4,000", "李明")
        await operator.press("a")
        await operator.sees("操作 · 2.0")
        await operator.press("enter")
        await operator.sees("事由")
        await operator.types("night")
        await operator.press("enter")
        await operator.sees("已受理")
        assert plane.acts == [("/v1/code-versions/codes-2/stop", {"reason": "night", "version": 4})]


async def test_codes_are_searched(plane: Plane) -> None:
    async with console(plane, (120, 36)) as operator:
        await operator.goes("bm 书写纸", "筛选 书写纸", "显示 1 / 2 条", "1060105000000000002")


async def test_a_taxpayer_tells_what_the_bureau_says_otherwise(plane: Plane) -> None:
    async with console(plane, (120, 60)) as operator:
        await operator.goes("nsr", "1 条")
        await operator.press("enter")
        await operator.sees("从税局获取", "有差异待定", "旧名称有限公司", "新名称有限公司", "Y 2026-01-01", "陈静",
                            "退役前须了结", "号码未用完")  # fmt: skip
        row = operator.line_with("旧名称有限公司")
        assert row.index("name") < row.index("旧名称有限公司") < row.index("新名称有限公司")


async def test_what_the_bureau_says_is_discarded_without_copying_numbers(plane: Plane) -> None:
    async with console(plane, (120, 60)) as operator:
        await operator.goes("nsr", "1 条")
        await operator.press("a")
        await operator.sees("放弃差异")
        await choose(operator, "放弃差异")
        await operator.sees("fetch-1")
        await operator.press("tab")
        await operator.types("night")
        await operator.press("enter")
        await operator.sees("已受理")
        path, body = plane.acts[0]
        assert path == "/v1/taxpayers/91990003MA0000015Q/discard" and body["fetch_id"] == "fetch-1"
