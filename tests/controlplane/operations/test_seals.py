"""Seals on the ledger: steps in order, canaries that must verify, two persons, expiry, masks, and no private byte."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from controlplane.domain import seal
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal
from controlplane.operations import seal_views, seals, tax_servers
from controlplane.operations.acts import Act, Viewer
from controlplane.wire import work
from tests.controlplane.operations.paper_seals import ALGORITHM, NOT_AFTER, Desk
from tests.controlplane.operations.scene import ADMIN, RULES, Agent, Clock, Scene, body

ANNA = Principal("p-anna", "anna", "person", "operator")
BERT = Principal("p-bert", "bert", "person", "operator")
AUDITOR = Principal("p-audit", "auditor", "person", "auditor")
HANDLER = {"handler_name": "王小明", "handler_mobile": "13812345678", "handler_id": "44010119900101123X"}
STEPS = ("fetch_key", "apply", "download", "upload", "test")
END = datetime.fromisoformat(NOT_AFTER)
AFTER = ("not_applied", "key_fetched", "applied", "downloaded", "uploaded", "in_use")


class Stage:
    """A tax server in service and hands on its seals."""

    def __init__(self, scene: Scene, agent: Agent) -> None:
        self.scene, self.agent, self.desk = scene, agent, Desk()
        self.server_id = scene.server(agent)
        agent.desks.append(self.desk)

    def register(self, area: str = "4400") -> str:
        values = {"tax_server_id": self.server_id, "area_code": area, "seal_name": "广东省电子监制章"}
        return self.scene.ledger.write_now(lambda tx: seals.register(tx, ADMIN, values))

    def row(self, seal_id: str) -> dict[str, Any]:
        return self.scene.one("SELECT * FROM seals WHERE id = :id", id=seal_id)

    def act(self, seal_id: str, verb: str, caller: Principal = ANNA, version: int = 0, **given: Any) -> str | None:
        if verb == "apply":
            given = {**HANDLER, **given}
        wanted = Act(caller, verb, seal_id, version or self.row(seal_id)["version"], "for the test", given)
        return self.scene.ledger.write_now(lambda tx: seals.act(tx, wanted))

    def through(self, seal_id: str, *steps: str) -> str:
        for step in steps:
            self.act(seal_id, step)
            self.agent.work_off()
        return str(self.row(seal_id)["state"])

    def in_use(self, area: str = "4400") -> str:
        seal_id = self.register(area)
        assert self.through(seal_id, *STEPS) == "in_use"
        return seal_id

    def view(self, seal_id: str, caller: Principal = ANNA) -> dict[str, Any]:
        viewer = Viewer(caller, self.scene.ledger.clock(), RULES)
        return self.scene.ledger.read_now(lambda hand: seal_views.views(hand, [seals_row(hand, seal_id)], viewer))[0]

    def why(self, seal_id: str, verb: str, caller: Principal = ANNA) -> str:
        return next(one["why"] for one in self.view(seal_id, caller)["allowed"] if one["verb"] == verb)

    def refused(self, seal_id: str, verb: str, caller: Principal = ANNA, **given: Any) -> str:
        """The code of the refusal; nothing but the operation log changes."""
        before = self.scene.dump()
        with pytest.raises(Refusal) as caught:
            self.act(seal_id, verb, caller, **given)
        assert self.scene.dump() == before
        return caught.value.code


def seals_row(hand: Any, seal_id: str) -> dict[str, Any]:
    from controlplane.store import seals as store

    row = store.find(hand, seal_id)
    assert row is not None
    return row


@pytest.fixture
def stage(scene: Scene, agent: Agent) -> Stage:
    return Stage(scene, agent)


def test_four_steps_and_a_canary_bring_a_seal_to_use(stage: Stage) -> None:
    seal_id = stage.register()
    for step, before, after in zip(STEPS, AFTER, AFTER[1:], strict=False):
        assert stage.row(seal_id)["state"] == before
        assert not stage.view(seal_id)["usable"]
        stage.act(seal_id, step)
        assert stage.row(seal_id)["state"] == before, "only an outcome changes a state"
        assert stage.refused(seal_id, step, **(HANDLER if step == "apply" else {})) == "open_job"
        stage.agent.work_off()
        assert stage.row(seal_id)["state"] == after
    shown = stage.view(seal_id)
    assert shown["usable"] and shown["condition"] == "in_use" and shown["algorithm"] == ALGORITHM
    assert shown["public_key"] == stage.desk.point() and shown["test"]["passed"] and shown["not_after"] == NOT_AFTER


@pytest.mark.parametrize("place", range(len(AFTER) - 1))
def test_a_step_too_early_is_refused_by_name(stage: Stage, place: int) -> None:
    seal_id = stage.register()
    stage.through(seal_id, *STEPS[:place])
    for step in STEPS[place + 1 :]:
        assert stage.refused(seal_id, step) == "move_not_allowed"
        assert stage.why(seal_id, step)
    assert stage.why(seal_id, STEPS[place]) == ""


def test_a_server_out_of_service_takes_no_step(stage: Stage) -> None:
    seal_id = stage.register()
    stage.scene.act(tax_servers, stage.server_id, "suspend")
    assert stage.refused(seal_id, "fetch_key") == "seal_server_not_ready"
    assert "suspended" in stage.why(seal_id, "fetch_key")


def test_one_live_seal_per_area_and_only_of_the_servers_province(stage: Stage) -> None:
    first = stage.register()
    for area, code in (("4400", "seal_exists"), ("1100", "seal_other_province")):
        with pytest.raises(Refusal) as caught:
            stage.register(area)
        assert caught.value.code == code
    assert stage.register("4403") != first, "another bureau of the same province"
    stage.act(first, "abandon")
    assert stage.row(first)["state"] == "abandoned"
    assert stage.row(stage.register())["place"] == "current"


def test_a_bureau_that_takes_time_and_one_that_refuses(stage: Stage) -> None:
    seal_id = stage.register()
    stage.through(seal_id, "fetch_key", "apply")
    stage.desk.status = "applied"
    assert stage.through(seal_id, "download") == "applied"
    stage.desk.status = "refused"
    assert stage.through(seal_id, "download") == "key_fetched"
    row = stage.row(seal_id)
    assert (row["bureau_status"], row["bureau_message"], row["application_no"]) == ("refused", "审批意见", "")
    stage.desk.status = "granted"
    assert stage.through(seal_id, "apply", "download") == "downloaded"


def test_a_refusing_device_leaves_the_step_and_its_words(stage: Stage) -> None:
    seal_id = stage.register()
    stage.act(seal_id, "fetch_key")
    (order,) = stage.agent.lease()
    stage.agent.settle(stage.agent.answer(order, "refused", code="300002", message="税局拒绝: 无资格"))
    assert stage.row(seal_id)["state"] == "not_applied" and "无资格" in stage.row(seal_id)["bureau_message"]


@pytest.mark.parametrize("wrong", ["digest", "signature", "key", "algorithm"])
def test_a_wrong_canary_puts_nothing_to_use_and_keeps_the_old_seal(stage: Stage, wrong: str) -> None:
    code = {"key": "seal_key_differs", "algorithm": "seal_algorithm_unknown"}.get(wrong, f"seal_{wrong}_differs")
    code = "seal_signature_wrong" if wrong == "signature" else code
    old = stage.in_use()
    stage.act(old, "request_replacement", ANNA)
    stage.act(old, "approve", BERT)
    new = str(stage.view(old)["successor_id"])
    stage.desk.wrong = wrong
    assert stage.through(new, *STEPS) == "uploaded"
    shown = stage.view(new)
    assert (shown["condition"], shown["test"]["cause"]["code"], shown["usable"]) == ("test_failed", code, False)
    assert stage.view(old)["usable"]
    stage.desk.wrong = ""
    assert stage.through(new, "test") == "in_use"
    assert stage.row(old)["state"] == "replaced" and stage.view(new)["usable"] and not stage.view(old)["usable"]
    assert stage.row(new)["place"] == "current"


def test_a_seal_in_use_whose_canary_fails_is_not_usable_until_it_passes(stage: Stage) -> None:
    seal_id = stage.in_use()
    stage.desk.wrong = "signature"
    assert stage.through(seal_id, "test") == "in_use"
    assert not stage.view(seal_id)["usable"] and stage.view(seal_id)["condition"] == "test_failed"
    stage.desk.wrong = ""
    stage.through(seal_id, "test")
    assert stage.view(seal_id)["usable"]


def test_each_canary_is_another_document(stage: Stage) -> None:
    seal_id = stage.in_use()
    stage.through(seal_id, "test", "test")
    rows = stage.scene.rows("SELECT work FROM jobs WHERE kind = 'seal.test'")
    documents = {json.loads(row["work"])["document"] for row in rows}
    assert len(documents) == 3 and all(seal_id in text and "time 2026-11-22T" in text for text in documents)


# --- two persons


def test_two_persons_within_ten_minutes(stage: Stage, clock: Clock) -> None:
    seal_id = stage.in_use()
    assert stage.refused(seal_id, "approve", BERT) == "seal_request_missing"
    stage.act(seal_id, "request_replacement", ANNA)
    assert stage.view(seal_id)["request"]["by"] == "anna"
    assert stage.refused(seal_id, "approve", ANNA) == "seal_same_person"
    assert stage.refused(seal_id, "request_revocation", BERT) == "seal_request_open"
    assert "不能自己批准" in stage.why(seal_id, "approve", ANNA) and stage.why(seal_id, "approve", BERT) == ""
    clock.forward(minutes=10)
    assert stage.refused(seal_id, "approve", BERT) == "seal_request_expired"
    assert stage.view(seal_id)["request"] is None
    stage.act(seal_id, "request_replacement", BERT)
    clock.forward(minutes=9, seconds=59)
    stage.act(seal_id, "approve", ANNA)
    assert stage.row(seal_id)["state"] == "in_use", "the old one serves until the new one passed its canary"
    assert stage.refused(seal_id, "request_replacement", ANNA) == "seal_successor_exists"
    assert stage.row(stage.view(seal_id)["successor_id"])["place"] == "next"
    entry = stage.scene.log()[-2]
    assert entry["action"] == "seals.approve" and json.loads(entry["detail"])["requested_by"] == "bert"


def test_a_program_neither_asks_nor_approves(stage: Stage) -> None:
    program = Principal("p-robot", "robot", "front_end", "admin")
    seal_id = stage.in_use()
    assert stage.refused(seal_id, "request_replacement", program) == "seal_not_a_person"
    stage.act(seal_id, "request_revocation", ANNA)
    assert stage.refused(seal_id, "approve", program) == "seal_not_a_person"


def test_a_request_may_be_withdrawn_and_a_revocation_is_final(stage: Stage) -> None:
    seal_id = stage.in_use()
    stage.act(seal_id, "request_revocation", ANNA)
    stage.act(seal_id, "withdraw_request", BERT)
    assert stage.refused(seal_id, "approve", BERT) == "seal_request_missing"
    assert stage.refused(seal_id, "withdraw_request") == "seal_request_missing"
    stage.act(seal_id, "request_revocation", ANNA)
    stage.act(seal_id, "approve", BERT)
    assert stage.row(seal_id)["state"] == "revoked" and not stage.view(seal_id)["usable"]
    assert not any(one["enabled"] for one in stage.view(seal_id)["allowed"])


def test_of_two_approvals_one_wins(stage: Stage) -> None:
    seal_id = stage.in_use()
    stage.act(seal_id, "request_replacement", ANNA)
    version = stage.row(seal_id)["version"]
    stage.act(seal_id, "approve", BERT, version)
    with pytest.raises(Refusal) as caught:
        stage.act(seal_id, "approve", ADMIN, version)
    assert caught.value.code == "version_differs"
    assert stage.scene.one("SELECT COUNT(*) AS n FROM seals WHERE replaces = :id", id=seal_id)["n"] == 1


def test_a_replaced_seal_settles_the_test_that_was_under_way(stage: Stage) -> None:
    old = stage.in_use()
    stage.act(old, "request_replacement", ANNA)
    stage.act(old, "approve", BERT)
    new = str(stage.view(old)["successor_id"])
    stage.through(new, *STEPS[:-1])
    stage.act(new, "test")
    stage.act(old, "test")
    orders = sorted(stage.agent.lease(), key=lambda order: order.job_id)
    for order in orders:
        assert stage.agent.settle(stage.agent.done(order)) == "settled"
    assert stage.row(old)["state"] == "replaced" and stage.row(new)["state"] == "in_use"


# --- the clock


@pytest.mark.parametrize(
    ("left", "days", "expiry", "rung"),
    [
        ({"days": 60, "seconds": 1}, 60, "valid", None),
        ({"days": 60}, 60, "expiring", 60),
        ({"days": 30, "seconds": 1}, 30, "expiring", 60),
        ({"days": 30}, 30, "expiring", 30),
        ({"days": 7}, 7, "expiring", 7),
        ({"days": 1, "seconds": 1}, 1, "expiring", 7),
        ({"seconds": 1}, 0, "expiring", 1),
        ({"seconds": 0}, 0, "expired", 0),
        ({"days": -1}, -1, "expired", 0),
    ],
)
def test_the_ladder_is_told_on_reading(
    stage: Stage, clock: Clock, left: dict[str, int], days: int, expiry: str, rung: int | None
) -> None:
    seal_id = stage.in_use()
    clock.moment = END - timedelta(**left)
    shown = stage.view(seal_id)
    assert (shown["expiry"], shown["expiry_rung"], shown["expires_in_days"]) == (expiry, rung, days)
    assert shown["usable"] == (expiry != "expired")


def test_a_seal_that_ended_is_not_taken_to_use(stage: Stage, clock: Clock) -> None:
    seal_id = stage.register()
    stage.through(seal_id, *STEPS[:3])
    clock.moment = END
    assert stage.refused(seal_id, "upload") == "seal_expired"
    clock.forward(seconds=-1)
    stage.through(seal_id, "upload")
    clock.forward(seconds=1)
    assert stage.through(seal_id, "test") == "uploaded"
    assert stage.view(seal_id)["test"]["cause"]["code"] == "seal_expired"


def test_invoices_that_depend_on_a_seal(stage: Stage, clock: Clock) -> None:
    owner = stage.scene.taxpayer(1)
    paper = stage.scene.ready(stage.agent, owner, stage.server_id)
    for number in range(8):
        stage.scene.request(body(owner, f"r{number}"))
    stage.agent.work_off()
    seal_id, other = stage.in_use(), stage.in_use("4403")
    assert stage.view(seal_id)["invoices_per_day"] == 0, "today is not over yet"
    clock.forward(days=1)
    assert stage.view(seal_id)["invoices_per_day"] == 2, "8 over 7 days, rounded up"
    assert stage.view(other)["invoices_per_day"] == 0, "taxpayers of another area"
    clock.forward(days=7)
    assert stage.view(seal_id)["invoices_per_day"] == 0 and paper.journal


# --- persons and secrets


def test_a_handlers_data_are_masked_for_those_who_need_not_know(stage: Stage) -> None:
    seal_id = stage.in_use()
    assert {name: stage.view(seal_id)[name] for name in HANDLER} == HANDLER
    masked = {"handler_name": "王**", "handler_mobile": "138******78", "handler_id": "440*************3X"}
    assert {name: stage.view(seal_id, AUDITOR)[name] for name in HANDLER} == masked
    logged = "".join(row["detail"] for row in stage.scene.log())
    assert not any(value in logged for value in HANDLER.values()) and "138******78" in logged


def test_no_private_byte_reaches_the_ledger(stage: Stage) -> None:
    old = stage.in_use()
    stage.act(old, "request_replacement", ANNA)
    stage.act(old, "approve", BERT)
    stage.through(str(stage.view(old)["successor_id"]), *STEPS)
    kept = json.dumps(stage.scene.dump(but=()), ensure_ascii=False) + json.dumps(stage.view(old), ensure_ascii=False)
    assert stage.desk.point() in kept and len(stage.desk.keys) == 2
    for key in stage.desk.keys:
        raw = key.private_numbers().private_value.to_bytes(32, "big")
        der = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        for secret in (raw, der):
            for form in (secret.hex(), base64.b64encode(secret).decode().rstrip("="), secret.decode("latin-1")):
                assert form not in kept and form.upper() not in kept


# --- evidence that cannot be


@pytest.mark.parametrize(
    ("step", "changes"),
    [
        ("fetch_key", {"step": "uploaded"}),
        ("fetch_key", {"public_key": ""}),
        ("fetch_key", {"public_key": "not hex"}),
        ("fetch_key", {"key_index": "a b"}),
        ("apply", {"application_no": ""}),
        ("download", {"not_after": None}),
        ("download", {"not_after": "soon"}),
    ],
)
def test_evidence_that_cannot_be_is_set_aside(stage: Stage, step: str, changes: dict[str, Any]) -> None:
    import msgspec

    seal_id = stage.register()
    stage.through(seal_id, *STEPS[: STEPS.index(step)])
    before = stage.row(seal_id)
    stage.act(seal_id, step)
    (order,) = stage.agent.lease()
    told = msgspec.structs.replace(stage.desk.evidence(order), **changes)
    assert stage.agent.settle(stage.agent.answer(order, "done", evidence=told)) == "settled"
    assert stage.row(seal_id) == before
    assert stage.scene.one("SELECT state FROM jobs WHERE id = :id", id=order.job_id)["state"] == "unknown"
    assert stage.scene.one("SELECT COUNT(*) AS n FROM evidence")["n"] == 1


def test_work_goes_to_the_tax_servers_lane(stage: Stage) -> None:
    seal_id = stage.register()
    stage.act(seal_id, "fetch_key")
    (order,) = stage.agent.lease()
    assert order.work == work.SealKey(area_code="4400") and order.address.device_no is None
    assert order.address.tax_server_no == "SK0001"


def test_live_states_are_those_of_the_machine() -> None:
    assert {state for state in seal.MACHINE.states if not seal.MACHINE.final(state)} == seal.LIVE
