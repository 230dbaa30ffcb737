"""A day of line watch, driven by a clock of the test's own: real probes against real sockets, the real claims and
reports, and letters through a mail server that fails a third of the time."""

from __future__ import annotations

import asyncio
import collections
import random
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from controlplane import data
from controlplane.mail.outbox import deliver_due
from controlplane.operations import line_slots
from controlplane.probe_clock import LineWatch
from controlplane.settings import MailSettings, Settings
from controlplane.store.engine import Ledger
from controlplane.store.times import utc_text
from controlplane.wire.lines import SLOTS_PATH, ClaimSlot, SampleReport
from probes.reach import Reach
from probes.resolver import NameServers
from probes.settings import ProbeSettings
from tests.controlplane.mail.unreliable import Unreliable
from tests.controlplane.operations.scene import START, Clock, Scene
from tests.controlplane.operations.watching import Watch
from tests.probes import day_of_faults as day
from tests.probes.bureaus_on_loopback import SAYS, Bureau
from tests.probes.conftest import Authority, name_server

PERIOD = timedelta(minutes=5)
PROBE_SECONDS = 2.5
"""Long enough for a busy machine, short enough for the slots in which a bureau stalls."""
REGIONS = list(dict.fromkeys((row["region"], row["area_code"]) for row in data.rows("bureaus")))


@pytest.fixture
async def bureaus(authority: Authority) -> AsyncIterator[tuple[list[Bureau], Any]]:
    """The 36 regions of the address book, each a listener behind a name of its own; and the resolver's address."""
    hosts = [f"watch.b{area}.example.cn" for _, area in REGIONS]
    tls = [authority.server(days=days, names=tuple(hosts)) for days in (60, -1)]
    async with name_server({}) as (names, port):
        found = [Bureau(day.SCHEMES[number % 6], host, names, *tls) for number, host in enumerate(hosts)]
        for bureau in found:
            await bureau.become("ok")
        yield found, ("127.0.0.1", port)
        for bureau in found:
            bureau.close()


