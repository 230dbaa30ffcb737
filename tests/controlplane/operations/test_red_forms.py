"""Red forms: registered, uploaded, decided, used by one red invoice, cancelled; what they hold is kept for them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import red_forms, red_offsets
from controlplane.operations.acts import Act, Viewer
from controlplane.store.engine import Ledger
from controlplane.wire.work import ORDERS, IssueInvoice, UploadRedForm
from tests.controlplane.operations.offset_scene import Desk
from tests.controlplane.operations.scene import ADMIN, RULES, Agent, Clock, Scene, front_end


@pytest.fixture
def desk(scene: Scene, agent: Agent) -> Desk:
    return Desk(scene, agent)


def refused(desk: Desk, act: Any) -> Refusal:
    before = desk.scene.dump()
    with pytest.raises(Refusal) as caught:
        act()
    assert desk.scene.dump() == before, "a refused act changes nothing but the log"
    return caught.value


def test_from_a_blue_invoice_to_a_used_form(desk: Desk) -> None:
    blue = desk.issued("r1", kind="028")
    form_id = desk.form(blue)
    form = desk.form_row(form_id)
    assert (form["state"], form["net_fen"], form["tax_fen"], form["red_form_no"]) == ("draft", 2000, 180, "")
    assert form["form_no"] == f"{desk.paper.device_no}261122110000"
    job_id = desk.on_form(form_id, "upload")
    work = ORDERS.decode(desk.scene.one("SELECT work FROM jobs WHERE id = :id", id=job_id)["work"])
    assert isinstance(work, UploadRedForm) and (work.original_no, work.net_total) == ("00010001", "-20.00")
    assert [(line.amount, line.tax, line.quantity) for line in work.lines] == [("-20.00", "-1.80", "-2")]
    desk.agent.work_off()
    form = desk.form_row(form_id)
    assert (form["state"], form["status"], len(form["red_form_no"])) == ("approved", "TZD0000", 16)
    red = desk.red(blue, "red1", red_form_no=form["red_form_no"])
    order = ORDERS.decode(desk.scene.jobs_of(red)[0]["work"])
    assert isinstance(order, IssueInvoice) and order.red_form_no == form["red_form_no"]
    assert order.remark == f"开具红字增值税专用发票信息表编号{form['red_form_no']}"
    assert desk.form_row(form_id)["state"] == "approved", "used is what the issued red invoice makes of it"
    desk.agent.work_off()
    form = desk.form_row(form_id)
    assert (form["state"], form["red_invoice_id"]) == ("used", red)
    assert desk.row(blue)["red_offset_by"] == red


def test_a_special_kind_needs_an_approved_form(desk: Desk) -> None:
    blue = desk.issued("r1", kind="028")
    assert refused(desk, lambda: desk.red(blue, "red1")).code == "red_form_needed"
    assert refused(desk, lambda: desk.red(blue, "red1", red_form_no="4" * 16)).code == "red_form_unknown"
    form = desk.approved(blue)
    other = desk.issued("r2", kind="028")
    wrong = refused(desk, lambda: desk.red(other, "red1", red_form_no=form["red_form_no"]))
    assert wrong.code == "red_form_unknown" and form["red_form_no"] in wrong.message
    lines = refused(desk, lambda: desk.red(blue, "red1", red_form_no=form["red_form_no"], lines=[{"line_no": 1}]))
    assert lines.code == "red_form_sets_lines"


def test_one_form_takes_one_red_invoice(desk: Desk) -> None:
    blue = desk.issued("r1", kind="028", lines=[desk.line(quantity="10")])
    form = desk.approved(blue, lines=[{"line_no": 1, "quantity": "4"}])
    first = desk.red(blue, "red1", red_form_no=form["red_form_no"])
    taken = refused(desk, lambda: desk.red(blue, "red2", red_form_no=form["red_form_no"]))
    assert taken.code == "red_form_taken" and taken.details["invoice_id"] == first
    desk.agent.work_off()
    assert refused(desk, lambda: desk.red(blue, "red2", red_form_no=form["red_form_no"])).code == "red_form_taken"
    second = desk.approved(blue)
    assert second["net_fen"] == 6000, "all that is left"
    desk.red(blue, "red2", red_form_no=second["red_form_no"])
    desk.agent.work_off()
    assert desk.row(blue)["red_net_fen"] == 10000 and desk.row(blue)["live"] == 0


@pytest.mark.parametrize("servers", [1, 2])
def test_two_reds_by_one_form_at_once(desk: Desk, servers: int) -> None:
    blue = desk.issued("r1", kind="028")
    form = desk.approved(blue)
    asked = [desk.red_asked(blue, f"red{number}", red_form_no=form["red_form_no"]) for number in range(8)]
    other = Ledger(desk.scene.ledger.url, desk.scene.ledger.clock)
    ledgers = [desk.scene.ledger, other][:servers]
    futures = [
        ledgers[number % servers].submit(lambda tx, one=one: red_offsets.request(tx, one, RULES))
        for number, one in enumerate(asked)
    ]
    faults = [future.exception(30) for future in futures]
    other.close()
    assert faults.count(None) == 1
    assert {getattr(fault, "code", fault) for fault in faults if fault} == {"red_form_taken"}


@pytest.mark.parametrize("turn", range(4))
def test_cancel_and_use_at_once_one_wins(desk: Desk, turn: int) -> None:
    blue = desk.issued("r1", kind="028")
    form = desk.approved(blue)
    asked = desk.red_asked(blue, "red1", red_form_no=form["red_form_no"])
    act = Act(ADMIN, "cancel", form["id"], form["version"], "for the test", {})
    other = Ledger(desk.scene.ledger.url, desk.scene.ledger.clock)
    operations: list[Any] = [
        lambda tx: red_offsets.request(tx, asked, RULES), lambda tx: red_forms.act(tx, act, RULES),
    ]  # fmt: skip
    futures = [
        ledger.submit(one)
        for ledger, one in zip((desk.scene.ledger, other), operations[:: 1 if turn % 2 else -1], strict=True)
    ]
    faults = [future.exception(30) for future in futures]
    other.close()
    assert faults.count(None) == 1
    assert {getattr(fault, "code", fault) for fault in faults if fault} <= {"red_form_taken", "open_job"}


@pytest.mark.parametrize("state", ["draft", "uploaded", "refused", "cancelled"])
def test_only_an_approved_form_is_used(desk: Desk, state: str) -> None:
    blue = desk.issued("r1", kind="028")
    form = desk.approved(blue)
    desk.scene.change("UPDATE red_forms SET state = :state", state=state)
    told = refused(desk, lambda: desk.red(blue, "red1", red_form_no=form["red_form_no"]))
    assert told.code == "red_form_not_approved" and state in told.message


VERDICTS = {
    "TZD0000": "approved", "TZD1000": "approved", "TZD0500": "uploaded", "TZD0071": "uploaded", "TZD0072": "uploaded",
    "TZD0076": "uploaded", "TZD0077": "uploaded", "TZD0061": "refused", "TZD0073": "refused", "TZD0078": "refused",
    "TZD0079": "refused", "TZD0080": "refused", "TZD9998": "refused", "TZD0082": "cancelled", "TZD0083": "cancelled",
    "TZD0074": "uploaded", "TZD0075": "uploaded", "TZD4711": "uploaded",
}  # fmt: skip
"""The bureau's word on an upload → state of the form, by hand; a word nobody wrote down moves nothing."""


