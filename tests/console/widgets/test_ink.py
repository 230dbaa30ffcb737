"""Text in cells."""

import pytest
from rich.cells import cell_len

from console.theme import PALETTES
from console.widgets.ink import Line, Part, clip, drawn, fitted, wrapped
from tests.console.hostile import CORPUS


@pytest.mark.parametrize("text", [*CORPUS, "税控服务器", "a税b控c", "abc"], ids=range(len(CORPUS) + 3))
@pytest.mark.parametrize("width", [0, 1, 2, 3, 7, 20])
def test_every_text_fills_exactly_its_cells(text: str, width: int) -> None:
    assert cell_len(clip(text, width)) <= width
    assert cell_len(fitted(text, width)) == width
    assert cell_len(fitted(text, width, right=True)) == width


def test_what_is_cut_says_so() -> None:
    assert clip("税控服务器", 10) == "税控服务器"
    assert clip("税控服务器", 9) == "税控服务…"
    assert clip("税控服务器", 8) == "税控服…"
    assert fitted("12", 5, right=True) == "   12"


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_a_drawn_line_is_inert_and_as_wide_as_it_says(theme: str, text: str) -> None:
    colours = PALETTES[theme]
    strip = drawn([Part(text, "warn"), Part(text)], 40, colours, colours.ground)
    assert strip.cell_length == 40
    assert sum(segment.cell_length for segment in strip) == 40
    assert all(char >= " " and not "\x7f" <= char <= "\x9f" for segment in strip for char in segment.text)


def text_of(parts: tuple[Part, ...]) -> str:
    return "".join(part.text for part in parts)


def test_wrapping_loses_nothing_and_hangs() -> None:
    line = Line((Part("  处理  "), Part("申领、领用并分发号段; then wait for the numbers to arrive")), 4)
    folded = [text_of(parts) for parts in wrapped(line, 20)]
    assert all(cell_len(one) <= 20 for one in folded)
    assert all(one.startswith("    ") for one in folded[1:])
    assert "".join(folded).replace(" ", "") == text_of(line.parts).replace(" ", "")


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_anything_can_be_wrapped(text: str) -> None:
    for width in (1, 2, 9, 40):
        for parts in wrapped(Line((Part(text),), 2), width):
            assert cell_len(text_of(parts)) <= max(width, 2)


def test_a_line_that_is_cut_off_is_not_wrapped() -> None:
    assert len(wrapped(Line((Part("x" * 100),), -1), 10)) == 1
