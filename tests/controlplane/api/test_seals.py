"""Through the front door to a simulated tax server and back: seals, releases, proxies; and no private byte anywhere."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy

from agents.drivers.catalog import Catalog, Patience
from agents.drivers.contract import Attempt, Done, Driver, Taken
from controlplane.domain.refusals import CATALOGUE
from controlplane.wire import agents as wire
from controlplane.wire import evidence, work
from tests.agents.simulated.practice import Practice
from tests.controlplane.api.house import House

ROOM = (
    work.SealKey | work.SealApply | work.SealDownload | work.SealUpload | work.SealTest | work.CheckRelease
    | work.UpgradeRelease | work.ReadProxy | work.ConfigureProxy
)  # fmt: skip
HANDLER = {"handler_name": "王小明", "handler_mobile": "13812345678", "handler_id": "44010119900101123X"}
STEPS = ("fetch_key", "apply", "download", "upload", "test")


class Wired:
    """Carries the orders of this room to the simulated tax server, whatever address stands in them."""

    def __init__(self, driver: Driver, practice: Practice) -> None:
        self.driver, self.port = driver, int(practice.devices_facts["tax_servers"][0]["port"])

    def evidence(self, order: wire.Order) -> evidence.Evidence | None:
        if not isinstance(order.work, ROOM):
            return None
        address = msgspec.structs.replace(order.address, host="127.0.0.1", port=self.port)
        asked = msgspec.structs.replace(order, address=address)
        answer = self.driver.perform(Attempt(asked, 0.0, lambda: None))
        while isinstance(answer, Taken):
            time.sleep(0.05)
            answer = self.driver.poll(asked)
        assert isinstance(answer, Done), answer
        return answer.evidence


class Desk:
    """An operator at the API; remembers every byte that was answered."""

    def __init__(self, house: House, practice: Practice) -> None:
        self.house, self.practice = house, practice
        self.seen: list[bytes] = []

    def send(self, method: str, path: str, body: Any = None, role: str = "operator") -> tuple[int, Any]:
        raw = json.dumps(body).encode() if body is not None else None
        status, content = self.house.bytes_of(method, path, raw, role)
        self.seen.append(content)
        return status, json.loads(content)

    def act(self, path: str, verb: str, role: str = "operator", **given: Any) -> dict[str, Any]:
        """Do a verb and let the agent work; the record afterwards."""
        version = self.send("GET", path)[1]["version"]
        body = {"reason": "for the test", "version": version, **given}
        status, told = self.send("POST", f"{path}/{verb}", body, role)
        assert status == 202, told
        self.house.agent.work_off()
        return dict(self.send("GET", path)[1])

    def seal(self) -> str:
        body = {"tax_server_id": self.house.server_id, "area_code": "4400", "seal_name": "监制章"}
        status, told = self.send("POST", "/v1/seals", body)
        assert status == 201, told
        return f"/v1/seals/{told['id']}"

    def through(self, path: str, *steps: str) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for step in steps:
            shown = self.act(path, step, **(HANDLER if step == "apply" else {}))
            while step == "download" and shown["state"] == "applied":
                time.sleep(0.02)
                shown = self.act(path, step)
        return shown


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    practice = Practice(tmp_path / "practice")
    practice.server_ready()
    yield practice
    practice.close()


@pytest.fixture
def desk(house: House, practice: Practice) -> Iterator[Desk]:
    catalog = Catalog(Patience(connect=2.0, read=4.0), lambda: datetime.now(UTC))
    house.agent.desks.append(Wired(catalog.driver("new_tax_server"), practice))
    yield Desk(house, practice)
    catalog.close()


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> None:
    (tmp_path / "practice").mkdir()


def _bytes_of_the_ledger(house: House) -> bytes:
    """Every value of every table; on SQLite the files themselves too."""
    kept = json.dumps(house.scene.dump(but=()), ensure_ascii=False).encode()
    url = sqlalchemy.make_url(house.scene.ledger.url)
    if url.get_backend_name() == "sqlite":
        place = Path(str(url.database))
        kept += b"".join(path.read_bytes() for path in place.parent.glob(f"{place.name}*"))
    return kept


def _private_keys(practice: Practice) -> list[bytes]:
    with contextlib.closing(sqlite3.connect(practice.folder / "d" / "devices.sqlite")) as memory:
        return [row[0] for row in memory.execute("SELECT private_key FROM seals")]


def _forms(secret: bytes) -> list[bytes]:
    hexed = secret.hex().encode()
    encoded = base64.b64encode(secret).rstrip(b"=")
    number = str(int.from_bytes(secret, "big")).encode()
    return [secret, hexed, hexed.upper(), encoded, base64.urlsafe_b64encode(secret).rstrip(b"="),
            hexed.decode().encode("utf-16-le"), number]  # fmt: skip


def test_a_seal_comes_to_use_is_replaced_by_two_and_leaks_nothing(
    desk: Desk, house: House, practice: Practice, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    old = desk.seal()
    for place, step in enumerate(STEPS):
        for early in STEPS[place + 1 :]:
            body = {"reason": "too early", "version": desk.send("GET", old)[1]["version"]}
            status, told = desk.send("POST", f"{old}/{early}", body | (HANDLER if early == "apply" else {}))
            assert (status, told["code"], told["runbook"]) == (409, "move_not_allowed", "request-refused")
        desk.through(old, step)
    shown = desk.send("GET", old)[1]
    assert shown["state"] == "in_use" and shown["usable"] and shown["algorithm"] == "SM3-ECDSA-P256"
    assert shown["expiry"] == "valid" and 300 < shown["expires_in_days"] < 400

    desk.act(old, "request_replacement")
    body = {"reason": "me again", "version": desk.send("GET", old)[1]["version"]}
    status, told = desk.send("POST", f"{old}/approve", body)
    assert (status, told["code"], told["runbook"]) == (409, "seal_same_person", "seal-not-usable")
    new = f"/v1/seals/{desk.act(old, 'approve', 'admin')['successor_id']}"
    practice.faults("S0", {"kind": "wrong_seal_signature", "times": 1})
    failed = desk.through(new, *STEPS)
    assert (failed["state"], failed["condition"]) == ("uploaded", "test_failed")
    assert failed["test"]["cause"]["code"] == "seal_signature_wrong"
    assert failed["test"]["cause"]["runbook"] == CATALOGUE["seal_signature_wrong"].runbook
    assert desk.send("GET", old)[1]["usable"], "the old seal serves on"
    assert desk.through(new, "test")["usable"]
    assert desk.send("GET", old)[1]["state"] == "replaced"

    for path in ("/v1/seals", "/v1/jobs", "/v1/operation-log", "/v1/tax-servers", "/v1/releases/matrix"):
        assert desk.send("GET", path, role="admin")[0] == 200
    keys = _private_keys(practice)
    assert len(keys) == 2
    everything = _bytes_of_the_ledger(house) + b"".join(desk.seen) + caplog.text.encode()
    assert shown["public_key"].encode() in everything, "the scan sees what is there"
    for key in keys:
        assert len(key) == 32 and [form for form in _forms(key) if form in everything] == []


def test_nobody_reads_private_material_back_and_auditors_see_masks(desk: Desk, house: House) -> None:
    path = desk.seal()
    shown = desk.through(path, *STEPS)
    assert not [name for name in shown if "private" in name or "secret" in name]
    for role, full in (("admin", True), ("operator", True), ("auditor", False)):
        seen = desk.send("GET", path, role=role)[1]
        assert (seen["handler_id"] == HANDLER["handler_id"]) == full
    assert desk.send("GET", path, role="front_end")[0] == 200, "a front end without a scope sees the platform"
    assert desk.send("GET", path, role="front_end")[1]["handler_name"] == "王**"
    log = json.dumps(desk.send("GET", "/v1/operation-log?limit=1000", role="auditor")[1], ensure_ascii=False)
    assert "138******78" in log and not [value for value in HANDLER.values() if value in log]


def test_seals_of_a_scoped_caller_are_missing_ones(desk: Desk, house: House) -> None:
    path = desk.seal()
    role = house.front_end_of(house.owner)
    proxies, releases = "/v1/secure-proxies", "/v1/releases"
    for noun in ("/v1/seals", proxies, releases, f"{releases}/matrix"):
        assert desk.send("GET", noun, role=role)[1]["items"] == []
    assert desk.send("GET", path, role=role) == desk.send("GET", "/v1/seals/none", role=role)


def _proxy(desk: Desk) -> str:
    settings = {
        "tax_server_id": desk.house.server_id, "name": "安全代理", "host": "10.0.0.9", "port": 8443,
        "use_platform_key": True, "max_connections": 1, "protocol": "tls", "socket_connections": 4,
        "offline_interval_hours": 2, "login_kind": 1, "log_level": 1, "login_account": "aqdl",
    }  # fmt: skip
    status, told = desk.send("POST", "/v1/secure-proxies", settings)
    assert status == 201, told
    return f"/v1/secure-proxies/{told['id']}"


def test_releases_are_fetched_installed_and_put_back(desk: Desk, practice: Practice) -> None:
    server = f"/v1/tax-servers/{desk.house.server_id}"
    proxy = _proxy(desk)
    for product in ("tax_server", "secure_proxy"):
        desk.act(server, "check_releases", product=product)
    listed = desk.send("GET", "/v1/releases?product=tax_server")[1]["items"]
    assert [one["release_version"] for one in listed] == ["SKFWQ-SIM-1.0.0", "SKFWQ-SIM-1.1.0"]
    assert desk.send("GET", f"/v1/releases/{listed[1]['id']}")[1]["effective_on"] == "2027-01-01"
    practice.faults("S0", {"kind": "self_test_failed", "times": 1})
    desk.act(server, "upgrade", release_version="SKFWQ-SIM-1.1.0")
    place = _place(desk, "tax_server")
    assert (place["running"], place["last_upgrade"]["result"]) == ("SKFWQ-SIM-1.0.0", "rolled_back")
    assert "自检失败" in place["last_upgrade"]["message"] and place["status"] == "scheduled"
    desk.act(server, "upgrade", release_version="SKFWQ-SIM-1.1.0")
    assert _place(desk, "tax_server")["status"] == "current"
    assert _place(desk, "secure_proxy")["status"] == "overdue"
    desk.act(proxy, "upgrade", release_version="AQDL-SIM-2.1.0")
    assert _place(desk, "secure_proxy")["running"] == "AQDL-SIM-2.1.0"


def _place(desk: Desk, product: str) -> dict[str, Any]:
    (found,) = desk.send("GET", f"/v1/releases/matrix?product={product}")[1]["items"]
    return dict(found)


def test_a_proxy_is_configured_with_the_enabled_addresses(desk: Desk) -> None:
    path = _proxy(desk)
    for area, enabled in (("4400", True), ("1100", True), ("3100", False)):
        line = {"region": area, "area_code": area, "service": "tax", "target": f"tls://{area}.test:443"}
        assert desk.send("POST", "/v1/lines", {**line, "enabled": enabled})[0] == 201
    shown = desk.act(path, "configure")
    assert (shown["state"], shown["reported"]["areas"], shown["differing"]) == ("configured", 2, [])
    assert [one["code"] for one in shown["warnings"]] == ["proxy_connections_full"]
    assert "password" not in json.dumps(shown)
