"""After a call without a definite answer the device's journal is read, and only what it says counts."""

from __future__ import annotations

import pytest

from controlplane.wire.evidence import IssuedInvoice
from tests.agents.orders import DEVICE, order
from tests.agents.peers.agent_process import AgentProcess
from tests.agents.peers.control_plane import ControlPlane
from tests.agents.peers.tax_server import Misdeed, TaxServer


def signs_are_separated_by_readings(server: TaxServer) -> bool:
    """Whether between two sign calls of one serial the journal was read (I-6)."""
    unread: set[str] = set()
    for code, _, serial in server.trace:
        if code == "GP_FPKJ":
            if serial in unread:
                return False
            unread.add(serial)
        elif code == "GP_FPCX":
            unread.discard(serial)
    return True


@pytest.mark.parametrize(
    "misdeed",
    [
        Misdeed("lose"),
        Misdeed("half"),
        Misdeed("late", 0.7),
        Misdeed("trickle", 0.02),
        Misdeed("html"),
        Misdeed("damaged"),
        Misdeed("charset"),
        Misdeed("foreign"),
    ],
    ids=lambda misdeed: misdeed.kind,
)
def test_executed_without_answer(
    plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess, misdeed: Misdeed
) -> None:
    tax_server.misbehave("GP_FPKJ", misdeed)
    first, second = order(tax_server), order(tax_server)
    plane.put(first, second)
    agent.start()
    plane.wait(plane.settled)
    assert plane.outcomes(first.job_id) == ["unknown", "done"]
    assert plane.outcomes(second.job_id) == ["done"]
    assert [row["LSH"] for row in tax_server.device(DEVICE).journal] == [first.serial, second.serial]
    assert tax_server.calls("GP_FPKJ", first.serial) == 1


def test_raw_answer_is_kept_cleaned(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    tax_server.misbehave("GP_FPKJ", "html")
    asked = order(tax_server)
    plane.put(asked)
    agent.start()
    plane.wait(plane.settled)
    unknown = plane.jobs[asked.job_id].outcomes[0]
    assert unknown.code == "damaged" and "login" in unknown.message and "\x1b" not in unknown.message


def test_recall_goes_on_while_the_journal_cannot_be_read(
    plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess
) -> None:
    tax_server.misbehave("GP_FPKJ", "lose")
    tax_server.misbehave("GP_FPCX", "lose", Misdeed("say", "0001"), Misdeed("say", "9998"), "html")
    asked = order(tax_server)
    plane.put(asked)
    agent.start()
    plane.wait(plane.settled)
    assert plane.outcomes(asked.job_id) == ["unknown", "done"]
    assert tax_server.calls("GP_FPKJ") == 1 and tax_server.calls("GP_FPCX") >= 5


def test_never_executed_is_performed_again_with_the_same_serial(
    plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess
) -> None:
    tax_server.misbehave("GP_FPKJ", "drop", "drop")
    asked = order(tax_server)
    plane.put(asked)
    agent.start()
    plane.wait(plane.settled)
    assert plane.outcomes(asked.job_id) == ["unknown", "done"]
    assert [c for c, _, s in tax_server.trace if s == asked.serial] == ["GP_FPKJ", "GP_FPCX"] * 3
    assert len(tax_server.device(DEVICE).journal) == 1


@pytest.mark.parametrize(("kind", "code"), [("forget", "journal_lacks_invoice"), ("alter", "answer_differs")])
def test_answer_and_journal_disagree(
    plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess, kind: str, code: str
) -> None:
    """Not reported as issued, never signed again, also after a restart (F28)."""
    tax_server.misbehave("GP_FPKJ", kind)
    asked, behind = order(tax_server), order(tax_server)
    plane.put(asked, behind)
    agent.start()
    plane.wait(lambda: plane.jobs[asked.job_id].outcomes)
    agent.kill()
    readings = tax_server.calls("GP_FPCX", asked.serial)
    agent.start()
    plane.wait(lambda: tax_server.calls("GP_FPCX", asked.serial) >= readings + 3)
    assert {outcome.code for outcome in plane.jobs[asked.job_id].outcomes} == {code}
    assert set(plane.outcomes(asked.job_id)) == {"unknown"} and plane.outcomes(behind.job_id) == []
    assert tax_server.calls("GP_FPKJ") == 1


def test_other_content_under_our_serial(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    asked = order(tax_server, redelivered=True)
    row = {
        "XH": 1, "LSH": asked.serial, "FPQQLSH": "X", "DDH": "X", "FPLXDM": "026", "KPZDDM": "0001", "FPDM": "1",
        "FPHM": "00000007", "KPRQ": "20260101000000", "HJJE": "1.00", "HJSE": "0.06", "JSHJ": "1.06", "BWZY": "0" * 64,
    }  # fmt: skip
    tax_server.device(DEVICE).journal.append(row)
    plane.put(asked)
    agent.start()
    plane.wait(lambda: plane.jobs[asked.job_id].outcomes)
    (outcome,) = plane.jobs[asked.job_id].outcomes
    assert (outcome.result, outcome.code) == ("unknown", "content_differs") and "gross_total" in outcome.message
    assert tax_server.calls("GP_FPKJ") == 0


def test_taken_is_polled(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    tax_server.misbehave("GP_FPKJ", "taken")
    tax_server.misbehave("GP_YBJGCX", Misdeed("say", "1000"), Misdeed("say", "1000"))
    asked = order(tax_server)
    plane.put(asked)
    agent.start()
    plane.wait(plane.settled)
    assert plane.outcomes(asked.job_id) == ["done"]
    assert (tax_server.calls("GP_FPKJ"), tax_server.calls("GP_YBJGCX")) == (1, 3)


def test_busy_device_is_asked_again(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    tax_server.misbehave("GP_FPKJ", Misdeed("say", "7503"), Misdeed("say", "7503"))
    asked = order(tax_server)
    plane.put(asked)
    agent.start()
    plane.wait(plane.settled)
    assert plane.outcomes(asked.job_id) == ["done"]


def test_refusal_names_code_and_words(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    tax_server.misbehave("GP_FPKJ", Misdeed("say", "09d115"))
    asked, after = order(tax_server), order(tax_server)
    plane.put(asked, after)
    agent.start()
    plane.wait(plane.settled)
    (outcome,) = plane.jobs[asked.job_id].outcomes
    assert (outcome.result, outcome.code, outcome.message) == ("refused", "09d115", "原文")
    assert tax_server.calls("GP_DQFPCX") == 2, "after a refusal the number is read again"


def test_device_used_by_hand(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    """The number we expected is gone: the invoice goes on from the device's own (F29)."""
    first, second = order(tax_server), order(tax_server)
    plane.put(first)
    agent.start()
    plane.wait(plane.settled)
    tax_server.device(DEVICE).next = 40
    plane.put(second)
    plane.wait(plane.settled)
    evidence = plane.jobs[second.job_id].outcomes[-1].evidence
    assert isinstance(evidence, IssuedInvoice) and evidence.invoice_no == "00000040"


def test_stock_ends(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    tax_server.device(DEVICE).end = 2
    orders = [order(tax_server) for _ in range(3)]
    plane.put(*orders)
    agent.start()
    plane.wait(plane.settled)
    assert [plane.jobs[o.job_id].outcomes[-1].code for o in orders] == ["", "", "1002"]
    assert signs_are_separated_by_readings(tax_server)
