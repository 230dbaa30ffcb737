"""The story an operator types at two in the morning: find what stopped, see why, mend it, see the invoice issued."""

from __future__ import annotations

from console.app import Console
from console.settings import Settings
from tests.console.operator import Operator
from tests.console.screens.test_acting import choose
from tests.journeys.asking import simple
from tests.journeys.demo_process import Demo
from tests.journeys.front_door import Door, Row, until

TWO_HOURS = {"kind": "clock_drift", "seconds": 7200}


def stopped(desk: Door, device_id: str) -> bool:
    """The ledger knows that the device's clock keeps it from issuing."""
    health: Row = desk.get(f"/v1/virtual-devices/{device_id}")["health"]
    return health["cause"] == "clock_off"


async def test_find_it_see_why_mend_it_see_it_issued(demo: Demo, front_end: Door) -> None:
    desk = demo.desk()
    device = desk.devices(demo.taxpayer_id)[-1]
    number = device["device_no"]
    demo.faults(number, TWO_HOURS)
    until(lambda: stopped(desk, device["id"]), 30, "the clock to be read")
    order = simple(demo.taxpayer_id, "story", device_no=number)
    waiting = front_end.post("/v1/invoices", order)
    assert (waiting["state"], waiting["waiting_reason"]["code"]) == ("waiting", "clock_off")

    app = Console(Settings(demo.facts["api"], demo.facts["tokens"]["operator"]))
    async with app.run_test(size=(140, 40)) as pilot:
        operator = Operator(app, pilot)
        await operator.sees("服务器看板", "时钟偏差")
        await operator.goes("xnsb", "› 虚拟设备", number)
        await operator.press("/")
        await operator.types(number)
        await operator.press("enter")
        await operator.press("enter")
        await operator.sees("时钟相差", "处理")
        await operator.press("a")
        await operator.sees(f"操作 · {number}")
        await choose(operator, "时钟校准")
        await operator.sees("事由")
        await operator.types("two hours off at night")
        await operator.press("enter")
        await operator.sees("已受理", "完成")
        await operator.press("escape")
        await operator.goes("fp", "› 发票")
        await operator.press("/")
        await operator.types(number)
        await operator.press("enter")
        await operator.press("enter")
        await operator.sees("story", "已开具")

    told = front_end.get(f"/v1/invoices/{waiting['id']}")
    assert (told["state"], told["virtual_device_no"]) == ("issued", number)
    log = desk.get("/v1/operation-log", subject_id=device["id"])["items"]
    assert any(row["action"] == "virtual-devices.calibrate" and "two hours off" in row["reason"] for row in log)
