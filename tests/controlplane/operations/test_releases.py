"""Releases and secure proxies on the ledger: checks, the matrix, upgrades with their gates and way back, proxies."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal
from controlplane.operations import releases, secure_proxies, tax_servers
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing
from controlplane.store import secure_proxies as proxy_store
from controlplane.store import tax_servers as server_store
from controlplane.wire import evidence, work
from tests.controlplane.operations.paper_seals import Desk, put_address
from tests.controlplane.operations.scene import ADMIN, RULES, Agent, Clock, Scene, body

OPERATOR = Principal("p-op", "operator", "person", "operator")
FROZEN = datetime(2026, 12, 12, 3, 0, tzinfo=UTC)
SETTINGS: dict[str, Any] = {
    "name": "安全代理一号", "host": "10.0.0.9", "port": 8443, "vip_host": None, "vip_port": None,
    "use_platform_key": True, "max_connections": 8, "protocol": "tls", "login_account": "aqdl",
    "socket_connections": 4, "offline_interval_hours": 2, "login_kind": 1, "log_level": 1,
}  # fmt: skip
VERSIONS = {"tax_server": "V4.3", "secure_proxy": "P2"}


class Stage:
    """A tax server in service with a secure proxy."""

    def __init__(self, scene: Scene, agent: Agent) -> None:
        self.scene, self.agent, self.desk = scene, agent, Desk()
        self.server_id = scene.server(agent)
        agent.desks.append(self.desk)
        self.proxy_id = self.register()

    def register(self, **changes: Any) -> str:
        values = {"tax_server_id": self.server_id, **SETTINGS, **changes}
        return self.scene.ledger.write_now(lambda tx: secure_proxies.register(tx, ADMIN, values))

    def act(self, noun: str, verb: str, caller: Principal = ADMIN, **given: Any) -> str | None:
        table, record_id = ("tax_servers", self.server_id) if noun == "server" else ("secure_proxies", self.proxy_id)
        version = self.scene.one(f"SELECT version FROM {table} WHERE id = :id", id=record_id)["version"]
        wanted = Act(caller, verb, record_id, version, "for the test", given)
        if noun == "server":
            return self.scene.ledger.write_now(lambda tx: tax_servers.act(tx, wanted, RULES))
        return self.scene.ledger.write_now(lambda tx: secure_proxies.act(tx, wanted))

    def through(self, noun: str, verb: str, **given: Any) -> None:
        self.act(noun, verb, **given)
        self.agent.work_off()

    def checked(self) -> None:
        for product in VERSIONS:
            self.through("server", "check_releases", product=product)

    def refused(self, noun: str, verb: str, caller: Principal = ADMIN, **given: Any) -> str:
        before = self.scene.dump()
        with pytest.raises(Refusal) as caught:
            self.act(noun, verb, caller, **given)
        assert self.scene.dump() == before
        return caught.value.code

    def viewer(self, caller: Principal) -> Viewer:
        return Viewer(caller, self.scene.ledger.clock(), RULES)

    def server(self, caller: Principal = OPERATOR) -> dict[str, Any]:
        def read(hand: Any) -> dict[str, Any]:
            row = server_store.find(hand, self.server_id)
            assert row is not None
            return tax_servers.view(hand, row, self.viewer(caller))

        return self.scene.ledger.read_now(read)

    def proxy(self, caller: Principal = OPERATOR) -> dict[str, Any]:
        def read(hand: Any) -> dict[str, Any]:
            row = proxy_store.find(hand, self.proxy_id)
            assert row is not None
            return secure_proxies.view(hand, row, self.viewer(caller))

        return self.scene.ledger.read_now(read)

    def matrix(self) -> dict[str, dict[str, Any]]:
        """Places by product."""

        def read(hand: Any) -> list[dict[str, Any]]:
            rows, _ = listing.page(hand, releases.MATRIX, listing.Page())
            return releases.matrix(hand, rows, self.viewer(OPERATOR))

        return {row["product"]: row for row in self.scene.ledger.read_now(read)}


def why(shown: dict[str, Any], verb: str) -> str:
    return next(one["why"] for one in shown["allowed"] if one["verb"] == verb)


@pytest.fixture
def stage(scene: Scene, agent: Agent) -> Stage:
    return Stage(scene, agent)


def test_what_is_published_is_kept_once_and_corrected(stage: Stage, clock: Clock) -> None:
    stage.checked()
    first = stage.scene.rows("SELECT * FROM releases ORDER BY product, released_on")
    assert [row["release_version"] for row in first] == ["P1", "P2", "V4.2", "V4.3"]
    clock.forward(hours=1)
    stage.act("server", "check_releases", product="tax_server")
    (order,) = stage.agent.lease()
    corrected = evidence.ReleaseFacts(
        version="V4.3", released_on="2026-09-01", effective_on="2026-12-31", notes="corrected"
    )
    told = evidence.Releases(product="tax_server", current="V4.2", releases=[corrected])
    stage.agent.settle(stage.agent.answer(order, "done", evidence=told))
    row = stage.scene.one("SELECT * FROM releases WHERE release_version = 'V4.3'")
    assert (row["effective_on"], row["notes"]) == ("2026-12-31", "corrected")
    assert (row["id"], row["first_seen_at"]) == (first[3]["id"], first[3]["first_seen_at"])
    assert stage.scene.one("SELECT COUNT(*) AS n FROM releases")["n"] == 4


def test_the_matrix_tells_what_runs_and_what_is_due(stage: Stage, clock: Clock) -> None:
    assert {row["status"] for row in stage.matrix().values()} == {"unknown"}
    stage.checked()
    found = stage.matrix()
    server, proxy = found["tax_server"], found["secure_proxy"]
    assert (server["running"], server["status"], server["newest"]) == ("V4.2", "scheduled", "V4.3")
    assert (server["due_on"], server["days"]) == ("2027-01-01", 40)
    assert (proxy["running"], proxy["status"], proxy["days"]) == ("P1", "overdue", 21)
    assert proxy["checked_at"] and proxy["last_upgrade"] is None and proxy["tax_server_no"] == "SK0001"
    clock.moment = datetime(2027, 1, 2, 3, 0, tzinfo=UTC)
    assert stage.matrix()["tax_server"]["status"] == "overdue"


@pytest.mark.parametrize(("noun", "product"), [("server", "tax_server"), ("proxy", "secure_proxy")])
def test_an_upgrade_is_done_when_the_device_reports_it(stage: Stage, noun: str, product: str) -> None:
    stage.checked()
    stage.act(noun, "upgrade", release_version=VERSIONS[product])
    assert stage.matrix()[product]["running"] != VERSIONS[product], "not before the device says so"
    assert stage.matrix()[product]["open_job"]["kind"] == "release.upgrade"
    stage.agent.work_off()
    place = stage.matrix()[product]
    assert (place["running"], place["status"]) == (VERSIONS[product], "current")
    assert place["last_upgrade"]["result"] == "upgraded" and place["last_upgrade"]["from_version"] in ("V4.2", "P1")


@pytest.mark.parametrize(("noun", "product"), [("server", "tax_server"), ("proxy", "secure_proxy")])
def test_a_failed_self_test_leads_back(stage: Stage, noun: str, product: str) -> None:
    stage.checked()
    before = stage.matrix()[product]["running"]
    stage.desk.self_test = "failed"
    stage.through(noun, "upgrade", release_version=VERSIONS[product])
    place = stage.matrix()[product]
    assert place["running"] == before and place["status"] != "current"
    last = place["last_upgrade"]
    assert (last["result"], last["message"], last["running_version"]) == ("rolled_back", "自检失败", before)
    stage.desk.self_test = "passed"
    stage.through(noun, "upgrade", release_version=VERSIONS[product])
    assert stage.matrix()[product]["last_upgrade"]["result"] == "upgraded"


def test_evidence_that_contradicts_itself_is_set_aside(stage: Stage) -> None:
    stage.checked()
    wrong = [
        evidence.Upgraded(product="secure_proxy", version="V4.3", self_test="passed", rolled_back=False),
        evidence.Upgraded(product="tax_server", version="V4.3", self_test="passed", rolled_back=True),
        evidence.Upgraded(product="tax_server", version="V 4.3", self_test="passed", rolled_back=False),
    ]
    stage.act("server", "upgrade", release_version="V4.3")
    (order,) = stage.agent.lease()
    for told in wrong:
        stage.agent.settle(stage.agent.answer(order, "done", evidence=told))
        assert stage.server()["kernel_version"] == "V4.2"
        assert stage.scene.one("SELECT state FROM jobs WHERE id = :id", id=order.job_id)["state"] == "unknown"
    assert stage.scene.one("SELECT COUNT(*) AS n FROM evidence")["n"] == 3


def test_only_known_and_newer_releases(stage: Stage) -> None:
    assert stage.refused("server", "upgrade", release_version="V4.3") == "release_unknown"
    stage.checked()
    assert stage.refused("server", "upgrade", release_version="P2") == "release_unknown", "of another product"
    assert stage.refused("server", "upgrade", release_version="V4.2") == "release_runs"
    stage.through("server", "upgrade", release_version="V4.3")
    assert stage.refused("server", "upgrade", release_version="V4.2") == "release_older"


@pytest.mark.parametrize("noun", ["server", "proxy"])
def test_never_with_invoices_that_wait_for_upload(stage: Stage, noun: str) -> None:
    stage.checked()
    owner = stage.scene.taxpayer(1)
    paper = stage.scene.ready(stage.agent, owner, stage.server_id)
    stage.scene.request(body(owner, "r1"))
    stage.agent.work_off()
    version = "V4.3" if noun == "server" else "P2"
    assert stage.refused(noun, "upgrade", release_version=version) == "release_uploads_waiting"
    assert stage.refused(noun, "upgrade", release_version=version, override=True) == "release_uploads_waiting"
    assert "1 张发票未上传" in why(stage.server() if noun == "server" else stage.proxy(), "upgrade")
    stage.agent.observe(paper, uploads=paper.uploads())
    stage.through(noun, "upgrade", release_version=version)


@pytest.mark.parametrize("noun", ["server", "proxy"])
def test_never_during_an_open_job(stage: Stage, noun: str) -> None:
    stage.checked()
    owner = stage.scene.taxpayer(1)
    paper = stage.scene.ready(stage.agent, owner, stage.server_id)
    stage.scene.request(body(owner, "r1"))
    version = "V4.3" if noun == "server" else "P2"
    assert stage.refused(noun, "upgrade", release_version=version) == "release_jobs_open"
    assert "未完成的作业" in why(stage.server() if noun == "server" else stage.proxy(), "upgrade")
    stage.agent.work_off()
    stage.agent.observe(paper, uploads=paper.uploads())
    assert why(stage.server(), "upgrade") == ""


def test_never_before_a_filing_deadline_but_by_an_administrator(stage: Stage, clock: Clock) -> None:
    stage.checked()
    clock.moment = FROZEN
    for caller in (OPERATOR, ADMIN):
        assert stage.refused("server", "upgrade", caller, release_version="V4.3") == "release_frozen"
    assert stage.refused("server", "upgrade", OPERATOR, release_version="V4.3", override=True) == "not_permitted"
    assert "2026-12-15" in why(stage.server(OPERATOR), "upgrade") and why(stage.server(ADMIN), "upgrade") == ""
    assert "2026-12-15" in why(stage.proxy(OPERATOR), "upgrade")
    stage.act("server", "upgrade", ADMIN, release_version="V4.3", override=True)
    entry = stage.scene.log()[-1]
    assert json.loads(entry["detail"])["override"] and entry["reason"] == "for the test"


def test_only_a_server_in_service_or_suspended(stage: Stage) -> None:
    stage.checked()
    fresh = {"tax_server_no": "SK0099", "name": "新", "region": "4400", "host": "127.0.0.1", "port": 1}
    stage.server_id = stage.scene.ledger.write_now(lambda tx: tax_servers.register(tx, ADMIN, fresh))
    assert stage.refused("server", "upgrade", release_version="V4.3") == "release_server_not_ready"
    assert stage.refused("server", "check_releases", product="secure_proxy") == "proxy_missing"
    assert why(stage.server(), "check_releases") == ""


# --- secure proxies


def test_a_tax_server_has_one_proxy(stage: Stage) -> None:
    with pytest.raises(Refusal) as caught:
        stage.register()
    assert caught.value.code == "proxy_exists"
    stage.act("proxy", "remove")
    assert stage.register() != stage.proxy_id
    assert stage.refused("proxy", "read") == "move_not_allowed"
    assert stage.refused("proxy", "upgrade", release_version="P2") == "move_not_allowed"
    assert not any(one["enabled"] for one in stage.proxy()["allowed"])


def test_vip_host_and_port_belong_together(stage: Stage) -> None:
    assert stage.refused("proxy", "change", **{**SETTINGS, "vip_host": "10.0.0.1"}) == "proxy_vip_incomplete"
    stage.act("proxy", "change", **{**SETTINGS, "vip_host": "10.0.0.1", "vip_port": 443})
    assert stage.proxy()["vip_port"] == 443


def test_configuring_pushes_settings_and_enabled_addresses(stage: Stage) -> None:
    assert stage.refused("proxy", "configure") == "proxy_no_addresses"
    assert "没有启用的局端地址" in why(stage.proxy(), "configure")
    for area in ("4400", "1100"):
        put_address(stage.scene, area)
    stage.act("proxy", "configure")
    (order,) = stage.agent.lease()
    assert isinstance(order.work, work.ConfigureProxy)
    assert [area.address for area in order.work.areas] == ["tls://1100.example.test:443", "tls://4400.example.test:443"]
    assert (order.work.max_connections, order.work.use_platform_key, order.work.log_level) == (8, True, 1)
    stage.agent.settle(stage.agent.done(order))
    shown = stage.proxy()
    assert (shown["state"], shown["reported"]["areas"], shown["differing"]) == ("configured", 2, [])
    stage.act("proxy", "change", **{**SETTINGS, "log_level": 3})
    shown = stage.proxy()
    assert shown["differing"] == ["log_level"] and shown["warnings"][0]["code"] == "proxy_differs"


def test_connections_at_the_maximum_warn(stage: Stage) -> None:
    stage.desk.connections = 8
    stage.through("proxy", "read")
    shown = stage.proxy()
    assert "proxy_connections_full" in [one["code"] for one in shown["warnings"]] and shown["connections"] == 8
    assert shown["running_version"] == "P1" and shown["read_at"] and shown["state"] == "registered"


def test_no_password_is_kept(stage: Stage) -> None:
    columns = set(stage.scene.one("SELECT * FROM secure_proxies"))
    assert not any("password" in name or "secret" in name for name in columns)
