"""The catalogue: both languages everywhere, and every key the code asks for."""

import ast
import re
from pathlib import Path

import pytest

import console
from console.messages import TEXTS, WORDS, Messages, fields, interface
from controlplane.domain import agent, invoice, job, tax_server, virtual_device

ROOM = Path(console.__file__).parent
FILES = [path for path in ROOM.rglob("*.py") if "demo" not in path.relative_to(ROOM).parts]


def test_every_text_has_both_languages() -> None:
    for key, pair in TEXTS.items():
        assert len(pair) == 2, key
        assert bool(pair[0]) == bool(pair[1]), key
        assert sorted(re.findall(r"{\w+}", pair[0])) == sorted(re.findall(r"{\w+}", pair[1])), key


def test_every_word_has_both_languages() -> None:
    for group, codes in WORDS.items():
        for code, pair in codes.items():
            assert len(pair) == 2 and bool(pair[0]) == bool(pair[1]), (group, code)


def test_no_key_stands_twice() -> None:
    assert not set(interface.TEXTS) & set(fields.TEXTS)


def asked_keys() -> set[str]:
    """Every literal key given to ``say(…)`` and every binding's description."""
    found: set[str] = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                place = 2 if name == "Binding" else 0
                if name in ("say", "Binding", "__call__") and len(node.args) > place:
                    key = node.args[place]
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        found.add(key.value)
    return found


def test_every_key_that_is_asked_for_exists() -> None:
    missing = {key for key in asked_keys() if key not in TEXTS}
    assert not missing


def test_every_column_has_a_title() -> None:
    from console.screens.catalog import NOUNS

    for noun in NOUNS.values():
        assert f"noun.{noun.path}" in TEXTS
        for column in noun.columns:
            assert f"column.{column.key}" in TEXTS, column.key


@pytest.mark.parametrize(
    ("group", "machine"),
    [
        ("state.tax-servers", tax_server.MACHINE),
        ("state.virtual-devices", virtual_device.MACHINE),
        ("state.jobs", job.MACHINE),
        ("state.agents", agent.MACHINE),
        ("state.invoices", invoice.MACHINE),
    ],
)
def test_every_state_has_a_word(group: str, machine: object) -> None:
    assert machine.states <= WORDS[group].keys()  # type: ignore[attr-defined]


def test_every_verb_and_job_kind_has_a_word() -> None:
    for noun in (tax_server, virtual_device):
        assert {verb for _, verb in noun.MACHINE.table} <= WORDS["verb"].keys()
        assert set(noun.JOB_KINDS.values()) <= WORDS["job"].keys()


def test_unknown_codes_show_as_they_are() -> None:
    assert Messages("zh").word("verb", "levitate") == "levitate"


def test_a_cause_with_details_is_told_anew_in_either_language() -> None:
    cause = {
        "code": "no_stock",
        "message": "中文原文",
        "details": {"device_no": "1", "terminal_code": "2", "kind": "026"},
    }
    assert "026" in Messages("zh").told(cause).message
    english = Messages("en").told(cause)
    assert "026" in english.message and english.message.isascii()
    assert english.runbook == "stock-empty"


def test_a_cause_without_details_keeps_the_control_planes_words() -> None:
    health = {"cause": "clock_off", "text": "时钟相差 412 秒", "text_en": "off by 412 seconds", "runbook": ""}
    assert Messages("zh").told(health).message == "时钟相差 412 秒"
    assert Messages("en").told(health).message == "off by 412 seconds"
    assert Messages("en").told(health).runbook == "clock-off"


def test_a_devices_own_code_leads_to_the_same_runbook() -> None:
    told = Messages("zh").told({"code": "09d109", "message": "已到开票截止时间"})
    assert (told.message, told.runbook) == ("已到开票截止时间", "issue-deadline")


@pytest.mark.parametrize(
    ("minutes", "zh", "short"),
    [(0, "现在", "现在"), (45, "45 分钟", "45m"), (300, "5 小时", "5h"), (6000, "4 天", "4d")],
)
def test_lengths_of_time(minutes: int, zh: str, short: str) -> None:
    say = Messages("zh")
    assert (say.minutes(minutes), say.minutes_in_short(minutes)) == (zh, short)
