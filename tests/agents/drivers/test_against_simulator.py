"""The driver and the simulated tax server, written apart from the same page, understand each other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from agents.drivers.catalog import Catalog, Patience
from agents.drivers.contract import Answer, Attempt, Done, Driver, Found, Later, NeverExecuted, NoAnswer
from controlplane.wire.agents import DeviceAddress, Order
from controlplane.wire.evidence import (
    Company,
    DeviceCommissioned,
    Evidence,
    IssuedInvoice,
    Kinds,
    Rates,
    Segments,
    ServerFacts,
)
from controlplane.wire.work import (
    AddTerminal,
    ApplySegment,
    CalibrateDevice,
    CalibrateServer,
    CertifyDevice,
    CertifyServer,
    CommissionDevice,
    CommissionServer,
    DistributeSegment,
    FetchCompany,
    FetchKinds,
    FetchRates,
    ReceiveSegments,
    SynchroniseServer,
    Work,
)
from tests.agents import orders
from tests.agents.simulated.practice import Practice


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    practice = Practice(tmp_path_factory.mktemp("practice"))
    yield practice
    practice.close()


@pytest.fixture(scope="module")
def bench(practice: Practice) -> Iterator[Bench]:
    catalog = Catalog(Patience(connect=2.0, read=2.0), lambda: datetime.now(UTC))
    yield Bench(catalog.driver("new_tax_server"), practice)
    catalog.close()


class Bench:
    """Performs orders on the practice's tax server; keeps the number of the device it has made."""

    def __init__(self, driver: Driver, practice: Practice) -> None:
        self.driver = driver
        self.practice = practice
        self.port = int(practice.devices_facts["tax_servers"][0]["port"])
        self.device_no: str | None = None
        self._number = 0

    def order(self, work: Work) -> Order:
        self._number += 1
        name = f"{self._number:032d}"
        place = DeviceAddress(
            device_kind="new_tax_server", host="127.0.0.1", port=self.port, tax_server_no="S0", device_no=self.device_no
        )
        return Order(
            job_id=name, taxpayer_id=orders.TAXPAYER, serial=name, epoch=1, redelivered=False, address=place, work=work
        )

    def perform(self, asked: Order) -> Answer:
        until = time.monotonic() + 10
        while True:
            answer = self.driver.perform(Attempt(asked, 0.0, lambda: None))
            if not isinstance(answer, Later):
                return answer
            assert time.monotonic() < until
            time.sleep(0.05)

    def done(self, work: Work) -> Evidence:
        asked = self.order(work)
        answer = self.perform(asked)
        assert isinstance(answer, Done), answer
        return answer.evidence

    def ready(self) -> None:
        """A server and a device in service with numbers on terminal 0001; the whole way there."""
        if self.device_no is not None:
            return
        assert isinstance(self.done(SynchroniseServer()), ServerFacts)
        self.done(CalibrateServer())
        self.done(CommissionServer())
        facts = self.done(CertifyServer())
        assert isinstance(facts, ServerFacts) and facts.commissioned and facts.certified
        made = self.done(CommissionDevice(taxpayer_id=orders.TAXPAYER, taxpayer_name="示例", region="1100"))
        assert isinstance(made, DeviceCommissioned)
        self.device_no = made.device_no
        company = self.done(FetchCompany())
        assert isinstance(company, Company) and company.may_issue and company.taxpayer_id == orders.TAXPAYER
        self.done(CertifyDevice())
        kinds, rates = self.done(FetchKinds()), self.done(FetchRates())
        assert isinstance(kinds, Kinds) and "026" in {kind.kind for kind in kinds.kinds}
        assert isinstance(rates, Rates) and "0.06" in rates.rates
        self.done(CalibrateDevice())
        self.done(AddTerminal(terminal_code="0001", terminal_name="一号"))
        self.done(ApplySegment(kind="026", count=50))
        received = self.done(ReceiveSegments(kind="026"))
        assert isinstance(received, Segments)
        (segment,) = received.segments
        distributed = self.done(
            DistributeSegment(
                kind="026",
                invoice_code=segment.invoice_code,
                start_no=segment.start_no,
                count=segment.left,
                terminal_code="0001",
            )
        )
        assert isinstance(distributed, Segments) and distributed.segments[0].terminal_code == "0001"


def test_from_nothing_to_an_uploaded_invoice(bench: Bench, practice: Practice) -> None:
    bench.ready()
    asked = bench.order(orders.invoice())
    answer = bench.perform(asked)
    assert isinstance(answer, Done) and isinstance(answer.evidence, IssuedInvoice)
    assert bench.driver.recall(asked) == Found(answer.evidence), "content, totals and digest are what we sent"
    until = time.monotonic() + 10
    while True:
        seen = bench.driver.observe(asked.address, 0)
        assert seen.reachable and seen.last_index >= 1 and time.monotonic() < until, seen
        if seen.uploads:
            break
        time.sleep(0.05)
    assert seen.uploads[0].status == "uploaded" and seen.uploads[0].receipt_no
    assert abs(seen.clock_offset_seconds or 0) < 1.5 and seen.bureau_online


def test_never_executed(bench: Bench) -> None:
    bench.ready()
    for work in (orders.invoice(), AddTerminal(terminal_code="x", terminal_name="x"), ReceiveSegments(kind="026")):
        assert isinstance(bench.driver.recall(bench.order(work)), NeverExecuted)


@pytest.mark.parametrize("kind", ["answer_lost", "half_answer"])
def test_answer_lost(bench: Bench, practice: Practice, kind: str) -> None:
    bench.ready()
    assert bench.device_no is not None
    practice.faults(bench.device_no, {"kind": kind, "calls": ["GP_FPKJ", "TP_ZDXZ"], "times": 2})
    asked = bench.order(orders.invoice())
    terminal = bench.order(AddTerminal(terminal_code=kind[:4], terminal_name="二号"))
    assert isinstance(bench.perform(asked), NoAnswer) and isinstance(bench.perform(terminal), NoAnswer)
    assert isinstance(bench.driver.recall(asked), Found) and isinstance(bench.driver.recall(terminal), Found)


def test_sent_and_not_executed(bench: Bench, practice: Practice) -> None:
    bench.ready()
    assert bench.device_no is not None
    practice.faults(bench.device_no, {"kind": "sent_not_executed", "calls": ["GP_FPKJ"], "times": 1})
    asked = bench.order(orders.invoice())
    assert isinstance(bench.perform(asked), NoAnswer)
    assert isinstance(bench.driver.recall(asked), NeverExecuted)
    assert isinstance(bench.perform(asked), Done)
