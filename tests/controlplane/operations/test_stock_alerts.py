"""Stock alerts: one letter at the crossing, one at recovery, none while disabled, through a real SMTP server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from agents.simulated.mail_catcher import MailCatcher, MailOptions
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal
from controlplane.mail.outbox import deliver_due
from controlplane.operations import stock_alerts
from controlplane.operations.acts import Act, Viewer
from controlplane.settings import MailSettings
from controlplane.store.engine import Ledger
from tests.controlplane.operations.paper_devices import Paper
from tests.controlplane.operations.scene import ADMIN, RULES, Agent, Clock, Scene, front_end

BOTH = ["a@example.com", "b@example.com"]


class Desk:
    """A device with 100 numbers of 026 and 100 of 028 on terminal 1, and a mail server."""

    def __init__(self, scene: Scene, agent: Agent, folder: Path) -> None:
        self.scene, self.agent, self.folder = scene, agent, folder
        self.owner = scene.taxpayer(1)
        self.server_id = scene.server(agent)
        self.paper: Paper = scene.ready(agent, self.owner, self.server_id)
        self.device_id = scene.id_of(self.paper)
        self.settings = MailSettings()
        self.fresh = 50_000_000

    def register(self, threshold: int = 50, caller: Principal = ADMIN, **more: Any) -> str:
        values = {
            "taxpayer_id": self.owner,
            "device_id": None,
            "kind": None,
            "threshold": threshold,
            "recipients": BOTH,
        }
        return self.scene.ledger.write_now(lambda tx: stock_alerts.register(tx, caller, values | more, RULES))

    def act(self, alert_id: str, verb: str, caller: Principal = ADMIN, **arguments: Any) -> None:
        version = self.scene.one("SELECT version FROM stock_alerts WHERE id = :id", id=alert_id)["version"]
        wanted = Act(caller, verb, alert_id, version, "for the test", arguments)
        self.scene.ledger.write_now(lambda tx: stock_alerts.act(tx, wanted))

    def left(self, count: int, kind: str = "026", paper: Paper | None = None) -> None:
        """So many numbers of a kind are left on a device."""
        device = paper or self.paper
        device.segments = [one for one in device.segments if one.kind != kind]
        self.fresh += 1000
        device.stock(kind, self.fresh, count, "1")
        self.agent.observe(device)

    def sweep(self, ledger: Ledger | None = None) -> int:
        return (ledger or self.scene.ledger).write_now(lambda tx: stock_alerts.sweep(tx, RULES))

    def flips(self) -> bool:
        return self.scene.ledger.read_now(stock_alerts.flips)

    async def letters(self) -> list[tuple[str, str, str]]:
        """(recipient, subject, text) of everything that has arrived since the last look."""
        await deliver_due(self.scene.ledger, self.settings)
        found = []
        for path in sorted(self.folder.glob("*.eml")):
            letter: Any = message_from_bytes(path.read_bytes(), policy=policy.default)
            found.append((letter["To"], letter["Subject"], letter.get_content()))
            path.unlink()
        return sorted(found)

    def view(self, alert_id: str) -> dict[str, Any]:
        viewer = Viewer(ADMIN, self.scene.ledger.clock(), RULES)
        row = self.scene.one("SELECT * FROM stock_alerts WHERE id = :id", id=alert_id)
        return self.scene.ledger.read_now(lambda hand: stock_alerts.view(hand, row, viewer))


@pytest.fixture
async def desk(scene: Scene, agent: Agent, tmp_path: Path) -> AsyncIterator[Desk]:
    folder = tmp_path / "mail"
    folder.mkdir()
    catcher = MailCatcher(MailOptions(folder=folder))
    facts = await catcher.open()
    found = Desk(scene, agent, folder)
    found.settings = MailSettings(port=int(facts["port"]))
    yield found
    catcher.close()


async def test_one_letter_at_the_crossing_and_one_at_recovery(desk: Desk, clock: Clock) -> None:
    desk.left(51)
    alert_id = desk.register(50, kind="026")
    for _ in range(3):
        assert desk.sweep() == 0
    assert await desk.letters() == []
    desk.left(50)
    assert desk.flips() and desk.sweep() == 1
    for left in (50, 49, 10, 51, 55, 54):
        desk.left(left)
        assert desk.sweep() == 0, f"{left}: told already, and not yet enough again"
    (to_a, to_b) = await desk.letters()
    assert (to_a[0], to_b[0]) == ("a@example.com", "b@example.com") and to_a[1:] == to_b[1:]
    assert to_a[1] == "[taxplane] 发票库存: 1 项不足, 0 项恢复"
    for part in (
        desk.owner,
        "公司1",
        desk.paper.device_no,
        "026",
        "剩余 50 张",
        "预警余量 50 张",
        "stock-low",
        "1. ",
        "分发",
        "申领",
    ):
        assert part in to_a[2], part
    shown = desk.view(alert_id)
    assert shown["low"] == 1 and shown["levels"][0]["level"] == "low" and shown["levels"][0]["left"] == 50
    desk.left(56)
    assert desk.sweep() == 1 and desk.sweep() == 0
    letters = await desk.letters()
    assert [letter[1] for letter in letters] == ["[taxplane] 发票库存: 0 项不足, 1 项恢复"] * 2
    assert "充足" in letters[0][2] and "处理" not in letters[0][2]
    desk.left(50)
    assert desk.sweep() == 1 and len(await desk.letters()) == 2, "armed again"


async def test_none_while_disabled_and_anew_when_enabled(desk: Desk) -> None:
    alert_id = desk.register(50)
    desk.act(alert_id, "disable")
    desk.left(10)
    assert not desk.flips() and desk.sweep() == 0 and await desk.letters() == []
    desk.act(alert_id, "enable")
    assert desk.sweep() == 1 and len(await desk.letters()) == 2
    desk.act(alert_id, "disable")
    desk.act(alert_id, "enable")
    assert desk.sweep() == 1 and len(await desk.letters()) == 2, "it tells anew"
    desk.act(alert_id, "remove")
    desk.left(200)
    assert desk.sweep() == 0 and await desk.letters() == []
    with pytest.raises(Refusal) as caught:
        desk.act(alert_id, "enable")
    assert caught.value.code == "move_not_allowed"
    desk.register(50)


async def test_all_flips_of_a_sweep_go_in_one_letter_per_recipient(desk: Desk) -> None:
    other = desk.scene.ready(desk.agent, desk.owner, desk.server_id)
    desk.register(50)
    desk.register(70, device_id=desk.device_id, kind="028", recipients=["a@example.com"])
    desk.left(5)
    desk.left(60, "028")
    desk.left(7, "026", other)
    assert desk.sweep() == 3
    letters = await desk.letters()
    assert [(letter[0], letter[1]) for letter in letters] == [
        ("a@example.com", "[taxplane] 发票库存: 3 项不足, 0 项恢复"),
        ("b@example.com", "[taxplane] 发票库存: 2 项不足, 0 项恢复"),
    ]
    assert other.device_no in letters[0][2] and "剩余 60 张" in letters[0][2] and "剩余 60 张" not in letters[1][2]


async def test_undistributed_numbers_count(desk: Desk) -> None:
    desk.register(50, kind="026")
    desk.left(20)
    desk.paper.stock("026", 90_000_001, 31, None)
    desk.agent.observe(desk.paper)
    assert desk.sweep() == 0
    desk.paper.segments.pop()
    desk.agent.observe(desk.paper)
    assert desk.sweep() == 1 and len(await desk.letters()) == 2


async def test_a_kind_never_stocked_is_told_only_when_named(desk: Desk) -> None:
    empty = desk.scene.ready(desk.agent, desk.owner, desk.server_id, numbers=0)
    desk.register(50)
    assert desk.sweep() == 0, "a device that never had numbers is nobody's trouble"
    desk.register(50, device_id=desk.scene.id_of(empty), kind="026")
    assert desk.sweep() == 1
    assert all("剩余 0 张" in letter[2] for letter in await desk.letters())


async def test_replicas_tell_once(desk: Desk, database_url: str, clock: Clock) -> None:
    desk.register(50)
    assert desk.sweep() == 0
    desk.left(5)
    desk.left(6, "028")
    ledgers = [Ledger(database_url, clock) for _ in range(4)]
    told: list[int] = []
    start = threading.Barrier(4)

    def one(ledger: Ledger) -> None:
        start.wait()
        told.append(desk.sweep(ledger))

    threads = [threading.Thread(target=one, args=(ledger,)) for ledger in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    for ledger in ledgers:
        ledger.close()
    assert sum(told) == 2 and len(told) == 4
    letters = await desk.letters()
    lines = [
        line for letter in letters if letter[0] == "a@example.com" for line in letter[2].splitlines() if "剩余" in line
    ]
    assert len(lines) == 2


async def test_a_test_letter(desk: Desk) -> None:
    alert_id = desk.register(50)
    desk.act(alert_id, "test")
    letters = await desk.letters()
    assert [letter[0] for letter in letters] == BOTH and "测试" in letters[0][1] and "50" in letters[0][2]
    assert desk.view(alert_id)["levels"] == []


async def test_changed(desk: Desk) -> None:
    alert_id = desk.register(50)
    assert desk.sweep() == 0
    desk.act(alert_id, "change", threshold=100, recipients=["c@example.com", "c@example.com"])
    assert desk.sweep() == 2, "both kinds stand at 100"
    assert [letter[0] for letter in await desk.letters()] == ["c@example.com"]
    shown = desk.view(alert_id)
    assert (shown["threshold"], shown["recipients"], shown["low"]) == (100, ["c@example.com"], 2)


def refused(desk: Desk, **more: Any) -> str:
    before = desk.scene.dump()
    with pytest.raises(Refusal) as caught:
        desk.register(**more)
    assert desk.scene.dump() == before
    return caught.value.code


async def test_what_cannot_be_watched(desk: Desk) -> None:
    other = desk.scene.taxpayer(2)
    desk.register(kind="026")
    assert refused(desk, kind="026") == "already_exists"
    assert refused(desk, kind="999") == "kind_unknown"
    assert refused(desk, device_id="no-such-device") == "not_found"
    assert refused(desk, taxpayer_id=other, device_id=desk.device_id) == "not_found"
    assert refused(desk, taxpayer_id="91990000MA0009999X") == "not_found"
    assert refused(desk, caller=front_end(other)) == "not_found"
    desk.register(device_id=desk.device_id, kind="026")


async def test_a_cancelled_device_is_silent(desk: Desk) -> None:
    desk.register(50)
    desk.left(5)
    desk.scene.change("UPDATE devices SET state = 'cancelled'")
    assert desk.sweep() == 0
