"""Formal certificates, renewal and the end of a device, by the driver against the simulated tax server and bureau."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from agents.drivers.catalog import Catalog, Patience
from agents.drivers.contract import Done, Found, NeverExecuted, NoAnswer, Refused
from controlplane.wire.evidence import Certified, Nothing, ServerFacts
from controlplane.wire.work import (
    CancelDevice,
    CertifyDevice,
    CertifyServer,
    CommissionDevice,
    CommissionServer,
    FetchCompany,
    RenewServer,
    RequestFormal,
    SynchroniseFormal,
    SynchroniseServer,
    Work,
)
from tests.agents import orders
from tests.agents.drivers.test_against_simulator import Bench
from tests.agents.simulated.practice import Practice, serial

NEW = CommissionDevice(taxpayer_id=orders.TAXPAYER, taxpayer_name="示例", region="1100")


@pytest.fixture
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    practice = Practice(tmp_path_factory.mktemp("practice"), grant_delay=20.0)
    yield practice
    practice.close()


@pytest.fixture
def bench(practice: Practice) -> Iterator[Bench]:
    catalog = Catalog(Patience(connect=2.0, read=4.0), lambda: datetime.now(UTC))
    yield Bench(catalog.driver("new_tax_server"), practice)
    catalog.close()


def facts(bench: Bench, work: Work) -> ServerFacts:
    found = bench.done(work)
    assert isinstance(found, ServerFacts)
    return found


def refused(bench: Bench, work: Work) -> tuple[str, str]:
    answer = bench.perform(bench.order(work))
    assert isinstance(answer, Refused), answer
    return answer.code, answer.message


def moment(text: str | None) -> datetime:
    assert text is not None
    return datetime.fromisoformat(text)


def test_from_the_temporary_to_the_formal_certificate(bench: Bench, practice: Practice) -> None:
    assert facts(bench, SynchroniseServer()).certificate_stage == "none"
    assert refused(bench, RequestFormal())[0] == "200001"
    assert refused(bench, RenewServer())[0] == "200001"
    bench.done(CommissionServer())
    certified = facts(bench, CertifyServer())
    assert (certified.certificate_stage, certified.certificate_status) == ("temporary", "00")
    assert abs((datetime.now(UTC) - moment(certified.certificate_issued_at)).total_seconds()) < 60
    assert refused(bench, SynchroniseFormal())[0] == "200001"
    requested = facts(bench, RequestFormal())
    assert requested.certificate_stage == "formal_requested" and requested.formal_requested_at
    code, message = refused(bench, SynchroniseFormal())
    assert code == "300002" and "尚未签发" in message
    again = facts(bench, RequestFormal())
    assert again.formal_requested_at == requested.formal_requested_at, "one application, however often it is asked for"
    time.sleep(0.5)
    asked = bench.order(SynchroniseFormal())
    answer = bench.perform(asked)
    assert isinstance(answer, Done) and isinstance(answer.evidence, ServerFacts)
    assert answer.evidence.certificate_stage == "formal_synced" and answer.evidence.formal_synced_at
    found = bench.driver.recall(asked)
    assert isinstance(found, Found) and isinstance(found.evidence, ServerFacts)
    assert refused(bench, RequestFormal())[0] == "200001"
    practice.restart_devices()
    bench.port = int(practice.devices_facts["tax_servers"][0]["port"])
    renewed = facts(bench, RenewServer())
    assert renewed.certificate_stage == "formal_synced", "renewing keeps the stage, and a restart forgets nothing"
    assert moment(renewed.certificate_issued_at) >= moment(answer.evidence.certificate_issued_at)


def in_service(bench: Bench) -> None:
    bench.done(CommissionServer())
    bench.done(CertifyServer())
    made = bench.done(NEW)
    bench.device_no = made.device_no  # type: ignore[union-attr]
    bench.done(FetchCompany())
    certified = bench.done(CertifyDevice())
    assert isinstance(certified, Certified) and moment(certified.issued_at) < moment(certified.not_after)


def test_a_device_is_cancelled_once_and_for_ever(bench: Bench, practice: Practice) -> None:
    in_service(bench)
    before = facts_of_server(bench)
    asked = bench.order(CancelDevice())
    assert isinstance(bench.driver.recall(asked), NeverExecuted)
    assert bench.perform(asked) == Done(Nothing())
    assert bench.perform(asked) == Done(Nothing()), "the same serial gets the same answer"
    assert bench.driver.recall(asked) == Found(Nothing())
    assert refused(bench, CancelDevice())[0] == "200005" and refused(bench, CertifyDevice())[0] == "200005"
    assert refused(bench, FetchCompany())[0] == "200005"
    practice.restart_devices()
    bench.port = int(practice.devices_facts["tax_servers"][0]["port"])
    assert refused(bench, FetchCompany())[0] == "200005"
    assert facts_of_server(bench).quota_left == before.quota_left + 1, "its place is free again"


def facts_of_server(bench: Bench) -> ServerFacts:
    device_no, bench.device_no = bench.device_no, None
    found = facts(bench, SynchroniseServer())
    bench.device_no = device_no
    return found


@pytest.mark.parametrize("kind", ["answer_lost", "sent_not_executed"])
def test_an_answer_that_is_lost_is_read_back(bench: Bench, practice: Practice, kind: str) -> None:
    in_service(bench)
    assert bench.device_no is not None
    practice.faults(bench.device_no, {"kind": kind, "calls": ["TP_XNSBZX"], "times": 1})
    asked = bench.order(CancelDevice())
    assert isinstance(bench.perform(asked), NoAnswer)
    recalled = bench.driver.recall(asked)
    assert recalled == Found(Nothing()) if kind == "answer_lost" else isinstance(recalled, NeverExecuted)
    assert bench.perform(asked) == Done(Nothing())


def test_what_is_left_keeps_a_device(bench: Bench, practice: Practice) -> None:
    wire = practice.server_ready()
    device_no = practice.device_ready(wire, numbers=3)
    bench.device_no = device_no
    code, message = refused(bench, CancelDevice())
    assert code == "200004" and "未用号码 3 份" in message
    wire.good("GP_FPSG", LSH=serial(), XNSBH=device_no, FPLXDM="028", SLSL=5)
    assert not practice.state(device_no)["cancelled"]


def test_the_bureau_checks_as_well(bench: Bench, practice: Practice) -> None:
    """Granted and not received: the device knows of nothing, the bureau does."""
    in_service(bench)
    assert bench.device_no is not None
    wire = practice.wire()
    wire.good("GP_FPSG", LSH=serial(), XNSBH=bench.device_no, FPLXDM="026", SLSL=5)
    time.sleep(0.5)
    wire.good("GP_FPDXCX", XNSBH=bench.device_no, FPLXDM="026")
    code, message = refused(bench, CancelDevice())
    assert code == "300002" and "未领用" in message
    assert not practice.state(bench.device_no)["cancelled"]
