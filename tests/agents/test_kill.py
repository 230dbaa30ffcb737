"""kill -9 at every named place, then a restart: one sign per serial, the journal read after an unanswered one."""

from __future__ import annotations

import signal

import pytest

from tests.agents.orders import DEVICE, order
from tests.agents.peers.agent_process import AgentProcess
from tests.agents.peers.control_plane import ControlPlane
from tests.agents.peers.tax_server import Misdeed, TaxServer
from tests.agents.test_unknown import signs_are_separated_by_readings

PLACES = [
    "agent.poll=kill@2",
    "agent.lease_ack=kill",
    "agent.intent_write=kill@2",
    "agent.intent_sync=kill@2",
    "agent.dev_open=kill",
    "agent.sign_sent=kill@2",
    "agent.sign_ret=kill@2",
    "agent.readback=kill@2",
    "agent.local_commit=kill@2",
    "agent.report_sent=kill",
    "agent.report_acked=kill",
    "agent.cleanup=kill",
]


@pytest.mark.parametrize("fault", PLACES)
def test_killed_at(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess, fault: str) -> None:
    orders = [order(tax_server) for _ in range(3)]
    orders.append(order(tax_server, device_no="500000000002"))
    plane.put(*orders)
    agent.start(fault)
    assert agent.ended() == -signal.SIGKILL
    agent.start()
    plane.wait(plane.settled)
    journals = [row for device in tax_server.devices.values() for row in device.journal]
    assert sorted(row["LSH"] for row in journals) == sorted(o.serial for o in orders)
    assert [row["FPHM"] for row in tax_server.device(DEVICE).journal] == ["00000001", "00000002", "00000003"]
    executed = [row["LSH"] for row in journals]
    assert len(executed) == len(set(executed)) and signs_are_separated_by_readings(tax_server)
    reported = {job.outcomes[-1].evidence.invoice_no: job for job in plane.jobs.values()}  # type: ignore[union-attr]
    assert set(reported) == {"00000001", "00000002", "00000003"}


def test_killed_with_an_open_call_and_a_silent_device(
    plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess
) -> None:
    """The restarted agent finds the device not answering at first, and then the invoice."""
    tax_server.misbehave("GP_FPKJ", Misdeed("late", 1.0))
    tax_server.misbehave("GP_FPCX", "drop", "html")
    asked = order(tax_server)
    plane.put(asked)
    agent.start("agent.sign_sent=kill")
    agent.ended()
    agent.start()
    plane.wait(plane.settled)
    assert tax_server.calls("GP_FPKJ") == 1
    assert plane.outcomes(asked.job_id)[-1] == "done"


def test_faults_inside_do_not_stop_the_agent(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    """An unexpected fault at each place, one after the other: the order concerned is looked up, nothing is lost."""
    places = ["intent_write", "intent_sync", "sign_sent", "sign_ret", "readback", "local_commit"]
    faults = [f"agent.{place}=raise@{n}" for n, place in enumerate(places, 1)]
    orders = [order(tax_server) for _ in range(8)]
    plane.put(*orders)
    agent.start(";".join([*faults, "agent.report_sent=raise@1", "agent.report_acked=raise@1", "agent.cleanup=raise"]))
    plane.wait(plane.settled)
    assert sorted(row["LSH"] for row in tax_server.device(DEVICE).journal) == [o.serial for o in orders]
    assert sum(str(line["event"]).startswith("fault") for line in agent.log()) >= len(places)
    assert agent.terminate() == 0


def test_no_space_for_the_intent_means_no_sign(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    asked = order(tax_server)
    plane.put(asked)
    agent.start("agent.intent_write=ENOSPC@1")
    plane.wait(plane.settled)
    first = plane.jobs[asked.job_id].outcomes[0]
    assert (first.result, first.code) == ("unreachable", "journal_full")
    assert tax_server.calls("GP_FPKJ") == 1
