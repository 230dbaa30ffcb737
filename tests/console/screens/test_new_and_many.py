"""Something new in a list, and one act on many marked records."""

from tests.console.fleet import device, server
from tests.console.operator import console
from tests.console.plane import Plane, as_json, problem


async def test_something_new_is_registered_with_checked_fields(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.goes("fwq", "税控服务器")
        await operator.press("n")
        await operator.sees("登记 · 税控服务器", "税控服务器编号", "地区代码", "端口")
        for typed in ("SK0009", "机房九", "44"):
            await operator.types(typed)
            await operator.press("enter")
        await operator.types("10.0.0.9")
        await operator.press("enter")
        await operator.types("8443")
        await operator.press("enter")
        await operator.sees("4 位地区代码")
        assert plane.acts == []
        await operator.types("4400")
        for _ in range(3):
            await operator.press("enter")
        await operator.sees("完成")
        assert plane.acts[-1] == (
            "/v1/tax-servers",
            {"tax_server_no": "SK0009", "name": "机房九", "region": "4400", "host": "10.0.0.9", "port": 8443},
        )


async def test_a_secret_is_shown_once_and_inert(plane: Plane) -> None:
    plane.answer = lambda verb, body: as_json({"id": "x", "name": "n", "password": "once-\x1b[2J"}, 201)
    async with console(plane) as operator:
        await operator.goes("fwq", "税控服务器")
        await operator.press("n")
        for typed in ("SK0009", "n", "4400", "h", "1"):
            await operator.types(typed)
            await operator.press("enter")
        await operator.sees("只显示一次", "once-\\x1b[2J")


async def test_a_list_without_such_acts_says_so(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.goes("jobs", "作业")
        await operator.press("n")
        await operator.sees("这个列表不能新增")


async def test_marked_records_are_acted_on_together_and_refusals_are_named(plane: Plane) -> None:
    said: list[str] = []

    def answer(verb: str, body: dict) -> object:
        said.append(verb)
        if len(said) == 2:
            return problem(409, "open_job", "有作业在执行")
        return as_json({"job": None, "record": device(3, 2, version=8)}, 202)

    plane.answer = answer  # type: ignore[assignment]
    async with console(plane) as operator:
        await operator.goes("xnsb", "5 条")
        for _ in range(3):
            await operator.press("space", "down")
        await operator.sees("3")
        await operator.press("a")
        await operator.sees("3/3")
        await operator.press("enter")
        await operator.types("night check")
        await operator.press("enter")
        await operator.sees("3/3  已受理 2  被拒绝 1", "████")
    assert len(plane.acts) == 3 and {path.rsplit("/", 1)[1] for path, _ in plane.acts} == {said[0]}


async def test_a_dangerous_act_on_many_wants_their_number(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.goes("xnsb", "5 条")
        for _ in range(2):
            await operator.press("space", "down")
        await operator.press("a")
        await operator.sees("2/2")
        while "› 停用" not in operator.text() and not operator.line_with("停用").split("停用")[0].rstrip().endswith(
            "›"
        ):
            await operator.press("down")
        await operator.press("enter")
        await operator.types("storm")
        await operator.press("enter")
        await operator.types("3")
        await operator.press("enter")
        assert plane.acts == []
        await operator.press("backspace")
        await operator.types("2")
        await operator.press("enter")
        await operator.sees("2/2  已受理 2")
    assert [path.rsplit("/", 1)[1] for path, _ in plane.acts] == ["suspend", "suspend"]


async def test_a_record_is_named_by_its_number_and_sent_by_its_id(plane: Plane) -> None:
    plane.fill("tax-servers", [server(1), server(2), {**server(3), "state": "retired"}])
    plane.fill("taxpayers", [{"id": "row-1", "taxpayer_id": "91990003MA0000015Q", "state": "active", "version": 1}])
    async with console(plane) as operator:
        await operator.goes("xnsb", "虚拟设备")
        await operator.press("n")
        await operator.sees("登记 · 虚拟设备", "91990003MA0000015Q", "SK310001 / SK310002")
        await operator.press("enter")
        await operator.types("SK310002")
        await operator.press("enter")
        await operator.types("till")
        await operator.press("enter")
        await operator.sees("完成")
    sent = {"taxpayer_id": "91990003MA0000015Q", "tax_server_id": server(2)["id"], "name": "till"}
    assert plane.acts[-1] == ("/v1/virtual-devices", sent)


async def test_choices_are_named_where_they_are_typed(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.goes("nsr", "纳税人")
        await operator.press("n")
        await operator.sees("general 一般纳税人 / small 小规模纳税人")


async def test_the_longest_form_fits_the_smallest_terminal(plane: Plane) -> None:
    async with console(plane, size=(80, 24)) as operator:
        await operator.goes("nsr", "纳税人")
        await operator.press("n")
        await operator.sees("登记 · 纳税人", "纳税人识别号", "上级纳税人", "Esc 取消")
