"""A small fleet on a real ledger: taxpayers, a tax server, ready devices with numbers, and the agent that serves it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from controlplane import data
from controlplane.domain.principal import Principal
from controlplane.operations import (
    agents,
    first_start,
    invoices,
    jobs,
    observations,
    secrets,
    settlement,
    tax_servers,
    taxpayers,
    virtual_devices,
)
from controlplane.operations.acts import Act
from controlplane.store import schema
from controlplane.store.engine import Ledger
from controlplane.store.statement import Row, Statement
from controlplane.store.times import utc_text
from controlplane.wire import agents as wire
from controlplane.wire import evidence, work
from controlplane.wire.invoices import BuyerBody, InvoiceBody, LineBody
from tests.controlplane.operations.paper_devices import Paper, fleet_evidence

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
"""11:00 device time."""
RULES = data.issuing_rules()
ADMIN = Principal("p-admin", "admin", "person", "admin")
RICE = "1010101010000000000"
QUOTA = 10
LATER_TABLES = frozenset({"operation_log", "ledger_head", "events"})


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, moment: datetime = START) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **parts: float) -> None:
        self.moment += timedelta(**parts)


def taxpayer_id(number: int) -> str:
    return f"91990000MA00000{number:02d}X"


def front_end(*scope: str) -> Principal:
    return Principal("p-front", "front-end", "front_end", "front_end", frozenset(scope))


def body(owner: str, request_id: str, **changes: Any) -> InvoiceBody:
    """A valid request: two bags of rice, 20.00 net, 9 %."""
    line = LineBody(item_name="稻谷", tax_class_code=RICE, rate="0.09", quantity="2", unit_price="10.00")
    fields: dict[str, Any] = {"kind": "026", "buyer": BuyerBody(name="购方有限公司"), "lines": [line]}
    return InvoiceBody(taxpayer_id=owner, request_id=request_id, **{**fields, **changes})


class Scene:
    """The ledger with hands to set the stage and eyes to see what is there."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        ledger.write_now(first_start.found)

    # --- eyes

    def rows(self, sql: str, **parameters: Any) -> list[Row]:
        return self.ledger.read_now(lambda hand: hand.rows(Statement(sql), parameters))

    def one(self, sql: str, **parameters: Any) -> Row:
        (row,) = self.rows(sql, **parameters)
        return row

    def invoice(self, invoice_id: str) -> Row:
        return self.one("SELECT * FROM invoices WHERE id = :id", id=invoice_id)

    def jobs_of(self, invoice_id: str) -> list[Row]:
        return self.rows("SELECT * FROM jobs WHERE subject_id = :id ORDER BY id", id=invoice_id)

    def device(self, device_id: str) -> Row:
        return self.one("SELECT * FROM devices WHERE id = :id", id=device_id)

    def stock(self, device_id: str, kind: str = "026", terminal_code: str = "1") -> tuple[int, int]:
        """(remaining, reserved) of a terminal."""
        row = self.one(
            "SELECT * FROM stock WHERE device_id = :device_id AND kind = :kind AND terminal_code = :terminal_code",
            device_id=device_id, kind=kind, terminal_code=terminal_code,
        )  # fmt: skip
        return row["remaining"], row["reserved"]

    def log(self) -> list[Row]:
        return self.rows("SELECT * FROM operation_log ORDER BY seq")

    def dump(self, but: Iterable[str] = LATER_TABLES) -> dict[str, list[str]]:
        """Every table but those named, as sorted texts."""
        names = sorted(set(schema.METADATA.tables) - set(but))
        return {name: sorted(str(sorted(row.items())) for row in self.rows(f"SELECT * FROM {name}")) for name in names}

    # --- hands

    def change(self, sql: str, **parameters: Any) -> int:
        """What an operation would not do: written straight to the tables."""
        return self.ledger.write_now(lambda tx: tx.run(Statement(sql), parameters))

    def taxpayer(self, number: int = 1) -> str:
        owner = taxpayer_id(number)
        values = {"taxpayer_id": owner, "name": f"公司{number}", "taxpayer_kind": "general", "region": "4400"}
        self.ledger.write_now(lambda tx: taxpayers.create(tx, ADMIN, values))
        return owner

    def act(self, room: Any, record_id: str, verb: str, **arguments: Any) -> str | None:
        """Do a verb of ``operations.tax_servers`` or ``virtual_devices`` at the present version; the job's id."""
        table = "tax_servers" if room is tax_servers else "devices"
        version = self.one(f"SELECT version FROM {table} WHERE id = :id", id=record_id)["version"]
        wanted = Act(ADMIN, verb, record_id, version, "for the test", arguments)
        job_id: str | None = self.ledger.write_now(lambda tx: room.act(tx, wanted, RULES))
        return job_id

    def server(self, agent: Agent, number: int = 1) -> str:
        """A certified tax server, served by the agent."""
        values = {
            "tax_server_no": f"SK{number:04d}", "name": "税控服务器", "region": "4400", "host": "127.0.0.1", "port": 1,
        }  # fmt: skip
        server_id: str = self.ledger.write_now(lambda tx: tax_servers.register(tx, ADMIN, values))
        agent.bind(server_id)
        for verb in ("synchronise", "calibrate", "commission", "certify"):
            self.act(tax_servers, server_id, verb)
            agent.work_off()
        return server_id

    def registered(self, owner: str, server_id: str, name: str = "虚拟设备") -> str:
        """A registered virtual device."""
        values = {"taxpayer_id": owner, "tax_server_id": server_id, "name": name}
        device_id: str = self.ledger.write_now(lambda tx: virtual_devices.register(tx, ADMIN, values))
        return device_id

    def ready(self, agent: Agent, owner: str, server_id: str, numbers: int = 100) -> Paper:
        """A ready device with one terminal and numbers of both kinds."""
        device_id = self.registered(owner, server_id)
        for verb in ("commission", "fetch_company", "certify", "fetch_kinds", "fetch_rates"):
            self.act(virtual_devices, device_id, verb)
            agent.work_off()
        self.act(virtual_devices, device_id, "add_terminal", terminal_code="1", terminal_name="总机")
        agent.work_off()
        paper = agent.papers[self.device(device_id)["device_no"]]
        for kind in ("026", "028"):
            if numbers:
                paper.stock(kind, len(agent.papers) * 10_000 + 1, numbers)
        agent.observe(paper)
        return paper

    def id_of(self, paper: Paper) -> str:
        return str(self.one("SELECT id FROM devices WHERE device_no = :no", no=paper.device_no)["id"])

    def request(self, wanted: InvoiceBody, caller: Principal = ADMIN) -> tuple[str, str]:
        """Ask for an invoice; its id and state."""
        asked = invoices.ask(wanted, self.ledger.clock(), RULES)
        shown = self.ledger.write_now(lambda tx: invoices.request(tx, caller, asked, RULES))
        return shown["id"], shown["state"]

    def cancel(self, invoice_id: str, caller: Principal = ADMIN, version: int | None = None) -> str:
        seen = self.invoice(invoice_id)["version"] if version is None else version
        wanted = Act(caller, "cancel", invoice_id, seen, "not wanted", {})
        return self.ledger.write_now(lambda tx: invoices.cancel(tx, wanted))


