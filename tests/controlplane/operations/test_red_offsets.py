"""Red-offsets: one red invoice per request, never more than the blue one, and what they do to order, form and facts."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import invoice_moves, placement, red_offsets, voids
from controlplane.operations.acts import Viewer
from controlplane.store.engine import Ledger
from controlplane.wire.work import ORDERS, IssueInvoice
from tests.controlplane.operations.offset_scene import BUYER, Desk
from tests.controlplane.operations.scene import ADMIN, RULES, Agent, Scene, body, front_end


@pytest.fixture
def desk(scene: Scene, agent: Agent) -> Desk:
    return Desk(scene, agent)


def refused(desk: Desk, *arguments: Any, **said: Any) -> Refusal:
    before = desk.scene.dump()
    with pytest.raises(Refusal) as caught:
        desk.red(*arguments, **said)
    assert desk.scene.dump() == before, "a refused act changes nothing but the log"
    return caught.value


def work_of(desk: Desk, red_id: str) -> IssueInvoice:
    work = ORDERS.decode(desk.scene.jobs_of(red_id)[0]["work"])
    assert isinstance(work, IssueInvoice)
    return work


def test_a_whole_red_offset(desk: Desk) -> None:
    blue = desk.issued("r1", order_no="o1")
    red = desk.red(blue, "red1", remark="退货", issuer="王五")
    row = desk.row(red)
    assert (row["direction"], row["state"], row["live"], row["original_id"]) == ("red", "waiting", 0, blue)
    assert (row["net_fen"], row["tax_fen"], row["gross_fen"]) == (-2000, -180, -2180)
    work = work_of(desk, red)
    assert (work.direction, work.original_code, work.original_no) == ("red", "044002600111", "00010001")
    assert (work.red_reason, work.red_form_no, work.issuer) == ("1", "", "王五")
    assert work.remark == "对应正数发票代码:044002600111号码:00010001 退货"
    assert [(line.quantity, line.unit_price, line.amount, line.tax) for line in work.lines] == [
        ("-2", "10.00", "-20.00", "-1.80")
    ]
    assert (work.buyer.tax_id, work.seller.tax_id) == (BUYER.tax_id, desk.owner)
    assert desk.row(blue)["red_net_fen"] == 0, "what is under way does not count as offset"
    desk.agent.work_off()
    row, after = desk.row(red), desk.row(blue)
    assert (row["state"], row["invoice_no"]) == ("issued", "00010002") and row["segment_id"] is not None
    assert (after["red_net_fen"], after["red_tax_fen"], after["red_offset_by"]) == (2000, 180, red)
    assert (after["state"], after["live"]) == ("issued", 0)
    facts = desk.scene.one("SELECT * FROM invoice_facts WHERE invoice_id = :id", id=red)
    assert (facts["direction"], facts["net_fen"], facts["gross_fen"]) == ("red", -2000, -2180)
    assert desk.scene.stock(desk.scene.id_of(desk.paper)) == (98, 0)
    again, state = desk.scene.request(body(desk.owner, "r2", order_no="o1", buyer=BUYER))
    assert state == "waiting" and desk.row(again)["live"] == 1, "fully offset, the order may be requested again"


def test_a_part_leaves_the_order_taken(desk: Desk) -> None:
    blue = desk.issued("r1", order_no="o1")
    desk.red(blue, "red1", lines=[{"line_no": 1, "quantity": "1", "amount": None}])
    desk.agent.work_off()
    row = desk.row(blue)
    assert (row["red_net_fen"], row["red_tax_fen"], row["red_offset_by"], row["live"]) == (1000, 90, None, 1)
    with pytest.raises(Refusal) as caught:
        desk.scene.request(body(desk.owner, "r2", order_no="o1"))
    assert caught.value.code == "order_has_live_invoice"
    desk.upload()
    rest = desk.red(blue, "red2")
    desk.agent.work_off()
    row = desk.row(blue)
    assert (row["red_net_fen"], row["red_offset_by"], row["live"]) == (2000, rest, 0)
    assert refused(desk, blue, "red3").code == "red_nothing_left"


def test_the_same_request_is_the_same_red_invoice_for_ever(desk: Desk) -> None:
    blue = desk.issued("r1")
    asked = desk.red_asked(blue, "red1", remark="退货")
    request = lambda tx: red_offsets.request(tx, asked, RULES)  # noqa: E731
    first, job = desk.scene.ledger.write_now(request)
    assert job is not None
    before, log = desk.scene.dump(), desk.scene.log()
    assert desk.scene.ledger.write_now(request) == (first, None)
    assert desk.scene.dump() == before and desk.scene.log() == log, "a replay leaves no trace"
    desk.agent.work_off()
    assert desk.red(blue, "red1", remark="退货", lines=None) == first, "also at another version of the blue invoice"
    refusal = refused(desk, blue, "red1", remark="别的")
    assert refusal.code == "request_body_differs" and refusal.details["fields"] == "remark"
    other = desk.issued("r9")
    assert refused(desk, other, "red1", remark="退货").details["fields"] == "original_id"
    assert refused(desk, other, "r1").code == "request_body_differs", "a blue request's id is taken too"
    with pytest.raises(Refusal) as caught:
        desk.scene.request(body(desk.owner, "red1"))
    assert caught.value.code == "request_body_differs"


@pytest.mark.parametrize("servers", [1, 2])
def test_one_red_request_sent_many_times_at_once_is_one(desk: Desk, servers: int) -> None:
    blue = desk.issued("r1")
    asked = desk.red_asked(blue, "red1")
    results = _race(desk, servers, [lambda tx: red_offsets.request(tx, asked, RULES)[0]] * 20)
    assert {str(one) for one in results} == {str(results[0])} and isinstance(results[0], str)
    assert len(desk.scene.rows("SELECT id FROM invoices WHERE direction = 'red'")) == 1


@pytest.mark.parametrize("servers", [1, 2])
def test_many_reds_at_once_over_the_rest_are_one(desk: Desk, servers: int) -> None:
    blue = desk.issued("r1")
    asked = [desk.red_asked(blue, f"red{number}") for number in range(12)]
    operations = [lambda tx, one=one: red_offsets.request(tx, one, RULES)[0] for one in asked]
    results = _race(desk, servers, operations)
    won = [one for one in results if isinstance(one, str)]
    assert len(won) == 1
    assert {getattr(one, "code", one) for one in results if one not in won} == {"red_nothing_left"}
    desk.agent.work_off()
    assert desk.row(blue)["red_net_fen"] == 2000


@pytest.mark.parametrize("servers", [1, 2])
def test_partial_reds_at_once_never_come_to_more(desk: Desk, servers: int) -> None:
    blue = desk.issued("r1", lines=[desk.line(quantity="10")])
    asked = [desk.red_asked(blue, f"red{n}", lines=[{"line_no": 1, "quantity": "3"}]) for n in range(9)]
    results = _race(desk, servers, [lambda tx, one=one: red_offsets.request(tx, one, RULES)[0] for one in asked])
    assert len([one for one in results if isinstance(one, str)]) == 3
    codes = {getattr(one, "code", one) for one in results if not isinstance(one, str)}
    assert codes == {"red_quantity_exceeds"}
    desk.agent.work_off()
    assert desk.row(blue)["red_net_fen"] == 9000


def _race(desk: Desk, servers: int, operations: list[Any]) -> list[Any]:
    """What each of the operations came to when all were sent at once, to one server or two."""
    other = Ledger(desk.scene.ledger.url, desk.scene.ledger.clock)
    ledgers = [desk.scene.ledger, other][:servers]
    futures = [ledgers[number % servers].submit(operation) for number, operation in enumerate(operations)]
    results = [future.exception(30) or future.result() for future in futures]
    other.close()
    return results


@pytest.mark.parametrize("turn", range(4))
def test_void_and_red_at_once_one_wins(desk: Desk, turn: int) -> None:
    """A paper kind would allow both; here the ledger's rule is bent so that both may."""
    blue = desk.issued("r1")
    rule = next(one for one in RULES.offsets if one.kind == "026")
    import dataclasses

    bent = dataclasses.replace(RULES, offsets=(dataclasses.replace(rule, void="same_month"),))
    act = desk.act_of(blue, "void", voided_by="李四")
    asked = desk.red_asked(blue, "red1")
    pair: list[Any] = [lambda tx: voids.void(tx, act, bent), lambda tx: red_offsets.request(tx, asked, bent)[0]]
    desk.scene.change("UPDATE devices SET kinds = REPLACE(kinds, '20261201', '20261101')")
    results = _race(desk, 2, pair if turn % 2 else pair[::-1])
    won = [one for one in results if isinstance(one, str)]
    assert len(won) == 1, results
    codes = {getattr(one, "code", one) for one in results if one not in won}
    assert codes <= {"void_red_offset", "version_differs", "open_job"}


