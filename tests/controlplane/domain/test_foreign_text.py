"""Text from outside cannot act anywhere, and is never lost without a trace."""

from __future__ import annotations

import sys
import unicodedata
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.foreign_text import Mode, clean, first_hazard

MODES = get_args(Mode)
ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
ANY_TEXT = st.text(st.characters(), max_size=60)
"""Lone surrogates included."""


@pytest.mark.parametrize("mode", MODES)
def test_no_character_that_acts_is_left_of_all_of_unicode(mode: Mode) -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    kept = {"\t", "\n"} if mode == "sheet" else set()
    left = {c for c in clean(everything, mode) if unicodedata.category(c) in ACTING}
    assert left == kept


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb", "a\\u200bb"),
        ("a\u2028b", "a\\u2028b"),
        ("a\ud800b", "a\\ud800b"),
        ("a\x00b", "a\\x00b"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\U000e0041", "\\U000e0041"),
        ("[/] @click='x'", "[/] @click='x'"),
    ],
)
def test_what_would_act_is_spelled_out_for_the_terminal(hostile: str, shown: str) -> None:
    assert clean(hostile, "terminal") == shown


def test_ordinary_text_passes_every_mode_unchanged() -> None:
    text = "上海示例科技有限公司 Café №5 (华东) 😀"
    assert {clean(text, mode) for mode in MODES} == {text}


def test_a_log_tells_what_was_written_from_what_was_spelled_out() -> None:
    assert clean("a\nb", "log") == "a\\nb"
    assert clean("a\\nb", "log") == "a\\\\nb"
    assert len(clean("x\n" * 1000, "log").splitlines()) == 1


def test_a_mail_header_cannot_be_broken() -> None:
    assert clean("Hi\r\nBcc: all@example.com", "mail") == "Hi Bcc: all@example.com"
    assert clean("a\u2029b\x1bc", "mail") == "a b\\x1bc"


def test_floods_of_combining_marks_are_cut_on_the_terminal() -> None:
    assert clean("e" + "\u0301" * 50, "terminal") == "e" + "\u0301" * 4
    assert clean("é", "terminal") == "é"


def test_the_limit_counts_what_is_shown() -> None:
    assert clean("\x1b" * 10, "terminal", 6) == "\\x1b\\…"
    assert clean("abc", "terminal", 3) == "abc"


@given(ANY_TEXT, st.sampled_from(MODES))
def test_any_text_at_all_comes_out_as_bytes(text: str, mode: Mode) -> None:
    clean(text, mode).encode("utf-8")
    assert clean(clean(text, "terminal"), "terminal") == clean(text, "terminal")


def test_the_first_hazard_is_named_with_its_position() -> None:
    assert first_hazard("ab\x1bc\u202e") == (3, "U+001B")
    assert first_hazard("上海 Café") is None
