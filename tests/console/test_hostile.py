"""Nothing that comes from data moves the terminal or crashes a widget."""

from collections.abc import Sequence
from typing import Any

import pytest
from rich.segment import Segment
from textual.color import Color

from console.desk import Desk
from console.link import HttpTransport, Link
from console.runbook import page
from console.screens import impact
from console.screens.acting import choices
from console.screens.catalog import NOUNS
from console.settings import Settings
from console.theme import PALETTES
from console.widgets.columns import fit
from console.widgets.inert import InertLines
from console.widgets.ink import Part, drawn, wrapped
from tests.console import fleet
from tests.console.hostile import CORPUS, poisoned
from tests.console.operator import cells, console
from tests.console.plane import Plane, problem
from tests.console.tables import IMPACT

LINK = Link(HttpTransport("http://127.0.0.1:9", ""))
DESKS = [Desk(Settings(language=language), LINK, lambda: fleet.NOW) for language in ("zh", "en")]
STANDARD = fleet.standard().records
ODD: tuple[Any, ...] = (None, True, 5, -1, 1e308, 10**30, "x", [], [1, "x", None], {}, {"kind": 5}, {"a": {"b": []}})


def inert(text: str) -> bool:
    return all(char >= " " and not "\x7f" <= char <= "\x9f" and char not in "\u202e\u2066\u200b\u2028" for char in text)


def draw(path: str, record: dict[str, Any], related: dict[str, Any], desks: Sequence[Desk]) -> None:
    """Every cell and the whole page of a record."""
    noun, colours = NOUNS[path], PALETTES["night"]
    for desk in desks:
        view = desk.view({"agents": {"agent-1": record}})
        view.readings[record["id"]] = [record]
        for column, size in fit(noun.columns, 198):
            cell = column.cell(record, view)
            strip = drawn([Part(cell.text, cell.tone)], size, colours, colours.ground)
            assert strip.cell_length == size and inert(strip.text)
            if column.sort:
                column.sort(record)
        noun.order(record)
        noun.verdict(record)
        noun.name(record)
        noun.depends(record)
        noun.parts(record)
        noun.trouble(record, related)
        for line in noun.page(record, view, related):
            for parts in wrapped(line, 60):
                strip = drawn(parts, 60, colours, colours.ground)
                assert strip.cell_length == 60 and inert(strip.text)
    choices(path, record)


PATHS = [path for path in NOUNS if path != "board"]


@pytest.mark.parametrize("path", PATHS)
def test_hostile_text_in_every_field(path: str) -> None:
    record = {"id": "x", **next(iter(STANDARD[path].values()))}
    for words in CORPUS:
        bad = poisoned(record, words)
        draw(path, bad, {noun: [bad] for noun in NOUNS}, DESKS)


@pytest.mark.parametrize("path", PATHS)
def test_odd_types_in_every_field(path: str) -> None:
    record = {"id": "x", **next(iter(STANDARD[path].values()))}
    for key in record:
        for value in ODD:
            if key != "id":
                draw(path, {**record, key: value}, {}, DESKS[:1])
    for value in ODD:
        odd = {**dict.fromkeys(record, value), "id": "x"}
        draw(path, odd, {noun: [odd] for noun in NOUNS}, DESKS)
    draw(path, {"id": "x"}, {}, DESKS)


def drawn_impact(found: dict[str, Any]) -> None:
    for desk in DESKS:
        for line in impact.lines(desk.view(), found):
            for parts in wrapped(line, 60):
                strip = drawn(parts, 60, PALETTES["night"], PALETTES["night"].ground)
                assert strip.cell_length == 60 and inert(strip.text)


def test_what_stops_is_inert_too() -> None:
    for words in CORPUS:
        found = poisoned(IMPACT, words)
        found["taxpayers"][1]["take_over"] = {words: [words]}
        drawn_impact(found)
    for value in ODD:
        drawn_impact({**IMPACT, "taxpayers": [dict.fromkeys(IMPACT["taxpayers"][0], value)]})
        drawn_impact(dict.fromkeys(IMPACT, value))


def test_the_net_lets_nothing_through() -> None:
    net = InertLines()
    for words in CORPUS:
        segments = net.apply([Segment(words), Segment("ok")], Color(0, 0, 0))
        assert all(inert(segment.text) for segment in segments)


@pytest.mark.parametrize("slug", [*CORPUS, "..", "a/b", "/etc/passwd", "stock-empty.md", "README", "a" * 80])
def test_a_slug_from_data_opens_nothing_else(slug: str) -> None:
    assert page(slug, "zh") == []


def every_row_hostile() -> Plane:
    """A plane whose records each carry another hostile text in every field."""
    plane = Plane()
    plane.me = {"name": CORPUS[1], "role": CORPUS[12]}
    for noun, records in STANDARD.items():
        template = next(iter(records.values()))
        plane.fill(
            noun,
            [
                poisoned({**template, **({"id": f"{noun}-{place}"} if "id" in template else {})}, words)
                for place, words in enumerate(CORPUS)
            ],
        )
    for place, device in enumerate(plane.records["virtual-devices"].values()):
        device["tax_server_id"] = f"tax-servers-{place % 5}"
        device["health"] = {**fleet.EMPTY, "text": CORPUS[place], "remedy": CORPUS[place], "runbook": CORPUS[place]}
    return plane


async def test_a_console_full_of_hostile_text_goes_on_working() -> None:
    plane = every_row_hostile()
    plane.start()
    plane.answer = lambda verb, body: problem(
        409, CORPUS[2], CORPUS[1], remedy=CORPUS[15], runbook=CORPUS[3], allowed=list(CORPUS[:4]),
        errors=[{"field": CORPUS[0], "message": CORPUS[12]}],
    )  # fmt: skip
    async with console(plane, (120, 36)) as operator:
        await operator.sees("服务器看板")
        for path in ("virtual-devices", "invoices", "jobs", "agents", "operation-log"):
            await operator.goes(NOUNS[path].aliases[-1], "条")
            for keys in (("enter",), ("escape", "pagedown", "enter"), ("u",), ("escape", "a")):
                await operator.press(*keys)
                assert all(inert(line) and cells(line) == 120 for line in operator.lines())
            await operator.press("enter", "x", "enter", "x", "enter", "escape", "escape", "escape", "escape", "escape")
        assert operator.app.is_running
    plane.stop()
