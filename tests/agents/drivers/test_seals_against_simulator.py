"""Seals, releases and secure proxies: driver and simulated tax server over real sockets, endings lost and found."""

from __future__ import annotations

import base64
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.drivers.catalog import Catalog, Patience
from agents.drivers.contract import (
    Answer,
    Attempt,
    Busy,
    Done,
    Driver,
    Found,
    NeverExecuted,
    NoAnswer,
    Refused,
    StillWorking,
    Taken,
)
from controlplane.operations import seal_signatures
from controlplane.wire.agents import DeviceAddress, Order
from controlplane.wire.evidence import Evidence, ProxyFacts, Releases, SealFacts, SealTested, ServerFacts, Upgraded
from controlplane.wire.work import (
    CertifyServer,
    CheckRelease,
    CommissionServer,
    ConfigureProxy,
    ProxyArea,
    ReadProxy,
    SealApply,
    SealDownload,
    SealKey,
    SealTest,
    SealUpload,
    SynchroniseServer,
    UpgradeRelease,
    Work,
)
from tests.agents.simulated.practice import Practice, invoice, serial

AREA = "1100"
NEXT = {"tax_server": "SKFWQ-SIM-1.1.0", "secure_proxy": "AQDL-SIM-2.1.0"}
DOCUMENT = "taxplane canary\ntime 2026-11-22T03:00:00.000Z\nnonce 00ff\n"


class Bench:
    """Performs orders for the practice's tax server itself."""

    def __init__(self, practice: Practice, driver: Driver, certified: bool = True) -> None:
        self.practice, self.driver = practice, driver
        self.port = int(practice.devices_facts["tax_servers"][0]["port"])
        if certified:
            self.done(CommissionServer())
            self.done(CertifyServer())

    def order(self, work: Work) -> Order:
        name = serial("D")
        place = DeviceAddress(
            device_kind="new_tax_server", host="127.0.0.1", port=self.port, tax_server_no="S0", device_no=None
        )
        return Order(job_id=name, taxpayer_id="-", serial=name, epoch=1, redelivered=False, address=place, work=work)

    def perform(self, asked: Order) -> Answer:
        """Perform, and poll to the end what the device took in hand."""
        answer = self.driver.perform(Attempt(asked, 0.0, lambda: None))
        until = time.monotonic() + 10
        while isinstance(answer, Taken):
            assert time.monotonic() < until
            time.sleep(0.05)
            answer = self.driver.poll(asked)
        return answer

    def done(self, work: Work) -> Evidence:
        answer = self.perform(self.order(work))
        assert isinstance(answer, Done), answer
        return answer.evidence

    def refused(self, work: Work) -> str:
        answer = self.perform(self.order(work))
        assert isinstance(answer, Refused), answer
        return answer.code

    # --- seals

    def key(self) -> SealFacts:
        told = self.done(SealKey(area_code=AREA))
        assert isinstance(told, SealFacts) and told.step == "key_fetched"
        return told

    def apply(self, key: SealFacts) -> str:
        told = self.done(application(key.key_index))
        assert isinstance(told, SealFacts) and told.application_no
        return told.application_no

    def download(self, application_no: str) -> SealFacts:
        told = self.done(SealDownload(area_code=AREA, application_no=application_no))
        assert isinstance(told, SealFacts)
        return told

    def decided(self, application_no: str) -> SealFacts:
        until = time.monotonic() + 5
        while (told := self.download(application_no)).bureau_status == "applied":
            assert time.monotonic() < until
            time.sleep(0.02)
        return told

    def uploaded(self) -> tuple[SealFacts, str]:
        """A seal that is ready to be tested: its key, and its application."""
        key = self.key()
        number = self.apply(key)
        assert self.decided(number).step == "downloaded"
        self.done(SealUpload(area_code=AREA, application_no=number))
        return key, number

    def canary(self, number: str) -> SealTested:
        told = self.done(SealTest(area_code=AREA, application_no=number, document=DOCUMENT))
        assert isinstance(told, SealTested)
        return told

    # --- releases

    def check(self, product: str) -> Releases:
        told = self.done(CheckRelease(product=product))  # type: ignore[arg-type]
        assert isinstance(told, Releases)
        return told

    def upgrade(self, product: str) -> Upgraded:
        told = self.done(UpgradeRelease(product=product, version=NEXT[product]))  # type: ignore[arg-type]
        assert isinstance(told, Upgraded)
        return told


