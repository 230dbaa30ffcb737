"""SIGTERM: the call in hand is finished, written down and handed over; what was not begun goes back."""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from contextlib import closing

from tests.agents.orders import DEVICE, order
from tests.agents.peers.agent_process import AgentProcess
from tests.agents.peers.control_plane import ControlPlane
from tests.agents.peers.tax_server import Misdeed, TaxServer


def test_the_call_in_hand_is_finished(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    tax_server.misbehave("GP_FPKJ", Misdeed("late", 0.6))
    plane.requeues = False
    orders = [order(tax_server) for _ in range(3)]
    plane.put(*orders)
    agent.start(TAXPLANE_AGENT_READ_TIMEOUT="3")
    plane.wait(lambda: tax_server.calls("GP_FPKJ"))
    started = time.monotonic()
    assert agent.terminate() == 0
    assert time.monotonic() - started < 3
    assert [plane.outcomes(asked.job_id) for asked in orders] == [["done"], ["unreachable"], ["unreachable"]]
    assert plane.jobs[orders[1].job_id].outcomes[0].code == "not_started"
    assert len(tax_server.device(DEVICE).journal) == 1


def test_an_idle_agent_stops_at_once(plane: ControlPlane, agent: AgentProcess) -> None:
    agent.start(TAXPLANE_AGENT_LEASE_WAIT="30")
    plane.wait(lambda: plane.polling)
    started = time.monotonic()
    assert agent.terminate() == 0
    assert time.monotonic() - started < 1


def test_what_cannot_be_handed_over_is_kept(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    plane.trouble["/v1/agent/outcomes"] = deque([503] * 1000)
    asked = order(tax_server)
    plane.put(asked)
    agent.start()
    plane.wait(lambda: tax_server.calls("GP_FPCX"))
    assert agent.terminate() == 0
    with closing(sqlite3.connect(agent.home / "journal.db")) as db:
        assert db.execute("SELECT count(*) FROM outcomes WHERE delivered_at IS NULL").fetchone() == (1,)
    plane.trouble.clear()
    plane.jobs[asked.job_id].state = "held"
    agent.start()
    plane.wait(plane.settled)


def test_a_second_process_in_the_same_home_is_refused(plane: ControlPlane, agent: AgentProcess) -> None:
    agent.start()
    plane.wait(lambda: plane.leases)
    second = AgentProcess(agent.home, plane.url)
    second.start()
    assert second.ended() == 5
    assert agent.alive()
