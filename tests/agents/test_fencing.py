"""Which control plane, which lease: what an agent refuses to begin."""

from __future__ import annotations

from collections import deque

import msgspec

from controlplane.wire.evidence import IssuedInvoice
from tests.agents.orders import DEVICE, order
from tests.agents.peers.agent_process import AgentProcess
from tests.agents.peers.control_plane import ControlPlane
from tests.agents.peers.tax_server import Misdeed, TaxServer


def test_older_epoch_is_not_executed(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    newer, older = order(tax_server, epoch=5), order(tax_server, epoch=4)
    plane.put(newer)
    agent.start()
    plane.wait(plane.settled)
    plane.epochs[DEVICE] = 4
    plane.requeues = False
    plane.put(older)
    plane.wait(lambda: plane.jobs[older.job_id].outcomes)
    outcome = plane.jobs[older.job_id].outcomes[0]
    assert (outcome.result, outcome.code, outcome.epoch) == ("unreachable", "stale_epoch", 4)
    assert tax_server.calls("GP_FPKJ", older.serial) == 0


def test_the_fence_survives_a_restart(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    newer, older = order(tax_server, epoch=5), order(tax_server, epoch=4)
    plane.put(newer)
    agent.start()
    plane.wait(plane.settled)
    agent.kill()
    plane.wait(lambda: not plane.polling)
    plane.epochs[DEVICE] = 4
    plane.requeues = False
    plane.put(older)
    agent.start()
    plane.wait(lambda: plane.jobs[older.job_id].outcomes)
    assert plane.jobs[older.job_id].outcomes[0].code == "stale_epoch"


def test_other_devices_have_their_own_fence(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    plane.put(order(tax_server, epoch=5))
    agent.start()
    plane.wait(plane.settled)
    plane.put(order(tax_server, epoch=1, device_no="500000000002"))
    plane.wait(plane.settled)


def test_a_ledger_that_went_back_gets_no_sign(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    plane.put(order(tax_server))
    agent.start()
    plane.wait(plane.settled)
    agent.terminate()
    plane.ledger_seq = 50
    asked = order(tax_server)
    plane.put(asked)
    agent.start()
    line = agent.logged("control plane refused")
    assert line["guard"] == "ledger_went_back"
    assert tax_server.calls("GP_FPKJ", asked.serial) == 0 and not plane.jobs[asked.job_id].outcomes


def test_another_instance_gets_no_sign(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    plane.instance_id = "a-clone"
    asked = order(tax_server)
    plane.put(asked)
    agent.start()
    assert agent.logged("control plane refused")["guard"] == "other_instance"
    assert tax_server.calls("GP_FPKJ") == 0


def test_unheard_outcomes_are_sent_again(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    """Answers lost, statuses 500 and acknowledgements that settle nothing: the same outcome comes until it is heard."""
    plane.trouble["/v1/agent/outcomes"] = deque([500, 0, 503])
    plane.silent_acks = 2
    asked = order(tax_server)
    plane.put(asked)
    agent.start()
    plane.wait(plane.settled)
    sent = [outcome for report in plane.reports for outcome in report.outcomes]
    assert len(sent) >= 2 and all(outcome == sent[0] for outcome in sent)
    assert tax_server.calls("GP_FPKJ") == 1


def test_unheard_outcomes_survive_a_restart(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    plane.silent_acks = 1000
    asked = order(tax_server)
    plane.put(asked)
    agent.start()
    plane.wait(lambda: any(report.outcomes for report in plane.reports))
    agent.kill()
    plane.silent_acks = 0
    plane.jobs[asked.job_id].state = "held"
    agent.start()
    plane.wait(plane.settled)
    evidence = plane.jobs[asked.job_id].outcomes[-1].evidence
    assert isinstance(evidence, IssuedInvoice) and tax_server.calls("GP_FPCX") == 1


def test_duplicate_delivery_changes_nothing(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    asked = order(tax_server)
    plane.put(asked)
    agent.start()
    plane.wait(plane.settled)
    first = plane.jobs[asked.job_id].outcomes[0]
    plane.put(msgspec.structs.replace(asked, redelivered=True))
    plane.wait(lambda: plane.jobs[asked.job_id].outcomes)
    assert plane.jobs[asked.job_id].outcomes[0] == first, "the recorded outcome itself is sent again"
    assert tax_server.calls("GP_FPKJ") == 1


def test_a_poisonous_outcome_does_not_stop_the_others(
    plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess
) -> None:
    plane.trouble["/v1/agent/outcomes"] = deque([422, 422, 422])
    orders = [order(tax_server, device_no=f"50000000000{n}") for n in range(4)]
    plane.put(*orders)
    agent.start()
    plane.wait(plane.settled)


def test_revoked_agent_stops(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    agent.start()
    plane.wait(lambda: plane.leases)
    plane.trouble["/v1/agent/lease"] = deque([401] * 9)
    assert agent.ended() == 3
    assert "吊销" in (agent.home / "stderr").read_text("utf-8")


def test_without_contact_nothing_new_is_begun(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    """Orders queued behind a slow one go back when the lease's time is over (F14)."""
    tax_server.misbehave("GP_FPKJ", Misdeed("late", 1.3))
    slow, queued = order(tax_server), order(tax_server)
    plane.put(slow, queued)
    plane.requeues = False
    agent.start(TAXPLANE_AGENT_LEASE_SECONDS="0.6", TAXPLANE_AGENT_READ_TIMEOUT="5")
    plane.wait(lambda: tax_server.calls("GP_FPKJ"))
    plane.trouble["/v1/agent/lease"] = deque([503] * 100)
    plane.trouble["/v1/agent/outcomes"] = deque([503] * 2)
    plane.wait(lambda: plane.jobs[queued.job_id].outcomes)
    assert plane.jobs[queued.job_id].outcomes[0].code == "not_started"
    assert plane.outcomes(slow.job_id) == ["done"] and tax_server.calls("GP_FPKJ") == 1