@pytest.mark.parametrize("status", sorted(VERDICTS))
def test_every_word_of_the_bureau(desk: Desk, status: str) -> None:
    blue = desk.issued("r1", kind="028")
    form_id = desk.form(blue)
    desk.on_form(form_id, "upload")
    (order,) = desk.agent.lease()
    said = desk.agent.done(order)
    number = "4403012611000001" if VERDICTS[status] == "approved" else ""
    said.evidence.status, said.evidence.red_form_no = status, number
    desk.agent.settle(said)
    form = desk.form_row(form_id)
    assert (form["state"], form["status"], form["red_form_no"]) == (VERDICTS[status], status, number)


def test_a_form_that_waits_is_asked_for_again(desk: Desk, clock: Clock) -> None:
    blue = desk.issued("r1", kind="028")
    desk.paper.verdict = "TZD0071"
    form_id = desk.form(blue)
    desk.on_form(form_id, "upload")
    desk.agent.work_off()
    clock.forward(days=3)
    shown = _view(desk, form_id)
    assert (shown["state"], shown["next_actor"], shown["days_waited"]) == ("uploaded", "bureau", 3)
    assert shown["status_text"] == "待查证"
    desk.agent.observe(desk.paper)
    desk.paper.verdict = "TZD0000"
    desk.on_form(form_id, "query")
    desk.agent.work_off()
    shown = _view(desk, form_id)
    assert (shown["state"], shown["next_actor"], shown["days_waited"]) == ("approved", "operator", 0)
    desk.on_form(form_id, "query")
    desk.agent.work_off()
    assert desk.form_row(form_id)["state"] == "approved"


