"""The catalogue of refusals is whole: both languages, a runbook, texts that never fail."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from controlplane.domain import refusals
from controlplane.domain.refusals import CATALOGUE, DEVICE_CODES, RUNBOOKS, from_device, refuse, summed_up

CLASSES = {"data", "stock", "limit", "clock", "device", "bureau", "unknown"}
DOMAIN = Path(refusals.__file__).parent


@pytest.mark.parametrize("rule", CATALOGUE.values(), ids=lambda rule: rule.code)
def test_every_row_is_complete(rule: refusals.Rule) -> None:
    assert re.fullmatch(r"[a-z0-9_]+", rule.code)
    assert rule.reason_class in CLASSES
    assert rule.runbook in RUNBOOKS
    assert 400 <= rule.http_status < 600
    texts = (rule.message, rule.message_en, rule.remedy, rule.remedy_en)
    assert all(texts)
    assert re.search("[一-鿿]", rule.message) and not re.search("[一-鿿]", rule.message_en)
    places = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in texts]
    assert places[0] == places[1] and places[2] == places[3], "both languages name the same params"


def test_params_are_formatted_in_and_missing_ones_do_not_fail() -> None:
    refusal = refuse("over_single_limit", gross="12.00", limit="10.00", excess="2.00")
    assert "超出 2.00 元" in refusal.message
    assert "by 2.00" in refusal.message_en
    assert "—" in refusal.message, "device_no was not given"


def test_only_a_refusal_of_data_refuses_for_good() -> None:
    assert refuse("no_stock").waits and refuse("clock_off").waits and refuse("bureau_unreachable").waits
    assert not refuse("over_single_limit").waits and not refuse("device_refused").waits


def test_a_refusal_is_a_value() -> None:
    assert refuse("no_stock", kind="026") == refuse("no_stock", kind="026")
    assert refuse("no_stock", kind="026") != refuse("no_stock", kind="028")
    kept = refuse("rate_not_authorised", "lines[0].rate", rate="0.06").as_dict()
    again = refuse(kept["code"], kept["field"], **kept["details"])
    assert again.as_dict() == kept


def test_an_unknown_code_is_a_defect() -> None:
    with pytest.raises(KeyError):
        refuse("no_such_code")


def test_codes_of_devices_lead_into_the_catalogue() -> None:
    page = (DOMAIN.parents[1] / "agents/drivers/DIALECTS.md").read_text(encoding="utf-8")
    table = page.split("### Refusals")[1]
    written_down = set(
        re.findall(r"\b(?:[0-9]{4}|[0-9]{6}|09[a-f0-9]{4})\b", "".join(re.findall(r"^\| [^|]*", table, re.M)))
    )
    assert written_down, "the page lists codes"
    assert written_down <= set(DEVICE_CODES)
    assert set(DEVICE_CODES.values()) <= set(CATALOGUE)


def test_a_code_nobody_wrote_down_keeps_the_devices_own_words() -> None:
    refusal = from_device("4711", "打印机缺纸", device_no="499000000001")
    assert refusal.code == "device_refused" and "打印机缺纸" in refusal.message
    assert refusal.details["native_code"] == "4711"
    assert from_device("1002", "票量为零").code == "no_stock"


def test_what_cannot_be_waited_out_speaks_first() -> None:
    assert summed_up([refuse("no_stock"), refuse("over_single_limit")]).code == "over_single_limit"
    assert summed_up([refuse("no_stock"), refuse("clock_off")]).code == "no_stock"
    with pytest.raises(ValueError):
        summed_up([])


def test_every_code_refused_in_the_rules_is_in_the_catalogue() -> None:
    used: set[str] = set()
    for path in DOMAIN.glob("*.py"):
        used |= set(re.findall(r'refuse\(\s*"([a-z0-9_]+)"', path.read_text(encoding="utf-8")))
    assert used <= set(CATALOGUE)