def application(index: str) -> SealApply:
    return SealApply(
        area_code=AREA, key_index=index, seal_name="监制章", handler_name="王小明", handler_mobile="13812345678",
        handler_id="44010119900101123X",
    )  # fmt: skip


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    catalog = Catalog(Patience(connect=2.0, read=4.0), lambda: datetime.now(UTC))
    yield catalog.driver("new_tax_server")
    catalog.close()


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    practice = Practice(tmp_path)
    yield practice
    practice.close()


@pytest.fixture
def bench(practice: Practice, driver: Driver) -> Bench:
    return Bench(practice, driver)


def test_a_canary_signed_by_the_device_verifies_here(bench: Bench) -> None:
    key, number = bench.uploaded()
    tested = bench.canary(number)
    assert tested.public_key == key.public_key
    assert seal_signatures.fault(key.public_key, DOCUMENT, tested) is None
    assert seal_signatures.fault(key.public_key, DOCUMENT + " ", tested) is not None, "of this document only"


def test_a_wrong_signature_is_found_here(bench: Bench, practice: Practice) -> None:
    key, number = bench.uploaded()
    practice.faults("S0", {"kind": "wrong_seal_signature", "times": 1})
    problem = seal_signatures.fault(key.public_key, DOCUMENT, bench.canary(number))
    assert problem is not None and problem.code == "seal_signature_wrong"
    assert seal_signatures.fault(key.public_key, DOCUMENT, bench.canary(number)) is None


def test_every_step_too_early_is_refused_by_the_device(practice: Practice, driver: Driver) -> None:
    bench = Bench(practice, driver, certified=False)
    assert bench.refused(SealKey(area_code=AREA)) == "200001"
    bench = Bench(practice, driver)
    assert bench.refused(application("MY0001")) == "200001"
    key = bench.key()
    assert bench.refused(SealDownload(area_code=AREA, application_no="YZ1")) == "200001"
    number = bench.apply(key)
    assert bench.refused(SealUpload(area_code=AREA, application_no=number)) == "200001"
    assert bench.decided(number).step == "downloaded"
    assert bench.refused(SealTest(area_code=AREA, application_no=number, document="x")) == "200001"
    assert bench.refused(SealUpload(area_code="3100", application_no=number)) == "200001", "of another area"
    bench.done(SealUpload(area_code=AREA, application_no=number))


def test_the_bureau_takes_its_time_and_may_refuse(tmp_path: Path, driver: Driver) -> None:
    practice = Practice(tmp_path, speed=1, grant_delay=0.6)
    try:
        bench = Bench(practice, driver)
        practice.bureau_faults({"kind": "application_refused", "calls": ["SEAL"], "times": 1})
        key = bench.key()
        number = bench.apply(key)
        waiting = bench.download(number)
        assert (waiting.step, waiting.bureau_status) == ("applied", "applied") and waiting.not_after is None
        refused = bench.decided(number)
        assert (refused.step, refused.bureau_status) == ("applied", "refused") and "经办人" in refused.message
        again = bench.apply(key)
        assert again != number
        granted = bench.decided(again)
        assert granted.step == "downloaded" and granted.not_after is not None and granted.not_after > "2026"
    finally:
        practice.close()


def test_lost_answers_are_found_under_their_serial(bench: Bench, practice: Practice) -> None:
    practice.faults("S0", {"kind": "answer_lost", "calls": ["TP_YZMY", "TP_YZSQ"], "times": 2})
    asked = bench.order(SealKey(area_code=AREA))
    assert isinstance(bench.perform(asked), NoAnswer)
    found = bench.driver.recall(asked)
    assert isinstance(found, Found) and isinstance(found.evidence, SealFacts)
    assert isinstance(bench.driver.recall(bench.order(SealKey(area_code=AREA))), NeverExecuted)
    applied = bench.order(application(found.evidence.key_index))
    assert isinstance(bench.perform(applied), NoAnswer)
    again = bench.driver.recall(applied)
    assert isinstance(again, Found)
    assert bench.perform(applied) == Done(again.evidence), "the same serial, the same application"


def test_seals_survive_a_restart_and_keys_stay_inside(bench: Bench, practice: Practice, driver: Driver) -> None:
    key, number = bench.uploaded()
    practice.restart_devices()
    bench = Bench(practice, driver, certified=False)
    assert seal_signatures.fault(key.public_key, DOCUMENT, bench.canary(number)) is None
    with closing(sqlite3.connect(practice.folder / "d" / "devices.sqlite")) as memory:
        ((secret,),) = memory.execute("SELECT private_key FROM seals").fetchall()
        answers = b"".join(row[0] for row in memory.execute("SELECT answer FROM answers"))
    said = answers + (practice.folder / "b" / "bureau.sqlite").read_bytes()
    said += b"".join(path.read_bytes() for path in (practice.folder / "b").glob("*-wal"))
    said += repr(bench.canary(number)).encode() + repr(key).encode()
    assert key.public_key.encode() in said and len(secret) == 32
    for form in (secret, secret.hex().encode(), base64.b64encode(secret).rstrip(b"=")):
        assert form not in said


