"""Taxpayers and code tables as the driver reads them from a simulated tax server and its bureau."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from agents.drivers.catalog import Catalog, Patience
from agents.drivers.contract import NotReached, Refused, changes
from agents.simulated.code_tables import edition
from controlplane.domain.tax_code import CodeFactsLike, digest_of
from controlplane.operations import device_words
from controlplane.wire.evidence import CodeFacts, CodePage, FlagFacts, TaxpayerFacts
from controlplane.wire.work import FetchCodes, FetchTaxpayer
from tests.agents import orders
from tests.agents.drivers.test_against_simulator import Bench
from tests.agents.simulated.practice import Practice, ask_http


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    practice = Practice(tmp_path_factory.mktemp("tables"))
    yield practice
    practice.close()


@pytest.fixture(scope="module")
def bench(practice: Practice) -> Iterator[Bench]:
    catalog = Catalog(Patience(connect=2.0, read=2.0), lambda: datetime.now(UTC))
    bench = Bench(catalog.driver("new_tax_server"), practice)
    bench.ready()
    bench.device_no = None
    yield bench
    catalog.close()


def test_a_taxpayer_as_the_bureau_knows_it_now(bench: Bench, practice: Practice) -> None:
    facts = bench.done(FetchTaxpayer(taxpayer_id=orders.TAXPAYER))
    assert isinstance(facts, TaxpayerFacts) and device_words.flaw(facts) == ""
    assert (facts.taxpayer_id, facts.taxpayer_kind, facts.may_issue) == (orders.TAXPAYER, "01", True)
    assert facts.name == "示例" and facts.registration_seq and facts.tax_authority_code.isdigit()
    profile = {"name": "改了名", "kind": "02", "may_issue": False, "flags": {"cpybs": "01", "ncpqy": "03"},
               "flag_days": {"cpybs": ["20260101", "20261231"]}}  # fmt: skip
    port = practice.bureau_facts["control_port"]
    assert ask_http(port, "PUT", f"/taxpayers/{orders.TAXPAYER}", profile)[0] == 200
    practice.restart_bureau()
    practice.restart_devices()
    bench.port = int(practice.devices_facts["tax_servers"][0]["port"])
    facts = bench.done(FetchTaxpayer(taxpayer_id=orders.TAXPAYER))
    assert isinstance(facts, TaxpayerFacts)
    assert (facts.name, facts.taxpayer_kind, facts.may_issue) == ("改了名", "02", False)
    assert facts.flags == [FlagFacts("cpybs", "01", "2026-01-01", "2026-12-31"), FlagFacts("ncpqy", "03")]


def test_a_taxpayer_nobody_knows_is_refused(bench: Bench) -> None:
    answer = bench.perform(bench.order(FetchTaxpayer(taxpayer_id="91990000MA0000077X")))
    assert isinstance(answer, Refused) and answer.code == "300002"


@pytest.mark.parametrize(("version", "most"), [("49.0", 500), ("", 250), ("50.0", 97)])
def test_a_whole_version_page_by_page(bench: Bench, version: str, most: int) -> None:
    rows: list[CodeFacts] = []
    while True:
        page = bench.done(FetchCodes(version=version, start=len(rows), most=most))
        assert isinstance(page, CodePage) and device_words.flaw(page) == ""
        assert page.start == len(rows) and len(page.rows) <= most and page.version == (version or "50.0")
        rows += page.rows
        if len(rows) == page.total:
            break
    told = edition(version)
    assert told is not None and [row.code for row in rows] == [row.code for row in told.rows] and len(rows) > 600
    assert page.digest == digest_of(CodeFactsLike(*(getattr(row, name) for name in CodeFactsLike._fields)) for row in rows)


def test_no_such_version_and_a_page_past_the_end(bench: Bench) -> None:
    assert isinstance(bench.perform(bench.order(FetchCodes(version="1.0", start=0, most=5))), Refused)
    page = bench.done(FetchCodes(version="50.0", start=5000, most=5))
    assert isinstance(page, CodePage) and page.rows == [] and page.total > 600


def test_both_are_readings_that_may_be_asked_again(bench: Bench, practice: Practice) -> None:
    asked = bench.order(FetchCodes(version="", start=0, most=5))
    assert not changes(asked) and not changes(bench.order(FetchTaxpayer(taxpayer_id=orders.TAXPAYER)))
    practice.bureau_is("down")
    assert isinstance(bench.perform(asked), Refused), "the bureau out of reach is a word of the device"
    practice.bureau_is("up")
    bench.port, port = 9, bench.port
    assert isinstance(bench.perform(bench.order(FetchCodes(version="", start=0, most=5))), NotReached)
    bench.port = port