class Agent:
    """Leases orders and answers them from paper devices."""

    def __init__(self, scene: Scene, host_id: str = "host-1", session: str = "session-1") -> None:
        self.ledger = scene.ledger
        self.scene = scene
        self.session = session
        self.secret = secrets.new_secret()
        self.papers: dict[str, Paper] = {}
        self.desks: list[Any] = []
        """What answers the orders of single rooms before the fleet does: ``evidence(order)``, None when not theirs."""
        self.quota = QUOTA
        token = self.ledger.write_now(lambda tx: agents.new_token(tx, ADMIN, host_id, "agent"))["token"]
        asked = wire.JoinRequest(token=token, host_id=host_id, name="agent", secret=self.secret, version="1")
        self.id = self.ledger.write_now(lambda tx: agents.join(tx, asked)).agent_id

    def act(self, verb: str, **arguments: Any) -> Act:
        version = self.scene.one("SELECT version FROM agents WHERE id = :id", id=self.id)["version"]
        return Act(ADMIN, verb, self.id, version, "for the test", arguments)

    def bind(self, server_id: str) -> None:
        wanted = self.act("bind", tax_server_id=server_id)
        self.ledger.write_now(lambda tx: agents.bind(tx, wanted))

    def revoke(self) -> None:
        wanted = self.act("revoke")
        self.ledger.write_now(lambda tx: agents.revoke(tx, wanted))

    def lease(self, holding: Iterable[wire.Order] = (), limit: int = 16) -> list[wire.Order]:
        """Orders as the lease route would give them, the look before included."""
        held = [order.job_id for order in holding]
        asked = wire.LeaseRequest(session=self.session, limit=limit, holding=held)
        if not self.ledger.read_now(lambda hand: jobs.has_work(hand, self.id, asked)):
            return []
        return self.ledger.write_now(lambda tx: jobs.lease(tx, self.id, asked))

    def answer(self, order: wire.Order, result: str, **fields: Any) -> wire.Outcome:
        """An outcome of an order."""
        spoken: dict[str, Any] = {"epoch": order.epoch, "at": utc_text(self.ledger.clock())}
        return wire.Outcome(job_id=order.job_id, taxpayer_id=order.taxpayer_id, result=result, **{**spoken, **fields})

    def settle(self, outcome: wire.Outcome) -> str:
        return self.ledger.write_now(lambda tx: settlement.settle(tx, self.id, outcome))

    def done(self, order: wire.Order) -> wire.Outcome:
        """The outcome of an order carried out without trouble."""
        now = self.ledger.clock()
        for desk in self.desks:
            told = desk.evidence(order)
            if told is not None:
                return self.answer(order, "done", evidence=told)
        if isinstance(order.work, work.IssueInvoice):
            found: evidence.Evidence = self.papers[str(order.address.device_no)].issue(order, now)
        elif isinstance(order.work, work.VoidInvoice):
            found = self.papers[str(order.address.device_no)].void(order.work, now)
        elif isinstance(order.work, work.UploadRedForm | work.QueryRedForm | work.CancelRedForm):
            found = self.papers[str(order.address.device_no)].form(order.work)
        elif isinstance(order.work, work.CommissionDevice):
            number = f"4999{len(self.papers) + 1:08d}"
            self.papers[number] = Paper(number, str(order.address.tax_server_no))
            found = evidence.DeviceCommissioned(device_no=number)
        else:
            found = fleet_evidence(order, self.quota, now)
        return self.answer(order, "done", evidence=found)

    def work_off(self) -> list[wire.Order]:
        """Carry out everything there is to lease."""
        orders = self.lease()
        assert [self.settle(self.done(order)) for order in orders] == ["settled"] * len(orders)
        return orders

    def observe(self, paper: Paper, **changes: Any) -> tuple[str, int] | None:
        seen = paper.reading(self.ledger.clock(), **changes)
        return self.ledger.write_now(lambda tx: observations.take(tx, self.id, seen, RULES))
