"""The whole story typed at the console, from an empty ledger; the invoices alone come from a front end over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.asking import simple
from tests.journeys.demo_process import Demo, prepared
from tests.journeys.front_door import Row, until
from tests.journeys.typist import Typist, typist

OWNER = "91990000MA0000AB0C"
NAME = "故事有限公司"
"""What the list of devices shows of a device without a number."""
KIND, KIND_SHOWN = "026", "026 电子普票"
SERVER_STEPS = (
    ("synchronise", "同步税控信息", "已同步"),
    ("calibrate", "时钟校准", "已校时"),
    ("commission", "发行", "已发行未制证"),
    ("certify", "制证", "已发行已制证"),
)
DEVICE_STEPS = (
    ("commission", "发行", "已发行未制证"),
    ("fetch_company", "企业信息获取", "已获取企业信息"),
    ("certify", "制证", "已发行已制证"),
    ("fetch_kinds", "发票类型获取", "已获取票种"),
    ("fetch_rates", "核定税率获取", "就绪"),
)
REPORT_STEPS = (
    ("report", "抄报", "已抄报待受理"),
    ("verify", "查询抄报结果", "已受理待清零"),
    ("file_return", "登记已申报", "已申报待清零"),
    ("clear", "清零解锁", "已清零"),
)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """The product with nothing in it."""
    with prepared(tmp_path / "data", "--scenario", "none", "--speed", "40") as demo:
        demo.start()
        yield demo


async def steps(operator: Typist, command: str, row: str, road: tuple[tuple[str, str, str], ...]) -> None:
    """Every step of a road in its order; the last one is tried too early before the first."""
    last, word, _ = road[-1]
    await operator.finds_greyed(command, row, last, word)
    for verb, _, state in road:
        await operator.does(command, row, verb, state)


async def tax_server(operator: Typist, demo: Demo) -> str:
    """Registered, bound to the agent, led to its certificate; its number."""
    place = demo.facts["tax_servers"][0]
    number = str(place["tax_server_no"])
    await operator.new("fwq", "登记 · 税控服务器", {**place, "name": "一号税控服务器"})
    await operator.row("fwq", number)
    await operator.row_says("已登记")
    agent = demo.desk().all("/v1/agents")[0]["name"]
    await operator.does("ag", agent, "bind", number)
    await steps(operator, "fwq", number, SERVER_STEPS)
    return number


async def device(operator: Typist, demo: Demo) -> Row:
    """Registered with the owner and server that stand in the form, led to ``ready``, given a terminal and numbers."""
    await operator.new("xnsb", "登记 · 虚拟设备", {"name": "柜台一"})
    await steps(operator, "xnsb", NAME, DEVICE_STEPS)
    await operator.does("xnsb", NAME, "add_terminal", "就绪", {"terminal_name": "总机"})
    await operator.does("xnsb", NAME, "apply", "就绪", {"kind": KIND, "count": 50})
    await operator.does("xnsb", NAME, "receive", "就绪", {"kind": KIND})
    await operator.does("xnsb", NAME, "distribute", "就绪", {"count": 40})
    (row,) = demo.desk().devices(OWNER)
    await operator.row_says(row["device_no"])
    return row


async def test_the_whole_story_typed_at_the_console(demo: Demo) -> None:
    desk, front_end = demo.desk(), demo.door()
    async with typist(demo.facts["api"], demo.facts["tokens"]["admin"]) as operator:
        owner = {"taxpayer_id": OWNER, "name": NAME, "taxpayer_kind": "general", "region": "1100"}
        await operator.new("nsr", "登记 · 纳税人", owner)
        await operator.row("nsr", OWNER)
        server_no = await tax_server(operator, demo)
        made = await device(operator, demo)

        order = simple(OWNER, "typed", kind=KIND)
        issued = front_end.post("/v1/invoices", order, wait=20)
        assert issued["state"] == "issued"
        await operator.row("fp", issued["invoice_no"])
        await operator.row_says("已开具")
        until(lambda: _uploaded(demo, issued["id"]), 40, "the upload")

        report = until(lambda: _report(demo, made["id"]), 30, "the report")
        await operator.row("cb", KIND_SHOWN)
        await operator.row_says(made["device_no"], "待抄报")
        await steps(operator, "cb", KIND_SHOWN, REPORT_STEPS)
        await operator.finds_greyed("cb", KIND_SHOWN, "report", "抄报")

    stands = desk.get(f"/v1/virtual-devices/{made['id']}")
    assert (stands["state"], stands["taxpayer_id"], stands["tax_server_no"]) == ("ready", OWNER, server_no)
    assert desk.get(f"/v1/reports/{report['id']}")["state"] == "cleared"
    told = desk.get(f"/v1/invoices/{issued['id']}")
    assert (told["state"], told["virtual_device_no"], told["invoice_no"]) == (
        "issued", made["device_no"], issued["invoice_no"],
    )  # fmt: skip
    (run,) = [row for row in desk.all("/v1/segments", device_id=made["id"]) if row["state"] == "on_device"]
    assert run["left"] == 10, "fifty came, forty went to the terminal"
    log = desk.get("/v1/operation-log", subject_id=report["id"])["items"]
    assert {f"reports.{verb}" for verb, _, _ in REPORT_STEPS} <= {row["action"] for row in log}


def _uploaded(demo: Demo, invoice_id: str) -> bool:
    return bool(demo.desk().get(f"/v1/invoices/{invoice_id}")["upload_status"] == "uploaded")


def _report(demo: Demo, device_id: str) -> Row | None:
    return next((row for row in demo.desk().all("/v1/reports", device_id=device_id) if row["kind"] == KIND), None)