def test_a_void_under_way_takes_no_red(desk: Desk) -> None:
    blue = desk.issued("r1", "signature_rejected")
    desk.void(blue)
    desk.scene.change("UPDATE invoices SET upload_status = 'uploaded'")
    assert refused(desk, blue, "red1").code == "open_job"


@pytest.mark.parametrize("upload", [None, "failed", "signature_rejected"])
def test_only_what_is_uploaded_is_offset(desk: Desk, upload: str | None) -> None:
    refusal = refused(desk, desk.issued("r1", upload), "red1")
    assert refusal.code == "red_not_uploaded"
    assert (upload or "not_uploaded") in refusal.message and (upload or "not_uploaded") in refusal.message_en


def test_what_is_not_issued_blue_and_ours_is_not_offset(desk: Desk) -> None:
    waiting, _ = desk.scene.request(body(desk.owner, "r0"))
    assert refused(desk, waiting, "red1").code == "move_not_allowed"
    desk.agent.work_off()
    blue = desk.issued("r1")
    red = desk.red(blue, "red1")
    desk.agent.work_off()
    desk.upload()
    assert refused(desk, red, "red2").code == "red_of_red"
    assert refused(desk, blue, "red9", front_end(desk.scene.taxpayer(2))).code == "not_found"


@pytest.mark.parametrize(
    ("said", "code", "named"),
    [
        ({"kind": "028"}, "red_kind_differs", "007, 025, 026"),
        ({"kind": "004"}, "red_kind_differs", "004"),
        ({"red_form_no": "4" * 16}, "red_form_unexpected", "026"),
        ({"lines": [{"line_no": 1, "amount": "20.01"}]}, "red_amount_exceeds", "20.00"),
        ({"lines": [{"line_no": 1, "quantity": "2.5"}]}, "red_quantity_exceeds", "2.5"),
        ({"lines": [{"line_no": 7}]}, "red_line_unknown", "7"),
        ({"remark": "备" * 100}, "red_remark_too_long", "230"),
        ({"issuer": "a\u202eb"}, "control_character", "U+202E"),
    ],
)
def test_refusals_name_the_limit(desk: Desk, said: dict[str, Any], code: str, named: str) -> None:
    refusal = refused(desk, desk.issued("r1"), "red1", **said)
    assert refusal.code == code
    assert named in refusal.message + refusal.remedy


