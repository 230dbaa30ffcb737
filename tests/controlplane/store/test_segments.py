"""Ranges of numbers: no two devices hold one number, whoever asks first, from whichever server."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from controlplane.store import segments
from controlplane.store.engine import Ledger
from controlplane.store.statement import Row, Statement

CODE = "044002600111"
RANGES = Statement("SELECT * FROM number_ranges ORDER BY invoice_code, start_no")


def wanted(device_id: str, start_no: int, end_no: int, code: str = CODE) -> Row:
    place = {"invoice_code": code, "start_no": start_no, "end_no": end_no}
    return {**place, "taxpayer_id": f"T-{device_id}", "device_id": device_id}


def claim(ledger: Ledger, row: Row) -> Row | None:
    return ledger.write_now(lambda tx: segments.claim(tx, row))


def ranges(ledger: Ledger) -> list[tuple[str, int, int]]:
    found = ledger.read_now(lambda hand: hand.rows(RANGES))
    return [(row["device_id"], row["start_no"], row["end_no"]) for row in found]


@pytest.mark.parametrize(("start_no", "end_no"), [(100, 200), (50, 100), (200, 300), (150, 160), (1, 999), (200, 200)])
def test_another_device_gets_no_number_that_is_held(founded: Ledger, start_no: int, end_no: int) -> None:
    assert claim(founded, wanted("a", 100, 200)) is None
    held = claim(founded, wanted("b", start_no, end_no))
    assert held is not None and held["device_id"] == "a"
    assert ranges(founded) == [("a", 100, 200)]


def test_neighbours_and_other_codes_are_free(founded: Ledger) -> None:
    for row in (
        wanted("a", 100, 200),
        wanted("b", 1, 99),
        wanted("b", 201, 300),
        wanted("b", 100, 200, "044002600211"),
    ):
        assert claim(founded, row) is None
    assert len(ranges(founded)) == 4


def test_the_holder_may_claim_parts_again(founded: Ledger) -> None:
    for start_no, end_no in ((100, 200), (100, 200), (100, 150), (151, 200)):
        assert claim(founded, wanted("a", start_no, end_no)) is None
    assert ranges(founded) == [("a", 100, 200)]


@pytest.mark.parametrize(("start_no", "end_no"), [(150, 250), (100, 250), (50, 150), (50, 250)])
def test_what_the_holder_claims_beyond_is_held_from_then_on(founded: Ledger, start_no: int, end_no: int) -> None:
    assert claim(founded, wanted("a", 100, 200)) is None
    assert claim(founded, wanted("a", start_no, end_no)) is None
    for number in (start_no, end_no):
        assert claim(founded, wanted("b", number, number)) is not None, number


def test_two_servers_racing_never_share_a_number(open_ledger: Callable[..., Ledger]) -> None:
    rng = random.Random(7)
    starts = [rng.randrange(1, 900) for _ in range(60)]
    together = threading.Barrier(2)

    def ask(device_id: str, ledger: Ledger, order: list[int]) -> list[range]:
        got = []
        for start_no in order:
            end_no = start_no + len(device_id) * 7
            together.wait(10)
            if claim(ledger, wanted(device_id, start_no, end_no)) is None:
                got.append(range(start_no, end_no + 1))
        return got

    first, second = open_ledger(), open_ledger()
    with ThreadPoolExecutor(2) as pool:
        racing = pool.submit(ask, "a", first, starts), pool.submit(ask, "bb", second, starts[::-1])
        numbers = [{number for run in one.result(30) for number in run} for one in racing]
    assert numbers[0] and numbers[1] and not numbers[0] & numbers[1]
    held = {(device_id, number) for device_id, start, end in ranges(first) for number in range(start, end + 1)}
    assert held == {("a", number) for number in numbers[0]} | {("bb", number) for number in numbers[1]}
