"""Acts: what is allowed, what is asked, what is sent, what comes of it."""

from starlette.responses import Response

from tests.console.fleet import device, job
from tests.console.operator import Operator, console
from tests.console.plane import Plane, as_json, problem


async def open_menu(operator: Operator) -> None:
    await operator.goes("xnsb", "5 条")
    await operator.press("a")
    await operator.sees("操作 · 499900000003")


async def choose(operator: Operator, verb: str) -> None:
    """Move to a verb of the open menu and press Enter."""
    for _ in range(12):
        if operator.line_with(verb).split("›")[0].endswith("│ "):
            break
        await operator.press("down")
    await operator.press("enter")


async def test_the_menu_has_what_is_allowed_and_why_the_rest_is_not(plane: Plane) -> None:
    async with console(plane) as operator:
        await open_menu(operator)
        text = operator.text()
        order = [text.index(verb) for verb in ("读取设备", "时钟校准", "申领号段", "停用", "设备已发行")]
        assert order == sorted(order), "daily verbs first, dangerous ones last, greyed ones behind"
        await choose(operator, "设备已发行")
        await operator.sees("操作 · 499900000003")
        assert plane.acts == []


async def test_an_open_menu_follows_its_record(plane: Plane) -> None:
    async with console(plane) as operator:
        await open_menu(operator)
        await operator.misses("恢复")
        changed = device(3, 2, version=8, allowed=[{"verb": "resume", "enabled": True, "why": ""}])
        plane.put("virtual-devices", changed, "suspended")
        await operator.sees("操作 · 499900000003", "恢复")


async def test_the_cursor_stays_with_what_was_acted_on(plane: Plane) -> None:
    async with console(plane) as operator:
        await open_menu(operator)
        await operator.press("escape")
        await operator.misses("操作 · 499900000003")
        well = device(3, 2, version=8, state="cancelled", health={"verdict": "ok", "cause": "none"})
        assert "›" in operator.line_with("499900000003")[:3]
        plane.put("virtual-devices", well, "cancelled")
        await operator.sees("已注销")
        assert operator.lines().index(operator.line_with("499900000003")) > 4
        assert "›" in operator.line_with("499900000003")[:3]


async def test_an_act_needs_a_reason_and_sends_the_version_it_saw(plane: Plane) -> None:
    async with console(plane) as operator:
        await open_menu(operator)
        await choose(operator, "时钟校准")
        await operator.sees("时钟校准 · 499900000003", "事由")
        await operator.press("enter")
        await operator.sees("请写明事由")
        assert plane.acts == []
        await operator.types("night check q:/")
        await operator.press("enter")
        await operator.sees("已受理", "排队")
        assert plane.acts == [("/v1/virtual-devices/device-3/calibrate", {"reason": "night check q:/", "version": 7})]


async def test_the_job_is_shown_live(plane: Plane) -> None:
    async with console(plane) as operator:
        await open_menu(operator)
        await choose(operator, "读取设备")
        await operator.types("x")
        await operator.press("enter")
        await operator.sees("已受理")
        plane.put("jobs", job(1, id="job-1", kind="device.read", state="leased"), "leased")
        await operator.sees("执行中", "epoch 4")
        plane.put("jobs", job(1, id="job-1", kind="device.read", state="refused", message="设备正忙"), "refused")
        await operator.sees("拒绝", "设备正忙")
        await operator.press("escape")
        await operator.misses("已受理")
        await operator.sees("› 虚拟设备")


async def test_an_act_without_a_job_is_done(plane: Plane) -> None:
    plane.answer = lambda verb, body: as_json({"job": None, "record": device(3, 2, version=8)}, 202)
    async with console(plane) as operator:
        await open_menu(operator)
        await choose(operator, "读取设备")
        await operator.types("x")
        await operator.press("enter")
        await operator.sees("已受理", "完成")


async def test_arguments_are_suggested_and_checked(plane: Plane) -> None:
    async with console(plane) as operator:
        await open_menu(operator)
        await choose(operator, "申领号段")
        await operator.sees("票种", "026", "500")
        await operator.press("enter", "ctrl+u")
        await operator.types("0")
        await operator.press("enter")
        await operator.types("x")
        await operator.press("enter")
        await operator.sees("数量是 1 到 100000 的整数")
        await operator.press("ctrl+u")
        await operator.types("200")
        await operator.press("enter", "enter")
        await operator.sees("已受理")
        assert plane.acts[0][1] == {"kind": "026", "count": 200, "reason": "x", "version": 7}