def test_a_red_invoice_waits_and_is_placed_like_a_blue_one(desk: Desk) -> None:
    blue = desk.issued("r1")
    device_id = desk.scene.id_of(desk.paper)
    desk.scene.change("UPDATE devices SET state = 'suspended' WHERE id = :id", id=device_id)
    red = desk.red(blue, "red1")
    row = desk.row(red)
    assert row["open_job_id"] is None and json.loads(row["waiting_reason"])["code"] == "device_stopped"
    assert refused(desk, blue, "red2").code == "red_nothing_left", "what waits is spoken for"
    desk.scene.change("UPDATE devices SET state = 'ready' WHERE id = :id", id=device_id)
    desk.scene.ledger.write_now(lambda tx: placement.place_waiting(tx, desk.owner, RULES))
    work = work_of(desk, red)
    assert (work.direction, work.original_no, work.lines[0].amount) == ("red", "00010001", "-20.00")
    assert json.loads(desk.row(red)["choice"])["reason"] == "original_device"
    desk.agent.work_off()
    assert desk.row(red)["state"] == "issued" and desk.row(blue)["red_offset_by"] == red


@pytest.mark.parametrize("how", ["cancelled", "refused"])
def test_a_red_invoice_that_ends_frees_what_it_held(desk: Desk, how: str) -> None:
    blue = desk.issued("r1")
    red = desk.red(blue, "red1")
    if how == "cancelled":
        desk.scene.cancel(red)
    else:
        (order,) = desk.agent.lease()
        desk.agent.settle(desk.agent.answer(order, "refused", code="09d106", message="发票不在设备上"))
        assert json.loads(desk.row(red)["refusal"])["code"] == "red_original_missing"
    assert desk.row(red)["state"] == "refused" and desk.row(blue)["live"] == 1
    again = desk.red(blue, "red2")
    desk.agent.work_off()
    assert desk.row(again)["state"] == "issued" and desk.row(blue)["red_offset_by"] == again


