"""Voiding: electronic invoices only after their signature was rejected; one outcome; what it does to order and facts."""

from __future__ import annotations

import json

import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import voids
from controlplane.store.engine import Ledger
from tests.controlplane.operations.offset_scene import Desk
from tests.controlplane.operations.scene import RULES, Agent, Scene, body, front_end


@pytest.fixture
def desk(scene: Scene, agent: Agent) -> Desk:
    return Desk(scene, agent)


def refused(desk: Desk, invoice_id: str, **more: object) -> Refusal:
    before = desk.scene.dump()
    with pytest.raises(Refusal) as caught:
        desk.void(invoice_id, **more)  # type: ignore[arg-type]
    assert desk.scene.dump() == before, "a refused act changes nothing but the log"
    return caught.value


@pytest.mark.parametrize("kind", ["026", "028"])
def test_a_rejected_electronic_invoice_is_voided(desk: Desk, kind: str) -> None:
    invoice_id = desk.issued("r1", "signature_rejected", kind=kind, order_no="o1")
    segment = desk.scene.one("SELECT * FROM segments WHERE kind = :kind", kind=kind)
    job_id = desk.void(invoice_id)
    row = desk.row(invoice_id)
    assert (row["state"], row["open_job_id"]) == ("issued", job_id)
    desk.agent.work_off()
    row = desk.row(invoice_id)
    assert (row["state"], row["live"], row["open_job_id"]) == ("voided", 0, None)
    assert (row["voided_by"], row["void_reason"]) == ("李四", "for the test")
    assert row["voided_at"] == "2026-11-22T11:00:00+08:00"
    assert row["upload_status"] == "signature_rejected" and row["upload_receipt_no"] is None
    fact = desk.scene.one("SELECT * FROM invoice_facts WHERE invoice_id = :id", id=invoice_id)
    assert (fact["voided_day"], fact["gross_fen"]) == ("2026-11-22", 2180)
    assert desk.scene.one("SELECT * FROM segments WHERE kind = :kind", kind=kind)["next_no"] == segment["next_no"]
    again, state = desk.scene.request(body(desk.owner, "r2", order_no="o1"))
    assert state == "waiting" and again != invoice_id, "the order may be requested again"
    assert desk.scene.request(body(desk.owner, "r1", kind=kind, order_no="o1", buyer=desk_buyer(desk)))[0] == invoice_id


def desk_buyer(desk: Desk) -> object:
    from tests.controlplane.operations.offset_scene import BUYER

    return BUYER


@pytest.mark.parametrize("upload", ["uploaded", "failed", None])
def test_an_electronic_invoice_is_not_voided_otherwise(desk: Desk, upload: str | None) -> None:
    invoice_id = desk.issued("r1", upload)
    refusal = refused(desk, invoice_id)
    assert refusal.code == "void_electronic" and refusal.http_status == 409
    assert refusal.details == {"kind": "026", "upload_status": upload or "not_uploaded"}
    assert (upload or "not_uploaded") in refusal.message and "026" in refusal.message_en


def test_what_is_not_issued_is_not_voided(desk: Desk) -> None:
    waiting, _ = desk.scene.request(body(desk.owner, "r1"))
    assert refused(desk, waiting).code == "move_not_allowed"
    desk.scene.cancel(waiting)
    assert refused(desk, waiting).code == "move_not_allowed"


def test_a_void_under_way_takes_no_second(desk: Desk) -> None:
    invoice_id = desk.issued("r1", "signature_rejected")
    desk.void(invoice_id)
    assert refused(desk, invoice_id).code == "open_job"
    desk.agent.work_off()
    assert refused(desk, invoice_id).code == "move_not_allowed"


def test_others_do_not_see_it(desk: Desk) -> None:
    invoice_id = desk.issued("r1", "signature_rejected")
    assert refused(desk, invoice_id, caller=front_end(desk.scene.taxpayer(2))).code == "not_found"


def test_the_device_may_refuse(desk: Desk) -> None:
    invoice_id = desk.issued("r1", "signature_rejected")
    desk.void(invoice_id)
    (order,) = desk.agent.lease()
    desk.agent.settle(desk.agent.answer(order, "refused", code="09d11d", message="不允许作废"))
    row = desk.row(invoice_id)
    assert (row["state"], row["live"], row["open_job_id"]) == ("issued", 1, None)
    assert desk.scene.jobs_of(invoice_id)[-1]["message"] == "不允许作废"
    desk.void(invoice_id)
    desk.agent.work_off()
    assert desk.row(invoice_id)["state"] == "voided", "it may be tried again"


def test_unknown_changes_nothing_until_it_is_known(desk: Desk) -> None:
    invoice_id = desk.issued("r1", "signature_rejected")
    desk.void(invoice_id)
    (order,) = desk.agent.lease()
    desk.agent.settle(desk.agent.answer(order, "unknown", code="timeout", message=""))
    assert desk.row(invoice_id)["state"] == "issued" and refused(desk, invoice_id).code == "open_job"
    desk.agent.settle(desk.agent.done(order))
    assert desk.row(invoice_id)["state"] == "voided"


@pytest.mark.parametrize("wrong", ["invoice_no", "index"])
def test_evidence_of_another_invoice_is_set_aside(desk: Desk, wrong: str) -> None:
    invoice_id = desk.issued("r1", "signature_rejected")
    desk.void(invoice_id)
    (order,) = desk.agent.lease()
    said = desk.agent.done(order)
    setattr(said.evidence, wrong, "00010002" if wrong == "invoice_no" else 7)
    desk.agent.settle(said)
    assert desk.row(invoice_id)["state"] == "issued"
    assert desk.scene.one("SELECT state FROM jobs WHERE id = :id", id=order.job_id)["state"] == "unknown"
    assert desk.scene.device(desk.scene.id_of(desk.paper))["state"] == "suspended"


def test_many_voids_at_once_are_one(desk: Desk) -> None:
    invoice_id = desk.issued("r1", "signature_rejected")
    other = Ledger(desk.scene.ledger.url, desk.scene.ledger.clock)
    wanted = desk.act_of(invoice_id, "void", voided_by="李四")
    futures = [
        (desk.scene.ledger, other)[number % 2].submit(lambda tx: voids.void(tx, wanted, RULES)) for number in range(20)
    ]
    faults = [future.exception(20) for future in futures]
    other.close()
    assert faults.count(None) == 1
    assert {getattr(fault, "code", fault) for fault in faults if fault} <= {"version_differs", "open_job"}
    assert len([job for job in desk.scene.jobs_of(invoice_id) if job["kind"] == "invoice.void"]) == 1


def test_the_log_names_who_and_why(desk: Desk) -> None:
    invoice_id = desk.issued("r1", "signature_rejected")
    desk.void(invoice_id)
    row = desk.scene.log()[-1]
    assert (row["action"], row["subject_id"], row["reason"]) == ("invoices.void", invoice_id, "for the test")
    assert json.loads(row["detail"]) == {"voided_by": "李四"}
