"""kill -9 in an open red issue or void, then a restart: one outcome, one red invoice, one void."""

from __future__ import annotations

import signal

import msgspec
import pytest

from controlplane.wire.evidence import IssuedInvoice, Voided
from controlplane.wire.work import IssueInvoice, VoidInvoice
from tests.agents.orders import DEVICE, invoice, order
from tests.agents.peers.agent_process import AgentProcess
from tests.agents.peers.control_plane import ControlPlane
from tests.agents.peers.tax_server import Misdeed, TaxServer

PLACES = [
    "agent.intent_write=kill",
    "agent.intent_sync=kill",
    "agent.sign_sent=kill",
    "agent.sign_ret=kill",
    "agent.local_commit=kill",
    "agent.report_sent=kill",
    "agent.report_acked=kill",
]


def red() -> IssueInvoice:
    work = invoice()
    line = msgspec.structs.replace(work.lines[0], amount="-100.00", tax="-6.00", quantity="-1")
    return msgspec.structs.replace(
        work, direction="red", lines=[line], net_total="-100.00", tax_total="-6.00", gross_total="-106.00",
        original_code="032002600104", original_no="00000001", red_reason="1",
        remark="对应正数发票代码:032002600104号码:00000001",
    )  # fmt: skip


@pytest.mark.parametrize("fault", [*PLACES, "agent.readback=kill"])
def test_killed_in_a_red_issue(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess, fault: str) -> None:
    asked = order(tax_server, red())
    plane.put(asked)
    agent.start(fault)
    assert agent.ended() == -signal.SIGKILL
    agent.start()
    plane.wait(plane.settled)
    assert [row["LSH"] for row in tax_server.device(DEVICE).journal] == [asked.serial], "one red invoice"
    told = plane.jobs[asked.job_id].outcomes[-1]
    assert told.result == "done" and isinstance(told.evidence, IssuedInvoice)
    assert (told.evidence.gross_total, told.evidence.invoice_no) == ("-106.00", "00000001")


@pytest.mark.parametrize("fault", PLACES)
def test_killed_in_a_void(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess, fault: str) -> None:
    first = order(tax_server)
    plane.put(first)
    agent.start()
    plane.wait(plane.settled)
    assert agent.terminate() == 0
    made = plane.jobs[first.job_id].outcomes[-1].evidence
    assert isinstance(made, IssuedInvoice)
    work = VoidInvoice(
        kind="026", invoice_code=made.invoice_code, invoice_no=made.invoice_no, gross_total=made.gross_total,
        voided_by="李四", reason="开错",
    )  # fmt: skip
    asked = order(tax_server, work)
    plane.put(asked)
    agent.start(fault)
    assert agent.ended() == -signal.SIGKILL
    agent.start()
    plane.wait(plane.settled)
    assert tax_server.device(DEVICE).voided == [made.invoice_no], "voided once"
    told = plane.jobs[asked.job_id].outcomes[-1]
    assert told.result == "done" and isinstance(told.evidence, Voided)
    assert (told.evidence.invoice_no, told.evidence.index) == (made.invoice_no, made.index)


def test_a_void_answered_too_late(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    """Killed while the device works: the restarted agent reads what became of the serial, and does not void again."""
    first = order(tax_server)
    plane.put(first)
    agent.start()
    plane.wait(plane.settled)
    assert agent.terminate() == 0
    tax_server.misbehave("GP_FPZF", Misdeed("late", 1.0))
    work = VoidInvoice(
        kind="026", invoice_code="032002600104", invoice_no="00000001", gross_total="106.00", voided_by="李四", reason="x"
    )
    asked = order(tax_server, work)
    plane.put(asked)
    agent.start("agent.sign_sent=kill")
    agent.ended()
    agent.start()
    plane.wait(plane.settled)
    assert tax_server.device(DEVICE).voided == ["00000001"] and tax_server.calls("GP_FPZF") == 1
    assert plane.outcomes(asked.job_id)[-1] == "done"
