"""Getting about in the console."""

import pytest
from textual.events import Key
from textual.screen import Screen

from console.screens.catalog import COMMANDS, NOUNS, command_named, noun_named
from console.screens.frame import Frame
from console.screens.help import keys_of
from tests.console.operator import cells, console
from tests.console.plane import Plane

SIZES = [(80, 24), (120, 36)]


@pytest.mark.parametrize("size", SIZES)
async def test_it_opens_with_the_board_worst_first(plane: Plane, size: tuple[int, int]) -> None:
    async with console(plane, size) as operator:
        await operator.sees("服务器看板", "宁波一号", "实时", "小李 运维", "■ 1 停止")
        places = [operator.text().index(name) for name in ("宁波一号", "深圳一号", "上海一号")]
        assert places == sorted(places)
        assert "号码不足" in operator.line_with("499900000003")
        assert all(cells(line) == size[0] for line in operator.lines())


@pytest.mark.parametrize("width", [80, 120, 200])
async def test_columns_stand_under_their_titles_at_every_width(plane: Plane, width: int) -> None:
    async with console(plane, (width, 30)) as operator:
        await operator.sees("宁波一号", "待开")
        header = operator.line_with("待开  待传").rstrip()
        ends = {title: cells(header[: header.index(title)]) + 4 for title in ("今日", "待传")}
        for name, issued, uploads in (("499900000003", "360", "2"), ("499900000005", "600", "2")):
            line = operator.line_with("    " + name)
            for title, value in (("今日", issued), ("待传", uploads)):
                head = _cut(line, ends[title])
                assert head.endswith(value), (title, line)


def _cut(line: str, width: int) -> str:
    taken = ""
    for char in line:
        if cells(taken + char) > width:
            break
        taken += char
    return taken


@pytest.mark.parametrize("size", SIZES)
async def test_every_list_and_a_page_of_each_open(plane: Plane, size: tuple[int, int]) -> None:
    async with console(plane, size) as operator:
        await operator.sees("宁波一号")
        for path in [path for path in NOUNS if path != "board"]:
            await operator.goes(NOUNS[path].aliases[-1], f"› {operator.app.desk.say('noun.' + path)}", "条", "a 操作")
            assert all(cells(line) == size[0] for line in operator.lines())
            await operator.press("enter")
            await operator.misses("e 只看异常")
            assert sum(isinstance(screen, Frame) for screen in operator.app.screen_stack) == 3
            assert all(cells(line) == size[0] for line in operator.lines())
            await operator.press("escape", "escape")
            await operator.sees("宁波一号")


def test_aliases_are_unique() -> None:
    words = [alias for noun in NOUNS.values() for alias in noun.aliases]
    words += [alias for aliases in COMMANDS.values() for alias in aliases]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("fwq", "tax-servers"),
        ("servers", "tax-servers"),
        ("税控服务器", "tax-servers"),
        ("xnsb", "virtual-devices"),
        ("虚拟设备", "virtual-devices"),
        ("fp", "invoices"),
        ("invoices", "invoices"),
        ("INVOICES", "invoices"),
        ("kc", "stock"),
        ("hd", "segments"),
        ("zy", "jobs"),
        ("dl", "agents"),
        ("czrz", "operation-log"),
        ("jdwl", "lines"),
        ("operation-log", "operation-log"),
        ("invo", "invoices"),
        ("nothing", None),
        ("", None),
    ],
)
def test_aliases(typed: str, path: str | None) -> None:
    noun = noun_named(typed)
    assert (noun.path if noun else None) == path


def test_command_aliases() -> None:
    assert [command_named(word) for word in ("q", "退出", "帮助", "语言", "x")] == [
        "quit",
        "quit",
        "help",
        "lang",
        None,
    ]


