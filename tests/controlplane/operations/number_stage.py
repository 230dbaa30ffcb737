"""A ledger, the real driver, and simulated devices with their bureau in this process: numbers go round between them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from agents.drivers.catalog import Catalog, Patience
from agents.drivers.contract import Attempt, Busy, Done, Found, Later, NeverExecuted, NoAnswer, NotReached, Refused
from agents.simulated.bureau_house import BureauHouse
from agents.simulated.faults import Fault
from agents.simulated.scenario import BureauConfig, DevicesConfig, TaxpayerProfile, TaxServerPlace
from agents.simulated.server_room import ServerRoom
from controlplane.domain.refusals import Refusal
from controlplane.operations import applications, observations, virtual_devices
from controlplane.operations.acts import Act
from controlplane.store.engine import Ledger
from controlplane.store.statement import Row
from controlplane.store.times import system_clock
from controlplane.wire import agents as wire
from tests.controlplane.operations.scene import ADMIN, RULES, Agent, Scene

SERVER = "SK0001"
PATIENCE = 20.0


class Outside:
    """Bureau and tax server on a loop of their own thread."""

    def __init__(self, folder: Path, taxpayers: dict[str, TaxpayerProfile] | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._folder = folder
        self._taxpayers = taxpayers or {}
        self.port = 0
        self.run(self._open())

    async def _open(self) -> None:
        speed, state = 100.0, str(self._folder)
        self.house = BureauHouse(
            BureauConfig(state_dir=f"{state}/b", speed=speed, grant_delay=0.0, taxpayers=self._taxpayers)
        )
        facts = await self.house.open()
        places = [TaxServerPlace(SERVER, "4400", quota=100_000)]
        config = DevicesConfig(
            state_dir=f"{state}/d", speed=speed, servers=places, journals_dir=f"{state}/j", bureau_url=facts["url"]
        )
        self.room = ServerRoom(config)
        ready = await self.room.open()
        self.port = ready["tax_servers"][0]["port"]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def close(self) -> None:
        async def end() -> None:
            self.room.close()
            self.house.close()

        self.run(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def device_faults(self, device_no: str, *faults: Fault) -> None:
        self._loop.call_soon_threadsafe(self.room._faults.put, device_no, list(faults))

    def bureau_faults(self, *faults: Fault) -> None:
        self._loop.call_soon_threadsafe(self.house._bureau.faults.put, "bureau", list(faults))

    # --- what the parties hold

    def device(self, device_no: str) -> list[Row]:
        """The device's own segments."""
        found = self.room._servers[SERVER].devices[device_no].segments
        return [dict(vars(one)) for one in found]

    def bureau(self) -> list[tuple[str, str, int, int]]:
        """(device, code, first, last) of every run a device owns, as the bureau has it."""
        runs = self.house._bureau.memory._runs
        return [(no, code, first, last) for no, held in runs.items() for _, code, first, last in held]

    def unwritten(self, device_no: str) -> set[tuple[str, int]]:
        """Numbers granted to a device that it has not written yet."""
        written = {one["grant_no"] for one in self.device(device_no)}
        sql = "SELECT grant_no, code, start_no, end_no FROM grants WHERE device_no = ? AND confirmed = 0"
        rows = self.house._bureau.memory.memory.read(sql, (device_no,))
        return {(code, n) for no, code, first, last in rows if no not in written for n in range(first, last + 1)}

    def journal(self, device_no: str) -> list[Row]:
        store = self.room._store
        return [{"code": one.invoice_code, "no": int(one.invoice_no)} for one in store.invoices(device_no, 1, 100_000)]