def test_the_blue_ones_device_is_preferred(desk: Desk) -> None:
    blue = desk.issued("r1")
    fuller = desk.scene.ready(desk.agent, desk.owner, desk.server_id, numbers=500)
    red = desk.red(blue, "red1")
    assert json.loads(desk.row(red)["choice"]) == {
        "device_no": desk.paper.device_no, "terminal_code": "1", "reason": "original_device",
        "params": {"device_no": desk.paper.device_no, "terminal_code": "1", "available": 99},
    }  # fmt: skip
    desk.scene.cancel(red)
    desk.scene.change("UPDATE devices SET state = 'suspended' WHERE id = :id", id=desk.scene.id_of(desk.paper))
    elsewhere = desk.red(blue, "red2")
    assert json.loads(desk.row(elsewhere)["choice"])["device_no"] == fuller.device_no
    desk.agent.work_off()
    assert desk.row(elsewhere)["state"] == "issued" and desk.row(blue)["red_offset_by"] == elsewhere


def test_a_rejected_red_invoice_is_voided_and_the_blue_counts_again(desk: Desk) -> None:
    blue = desk.issued("r1", order_no="o1")
    red = desk.red(blue, "red1")
    desk.agent.work_off()
    desk.upload("signature_rejected")
    desk.void(red)
    assert desk.row(blue)["live"] == 1, "from now on nothing takes its order"
    (order,) = desk.agent.lease()
    desk.agent.settle(desk.agent.answer(order, "refused", code="09d11d", message=""))
    assert desk.row(blue)["live"] == 0 and desk.row(blue)["red_offset_by"] == red
    desk.void(red)
    desk.agent.work_off()
    after = desk.row(blue)
    assert (after["live"], after["red_net_fen"], after["red_offset_by"]) == (1, 0, None)
    again = desk.red(blue, "red2")
    desk.agent.work_off()
    assert desk.row(again)["state"] == "issued" and desk.row(blue)["live"] == 0


def test_a_red_invoice_whose_order_was_issued_again_is_not_voided(desk: Desk) -> None:
    blue = desk.issued("r1", order_no="o1")
    red = desk.red(blue, "red1")
    desk.agent.work_off()
    desk.upload("signature_rejected")
    new = desk.issued("r2", None, order_no="o1")
    with pytest.raises(Refusal) as caught:
        desk.void(red)
    assert caught.value.code == "void_order_reissued" and new in caught.value.message


def test_what_is_offset_is_not_voided(desk: Desk) -> None:
    blue = desk.issued("r1")
    desk.red(blue, "red1")
    desk.scene.change("UPDATE invoices SET upload_status = 'signature_rejected' WHERE id = :id", id=blue)
    with pytest.raises(Refusal) as caught:
        desk.void(blue)
    assert caught.value.code == "void_red_offset" and "21.80" in caught.value.message


def test_the_allowed_list_says_why_not(desk: Desk) -> None:
    def moves(invoice_id: str) -> dict[str, tuple[bool, str]]:
        viewer = Viewer(ADMIN, desk.scene.ledger.clock(), RULES)
        row = desk.row(invoice_id)
        found = desk.scene.ledger.read_now(lambda hand: invoice_moves.allowed(hand, row, viewer))
        return {one["verb"]: (one["enabled"], one["why"]) for one in found}

    waiting, _ = desk.scene.request(body(desk.owner, "r0"))
    assert moves(waiting)["cancel"][0] and not moves(waiting)["void"][0]
    desk.agent.work_off()
    blue = desk.issued("r1")
    found = moves(blue)
    assert found["red_offset"] == (True, "") and not found["void"][0] and "uploaded" in found["void"][1]
    assert not found["cancel"][0]
    desk.red(blue, "red1")
    assert "0.00" in moves(blue)["red_offset"][1]
    rejected = desk.issued("r2", "signature_rejected")
    assert moves(rejected)["void"] == (True, "") and "signature_rejected" in moves(rejected)["red_offset"][1]
    desk.void(rejected)
    assert not moves(rejected)["void"][0] and "invoice.void" in moves(rejected)["red_offset"][1]


def test_evidence_of_other_totals_is_set_aside(desk: Desk) -> None:
    blue = desk.issued("r1")
    red = desk.red(blue, "red1")
    (order,) = desk.agent.lease()
    said = desk.agent.done(order)
    desk.agent.settle(msgspec.structs.replace(said, evidence=msgspec.structs.replace(said.evidence, net_total="20.00")))
    assert desk.row(red)["state"] == "waiting" and desk.row(blue)["red_net_fen"] == 0
