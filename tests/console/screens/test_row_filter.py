"""The filter language."""

import pytest

from console.screens.row_filter import parse

ROWS = ("上海云帆 acme 待开", "宁波甬江 beta 已开具", "深圳前海 acme 已拒绝")


def kept(typed: str) -> list[int]:
    wanted = parse(typed)
    return [place for place, row in enumerate(ROWS) if wanted.matches(row)]


@pytest.mark.parametrize(
    ("typed", "rows"),
    [
        ("", [0, 1, 2]),
        ("ACME", [0, 2]),
        ("甬江", [1]),
        ("!acme", [1]),
        ("~上海|深圳", [0, 2]),
        ("!~上海|深圳", [1]),
        ("~^宁波.*具$", [1]),
        ("!", [0, 1, 2]),
        ("~", [0, 1, 2]),
        ("[/]", []),
        ("nothing", []),
    ],
)
def test_filter(typed: str, rows: list[int]) -> None:
    assert kept(typed) == rows


@pytest.mark.parametrize("typed", ["~(", "~[a", "!~*", "~(?P<"])
def test_an_unfinished_pattern_filters_nothing(typed: str) -> None:
    assert parse(typed).wrong
    assert kept(typed) == [0, 1, 2]
