"""What verbs ask for."""

import pytest

from console.messages import TEXTS, WORDS, Messages
from console.verbs import rank, verb, wrong
from controlplane.domain.acts import Field
from controlplane.domain.registry import ACTS, NOUNS


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        (Field("count", "count", 500), "500", 500),
        (Field("count", "count", 500), "501", None),
        (Field("count", "count", 500), "0", None),
        (Field("count", "count", 500, least=0), "0", 0),
        (Field("count", "count", 500), "-1", None),
        (Field("count", "count", 500), "٣", None),
        (Field("count", "count", 500), "9" * 5000, None),
        (Field("port", "port"), "65535", 65535),
        (Field("port", "port"), "65536", None),
        (Field("kind", "kind"), "026", "026"),
        (Field("kind", "kind"), "26", None),
        (Field("start_no", "number"), "00002001", "00002001"),
        (Field("start_no", "number"), "2001\n", None),
        (Field("terminal_code", "terminal"), "A-1", "A-1"),
        (Field("terminal_code", "terminal"), "a b", None),
        (Field("terminal_name", "text"), "一号窗口", "一号窗口"),
        (Field("terminal_name", "text"), "", None),
        (Field("terminal_name", "text"), "\x1b[2J", None),
        (Field("on", "flag"), "是", True),
        (Field("on", "flag"), "no", False),
        (Field("on", "flag"), "2", None),
        (Field("how", "choice", choices=("a", "b")), "b", "b"),
        (Field("how", "choice", choices=("a", "b")), "c", None),
        (Field("to", "mails"), "a@b.cn, c@d.cn", ["a@b.cn", "c@d.cn"]),
        (Field("to", "mails"), "a@b.cn, c", None),
        (Field("to", "mails"), "a@b.cn\nBcc: x@y.cn", None),
        (Field("at", "day"), "2026-13-01", None),
        (Field("at", "day"), "2026-12-01", "2026-12-01"),
    ],
)
def test_checks(field: Field, typed: str, value: object) -> None:
    assert field.value(typed) == value


def test_every_field_has_a_label_and_says_what_is_wrong() -> None:
    for (_, name), needed in ACTS.items():
        assert name in WORDS["verb"]
        for field in needed.fields:
            assert field.name in WORDS["field"]
            assert f"shape.{field.shape}" in TEXTS
            assert wrong(field, Messages("zh")) and wrong(field, Messages("en"))
            assert all(choice in WORDS["choice"] for choice in field.choices)


def test_an_unknown_verb_needs_a_reason_only() -> None:
    assert verb("virtual-devices", "levitate").fields == () and not verb("virtual-devices", "levitate").dangerous


def test_dangerous_verbs_come_last() -> None:
    names = sorted(("suspend", "levitate", "read"), key=lambda name: rank("virtual-devices", name))
    assert names == ["read", "levitate", "suspend"]


def test_one_word_may_mean_different_things_to_two_nouns() -> None:
    """Each noun reads its own word, also where another noun defined the plain one."""
    for module in NOUNS:
        for noun in {spec.noun for spec in module.ACTS}:
            for group, words in module.WORDS.items():
                for code, pair in words.items():
                    assert Messages("zh").word_of(group, noun, code) == pair[0]
    assert Messages("zh").word_of("verb", "virtual-devices", "levitate") == "levitate"