def _view(desk: Desk, form_id: str) -> dict[str, Any]:
    viewer = Viewer(ADMIN, desk.scene.ledger.clock(), RULES)
    row = desk.form_row(form_id)
    return desk.scene.ledger.read_now(lambda hand: red_forms.view(hand, row, viewer))


def test_what_a_form_is_over_is_kept_for_it(desk: Desk) -> None:
    blue = desk.issued("r1", kind="028", lines=[desk.line(quantity="10"), desk.line()])
    first = desk.form(blue, lines=[{"line_no": 1, "quantity": "7"}])
    over = refused(desk, lambda: desk.form(blue, lines=[{"line_no": 1, "quantity": "4"}]))
    assert over.code == "red_quantity_exceeds" and "3" in over.message
    second = desk.form(blue, line_nos=["2"])
    assert desk.form_row(second)["net_fen"] == 2000
    assert desk.form_row(first)["form_no"] != desk.form_row(second)["form_no"], "two in one second have two numbers"
    rest = desk.form(blue)
    assert desk.form_row(rest)["net_fen"] == 3000
    assert refused(desk, lambda: desk.form(blue)).code == "red_nothing_left"
    desk.on_form(rest, "cancel")
    assert desk.form_row(rest)["state"] == "cancelled", "a draft is cancelled here and now"
    assert desk.form_row(desk.form(blue))["net_fen"] == 3000


def test_limits_of_a_form(desk: Desk) -> None:
    blue = desk.issued("r1", kind="028", lines=[desk.line() for _ in range(9)])
    told = refused(desk, lambda: desk.form(blue))
    assert told.code == "red_form_too_many_lines" and told.details == {"count": 9, "limit": 8}
    assert desk.form(blue, line_nos=[str(number) for number in range(1, 9)])
    assert refused(desk, lambda: desk.form(blue, line_nos=["x"])).code == "red_line_unknown"
    ordinary = desk.issued("r2")
    assert refused(desk, lambda: desk.form(ordinary)).code == "red_form_unexpected"
    pending = desk.issued("r3", None, kind="028")
    assert refused(desk, lambda: desk.form(pending)).code == "red_not_uploaded"


def test_others_do_not_see_it(desk: Desk) -> None:
    blue = desk.issued("r1", kind="028")
    stranger = front_end(desk.scene.taxpayer(2))
    values = {"invoice_id": blue, "applicant": "seller"}
    with pytest.raises(Refusal) as caught:
        desk.scene.ledger.write_now(lambda tx: red_forms.register(tx, stranger, values, RULES))
    assert caught.value.code == "not_found"
    act = Act(stranger, "upload", desk.form(blue), 1, "for the test", {})
    with pytest.raises(Refusal) as caught:
        desk.scene.ledger.write_now(lambda tx: red_forms.act(tx, act, RULES))
    assert caught.value.code == "not_found"


