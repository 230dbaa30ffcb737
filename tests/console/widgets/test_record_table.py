"""The table: places kept, a hundred thousand rows."""

import time

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Region

from console.desk import Desk
from console.link import HttpTransport, Link
from console.records import Record, text
from console.settings import Settings
from console.widgets.columns import Cell, Column
from console.widgets.record_table import RecordTable
from tests.console.fleet import NOW

COLUMNS = (
    Column("name", 10, lambda record, view: Cell(text(record, "name")), grow=1),
    Column("count", 8, lambda record, view: Cell(text(record, "count")), right=True),
)


def row(number: int, **more: object) -> Record:
    return {"id": f"r{number}", "name": f"发票 {number}", "count": number, **more}


class TableApp(App[None]):
    """One table and nothing else."""

    def __init__(self, rows: list[Record]) -> None:
        super().__init__()
        desk = Desk(Settings(), Link(HttpTransport("http://127.0.0.1:9", "")), lambda: NOW)
        self.table = RecordTable(COLUMNS, desk.view())
        self.first = rows
        self.opened: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.set_rows(self.first)
        self.table.focus()

    def on_record_table_opened(self, event: RecordTable.Opened) -> None:
        self.opened.append(event.record["id"])

    def shown(self) -> list[str]:
        return [
            "".join(segment.text for segment in strip)
            for strip in self.table.render_lines(Region(0, 0, self.table.size.width, self.table.size.height))
        ]


async def test_moving_opening_marking() -> None:
    app = TableApp([row(number) for number in range(50)])
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("down", "j", "down", "k", "enter")
        assert app.opened == ["r2"]
        await pilot.press("space", "space")
        assert app.table.marked == {"r2", "r3"} and app.table.cursor == 4
        await pilot.press("G")
        assert app.table.cursor == 49
        assert "发票 49" in app.shown()[-1]
        await pilot.press("g")
        assert app.table.cursor == 0 and app.table.scroll_offset.y == 0
        await pilot.press("pagedown")
        assert app.table.cursor == 10


async def test_a_click_selects_and_a_second_opens() -> None:
    app = TableApp([row(number) for number in range(5)])
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.click(app.table, offset=(3, 3))
        assert app.table.cursor == 2
        await pilot.click(app.table, offset=(3, 3), times=2)
        assert app.opened == ["r2"]
        await pilot.click(app.table, offset=(3, 10))
        assert app.table.cursor == 2


async def test_the_cursor_stays_with_its_record_at_its_height() -> None:
    rows = [row(number) for number in range(100)]
    app = TableApp(rows)
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press(*["down"] * 30)
        height = app.table.cursor - app.table.scroll_offset.y
        app.table.set_rows([row(number) for number in range(1000, 1007)] + rows)
        await pilot.pause()
        assert app.table.current is not None and app.table.current["id"] == "r30"
        assert app.table.cursor - app.table.scroll_offset.y == height
        app.table.set_rows(rows[:10])
        await pilot.pause()
        assert app.table.cursor == 9


async def test_at_the_top_it_stays_at_the_top() -> None:
    app = TableApp([row(number) for number in range(20)])
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_rows([row(99), *app.table.rows])
        await pilot.pause()
        assert app.table.current is not None and app.table.current["id"] == "r99"


async def test_one_row_is_replaced_in_its_place() -> None:
    app = TableApp([row(number) for number in range(20)])
    async with app.run_test(size=(60, 12)) as pilot:
        assert app.table.replace_row(row(3, name="新名称"))
        assert not app.table.replace_row(row(77))
        await pilot.pause()
        assert "新名称" in app.shown()[4]


async def test_an_empty_table_says_why() -> None:
    app = TableApp([])
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.note = "没有记录"
        app.table.set_rows([])
        await pilot.press("down", "enter", "space", "G")
        assert app.opened == []
        assert "没有记录" in "".join(app.shown())


@pytest.mark.parametrize("width", [80, 120, 200])
async def test_columns_stand_under_each_other_whatever_is_in_them(width: int) -> None:
    names = ["上海云帆贸易有限公司", "abc", "税" * 100, "…①", "é\u0301", "", "👨\u200d👩"]
    app = TableApp([row(number, name=name) for number, name in enumerate(names)])
    async with app.run_test(size=(width, 12)):
        for line, number in zip(app.shown()[1:], range(len(names)), strict=False):
            assert cell_len(line) == width
            assert line.rstrip().endswith(str(number))
            assert cell_len(line.rstrip()) == app.table.scrollable_content_region.width


async def test_a_hundred_thousand_rows_cost_a_screenful() -> None:
    rows = [row(number) for number in range(100_000)]
    app = TableApp([])
    async with app.run_test(size=(160, 50)) as pilot:
        started = time.perf_counter()
        app.table.set_rows(rows)
        app.shown()
        assert time.perf_counter() - started < 1.0
        await pilot.press("end")
        assert app.table.cursor == 99_999
        started = time.perf_counter()
        for _ in range(20):
            app.table.action_page(-1)
            app.shown()
        assert (time.perf_counter() - started) / 20 < 0.1
