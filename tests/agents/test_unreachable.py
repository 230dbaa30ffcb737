"""Nothing sent, nothing happened: orders go back in their order and come again."""

from __future__ import annotations

from tests.agents.orders import DEVICE, order
from tests.agents.peers.agent_process import AgentProcess
from tests.agents.peers.control_plane import ControlPlane
from tests.agents.peers.tax_server import Misdeed, TaxServer


def test_orders_go_back_in_order(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    tax_server.down()
    plane.requeues = False
    orders = [order(tax_server) for _ in range(4)]
    plane.put(*orders)
    agent.start()
    plane.wait(lambda: all(job.outcomes for job in plane.jobs.values()))
    reported = [outcome for report in plane.reports for outcome in report.outcomes]
    assert [outcome.job_id for outcome in reported] == [o.job_id for o in orders]
    assert [outcome.code for outcome in reported] == ["connection_refused"] + ["not_started"] * 3
    assert {outcome.result for outcome in reported} == {"unreachable"}


def test_they_are_done_once_when_the_device_is_back(
    plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess
) -> None:
    tax_server.down()
    orders = [order(tax_server) for _ in range(4)]
    plane.put(*orders)
    agent.start()
    plane.wait(lambda: all(job.outcomes for job in plane.jobs.values()))
    tax_server.up()
    plane.wait(plane.settled)
    assert [row["LSH"] for row in tax_server.device(DEVICE).journal] == [o.serial for o in orders]


def test_a_device_going_away_during_a_sign_is_unknown(
    plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess
) -> None:
    """Unplugged after the call went out: refused connections later do not make it 'nothing happened' (F27)."""
    first = order(tax_server)
    tax_server.misbehave("GP_FPKJ", Misdeed("late", 0.2))
    tax_server.before = lambda code, body: tax_server.down() if code == "GP_FPKJ" else None
    plane.put(first)
    agent.start()
    plane.wait(lambda: plane.jobs[first.job_id].outcomes)
    tax_server.before = lambda code, body: None
    tax_server.up()
    plane.wait(plane.settled)
    assert plane.outcomes(first.job_id) == ["unknown", "done"]
    assert tax_server.calls("GP_FPKJ") == 1


def test_redelivered_order_is_recalled_first(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    done, fresh = order(tax_server), order(tax_server)
    plane.put(done)
    agent.start()
    plane.wait(plane.settled)
    agent.kill()
    (agent.home / "journal.db").rename(agent.home / "lost.db")
    plane.put(
        order(tax_server, done.work, job_id=done.job_id, serial=done.serial, redelivered=True),
        order(tax_server, fresh.work, job_id=fresh.job_id, serial=fresh.serial, redelivered=True),
    )
    tax_server.trace.clear()
    agent.start()
    plane.wait(plane.settled)
    assert [c for c, _, s in tax_server.trace if s == done.serial] == ["GP_FPCX"]
    assert [c for c, _, s in tax_server.trace if s == fresh.serial] == ["GP_FPCX", "GP_FPKJ", "GP_FPCX"]


def test_redelivered_order_on_an_unreachable_device_goes_back(
    plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess
) -> None:
    tax_server.down()
    plane.requeues = False
    asked = order(tax_server, redelivered=True)
    plane.put(asked)
    agent.start()
    plane.wait(lambda: plane.jobs[asked.job_id].outcomes)
    assert plane.outcomes(asked.job_id) == ["unreachable"]


def test_always_busy_goes_back(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    tax_server.misbehave("GP_FPKJ", *(Misdeed("say", "7503") for _ in range(5)))
    plane.requeues = False
    asked = order(tax_server)
    plane.put(asked)
    agent.start()
    plane.wait(lambda: plane.jobs[asked.job_id].outcomes)
    outcome = plane.jobs[asked.job_id].outcomes[0]
    assert (outcome.result, outcome.code) == ("unreachable", "7503")


def test_unknown_device_kind_is_refused(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    import msgspec

    asked = order(tax_server)
    asked = msgspec.structs.replace(asked, address=msgspec.structs.replace(asked.address, device_kind="teapot"))
    plane.put(asked)
    agent.start()
    plane.wait(plane.settled)
    assert plane.jobs[asked.job_id].outcomes[0].code == "no_driver"
