"""Detail pages: the cause of a red light in three keys."""

import pytest

from tests.console.fleet import DRIFT, OK, REFUSED, device, invoice, job, line
from tests.console.operator import console
from tests.console.plane import Plane


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 50)])
async def test_the_cause_of_a_red_device(plane: Plane, size: tuple[int, int]) -> None:
    async with console(plane, size) as operator:
        await operator.sees("宁波一号")
        await operator.press("down", "enter")
        await operator.sees("■ 停止", "没有票种 026 的可用号码", "申领、领用并分发号段", "no_stock")
        page = operator.app.screen.query_one("#page").text  # type: ignore[attr-defined]
        assert "库存 026" in page and "最近读数" in page
        runbook = operator.app.screen.query_one("#runbook").text  # type: ignore[attr-defined]
        assert "号码用完" in (runbook if size[0] >= 120 else page)


async def test_the_cause_of_a_red_server_is_its_worst_device(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.sees("宁波一号")
        await operator.press("enter")
        await operator.sees("税控服务器 宁波一号", "虚拟设备 499900000003", "没有票种 026", "号码用完")


async def test_the_page_is_live(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.sees("宁波一号")
        await operator.press("down", "enter")
        await operator.sees("没有票种 026")
        plane.put("virtual-devices", device(3, 2, stock={"026": 500}, health=OK), "read")
        await operator.sees("● 正常", "500")
        page = operator.app.screen.query_one("#page").text  # type: ignore[attr-defined]
        assert "号码不足" in page, "the reading before is still told"


async def test_english_page_and_runbook(plane: Plane) -> None:
    async with console(plane, (160, 50), language="en") as operator:
        await operator.sees("out of numbers")
        await operator.press("down", "enter")
        await operator.sees("has no numbers of kind 026 left", "Apply for, receive and distribute", "Out of numbers")


async def test_a_waiting_invoice_tells_why(plane: Plane) -> None:
    async with console(plane, (120, 60)) as operator:
        await operator.goes("fp", "4 条")
        await operator.press("down", "down", "enter")
        await operator.sees("待开", "没有票种 026 的可用号码", "no_stock", "号码用完", "R000003")


async def test_an_issued_invoice_tells_everything(plane: Plane) -> None:
    async with console(plane, (120, 60)) as operator:
        await operator.goes("fp", "4 条")
        await operator.press("enter")
        await operator.sees(
            "031002600111 00000001", "SL20261122000001", "D000001", "R000001", "库存最多的设备", "499900000001",
            "打印纸", "113.00", "历次请求", "排队", "执行中", "epoch 4",
        )  # fmt: skip


async def test_a_refused_invoice_tells_the_rule(plane: Plane) -> None:
    plane.fill("invoices", [invoice(1, state="refused", invoice_no=None, refusal=REFUSED)])
    async with console(plane, (120, 60)) as operator:
        await operator.goes("fp", "1 条")
        await operator.press("enter")
        await operator.sees("已拒绝", "超出 0.01", "拆分后重新提交", "over_single_limit", "单张限额")


async def test_a_job_of_unknown_outcome(plane: Plane) -> None:
    plane.fill("jobs", [job(1, state="unknown")])
    async with console(plane, (120, 40)) as operator:
        await operator.goes("zy", "1 条")
        await operator.press("enter")
        await operator.sees("结果未知", "outcome_unknown", "经过", "front-end")


async def test_a_lost_agent_and_a_dead_line(plane: Plane) -> None:
    plane.fill("lines", [line(2, verdict="down", failing_phase="tls")])
    async with console(plane, (140, 40)) as operator:
        await operator.goes("ag", "2 条")
        await operator.press("enter")
        await operator.sees("代理失联", "检查代理进程与主机")
        await operator.press("escape", "escape")
        await operator.goes("wl", "1 条", "不通", "TLS")
        await operator.press("enter")
        await operator.sees("失败环节", "TLS 握手", "局端")


async def test_a_record_that_is_gone_says_so(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.goes("fp", "4 条")
        del plane.records["invoices"]["invoice-000001"]
        await operator.press("enter")
        await operator.sees("读取失败", "没有这条记录")


async def test_a_warning_names_its_number(plane: Plane) -> None:
    plane.fill("virtual-devices", [device(2, 1, clock_offset_seconds=412.0, health=DRIFT)])
    async with console(plane) as operator:
        await operator.goes("xnsb", "1 条")
        await operator.press("enter")
        await operator.sees("▲ 注意", "时钟相差 412 秒", "+412s")