async def test_the_command_bar_completes(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.sees("宁波一号")
        await operator.press(":")
        await operator.types("xn")
        await operator.sees("xnsb 虚拟设备")
        await operator.press("tab", "enter")
        await operator.sees("› 虚拟设备")
        await operator.press("escape")
        await operator.goes("levitate", "没有命令")


async def test_a_command_can_carry_what_to_search_for(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.sees("宁波一号")
        await operator.goes("发票 已拒绝", "筛选 已拒绝", "显示 1 / 4 条")
        await operator.goes("fp 待开", "筛选 待开")
        await operator.goes("fp", "4 条")
        await operator.press("escape")
        await operator.misses("› 发票")


async def test_the_way_back_has_an_end(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.sees("宁波一号")
        for _ in range(9):
            await operator.goes("fp", "› 发票 ")
            await operator.goes("zy", "› 作业 ")
        assert len(operator.app.screen_stack) < 18


async def test_escape_closes_the_bar_before_anything_else(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.goes("fp", "条")
        await operator.press("/")
        await operator.types("待开")
        await operator.sees("筛选 待开")
        await operator.press("escape")
        await operator.misses("筛选 待开")
        await operator.press(":", "escape")
        await operator.sees("› 发票")
        await operator.press("escape")
        await operator.misses("› 发票")
        await operator.press("escape", "escape")
        await operator.sees("宁波一号")


def ours(screen: Screen[None]) -> set[str]:
    """Keys of all bindings of ours in force."""
    return {key for key, active in screen.active_bindings.items() if active.binding.description.startswith("key.")}


@pytest.mark.parametrize("command", ["board", "fp", "agents"])
async def test_help_is_the_bindings(plane: Plane, command: str) -> None:
    async with console(plane, (120, 90)) as operator:
        await operator.sees("宁波一号")
        await operator.goes(command, "条" if command != "board" else "今日开具")
        screen = operator.app.screen
        app, say = operator.app, operator.app.desk.say
        expected = keys_of(screen)
        assert len({key for keys, _ in expected for key in keys.split()}) == len(ours(screen))
        await operator.press("?")
        text = await operator.sees("按键", "命令", "记号")
        for keys, description in expected:
            assert any(line.split("│")[1].split() == [*keys.split(), *say(description).split()]
                       for line in text.splitlines() if line.count("│") >= 2), (keys, description)  # fmt: skip
        for noun in NOUNS.values():
            assert ":" + noun.aliases[0] in app.screen.query_one("Pane").text  # type: ignore[attr-defined]
        await operator.press("escape")
        await operator.misses("按键")


async def test_language_and_colours_change_on_the_spot(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.sees("宁波一号", "服务器看板")
        await operator.press("ctrl+l")
        await operator.sees("Server board", "out of numbers", "live", "operator")
        await operator.goes("theme day")
        assert operator.app.theme == "taxplane-day"
        await operator.goes("theme mono")
        assert operator.app.theme == "taxplane-mono"
        await operator.goes("lang", "服务器看板")


async def test_english_from_the_start(plane: Plane) -> None:
    async with console(plane, language="en") as operator:
        await operator.sees("Server board", "attention")
        await operator.goes("fp", "Invoices", "refused")


async def test_signs_tell_what_colours_tell(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(plane, theme="mono") as operator:
        await operator.sees("宁波一号")
        signs = {operator.line_with(f"49990000000{number}").split()[0] for number in (2, 3, 4, 5)}
        assert signs == {"▲", "■", "●", "?"}


async def test_a_lost_line_is_said_and_comes_back(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.sees("实时", "宁波一号")
        await operator.press("down", "down")
        plane.stop()
        await operator.sees("断线", "自动重连中", "11:04:05", "宁波一号")
        assert operator.line_with("499900000004").startswith("›")
        plane.start()
        await operator.sees("实时")
        await operator.misses("自动重连中")
        assert operator.line_with("499900000004").startswith("›")


async def test_a_refused_token_is_said(plane: Plane) -> None:
    async with console(plane, token="wrong") as operator:
        await operator.sees("未登录", "登录已失效")


async def test_an_emergency_stop_has_its_place(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.sees("宁波一号")
        stop = {"id": "stop-1", "version": 1, "state": "active", "target_name": "广东 [/]\x1b[2J", "reason": "演练",
                "stopped_by": "li"}  # fmt: skip
        plane.put("stops", stop, "registered")
        await operator.sees("■ 紧急停止: 广东 [/]", "演练 (li)")
        plane.put("stops", {**stop, "state": "resumed", "version": 2}, "resumed")
        await operator.misses("紧急停止")


async def test_q_leaves(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.sees("宁波一号")
        await operator.press("q")
        assert operator.app.return_value == 0


async def test_a_command_typed_in_one_burst_quits_nothing(plane: Plane) -> None:
    async with console(plane) as operator:
        await operator.sees("宁波一号")
        for key in ("colon", "f", "w", "q"):
            operator.app.post_message(Key(key, ":" if key == "colon" else key))
        await operator.sees(": fwq")
        await operator.press("enter")
        await operator.sees("› 税控服务器")
