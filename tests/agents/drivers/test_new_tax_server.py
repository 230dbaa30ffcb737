"""The GP dialect against the scripted tax server: what goes out, what comes back, which ending is which answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from agents.drivers.catalog import Catalog, Patience, UnknownKind
from agents.drivers.contract import (
    Answer,
    Attempt,
    Busy,
    Done,
    Driver,
    Found,
    Later,
    NeverExecuted,
    NoAnswer,
    NotReached,
    Refused,
    Taken,
    Unreadable,
)
from controlplane.wire.agents import Order
from controlplane.wire.evidence import Applied, DeviceCommissioned, Kinds, Segments, ServerFacts
from controlplane.wire.work import (
    ApplySegment,
    CalibrateServer,
    CommissionDevice,
    CommissionServer,
    FetchKinds,
    ReceiveSegments,
    SynchroniseServer,
)
from tests.agents.orders import DEVICE, address, order
from tests.agents.peers.tax_server import Misdeed, TaxServer

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def driver() -> Iterator[Driver]:
    catalog = Catalog(Patience(connect=0.5, read=0.3), lambda: datetime.now(UTC))
    yield catalog.driver("new_tax_server")
    catalog.close()


def perform(driver: Driver, asked: Order, elapsed: float = 0.0) -> Answer:
    return driver.perform(Attempt(asked, elapsed, lambda: None))


def test_catalog_makes_each_driver_once() -> None:
    catalog = Catalog(Patience(), lambda: NOW)
    assert catalog.driver("new_tax_server") is catalog.driver("new_tax_server")
    with pytest.raises(UnknownKind):
        catalog.driver("teapot")


def test_intent_comes_before_the_changing_call_and_not_before_reading(driver: Driver, tax_server: TaxServer) -> None:
    seen: list[list[str]] = []
    attempt = Attempt(order(tax_server), 0.0, lambda: seen.append([call for call, _, _ in tax_server.trace]))
    assert isinstance(driver.perform(attempt), Done)
    assert seen == [["GP_DQFPCX"]]


def test_no_intent_no_call(driver: Driver, tax_server: TaxServer) -> None:
    def refuse() -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        driver.perform(Attempt(order(tax_server), 0.0, refuse))
    assert tax_server.calls("GP_FPKJ") == 0


@pytest.mark.parametrize(
    ("misdeed", "kind"),
    [
        (Misdeed("say", "7503"), Busy),
        (Misdeed("say", "1000"), Taken),
        (Misdeed("say", "0001"), Taken),
        (Misdeed("say", "9999"), NoAnswer),
        (Misdeed("say", "9998"), Refused),
        (Misdeed("say", "2000"), Refused),
        (Misdeed("drop"), NoAnswer),
        (Misdeed("late", 0.5), NoAnswer),
    ],
    ids=lambda value: str(value),
)
def test_endings_of_a_sign(driver: Driver, tax_server: TaxServer, misdeed: Misdeed, kind: type) -> None:
    tax_server.misbehave("GP_FPKJ", misdeed)
    assert isinstance(perform(driver, order(tax_server)), kind)


def test_serial_known_with_other_content_is_looked_up(driver: Driver, tax_server: TaxServer) -> None:
    fresh, known = order(tax_server), order(tax_server)
    tax_server.misbehave("GP_FPKJ", Misdeed("say", "9990"))
    assert perform(driver, fresh) == Refused("9990", "原文")
    perform(driver, known)
    tax_server.misbehave("GP_FPKJ", Misdeed("say", "9990"))
    assert isinstance(perform(driver, known), NoAnswer)


def test_nobody_there(driver: Driver, tax_server: TaxServer) -> None:
    tax_server.down()
    assert isinstance(perform(driver, order(tax_server)), NotReached)
    recalled = driver.recall(order(tax_server))
    assert isinstance(recalled, Unreadable) and not recalled.sent


def test_a_kept_connection_closed_meanwhile_is_replaced(driver: Driver, tax_server: TaxServer) -> None:
    assert isinstance(perform(driver, order(tax_server)), Done)
    tax_server.down()
    tax_server.up()
    assert isinstance(perform(driver, order(tax_server)), Done)


def test_facts_of_the_server(driver: Driver, tax_server: TaxServer) -> None:
    answer = perform(driver, order(tax_server, SynchroniseServer(), device_no=None))
    assert isinstance(answer, Done) and isinstance(answer.evidence, ServerFacts)
    facts = answer.evidence
    assert (facts.tax_server_no, facts.quota_total, facts.quota_left) == ("499000000001", 100, 60)
    assert facts.commissioned and facts.certified and facts.certificate_not_after == "2031-12-31T15:59:59.000Z"
    assert abs(facts.clock_offset_seconds) < 1.5


def test_nothing_to_calibrate_is_good_news(driver: Driver, tax_server: TaxServer) -> None:
    answer = perform(driver, order(tax_server, CalibrateServer(), device_no=None))
    assert isinstance(answer, Done) and isinstance(answer.evidence, ServerFacts)


def test_a_change_without_answer_is_recalled_by_its_serial(driver: Driver, tax_server: TaxServer) -> None:
    tax_server.misbehave("TP_FWQFX", "lose", "drop")
    executed = order(tax_server, CommissionServer(), device_no=None)
    assert isinstance(perform(driver, executed), NoAnswer)
    assert isinstance(driver.recall(executed), Found)
    lost = order(tax_server, CommissionServer(), device_no=None)
    assert isinstance(perform(driver, lost), NoAnswer)
    assert isinstance(driver.recall(lost), NeverExecuted)


def test_a_change_whose_facts_could_not_be_read_is_not_unreachable(driver: Driver, tax_server: TaxServer) -> None:
    """Commissioned, then the server went away before it was read: that is not 'nothing happened'."""
    tax_server.before = lambda code, body: tax_server.down() if code == "TP_FWQXX" else None
    asked = order(tax_server, CommissionServer(), device_no=None)
    assert isinstance(perform(driver, asked), NoAnswer)


def test_a_new_device(driver: Driver, tax_server: TaxServer) -> None:
    work = CommissionDevice(taxpayer_id="91310000MA1FL00001", taxpayer_name="示例", region="3100")
    answer = perform(driver, order(tax_server, work, device_no=None))
    assert answer == Done(DeviceCommissioned(device_no="500000000000", quota_left=59))


def test_kinds(driver: Driver, tax_server: TaxServer) -> None:
    answer = perform(driver, order(tax_server, FetchKinds()))
    assert isinstance(answer, Done) and isinstance(answer.evidence, Kinds)
    (kind,) = answer.evidence.kinds
    assert (kind.kind, kind.upload_deadline_day, kind.single_limit) == ("026", 15, "100000.00")


def test_apply_and_receive(driver: Driver, tax_server: TaxServer) -> None:
    applied = perform(driver, order(tax_server, ApplySegment(kind="026", count=100)))
    assert applied == Done(Applied(application_no="S1"))
    received = perform(driver, order(tax_server, ReceiveSegments(kind="026")))
    assert isinstance(received, Done) and isinstance(received.evidence, Segments)
    assert [call for call, _, _ in tax_server.trace][-4:] == ["GP_FPDXCX", "GP_FPWSGPLR", "TP_LPQR", "GP_LGXXCX"]


def test_receive_goes_on_where_it_stood(driver: Driver, tax_server: TaxServer) -> None:
    grants = tax_server.device(DEVICE).grants
    grants += [{"LPBH": "A", "LPZT": 2}, {"LPBH": "B", "LPZT": 1}, {"LPBH": "C", "LPZT": 0}]
    asked = order(tax_server, ReceiveSegments(kind="026"))
    assert isinstance(driver.recall(asked), NeverExecuted)
    assert isinstance(perform(driver, asked), Done)
    assert (tax_server.calls("GP_FPWSGPLR"), tax_server.calls("TP_LPQR")) == (1, 2)
    assert [grant["LPZT"] for grant in grants] == [2, 2, 2]
    assert isinstance(driver.recall(asked), Found)
    other = order(tax_server, ReceiveSegments(kind="026"))
    assert isinstance(driver.recall(other), NeverExecuted), "what another order confirmed is not ours"


def test_receive_waits_for_the_bureau_and_then_says_so(driver: Driver, tax_server: TaxServer) -> None:
    asked = order(tax_server, ReceiveSegments(kind="026"))
    assert isinstance(perform(driver, asked, elapsed=1.0), Later)
    refused = perform(driver, asked, elapsed=25.0)
    assert isinstance(refused, Refused) and refused.code == "nothing_granted"


def test_receive_that_is_taken_is_polled(driver: Driver, tax_server: TaxServer) -> None:
    tax_server.device(DEVICE).grants.append({"LPBH": "A", "LPZT": 0})
    tax_server.misbehave("GP_FPWSGPLR", Misdeed("say", "1000"))
    asked = order(tax_server, ReceiveSegments(kind="026"))
    assert isinstance(perform(driver, asked), Taken)
    tax_server.misbehave("GP_YBJGCX", Misdeed("say", "1000"))
    assert isinstance(driver.poll(asked), Taken)
    assert isinstance(driver.poll(asked), Later)
    assert isinstance(perform(driver, asked), Done)


def test_observation(driver: Driver, tax_server: TaxServer) -> None:
    for _ in range(3):
        perform(driver, order(tax_server))
    device = tax_server.device(DEVICE)
    device.uploaded, device.clock_offset = 2, 400
    seen = driver.observe(address(tax_server), 0)
    assert seen.reachable and seen.bureau_online and seen.last_index == 3
    assert seen.clock_offset_seconds is not None and abs(seen.clock_offset_seconds - 400) < 1.5
    assert [(upload.index, upload.status) for upload in seen.uploads] == [(1, "uploaded"), (2, "uploaded")]
    assert seen.uploads[0].receipt_no == "R" * 32 and seen.uploads[0].at == "2026-01-01T19:04:05.000Z"
    (segment,) = seen.segments
    assert (segment.next_no, segment.left, segment.terminal_code) == ("00000004", 4997, "0001")
    assert [upload.index for upload in driver.observe(address(tax_server), 1).uploads] == [2]


def test_a_device_that_cannot_be_read_is_seen_as_such(driver: Driver, tax_server: TaxServer) -> None:
    tax_server.misbehave("GP_LGXXCX", "drop", "drop")
    seen = driver.observe(address(tax_server), 0)
    assert not seen.reachable and seen.clock_offset_seconds is None and seen.message
    tax_server.misbehave("GP_JKXX", Misdeed("say", "200003"))
    seen = driver.observe(address(tax_server), 0)
    assert seen.reachable and seen.message == "200003: 原文"