async def test_a_distribution_is_filled_in_from_what_is_on_the_device(plane: Plane) -> None:
    async with console(plane) as operator:
        await open_menu(operator)
        await choose(operator, "分发号段")
        await operator.sees("033022600111", "00002001", "500")
        for _ in range(5):
            await operator.press("enter")
        await operator.types("x")
        await operator.press("enter")
        await operator.sees("已受理")
        sent = plane.acts[0][1]
        assert (sent["start_no"], sent["count"], sent["terminal_code"]) == ("00002001", 500, "1")


async def test_a_dangerous_act_wants_the_name_typed(plane: Plane) -> None:
    async with console(plane) as operator:
        await open_menu(operator)
        await choose(operator, "停用")
        await operator.sees("危险操作", "499900000003")
        await operator.types("broken")
        await operator.press("enter")
        await operator.types("499900000004")
        await operator.press("enter")
        await operator.sees("确认内容不符")
        assert plane.acts == []
        await operator.press("backspace")
        await operator.types("3")
        await operator.press("enter")
        await operator.sees("已受理")
        assert plane.acts[0][0].endswith("/suspend")


async def test_a_conflict_shows_what_is_allowed_now(plane: Plane) -> None:
    plane.answer = lambda verb, body: problem(
        409, "move_not_allowed", "状态 suspended 不能 calibrate", remedy="先恢复", allowed=["resume", "read"]
    )
    async with console(plane) as operator:
        await open_menu(operator)
        await choose(operator, "时钟校准")
        await operator.types("x")
        await operator.press("enter")
        await operator.sees("被拒绝", "不能 calibrate", "先恢复", "现在可以做: 恢复  读取设备")


async def test_an_old_version_is_read_again_and_can_be_sent_again(plane: Plane) -> None:
    answers = [problem(409, "version_differs", "版本不符"), as_json({"job": None, "record": device(3, 2)}, 202)]
    plane.answer = lambda verb, body: answers.pop(0)
    async with console(plane) as operator:
        await open_menu(operator)
        await choose(operator, "时钟校准")
        await operator.types("x")
        plane.records["virtual-devices"]["device-3"]["version"] = 9
        await operator.press("enter")
        await operator.sees("已重新读取")
        await operator.press("enter")
        await operator.sees("已受理")
        assert [body["version"] for _, body in plane.acts] == [7, 9]


async def test_no_answer_is_not_taken_for_a_no(plane: Plane) -> None:
    plane.answer = lambda verb, body: Response(b"<html>", 200)
    async with console(plane) as operator:
        await open_menu(operator)
        await choose(operator, "时钟校准")
        await operator.types("x")
        await operator.press("enter")
        await operator.sees("不知道是否已执行")


async def test_read_only_looks_but_does_nothing(plane: Plane) -> None:
    async with console(plane, read_only=True) as operator:
        await operator.sees("只读")
        await open_menu(operator)
        await operator.sees("只读模式, 不能操作")
        await operator.press("enter")
        await operator.sees("操作 · 499900000003")
        await operator.press("escape")
        await operator.goes("ag", "2 条")
        await operator.press("n")
        await operator.sees("只读模式, 不能操作")
        assert plane.acts == []


async def test_acts_of_agents_are_known_without_being_listed(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.goes("ag", "2 条")
        await operator.press("a")
        await operator.sees("绑定税控服务器", "吊销")
        await operator.press("down", "enter")
        await operator.sees("吊销 · host-2", "输入 host-2 确认")


async def test_a_join_token_is_shown_once(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.goes("ag", "2 条")
        await operator.press("n")
        await operator.types("host 9")
        await operator.press("enter")
        await operator.sees("字母、数字")
        await operator.press("ctrl+u")
        await operator.types("host-9")
        await operator.press("enter")
        await operator.types("agent-9")
        await operator.press("enter")
        await operator.sees("join-1234567890abcdef", "taxplane-agent join")
        assert plane.acts == [("/v1/agents/tokens", {"host_id": "host-9", "name": "agent-9"})]
