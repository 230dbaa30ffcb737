"""Which columns a narrow terminal keeps."""

import pytest

from console.records import Record
from console.screens.catalog import NOUNS
from console.widgets.columns import GAP, Cell, Column, View, fit


def _cell(record: Record, view: View) -> Cell:
    return Cell("")


COLUMNS = (
    Column("name", 10, _cell, grow=1),
    Column("region", 8, _cell, rank=2),
    Column("state", 8, _cell, rank=1),
    Column("cause", 10, _cell, grow=3),
)


def widths(width: int) -> list[tuple[str, int]]:
    return [(placed.column.key, placed.width) for placed in fit(COLUMNS, width)]


def test_all_fit_and_the_rest_goes_to_those_that_grow() -> None:
    assert widths(42) == [("name", 10), ("region", 8), ("state", 8), ("cause", 10)]
    assert widths(50) == [("name", 12), ("region", 8), ("state", 8), ("cause", 16)]


def test_the_highest_rank_leaves_first() -> None:
    assert [key for key, _ in widths(41)] == ["name", "state", "cause"]
    assert [key for key, _ in widths(31)] == ["name", "cause"]
    assert [key for key, _ in widths(3)] == ["name", "cause"]


@pytest.mark.parametrize("noun", NOUNS)
@pytest.mark.parametrize("width", [78, 118, 198])
def test_every_list_fits_its_terminal(noun: str, width: int) -> None:
    placed = fit(NOUNS[noun].columns, width)
    assert sum(one.width for one in placed) + GAP * (len(placed) - 1) <= width
    assert len(placed) >= 3


def test_the_board_shows_all_at_a_wide_terminal() -> None:
    assert len(fit(NOUNS["board"].columns, 140)) == len(NOUNS["board"].columns)


def test_a_short_text_stands_in_where_the_long_one_does_not_fit() -> None:
    cell = Cell("设备 1 没有票种 026 的可用号码", "warn", "号码不足")
    assert cell.words(40) == cell.text
    assert cell.words(10) == "号码不足"
    assert Cell("long text").words(3) == "long text"
