"""The choice of device and terminal: named, else by business type, else by stock; the reason is kept."""

from __future__ import annotations

from dataclasses import replace

from controlplane.domain.choice import REASONS, Candidate, Choice, choose, told
from controlplane.domain.invoice_request import Original, PricedInvoice
from controlplane.domain.refusals import Refusal
from tests.controlplane.domain.examples import LIMITS, NOW, RULES, TODAY, facts, invoice, priced


def candidate(device_no: str, terminal_code: str, available: int = 100, **changes: object) -> Candidate:
    types = changes.pop("business_types", frozenset())
    return Candidate(facts(device_no=device_no, **changes), terminal_code, available, types)


def chosen(candidates: list[Candidate], **changes: object) -> Choice:
    choice = choose(priced(**changes), candidates, NOW, RULES)
    assert isinstance(choice, Choice), choice
    return choice


def refused(candidates: list[Candidate], **changes: object) -> Refusal:
    refusal = choose(priced(**changes), candidates, NOW, RULES)
    assert isinstance(refusal, Refusal), refusal
    return refusal


A1 = candidate("A", "1", 10)
A2 = candidate("A", "2", 30)
B1 = candidate("B", "1", 20)
SHOP = candidate("B", "9", 5, business_types=frozenset({"shop"}))


def where(choice: Choice) -> tuple[str, str, str]:
    return choice.device_no, choice.terminal_code, choice.reason


def test_by_stock_the_fullest_terminal_wins() -> None:
    choice = chosen([A1, A2, B1])
    assert where(choice) == ("A", "2", "most_stock")
    assert "30" in choice.told("zh") and "A / 2" in choice.told("en")
    assert told(choice.reason, choice.params) == choice.told()


def test_equal_stock_is_decided_the_same_way_every_time() -> None:
    twins = [candidate("B", "1"), candidate("A", "2"), candidate("A", "1")]
    assert where(chosen(twins)) == where(chosen(twins[::-1])) == ("A", "1", "most_stock")


def test_the_request_names_device_or_terminal_or_both() -> None:
    everything = [A1, A2, B1]
    assert where(chosen(everything, device_no="B")) == ("B", "1", "named_device")
    assert where(chosen(everything, device_no="A")) == ("A", "2", "named_device")
    assert where(chosen(everything, device_no="A", terminal_code="1")) == ("A", "1", "named")
    assert where(chosen(everything, terminal_code="1")) == ("B", "1", "named")


def test_unknown_names_are_the_requests_fault() -> None:
    for changes, code in (({"device_no": "C"}, "device_unknown"), ({"terminal_code": "7"}, "terminal_unknown")):
        refusal = refused([A1], **changes)
        assert (refusal.code, refusal.waits) == (code, False)
    assert refused([candidate("A", "1", state="cancelled")], device_no="A").code == "device_unknown"


def test_business_types_lead_to_their_terminal_and_keep_others_out() -> None:
    assert where(chosen([A1, SHOP], business_type="shop")) == ("B", "9", "business_type")
    assert where(chosen([A1, SHOP], business_type="web")) == ("A", "1", "most_stock")
    assert where(chosen([A1, replace(SHOP, available=999)])) == ("A", "1", "most_stock")
    assert where(chosen([SHOP])) == ("B", "9", "most_stock")
    assert where(chosen([A1, SHOP], business_type="shop", device_no="A")) == ("A", "1", "named_device")


def test_a_stopped_or_empty_terminal_is_passed_over() -> None:
    stopped = candidate("C", "1", 500, state="suspended")
    off = candidate("D", "1", 500, clock_offset_seconds=4000.0)
    assert where(chosen([stopped, off, replace(A2, available=0), A1])) == ("A", "1", "most_stock")


def test_when_all_are_stopped_the_nearest_to_issuing_says_why_and_the_invoice_waits() -> None:
    both = candidate("C", "1", 0, clock_offset_seconds=4000.0)
    refusal = refused([both, replace(A1, available=0)])
    assert (refusal.code, refusal.waits) == ("no_stock", True)
    assert refusal.details == {"device_no": "A", "terminal_code": "1", "kind": "026"}


def test_a_taxpayer_without_a_device_waits_for_one() -> None:
    assert refused([]).code == "no_device" and refused([]).waits
    assert refused([candidate("A", "1", kinds={"028": LIMITS})]).code == "no_device"
    assert refused([candidate("A", "1", state="cancelled")]).code == "no_device"
    assert refused([candidate("A", "1", kinds={"028": LIMITS})], device_no="A").code == "kind_not_on_device"


def test_a_device_in_commissioning_is_waited_for_only_when_there_is_no_other() -> None:
    pending = candidate("P", "1", 0, state="certified", kinds={}, rates=frozenset(), stock={})
    assert refused([pending]).code == "device_not_ready" and refused([pending]).waits
    assert where(chosen([pending, A1])) == ("A", "1", "most_stock")
    narrow = candidate("A", "1", rates=frozenset({"0.13"}))
    assert refused([pending, narrow]).code == "rate_not_authorised"


def test_the_highest_limit_speaks_when_the_invoice_is_over_all_of_them() -> None:
    low = candidate("A", "1", 90, kinds={"026": replace(LIMITS, single_limit_fen=1_000)})
    high = candidate("B", "1", 10, kinds={"026": replace(LIMITS, single_limit_fen=2_000)})
    assert where(chosen([low, candidate("C", "1", 1)])) == ("C", "1", "most_stock")
    refusal = refused([low, high])
    assert (refusal.code, refusal.details["limit"], refusal.waits) == ("over_single_limit", "20.00", False)


def red_choice(candidates: list[Candidate], device_no: str, **changes: object) -> Choice:
    """The choice for a red invoice whose blue one is on that device."""
    original = Original("044002600111", "00000001", device_no, TODAY, "1")
    lines = tuple(replace(one, amount_fen=-one.amount_fen, tax_fen=-one.tax_fen) for one in priced().lines)
    request = invoice(direction="red", original=original, **changes)
    red = PricedInvoice(request, lines, -2000, -180, -2180, frozenset({"0.09"}))
    found = choose(red, candidates, NOW, RULES)
    assert isinstance(found, Choice), found
    return found


def test_a_red_invoice_prefers_the_blue_ones_device() -> None:
    fuller = candidate("B", "1", 1000)
    assert where(red_choice([A1, fuller], "A")) == ("A", "1", "original_device")
    assert where(red_choice([replace(A1, available=0), fuller], "A")) == ("B", "1", "most_stock")
    bound = candidate("A", "9", 5, business_types=frozenset({"shop"}))
    assert where(red_choice([bound, fuller], "A")) == ("A", "9", "original_device")


def test_every_reason_has_both_texts() -> None:
    choices = [chosen([A1, SHOP], **changes) for changes in ({}, {"device_no": "A"}, {"business_type": "shop"})]
    choices.append(chosen([A1], device_no="A", terminal_code="1"))
    choices.append(red_choice([A1], "A"))
    assert {choice.reason for choice in choices} == set(REASONS)
    assert all(choice.told("zh") and choice.told("en") for choice in choices)
