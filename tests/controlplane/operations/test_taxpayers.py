"""Taxpayers: fetched, compared, applied; flags that decide issuing; the tree; letting one go."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import taxpayer_views, taxpayers
from controlplane.operations.acts import Act, Viewer
from controlplane.wire import evidence
from tests.controlplane.operations import tables
from tests.controlplane.operations.scene import ADMIN, RULES, Agent, Scene, body, front_end, taxpayer_id


@pytest.fixture
def owner(scene: Scene) -> str:
    return scene.taxpayer(1)


def act(scene: Scene, who: str, verb: str, version: int | None = None, **given: Any) -> str | None:
    row = scene.one("SELECT version FROM taxpayers WHERE taxpayer_id = :id", id=who)
    fields = dict.fromkeys(("tax_server_id", "fields", "parent_id", "valid_from", "valid_to", "phone", "mail"))
    wanted = Act(ADMIN, verb, who, version or row["version"], "for the test", {**fields, **given})
    if verb in ("change", "add_contact"):
        wanted = Act(ADMIN, verb, who, version or row["version"], "for the test", given)
    return scene.ledger.write_now(lambda tx: taxpayers.act(tx, wanted, RULES))


def refused(scene: Scene, who: str, verb: str, **given: Any) -> Refusal:
    before = scene.dump()
    with pytest.raises(Refusal) as caught:
        act(scene, who, verb, **given)
    assert scene.dump() == before, "a refusal changes nothing"
    return caught.value


def shown(scene: Scene, who: str, caller: Any = ADMIN) -> dict[str, Any]:
    viewer = Viewer(caller, scene.ledger.clock(), RULES)
    row = scene.one("SELECT * FROM taxpayers WHERE taxpayer_id = :id", id=who)
    return scene.ledger.read_now(lambda hand: taxpayer_views.whole(hand, row, viewer))


def fetched(scene: Scene, agent: Agent, who: str, server_id: str, **changes: Any) -> dict[str, Any]:
    """The latest fetch after one more look at the bureau."""
    act(scene, who, "fetch", tax_server_id=server_id)
    (order,) = agent.lease()
    assert agent.settle(agent.answer(order, "done", evidence=tables.facts(who, **changes))) == "settled"
    return shown(scene, who)["fetches"][0]


def test_what_the_bureau_says_is_shown_before_it_is_applied(scene: Scene, agent: Agent, owner: str) -> None:
    server_id = scene.server(agent)
    before = shown(scene, owner)
    found = fetched(scene, agent, owner, server_id)
    assert found["state"] == "pending" and found["job_id"]
    assert {one["field"]: (one["old"], one["new"]) for one in found["diff"]} == {
        "name": ("公司1", "税局登记名称"),
        "taxpayer_kind": ("general", "small"),
        "registration_seq": ("", "10119900000000000001"),
        "tax_authority_code": ("", "14400000000"),
        "tax_authority_name": ("", "某税务局"),
        "flags.xgmkjzpbs": (None, {"value": "01", "valid_from": "2026-01-01", "valid_to": "2026-12-31"}),
    }
    assert {**shown(scene, owner), "fetches": []} == {**before, "fetches": []}, "nothing is applied by itself"
    act(scene, owner, "apply", fetch_id=found["id"])
    after = shown(scene, owner)
    assert (after["name"], after["taxpayer_kind"]) == ("税局登记名称", "small")
    assert after["flags"] == [{"name": "xgmkjzpbs", "value": "01", "valid_from": "2026-01-01", "valid_to": "2026-12-31"}]
    assert after["flag_history"][0]["source"] == "fetched" and after["fetches"][0]["state"] == "applied"
    assert fetched(scene, agent, owner, server_id)["state"] == "unchanged"


def test_chosen_fields_only(scene: Scene, agent: Agent, owner: str) -> None:
    server_id = scene.server(agent)
    found = fetched(scene, agent, owner, server_id)
    unknown = refused(scene, owner, "apply", fetch_id=found["id"], fields=["name", "issuer"])
    assert (unknown.code, unknown.details["name"]) == ("fetch_field_unknown", "issuer")
    act(scene, owner, "apply", fetch_id=found["id"], fields=["name"])
    after = shown(scene, owner)
    assert (after["name"], after["taxpayer_kind"], after["flags"]) == ("税局登记名称", "general", [])
    assert after["fetches"][0]["applied"] == ["name"]
    assert refused(scene, owner, "apply", fetch_id=found["id"]).code == "move_not_allowed"


def test_a_stale_difference_is_refused(scene: Scene, agent: Agent, owner: str) -> None:
    server_id = scene.server(agent)
    found = fetched(scene, agent, owner, server_id)
    act(scene, owner, "change", name="又改了")
    assert refused(scene, owner, "apply", fetch_id=found["id"]).code == "fetch_stale"
    newer = fetched(scene, agent, owner, server_id)
    states = {one["id"]: one["state"] for one in shown(scene, owner)["fetches"]}
    assert states == {found["id"]: "superseded", newer["id"]: "pending"}
    act(scene, owner, "discard", fetch_id=newer["id"])
    assert shown(scene, owner)["name"] == "又改了"
    assert refused(scene, owner, "discard", fetch_id=newer["id"]).code == "move_not_allowed"
    assert refused(scene, owner, "discard", fetch_id="nothing").code == "not_found"


def test_a_fetch_that_fails_says_so(scene: Scene, agent: Agent, owner: str) -> None:
    server_id = scene.server(agent)
    act(scene, owner, "fetch", tax_server_id=server_id)
    assert refused(scene, owner, "fetch", tax_server_id=server_id).code == "open_job"
    (order,) = agent.lease()
    agent.settle(agent.answer(order, "refused", code="300002", message="税局拒绝: 无此纳税人"))
    failed = shown(scene, owner)["fetches"][0]
    assert (failed["state"], failed["message"]) == ("failed", "300002 税局拒绝: 无此纳税人")
    act(scene, owner, "fetch", tax_server_id=server_id)
    (order,) = agent.lease()
    agent.settle(agent.answer(order, "done", evidence=tables.facts(taxpayer_id(2))))
    assert shown(scene, owner)["fetches"][0]["state"] == "failed", "an answer about somebody else is no answer"


def test_the_server_is_of_the_region_unless_it_is_named(scene: Scene, agent: Agent, owner: str) -> None:
    assert refused(scene, owner, "fetch").code == "no_tax_server"
    server_id = scene.server(agent)
    act(scene, owner, "fetch")
    assert agent.lease()[0].address.tax_server_no == scene.one("SELECT * FROM tax_servers WHERE id = :i", i=server_id)["tax_server_no"]
    assert refused(scene, owner, "fetch", tax_server_id="nothing").code == "not_found"


@pytest.mark.parametrize("word", [{"taxpayer_kind": "09"}, {"name": "a\u202eb"}, {"flags": [evidence.FlagFacts("cpybs", "01", "2026-13-01")]}])  # fmt: skip
def test_words_that_cannot_be_are_not_kept(scene: Scene, agent: Agent, owner: str, word: dict[str, Any]) -> None:
    server_id = scene.server(agent)
    act(scene, owner, "fetch", tax_server_id=server_id)
    (order,) = agent.lease()
    agent.settle(agent.answer(order, "done", evidence=tables.facts(owner, **word)))
    assert shown(scene, owner)["fetches"][0]["diff"] == [] and scene.rows("SELECT * FROM evidence")


# --- what flags and 允许开票 decide


def reason(scene: Scene, invoice_id: str) -> dict[str, Any] | None:
    told = scene.invoice(invoice_id)["waiting_reason"]
    return json.loads(told) if told else None


def special(owner: str, request_id: str) -> Any:
    from controlplane.wire.invoices import BuyerBody

    buyer = BuyerBody(name="购方有限公司", tax_id="91990000MA0000AB0C")
    return body(owner, request_id, kind="028", buyer=buyer)


def test_a_flag_decides_what_a_small_taxpayer_may_issue(scene: Scene, agent: Agent, owner: str, clock: Any) -> None:
    scene.ready(agent, owner, scene.server(agent))
    act(scene, owner, "change", taxpayer_kind="small")
    assert scene.request(body(owner, "ordinary"))[1] == "waiting" and agent.lease()
    invoice_id, state = scene.request(special(owner, "special"))
    told = reason(scene, invoice_id)
    assert state == "waiting" and told is not None
    assert (told["code"], told["details"]["flag"], told["details"]["what"]) == ("flag_missing", "xgmkjzpbs", "028")
    act(scene, owner, "set_flag", flag="xgmkjzpbs", value="01", valid_from="2026-12-01", valid_to="2026-12-31")
    told = reason(scene, invoice_id)
    assert told is not None and told["code"] == "flag_not_in_force"
    assert (told["details"]["valid_from"], told["details"]["valid_to"]) == ("2026-12-01", "2026-12-31")
    act(scene, owner, "set_flag", flag="xgmkjzpbs", value="01", valid_from="2026-11-01", valid_to="2026-11-30")
    assert reason(scene, invoice_id) is None, "placed as soon as the right is there"
    queued = [job for job in scene.jobs_of(invoice_id) if job["state"] == "queued"]
    assert len(queued) == 1
    act(scene, owner, "end_flag", flag="xgmkjzpbs", last_day="2026-11-20")
    told = reason(scene, invoice_id)
    assert told is not None and told["code"] == "flag_not_in_force", "what no agent holds is taken back"


def test_a_flag_ends_by_the_clock(scene: Scene, agent: Agent, owner: str, clock: Any) -> None:
    paper = scene.ready(agent, owner, scene.server(agent))
    act(scene, owner, "change", taxpayer_kind="small")
    act(scene, owner, "set_flag", flag="xgmkjzpbs", value="01", valid_to="2026-11-22")
    assert shown(scene, owner)["warnings"][-1]["code"] == "flag_ends_soon"
    first, _ = scene.request(special(owner, "today"))
    assert scene.jobs_of(first)
    clock.forward(days=1)
    agent.observe(paper)
    second, _ = scene.request(special(owner, "tomorrow"))
    told = reason(scene, second)
    assert told is not None and told["code"] == "flag_not_in_force"


def test_stopping_takes_back_what_waits_and_allowing_places_it(scene: Scene, agent: Agent, owner: str) -> None:
    scene.ready(agent, owner, scene.server(agent))
    invoice_id, _ = scene.request(body(owner, "r1"))
    act(scene, owner, "stop_issue")
    told = reason(scene, invoice_id)
    assert told is not None and told["code"] == "taxpayer_may_not_issue" and not agent.lease()
    from controlplane.operations import placement

    scene.ledger.write_now(lambda tx: placement.place_waiting(tx, owner, RULES))
    assert not agent.lease(), "the sweep knows of it too"
    act(scene, owner, "allow_issue")
    (order,) = agent.lease()
    agent.settle(agent.done(order))
    assert scene.invoice(invoice_id)["state"] == "issued"


def test_stretches_of_a_flag(scene: Scene, owner: str) -> None:
    act(scene, owner, "set_flag", flag="cpybs", value="01")
    act(scene, owner, "set_flag", flag="cpybs", value="02", valid_from="2026-06-01", valid_to="2026-12-31")
    spans = [(one["value"], one["valid_from"], one["valid_to"]) for one in shown(scene, owner)["flags"]]
    assert spans == [("01", "", "2026-05-31"), ("02", "2026-06-01", "2026-12-31")]
    reversed_days = refused(scene, owner, "set_flag", flag="cpybs", value="01", valid_from="2026-06-02", valid_to="2026-06-01")
    assert reversed_days.code == "days_reversed"
    assert refused(scene, owner, "set_flag", flag="cpybs", value="1", valid_from="2026-02-30").code == "field_invalid"
    assert refused(scene, owner, "end_flag", flag="xtqy", last_day="2026-06-01").code == "not_found"


# --- effects


def test_a_change_of_kind_lists_what_becomes_wrong(scene: Scene, agent: Agent, owner: str) -> None:
    paper = scene.ready(agent, owner, scene.server(agent))
    act(scene, owner, "set_flag", flag="cpybs", value="01")
    viewer = Viewer(ADMIN, scene.ledger.clock(), RULES)
    row = scene.one("SELECT * FROM taxpayers WHERE taxpayer_id = :id", id=owner)
    found = scene.ledger.read_now(lambda hand: taxpayer_views.effects_of(hand, row, "small", viewer))["items"]
    number = paper.device_no
    assert {(one["what"], one["device_no"], one["value"]) for one in found} == {
        ("device", number, "general"), ("rate", number, "0.09"), ("rate", number, "0.13"), ("rate", number, "0.06"),
        ("kind", number, "028"),
    }  # fmt: skip
    act(scene, owner, "change", taxpayer_kind="small")
    act(scene, owner, "set_flag", flag="xgmkjzpbs", value="01")
    row = scene.one("SELECT * FROM taxpayers WHERE taxpayer_id = :id", id=owner)
    back = scene.ledger.read_now(lambda hand: taxpayer_views.effects_of(hand, row, "general", viewer))["items"]
    assert {(one["what"], one["value"]) for one in back} == {("flag", "xgmkjzpbs")}


# --- the tree


def chain(scene: Scene, length: int) -> list[str]:
    """So many taxpayers, each below the one before."""
    names = [scene.taxpayer(number) for number in range(10, 10 + length)]
    for above, below in itertools.pairwise(names):
        act(scene, below, "move", parent_id=above)
    return names


def test_no_circle_and_no_ninth_level(scene: Scene) -> None:
    names = chain(scene, 8)
    assert refused(scene, names[0], "move", parent_id=names[7]).code == "taxpayer_tree_circle"
    assert refused(scene, names[0], "move", parent_id=names[0]).code == "taxpayer_tree_circle"
    extra = scene.taxpayer(50)
    deep = refused(scene, extra, "move", parent_id=names[7])
    assert (deep.code, deep.details["depth"]) == ("taxpayer_tree_deep", 9)
    assert refused(scene, names[0], "move", parent_id=extra).details["depth"] == 9
    act(scene, names[4], "move", parent_id=None)
    act(scene, names[0], "move", parent_id=extra)
    tree = scene.ledger.read_now(lambda hand: taxpayers.tree(hand, extra, ADMIN))
    depth = 0
    while tree:
        depth, tree = depth + 1, tree["children"][0] if tree["children"] else None
    assert depth == 5


def test_a_parent_must_be_there_and_seen(scene: Scene, owner: str) -> None:
    assert refused(scene, owner, "move", parent_id=taxpayer_id(77)).code == "not_found"
    other = scene.taxpayer(2)
    values = {"taxpayer_id": taxpayer_id(3), "name": "x", "taxpayer_kind": "small", "region": "4400", "parent_id": other}
    caller = front_end(taxpayer_id(3))
    with pytest.raises(Refusal) as caught:
        scene.ledger.write_now(lambda tx: taxpayers.create(tx, caller, values))
    assert caught.value.code == "not_found"


def test_a_tree_shows_only_what_the_caller_sees(scene: Scene) -> None:
    top, middle, bottom = chain(scene, 3)
    seen = scene.ledger.read_now(lambda hand: taxpayers.tree(hand, top, front_end(top, middle)))
    assert [one["taxpayer_id"] for one in seen["children"]] == [middle] and seen["children"][0]["children"] == []
    with pytest.raises(Refusal):
        scene.ledger.read_now(lambda hand: taxpayers.tree(hand, top, front_end(bottom)))


# --- contacts, check digits, retiring


def test_contacts_are_masked_for_who_only_reads(scene: Scene, owner: str) -> None:
    act(scene, owner, "add_contact", name="王经办", phone="13912345678", mail="wang@example.cn", duty="办税人")
    (whole,) = shown(scene, owner)["contacts"]
    assert (whole["phone"], whole["mail"]) == ("13912345678", "wang@example.cn")
    from controlplane.domain.principal import Principal

    (masked,) = shown(scene, owner, Principal("a", "auditor", "person", "auditor"))["contacts"]
    assert (masked["phone"], masked["mail"], masked["name"]) == ("*********78", "w***@example.cn", "王经办")
    assert "13912345678" not in str(scene.log()), "personal data is not in the log"
    act(scene, owner, "remove_contact", contact_id=whole["id"])
    assert shown(scene, owner)["contacts"] == []
    assert refused(scene, owner, "remove_contact", contact_id=whole["id"]).code == "not_found"


def test_check_digits_warn_or_refuse_by_setting(scene: Scene) -> None:
    from controlplane import data

    wrong = "91990000MA0000015X"
    values = {"taxpayer_id": wrong, "name": "x", "taxpayer_kind": "small", "region": "4400"}
    strict = data.issuing_rules("error")
    with pytest.raises(Refusal) as caught:
        scene.ledger.write_now(lambda tx: taxpayers.create(tx, ADMIN, values, strict))
    assert caught.value.code == "tax_id_check_digit"
    scene.ledger.write_now(lambda tx: taxpayers.create(tx, ADMIN, values, RULES))
    assert [one["code"] for one in shown(scene, wrong)["warnings"]] == ["tax_id_check_digit"]
    letters = {**values, "taxpayer_id": "91990000MAI000015Q"}
    with pytest.raises(Refusal) as caught:
        scene.ledger.write_now(lambda tx: taxpayers.create(tx, ADMIN, letters, RULES))
    assert (caught.value.code, caught.value.details["position"]) == ("tax_id_character", 11)


def test_retiring_lists_what_is_left(scene: Scene, agent: Agent, owner: str) -> None:
    paper = scene.ready(agent, owner, scene.server(agent))
    child = scene.taxpayer(2)
    act(scene, child, "move", parent_id=owner)
    done, _ = scene.request(body(owner, "issued"))
    agent.work_off()
    scene.request(body(owner, "waits"))
    left = refused(scene, owner, "retire")
    found = {(one["what"], one["kind"], one["count"]) for one in shown(scene, owner)["leftovers"]}
    assert found == {
        ("device", "", 1), ("stock", "026", 99), ("stock", "028", 100), ("not_reported", "026", 1),
        ("not_uploaded", "", 1), ("waiting", "", 1), ("open_jobs", "", 1), ("child", "", 1),
    }  # fmt: skip
    assert left.code == "taxpayer_not_empty" and paper.device_no in left.message and child in left.message
    retire = next(one for one in shown(scene, owner)["allowed"] if one["verb"] == "retire")
    assert not retire["enabled"] and paper.device_no in retire["why"]
    act(scene, child, "retire")
    gone = shown(scene, child)
    assert gone["state"] == "retired" and not any(one["enabled"] for one in gone["allowed"])
    invoice_id, state = scene.request(body(child, "late"))
    assert state == "refused" and json.loads(scene.invoice(invoice_id)["refusal"])["code"] == "taxpayer_retired"
    assert scene.invoice(done)["state"] == "issued"


def test_a_change_needs_something_to_change(scene: Scene, owner: str) -> None:
    assert refused(scene, owner, "change").code == "nothing_to_change"
    assert refused(scene, owner, "change", version=9, name="x").code == "version_differs"
