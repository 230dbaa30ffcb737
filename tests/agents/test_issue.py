"""One invoice through the agent: intent before the device, read-back after it, one outcome."""

from __future__ import annotations

import sqlite3
from typing import Any

from controlplane.wire.evidence import IssuedInvoice
from tests.agents.orders import DEVICE, order
from tests.agents.peers.agent_process import AgentProcess
from tests.agents.peers.control_plane import ControlPlane
from tests.agents.peers.tax_server import TaxServer


def test_intent_is_on_disk_before_the_device_is_touched(
    plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess
) -> None:
    found: list[Any] = []

    def look(code: str, body: dict[str, Any]) -> None:
        if code == "GP_FPKJ":
            with sqlite3.connect(f"file:{agent.home / 'journal.db'}?mode=ro", uri=True) as db:
                found.append(db.execute("SELECT open, epoch FROM intents WHERE serial = ?", (body["LSH"],)).fetchall())

    tax_server.before = look
    first, second = order(tax_server), order(tax_server)
    plane.put(first, second)
    agent.start()
    plane.wait(plane.settled)
    assert found == [[(1, 1)], [(1, 1)]]


def test_evidence_is_what_the_device_remembers(
    plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess
) -> None:
    asked = order(tax_server)
    plane.put(asked)
    agent.start()
    plane.wait(plane.settled)
    (outcome,) = plane.jobs[asked.job_id].outcomes
    row = tax_server.device(DEVICE).journal[0]
    assert isinstance(outcome.evidence, IssuedInvoice)
    assert (outcome.evidence.invoice_no, outcome.evidence.payload_hash) == ("00000001", row["BWZY"])
    assert outcome.evidence.issued_at[10] == "T" and outcome.evidence.issued_at.endswith("+08:00")
    assert [call[0] for call in tax_server.trace if call[2] == asked.serial] == ["GP_FPKJ", "GP_FPCX"]


def test_numbers_are_read_once_and_then_expected(
    plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess
) -> None:
    plane.put(*(order(tax_server) for _ in range(5)))
    agent.start()
    plane.wait(plane.settled)
    assert tax_server.calls("GP_DQFPCX") == 1
    assert [row["FPHM"] for row in tax_server.device(DEVICE).journal] == [f"{n:08d}" for n in range(1, 6)]