def test_an_approved_form_is_cancelled_at_the_bureau(desk: Desk) -> None:
    blue = desk.issued("r1", kind="028")
    form = desk.approved(blue)
    desk.on_form(form["id"], "cancel")
    assert refused(desk, lambda: desk.red(blue, "red1", red_form_no=form["red_form_no"])).code == "open_job"
    desk.agent.work_off()
    assert desk.form_row(form["id"])["state"] == "cancelled"
    assert desk.approved(blue)["net_fen"] == 2000, "its amounts are free again"


def test_a_refused_call_leaves_the_form_and_tells_why(desk: Desk) -> None:
    form_id = desk.form(desk.issued("r1", kind="028"))
    desk.on_form(form_id, "upload")
    (order,) = desk.agent.lease()
    desk.agent.settle(desk.agent.answer(order, "refused", code="300001", message="无法连接税局"))
    form = desk.form_row(form_id)
    assert (form["state"], form["message"]) == ("draft", "300001 无法连接税局")
    desk.on_form(form_id, "upload")
    desk.agent.work_off()
    assert desk.form_row(form_id)["state"] == "approved"


def test_a_voided_red_invoice_gives_its_form_back(desk: Desk) -> None:
    blue = desk.issued("r1", kind="028")
    form = desk.approved(blue)
    red = desk.red(blue, "red1", red_form_no=form["red_form_no"])
    desk.agent.work_off()
    desk.upload("signature_rejected")
    desk.void(red)
    desk.agent.work_off()
    after = desk.form_row(form["id"])
    assert (after["state"], after["red_invoice_id"]) == ("approved", None)
    again = desk.red(blue, "red2", red_form_no=form["red_form_no"])
    desk.agent.work_off()
    assert desk.row(again)["state"] == "issued" and desk.form_row(form["id"])["red_invoice_id"] == again


@pytest.mark.parametrize("wrong", ["form_no", "red_form_no"])
def test_evidence_of_another_form_is_set_aside(desk: Desk, wrong: str) -> None:
    form_id = desk.form(desk.issued("r1", kind="028"))
    desk.on_form(form_id, "upload")
    (order,) = desk.agent.lease()
    said = desk.agent.done(order)
    setattr(said.evidence, wrong, "9" * 24 if wrong == "form_no" else "")
    desk.agent.settle(said)
    assert desk.form_row(form_id)["state"] == "draft"
    assert desk.scene.one("SELECT state FROM jobs WHERE id = :id", id=order.job_id)["state"] == "unknown"


def test_the_allowed_list_says_why_not(desk: Desk) -> None:
    blue = desk.issued("r1", kind="028")
    form = desk.approved(blue)
    enabled = {one["verb"]: one["enabled"] for one in _view(desk, form["id"])["allowed"]}
    assert enabled == {"upload": False, "query": True, "cancel": True}
    desk.red(blue, "red1", red_form_no=form["red_form_no"])
    (cancel,) = (one for one in _view(desk, form["id"])["allowed"] if one["verb"] == "cancel")
    assert not cancel["enabled"] and form["red_form_no"] in cancel["why"]
    act = Act(ADMIN, "cancel", form["id"], form["version"], "for the test", {})
    assert refused(
        desk, lambda: desk.scene.ledger.write_now(lambda tx: red_forms.act(tx, act, RULES))
    ).code == "red_form_taken"  # fmt: skip


def test_the_log_names_who_and_what(desk: Desk) -> None:
    blue = desk.issued("r1", kind="028")
    form_id = desk.form(blue)
    row = desk.scene.log()[-1]
    assert (row["action"], row["subject_id"], row["taxpayer_id"]) == ("red-forms.register", form_id, desk.owner)
    desk.on_form(form_id, "upload")
    assert desk.scene.log()[-1]["action"] == "red-forms.upload"
    assert json.loads(desk.scene.one("SELECT trail FROM jobs WHERE subject_id = :id", id=form_id)["trail"])
