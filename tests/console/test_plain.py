"""The gate for foreign text."""

import pytest
from rich.cells import cell_len

from console.plain import LONGEST, plain
from tests.console.hostile import CORPUS


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_nothing_that_acts_passes(text: str) -> None:
    shown = plain(text)
    assert all(ord(char) >= 0x20 and not 0x7F <= ord(char) <= 0x9F for char in shown)
    assert not any(char in shown for char in "\u200b\u200d\u202e\u2066\ufeff\u2028")
    assert isinstance(shown.encode("utf-8"), bytes)
    assert plain(shown) == shown


@pytest.mark.parametrize("text", ["", "abc", "上海云帆贸易有限公司", "[/]", "[@click=app.quit]x[/]", "é", "①…"])
def test_harmless_text_stays(text: str) -> None:
    assert plain(text) == text


def test_floods_are_cut() -> None:
    assert len(plain("x" + "\u0301" * 500)) < 10
    assert len(plain("税" * 100_000)) == LONGEST


def test_what_terminals_quarrel_about_has_a_plain_width() -> None:
    assert cell_len(plain("\U0001f1e8\U0001f1f3")) == 2
    assert plain("☎\ufe0f") == "☎"


@pytest.mark.parametrize(("value", "shown"), [(None, ""), (12, "12"), (True, "True")])
def test_values_that_are_no_text(value: object, shown: str) -> None:
    assert plain(value) == shown


def test_a_number_too_long_to_spell() -> None:
    assert plain(10**5000) == "\ufffd"