class Plane:
    """The control plane without its HTTP: a scene on a ledger that can start anew, and the answers to probe clocks."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self.clock = clock
        self.ledger = Ledger(url, clock)
        self.watch = Watch(Scene(self.ledger), clock)

    def start_anew(self) -> None:
        """The server's process ends and another takes over."""
        self.ledger.close()
        self.ledger = self.watch.scene.ledger = Ledger(self._url, self.clock)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What the API answers to a probe clock."""
        if path == SLOTS_PATH:
            claim = ClaimSlot.model_validate(body)
            targets = await self.ledger.write(lambda tx: line_slots.claim(tx, claim))
            return {"claimed": targets is not None, "targets": targets or []}
        report = SampleReport.model_validate(body)
        return {"taken": await self.ledger.write(lambda tx: line_slots.report(tx, report))}


@pytest.fixture
def plane(sqlite_url: str) -> Iterator[Plane]:
    plane = Plane(sqlite_url, Clock())
    yield plane
    plane.ledger.close()


async def test_a_day_of_36_lines(
    plane: Plane, bureaus: tuple[list[Bureau], Any], authority: Authority, tmp_path: Path
) -> None:
    listening, resolver = bureaus
    assert len(listening) == day.LINES
    assert all((day.SCHEMES[line % 6], fault) in SAYS for line, fault, _, _ in day.FAULTS)
    lines = [
        plane.watch.line(region=region, area_code=area, service="verify", target=bureau.target)
        for (region, area), bureau in zip(REGIONS, listening, strict=True)
    ]
    rule_ids = _make_rules(plane.watch, lines)
    clocks = [_clock(plane, f"clock{number}", resolver, authority) for number in (1, 2)]
    (tmp_path / "ca.pem").write_bytes(_pem(authority))
    server = Unreliable(seed=11, fail_rate=1 / 3)
    async with server.serving(authority.server(names=("localhost",))) as port:
        mail = MailSettings(
            host="localhost", port=port, username="watch", password="p", start_tls=True,
            ca_file=str(tmp_path / "ca.pem"),
        )  # fmt: skip
        arrived: list[tuple[int, str, day.Told]] = []
        for slot in range(day.SLOTS):
            plane.clock.moment = START + slot * PERIOD
            if slot in (day.RULE_OFF.start, day.RULE_OFF.stop):
                plane.watch.on_rule(rule_ids[2], "enable" if slot == day.RULE_OFF.stop else "disable")
            if slot == 183:
                plane.start_anew()
            plane.watch.keep_up()
            await _work(slot, clocks, listening, plane)
            await _deliver(plane, mail)
            arrived += [(slot, letter["To"], _told(letter, lines, plane)) for letter in server.kept]
            server.kept.clear()
        plane.clock.moment = START + day.SLOTS * PERIOD
        plane.watch.keep_up()
    _rows_are_as_scripted(plane, lines)
    expected = set(day.letters())
    assert (set(arrived) - expected, expected - set(arrived)) == (set(), set())
    assert len(arrived) == len(expected)
    for recipient in {one for _, one, _ in arrived}:
        mine = [slot for slot, one, _ in arrived if one == recipient]
        assert mine == sorted(set(mine)), "one letter a sweep, in order"
    assert sum(server.failures.values()) > len(arrived) / 5, server.failures
    assert {row["state"] for row in plane.watch.scene.rows("SELECT state FROM outbox")} == {"sent"}


def _make_rules(watch: Watch, lines: list[str]) -> list[str]:
    areas = [area for _, area in REGIONS]
    first, second, third = day.rules()
    return [
        watch.rule(*first.recipients, name="all"),
        watch.rule(*second.recipients, name="regions", scope="regions", open_after=3, close_after=2,
                   scope_values=[areas[number] for number in second.lines]),
        watch.rule(*third.recipients, name="lines", scope="lines",
                   scope_values=[lines[number] for number in third.lines]),
    ]  # fmt: skip


def _clock(plane: Plane, holder: str, resolver: Any, authority: Authority) -> LineWatch:
    settings = Settings(vantage="v", probe_seconds=PROBE_SECONDS)
    reach = Reach(["127.0.0.0/8"], NameServers([resolver], {}, random.Random(1)))
    probes = ProbeSettings(reach=reach, clock=plane.clock, tls=authority.client())
    watch = LineWatch(settings, plane.post, probes)
    watch._who["holder"] = holder
    return watch


def _pem(authority: Authority) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return authority.certificate.public_bytes(Encoding.PEM)


async def _work(slot: int, clocks: list[LineWatch], listening: list[Bureau], plane: Plane) -> None:
    """One slot as the script has it. Two clocks want each slot, and one of them gets it."""
    if slot in day.WATCH_STOPS:
        return
    for number, bureau in enumerate(listening):
        await bureau.become(day.fault_of(number, slot))
    if slot == day.NOT_HANDED_IN:
        claim = {"slot": utc_text(plane.clock()), "period": 300.0, "vantage": "v", "holder": "killed"}
        assert (await plane.post(SLOTS_PATH, claim))["claimed"]
    did = await asyncio.gather(*(clock.work(utc_text(plane.clock())) for clock in clocks))
    assert sorted(did) == ([False, False] if slot == day.NOT_HANDED_IN else [False, True])


async def _deliver(plane: Plane, mail: MailSettings) -> None:
    """What the timetable does until the slot is over, in steps of ten seconds; only as long as something is to be sent."""
    ends = plane.clock() + PERIOD - timedelta(seconds=1)
    pending = (
        "SELECT (SELECT COUNT(*) FROM outbox WHERE state <> 'sent') "
        "+ (SELECT COUNT(*) FROM alert_tells WHERE state = 'waiting') AS n"
    )
    while plane.clock() < ends and plane.watch.scene.one(pending)["n"]:
        plane.watch.keep_up()
        await deliver_due(plane.ledger, mail)
        plane.clock.forward(seconds=10)


_LINE = re.compile(r"(?P<name>.+?): .* / (?P<state>down \((?P<phase>\w+): (?P<reason>\w+)\)|recovered)")


def _told(letter: Message, lines: list[str], plane: Plane) -> day.Told:
    """What a letter tells; the phase and reason of each fault are compared with the script on the way."""
    numbers = {
        row["target"]: lines.index(row["id"]) for row in plane.watch.scene.rows("SELECT * FROM bureau_endpoints")
    }
    told: list[tuple[int | str, str]] = []
    text = letter.get_content()  # type: ignore[attr-defined]
    for line in text.partition("\n\n")[0].replace("\r", "").split("\n"):
        if line.startswith("监测点 v: "):
            told.append(("watch", "up" if "恢复正常" in line else "down"))
            continue
        found = _LINE.fullmatch(line)
        assert found, line
        region, service, target = found["name"].split(" ")
        number = numbers[target]
        assert (region, service) == (REGIONS[number][0], "verify")
        up = found["state"] == "recovered"
        told.append((number, "up" if up else "down"))
        if not up:
            assert (found["phase"], found["reason"]) in {
                says for (scheme, _), says in SAYS.items() if scheme == day.SCHEMES[number % 6]
            }, line
    assert len(told) == len(set(told)), text
    down = sum(state == "down" for _, state in told)
    assert str(letter["Subject"]).startswith(f"[taxplane] 局端网络: {down} 条异常, {len(told) - down} 条恢复")
    return frozenset(told)


def _rows_are_as_scripted(plane: Plane, lines: list[str]) -> None:
    rows = plane.watch.scene.rows("SELECT * FROM line_samples")
    assert len(rows) == day.SLOTS * day.LINES
    seen = {(row["endpoint_id"], row["slot"]): row for row in rows}
    wrong = collections.Counter[str]()
    for number, line_id in enumerate(lines):
        scheme = day.SCHEMES[number % 6]
        for slot in range(day.SLOTS):
            row = seen[line_id, utc_text(START + slot * PERIOD)]
            fault = day.fault_of(number, slot)
            said = (row["ok"], row["failing_phase"], row["reason"])
            if not day.is_checked(slot):
                expected: Any = (None, "", "missed" if slot in day.WATCH_STOPS else "not_reported")
            else:
                expected = (1, "", "") if fault == "ok" else (0, *SAYS[scheme, fault])
            wrong[f"{number} {slot} {fault}: {said}, not {expected}"] += said != expected
            shown = said[0] == 1 or said[2] in ("certificate_expired", "server_error")
            assert (row["certificate_not_after"] is not None) == (shown and scheme in ("tls", "https"))
    assert not +wrong, list(+wrong)[:20]