# --- releases


@pytest.mark.parametrize("product", NEXT)
def test_upgraded_after_a_check(bench: Bench, product: str) -> None:
    before = bench.check(product)
    assert [one.version for one in before.releases][-1] == NEXT[product] and before.current != NEXT[product]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", one.released_on) and one.notes for one in before.releases)
    told = bench.upgrade(product)
    assert (told.version, told.self_test, told.rolled_back) == (NEXT[product], "passed", False)
    assert bench.check(product).current == NEXT[product]
    facts = bench.done(SynchroniseServer())
    assert isinstance(facts, ServerFacts)
    assert (facts.kernel_version == NEXT["tax_server"]) == (product == "tax_server")


@pytest.mark.parametrize("product", NEXT)
def test_a_failed_self_test_is_put_back(bench: Bench, practice: Practice, product: str) -> None:
    before = bench.check(product).current
    practice.faults("S0", {"kind": "self_test_failed", "times": 1})
    told = bench.upgrade(product)
    assert (told.version, told.self_test, told.rolled_back) == (before, "failed", True) and "自检失败" in told.message
    assert bench.check(product).current == before
    assert bench.upgrade(product).version == NEXT[product]


def test_a_long_upgrade_is_taken_in_hand_and_devices_wait(tmp_path: Path, driver: Driver) -> None:
    practice = Practice(tmp_path, speed=1)
    try:
        bench = Bench(practice, driver)
        wire = practice.wire()
        device_no = practice.device_ready(wire)
        asked = bench.order(UpgradeRelease(product="tax_server", version=NEXT["tax_server"]))
        assert isinstance(driver.perform(Attempt(asked, 0.0, lambda: None)), Taken)
        assert isinstance(driver.recall(asked), StillWorking)
        assert wire("GP_FPKJ", **invoice(device_no, serial()))["CODE"] == "7503"
        assert isinstance(bench.perform(bench.order(SealKey(area_code=AREA))), Busy)
        answer = bench.perform(asked)
        assert isinstance(answer, Done) and isinstance(answer.evidence, Upgraded)
        assert answer.evidence.version == NEXT["tax_server"]
        assert wire("GP_FPKJ", **invoice(device_no, serial()))["CODE"] == "0000"
    finally:
        practice.close()


def test_a_version_nobody_announced_is_refused(bench: Bench) -> None:
    assert bench.refused(UpgradeRelease(product="tax_server", version="9.9")) == "300002"


def test_without_the_bureau_nothing_is_known_of_releases(bench: Bench, practice: Practice) -> None:
    practice.bureau_is("down")
    assert bench.refused(CheckRelease(product="tax_server")) == "300001"


# --- secure proxies


def test_a_proxy_is_configured_and_reports_it(bench: Bench, practice: Practice) -> None:
    factory = bench.done(ReadProxy())
    assert isinstance(factory, ProxyFacts) and factory.running and factory.areas == 0
    areas = [ProxyArea(area_code="1100", address="tls://a.test:443"), ProxyArea(area_code="4400", address="tcp://b:1")]
    wanted = ConfigureProxy(
        max_connections=1, socket_connections=2, offline_interval_hours=6, log_level=3, use_platform_key=True,
        areas=areas,
    )  # fmt: skip
    told = bench.done(wanted)
    assert isinstance(told, ProxyFacts)
    settings = (told.max_connections, told.socket_connections, told.offline_interval_hours, told.log_level)
    assert settings == (1, 2, 6, 3) and told.use_platform_key and told.areas == 2
    assert told.connections == told.max_connections, "what is at its maximum shows as such"
    practice.restart_devices()
    again = Bench(practice, bench.driver, certified=False).done(ReadProxy())
    assert again == told


def test_a_configuration_without_addresses_is_refused(bench: Bench) -> None:
    wanted = ConfigureProxy(
        max_connections=1, socket_connections=2, offline_interval_hours=6, log_level=3, use_platform_key=True, areas=[]
    )
    assert bench.refused(wanted) == "092400"
