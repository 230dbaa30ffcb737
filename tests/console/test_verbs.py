"""What verbs ask for."""

import pytest

from console.messages import TEXTS, WORDS, Messages
from console.verbs import VERBS, Arg, rank, verb


@pytest.mark.parametrize(
    ("arg", "typed", "value"),
    [
        (Arg("count", "count", 500), "500", 500),
        (Arg("count", "count", 500), "501", None),
        (Arg("count", "count", 500), "0", None),
        (Arg("count", "count", 500), "-1", None),
        (Arg("count", "count", 500), "٣", None),
        (Arg("count", "count", 500), "9" * 5000, None),
        (Arg("kind", "kind"), "026", "026"),
        (Arg("kind", "kind"), "26", None),
        (Arg("start_no", "number"), "00002001", "00002001"),
        (Arg("start_no", "number"), "2001\n", None),
        (Arg("terminal_code", "code"), "A-1", "A-1"),
        (Arg("terminal_code", "code"), "a b", None),
        (Arg("terminal_name", "text"), "一号窗口", "一号窗口"),
        (Arg("terminal_name", "text"), "", None),
        (Arg("terminal_name", "text"), "\x1b[2J", None),
    ],
)
def test_checks(arg: Arg, typed: str, value: object) -> None:
    assert arg.value(typed) == value


def test_every_argument_has_a_label_and_says_what_is_wrong() -> None:
    for (_, name), needed in VERBS.items():
        assert name in WORDS["verb"]
        for arg in needed.args:
            assert f"arg.{arg.name}" in TEXTS
            assert arg.wrong(Messages("zh"))


def test_an_unknown_verb_needs_a_reason_only() -> None:
    assert verb("virtual-devices", "levitate").args == () and not verb("virtual-devices", "levitate").dangerous


def test_dangerous_verbs_come_last() -> None:
    names = sorted(("cancel", "levitate", "read", "suspend"), key=lambda name: rank("virtual-devices", name))
    assert names[:2] == ["read", "levitate"]