class Stage:
    """Does acts on the ledger and carries their jobs out on the simulated devices by the real driver."""

    def __init__(self, outside: Outside, ledger: Ledger) -> None:
        self.outside = outside
        self.scene = Scene(ledger)
        self.agent = Agent(self.scene)
        self.catalog = Catalog(Patience(connect=2.0, read=6.0), system_clock)
        self.driver = self.catalog.driver("new_tax_server")
        self.owner = self.scene.taxpayer(1)
        self.server_id = self._server()

    def _server(self) -> str:
        from controlplane.operations import tax_servers

        values = {
            "tax_server_no": SERVER, "name": "税控服务器", "region": "4400", "host": "127.0.0.1",
            "port": self.outside.port,
        }  # fmt: skip
        server_id: str = self.scene.ledger.write_now(lambda tx: tax_servers.register(tx, ADMIN, values))
        self.agent.bind(server_id)
        for verb in ("synchronise", "calibrate", "commission", "certify"):
            self.scene.act(tax_servers, server_id, verb)
            self.work_off()
        return server_id

    def close(self) -> None:
        self.catalog.close()
        self.scene.ledger.close()

    def device(self, *terminals: str, owner: str | None = None) -> tuple[str, str]:
        """A ready device with these terminals and no numbers: (id, number)."""
        device_id = self.scene.registered(owner or self.owner, self.server_id)
        for verb in ("commission", "fetch_company", "certify", "fetch_kinds", "fetch_rates"):
            self.act(device_id, verb)
        for code in terminals:
            self.act(device_id, "add_terminal", terminal_code=code, terminal_name=code)
        device_no = str(self.scene.device(device_id)["device_no"])
        self.observe(device_no)
        return device_id, device_no

    # --- acts

    def act(self, device_id: str, verb: str, **arguments: Any) -> str:
        """Do a verb and carry its job out: "done", or the code of the refusal (ours, or the device's)."""
        return self._carried(self.scene.act(virtual_devices, device_id, verb, **arguments))

    def tried(self, device_id: str, verb: str, **arguments: Any) -> str:
        """The same, taking a refusal of the ledger as an answer."""
        try:
            return self.act(device_id, verb, **arguments)
        except Refusal as refusal:
            return refusal.code

    def on_application(self, application_id: str, verb: str) -> str:
        version = self.scene.one("SELECT version FROM applications WHERE id = :id", id=application_id)["version"]
        wanted = Act(ADMIN, verb, application_id, version, "for the test", {})
        return self._carried(self.scene.ledger.write_now(lambda tx: applications.act(tx, wanted)))

    def _carried(self, job_id: str | None) -> str:
        self.work_off()
        job = self.scene.one("SELECT state, code FROM jobs WHERE id = :id", id=job_id)
        return "done" if job["state"] == "done" else str(job["code"] or job["state"])

    def work_off(self) -> None:
        """Everything there is to lease, by the driver, each to its end."""
        for order in self.agent.lease():
            assert self.agent.settle(self._outcome(order)) == "settled"

    def _outcome(self, order: wire.Order) -> wire.Outcome:
        until, started = time.monotonic() + PATIENCE, time.monotonic()
        recall = order.redelivered
        while time.monotonic() < until:
            if recall:
                found = self.driver.recall(order)
                if isinstance(found, Found):
                    return self.agent.answer(order, "done", evidence=found.evidence)
                if isinstance(found, Refused):
                    return self.agent.answer(order, "refused", code=found.code, message=found.message)
                if not isinstance(found, NeverExecuted):
                    time.sleep(0.02)
                    continue
                recall = False
            answer = self.driver.perform(Attempt(order, time.monotonic() - started, lambda: None))
            if isinstance(answer, Done):
                return self.agent.answer(order, "done", evidence=answer.evidence)
            if isinstance(answer, Refused):
                return self.agent.answer(order, "refused", code=answer.code, message=answer.message)
            if isinstance(answer, NotReached):
                return self.agent.answer(order, "unreachable", code=answer.code, message=answer.message)
            recall = isinstance(answer, NoAnswer)
            if isinstance(answer, Busy | Later | NoAnswer):
                time.sleep(0.02)
        raise AssertionError(f"no end of {order.work}")

    def observe(self, device_no: str) -> None:
        """A reading of the device, taken into the ledger."""
        addresses = {
            row["device_no"]: row
            for row in self.scene.rows(
                "SELECT d.device_no, d.taxpayer_id, s.host, s.port FROM devices d JOIN tax_servers s "
                "ON s.id = d.tax_server_id"
            )
        }
        row = addresses[device_no]
        address = wire.DeviceAddress(
            device_kind="new_tax_server", host=row["host"], port=row["port"], tax_server_no=SERVER, device_no=device_no
        )
        seen = self.driver.observe(address, 0)
        assert seen.reachable, seen.message
        self.scene.ledger.write_now(lambda tx: observations.take(tx, self.agent.id, seen, RULES))

    # --- books

    def segments(self, device_id: str) -> list[Row]:
        return self.scene.rows(
            "SELECT * FROM segments WHERE device_id = :id ORDER BY invoice_code, start_no, created_at", id=device_id
        )

    def runs(self, device_id: str, terminal_code: str = "", kind: str = "026") -> list[Row]:
        """Runs with numbers left on a terminal, or not distributed."""
        return [
            row for row in self.segments(device_id)
            if row["terminal_code"] == terminal_code and row["kind"] == kind and row["state"] in ("on_device", "on_terminal")
        ]  # fmt: skip

    def numbers(self, device_id: str, kind: str = "026", count: int = 50) -> None:
        """So many undistributed numbers, by application and receipt."""
        assert self.act(device_id, "apply", kind=kind, count=count) == "done"
        assert self.act(device_id, "receive", kind=kind) == "done"

    def books_agree(self) -> None:
        """I-3: per grant every number once; no number with two owners; device, bureau and ledger row by row."""
        owners: dict[tuple[str, int], str] = {}
        for device_no, code, first, last in self.outside.bureau():
            for number in range(first, last + 1):
                assert owners.setdefault((code, number), device_no) == device_no, (code, number)
        for device in self.scene.rows("SELECT * FROM devices WHERE device_no IS NOT NULL"):
            self._agree(device, owners)
        self._ranges(owners)
        spoken_for = self.scene.rows(
            "SELECT k.device_id, k.terminal_code, k.reserved FROM stock k WHERE k.reserved <> ("
            "SELECT COUNT(*) FROM invoices i WHERE i.device_id = k.device_id AND i.terminal_code = k.terminal_code "
            "AND i.kind = k.kind AND i.open_job_id IS NOT NULL)"
        )
        assert spoken_for == [], "what is spoken for is what waiting invoices speak for, and nothing else"

    def _agree(self, device: Row, owners: dict[tuple[str, int], str]) -> None:
        device_no = device["device_no"]
        held = {
            (one["code"], one["start"]): (one["end"], one["next"] if one["next"] <= one["end"] else one["end"] + 1,
                                          "" if one["terminal"] == "*" else one["terminal"], one["grant_no"])
            for one in self.outside.device(device_no)
        }  # fmt: skip
        ours = {
            (row["invoice_code"], row["start_no"]): (row["end_no"], row["next_no"], row["terminal_code"], row["grant_no"])
            for row in self.segments(device["id"]) if row["state"] != "returned"
        }  # fmt: skip
        assert ours == held, (device_no, ours, held)
        here = {(code, n) for (code, start), (end, *_) in held.items() for n in range(start, end + 1)}
        unwritten = self.outside.unwritten(device_no)
        assert {number for number, owner in owners.items() if owner == device_no} == here | unwritten
        for (code, start), (end, *_) in held.items():
            assert {owners.get((code, number)) for number in range(start, end + 1)} <= {device_no}
        for invoice in self.outside.journal(device_no):
            assert owners[invoice["code"], invoice["no"]] == device_no
        used = sum(
            row["next_no"] - row["start_no"] for row in self.segments(device["id"]) if row["state"] != "returned"
        )
        assert used == len(self.outside.journal(device_no))
        for grant in self.scene.rows("SELECT * FROM grants WHERE device_id = :id", id=device["id"]):
            shown = self.scene.ledger.read_now(lambda hand, one=grant: applications.grant_view(hand, one))
            assert grant["state"] != "confirmed" or shown["unaccounted"] == 0, shown
            assert shown["used"] == shown["issued"] + shown["voided"]
            assert shown["used"] + shown["returned"] + shown["unused"] + shown["unaccounted"] == shown["count"]

    def _ranges(self, owners: dict[tuple[str, int], str]) -> None:
        """The reference table holds each number at most once, and only for the device that owns it."""
        seen: set[tuple[str, int]] = set()
        ids = {row["id"]: row["device_no"] for row in self.scene.rows("SELECT id, device_no FROM devices")}
        for row in self.scene.rows("SELECT * FROM number_ranges"):
            for number in range(row["start_no"], row["end_no"] + 1):
                assert (row["invoice_code"], number) not in seen
                seen.add((row["invoice_code"], number))
                assert owners.get((row["invoice_code"], number)) == ids[row["device_id"]]


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Simulated parties for a module."""
    found = Outside(tmp_path_factory.mktemp("outside"))
    yield found
    found.close()
