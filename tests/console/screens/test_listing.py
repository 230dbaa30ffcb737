"""Lists: live, filtered, sorted, in their place."""

from tests.console.fleet import DRIFT, EMPTY, OK, device, invoice, server
from tests.console.operator import console
from tests.console.plane import Plane


async def test_a_changed_record_is_read_and_shown(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.goes("xnsb", "5 条")
        plane.put("virtual-devices", device(1, 1, issued_today=777), "read")
        await operator.sees("777")
        plane.put("virtual-devices", device(6, 1), "registered")
        await operator.sees("6 条", "499900000006")
        del plane.records["virtual-devices"]["device-6"]
        plane.tell("virtual-devices", "device-6", "cancelled")
        await operator.misses("499900000006")


async def test_the_place_is_kept_while_the_order_changes(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.goes("xnsb", "5 条")
        await operator.press("down", "down", "down")
        assert operator.line_with("499900000001").startswith("›")
        plane.put("virtual-devices", device(4, 2, health=EMPTY), "read")
        await operator.sees("■ 2")
        assert operator.line_with("499900000001").startswith("›")


async def test_many_changes_at_once_are_one_reading(plane: Plane) -> None:
    plane.fill("invoices", [invoice(number) for number in range(600)])
    async with console(plane) as operator:
        await operator.goes("fp", "200 条", "还有更多")
        plane.asked.clear()
        for number in range(500):
            plane.put("invoices", invoice(number, gross_total="9.99"), "issued")
        await operator.sees("9.99")
        assert len(plane.asked) < 300, "far fewer readings than changes, on a slow machine too"


async def test_more_pages_come_when_the_end_is_near(plane: Plane) -> None:
    plane.fill("invoices", [invoice(number) for number in range(2500)])
    async with console(plane) as operator:
        await operator.goes("fp", "200 条")
        await operator.press("end")
        await operator.sees("1200 条")
        await operator.press("end")
        await operator.sees("2200 条")
        await operator.press("end")
        await operator.sees("2500 条")
        await operator.misses("还有更多")


async def test_filtering_while_typing(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.goes("fp", "4 条")
        await operator.press("/")
        await operator.types("!已开具")
        await operator.sees("显示 2 / 4 条")
        await operator.press("enter", "e")
        await operator.sees("只看异常", "筛选 !已开具")
        await operator.press("/")
        await operator.press("ctrl+u")
        await operator.types("~(待开")
        await operator.sees("正则不完整")
        await operator.types("|已拒绝)")
        await operator.sees("显示 2 / 4 条")
        await operator.press("escape")
        await operator.press("e")
        await operator.sees("4 条")


async def test_a_filter_with_letters_that_are_keys(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.goes("xnsb", "5 条")
        await operator.press("/")
        await operator.types("acme q?:")
        await operator.sees("/ acme q?:")
        assert operator.app.is_running


async def test_sorting_by_columns(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.goes("xnsb", "5 条")
        for _ in range(4):
            await operator.press("s")
        await operator.press("S")
        await operator.sees("↓")
        await operator.press("S")
        await operator.sees("↑")


async def test_a_filter_of_the_board_keeps_the_server_of_what_it_finds(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.sees("宁波一号")
        await operator.press("/")
        await operator.types("厦门")
        text = await operator.misses("深圳一号")
        assert "宁波一号" in text and "499900000004" in text and "499900000003" not in text
        await operator.press("escape", "e")
        await operator.misses("499900000004")
        await operator.press("e", "t")
        text = await operator.misses("499900000003")
        assert "宁波一号" in text and "上海一号" in text


async def test_the_board_follows_servers_and_devices(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.sees("宁波一号", "■ 1 停止")
        plane.put("virtual-devices", device(3, 2, stock={"026": 500, "028": 500}), "read")
        await operator.misses("■ 1 停止")
        plane.put("virtual-devices", device(1, 1, health=DRIFT, clock_offset_seconds=-500.0), "read")
        await operator.sees("-500s", "2 台 时钟偏差")
        plane.put("tax-servers", server(2, health={**EMPTY, "cause": "server_not_in_service"}), "suspend")
        await operator.sees("服务器未启用")
        plane.put("tax-servers", server(2, health=OK), "resume")
        await operator.misses("服务器未启用")


async def test_the_trend_shows_what_was_issued(plane: Plane) -> None:
    plane.fill("invoices", [])
    async with console(plane) as operator:
        await operator.sees("宁波一号")
        assert "█" not in operator.line_with("上海一号")
        plane.put("virtual-devices", device(1, 1, issued_today=160), "read")
        await operator.sees("今日开具 1,840")
        assert "█" in operator.line_with("上海一号")


async def test_marks(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.goes("xnsb", "5 条")
        await operator.press("space")
        await operator.sees("已标记 1")


async def test_related_lists(plane: Plane) -> None:
    async with console(plane, (120, 40)) as operator:
        await operator.sees("宁波一号")
        await operator.press("down", "u")
        await operator.sees("关联", "号段", "开票终端", "待开")
        assert operator.line_with("发票").split()[-2:] == ["1", "待开"]
        await operator.press("enter")
        await operator.sees("发票 [499900000003]", "1 条")
        await operator.press("escape", "down", "down", "down", "enter")
        await operator.sees("号段 [499900000003]", "2 条")


async def test_a_list_that_may_not_be_read_says_so(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.sees("宁波一号")
        plane.me = {}
        plane.stop()
        await operator.sees("断线")
        await operator.goes("fp", "读取失败")
        plane.start()
        await operator.press("r")
        await operator.sees("4 条")
