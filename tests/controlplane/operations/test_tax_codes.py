"""Versions of the code table: fetched page by page, whole or not at all, in force from a day, rolled back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from controlplane import data
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.refusals import Refusal
from controlplane.domain.tax_code import CodeBook, CodeFactsLike, TaxCode, differences
from controlplane.operations import invoices, placement, tax_code_views, tax_codes
from controlplane.operations.acts import Act, Viewer
from controlplane.store.listing import Page
from controlplane.wire import agents as wire
from controlplane.wire import evidence
from controlplane.wire.invoices import LineBody
from tests.controlplane.operations import tables
from tests.controlplane.operations.scene import ADMIN, RICE, RULES, Agent, Scene, body, front_end

WHOLE = [tables.code(number) for number in range(1, 12)]
"""Eleven rows: three pages of four."""


@pytest.fixture
def rules() -> IssuingRules:
    """Rules with a book of their own and pages of four rows."""
    return replace(RULES, codes=CodeBook(data.tax_codes()), table_rules={**RULES.table_rules, "codes_page_rows": 4})


@pytest.fixture
def server_id(scene: Scene, agent: Agent) -> str:
    return scene.server(agent)


class Desk:
    """Hands on the code table of one ledger."""

    def __init__(self, scene: Scene, agent: Agent, rules: IssuingRules) -> None:
        self.scene, self.agent, self.rules = scene, agent, rules

    def synchronise(self, server_id: str | None = None, wanted: str | None = None) -> str:
        values = {"tax_server_id": server_id, "wanted": wanted}
        return self.scene.ledger.write_now(lambda tx: tax_codes.synchronise(tx, ADMIN, values, self.rules))

    def act(self, version_id: str, verb: str, **given: Any) -> None:
        wanted = Act(ADMIN, verb, version_id, self.row(version_id)["version"], "for the test", given)
        self.scene.ledger.write_now(lambda tx: tax_codes.act(tx, wanted, self.rules))
        self.refresh()

    def refresh(self) -> None:
        self.scene.ledger.read_now(lambda hand: tax_code_views.refresh(hand, self.rules.codes))

    def row(self, version_id: str) -> dict[str, Any]:
        return self.scene.one("SELECT * FROM code_versions WHERE id = :id", id=version_id)

    def codes(self, version_id: str) -> list[str]:
        found = self.scene.rows("SELECT code FROM code_rows WHERE version_id = :id ORDER BY position", id=version_id)
        return [one["code"] for one in found]

    def order(self) -> wire.Order:
        (order,) = self.agent.lease()
        return order

    def answer(self, order: wire.Order, rows: list[evidence.CodeFacts] = WHOLE, **changes: Any) -> None:
        found = tables.page(rows, order.work.start, order.work.most, **changes)
        assert self.agent.settle(self.agent.answer(order, "done", evidence=found)) == "settled"

    def fetch(self, rows: list[evidence.CodeFacts] = WHOLE, **changes: Any) -> str:
        """A whole version."""
        version_id = self.synchronise()
        while self.row(version_id)["state"] == "fetching":
            self.answer(self.order(), rows, **changes)
        return version_id

    def viewer(self, caller: Any = ADMIN) -> Viewer:
        return Viewer(caller, self.scene.ledger.clock(), self.rules)

    def refused(self, do: Any) -> Refusal:
        before = self.scene.dump()
        with pytest.raises(Refusal) as caught:
            do()
        assert self.scene.dump() == before
        return caught.value


@pytest.fixture
def desk(scene: Scene, agent: Agent, rules: IssuingRules, server_id: str) -> Desk:
    return Desk(scene, agent, rules)


# --- fetching


def test_pages_come_one_after_the_other_and_progress_is_seen(desk: Desk) -> None:
    version_id = desk.synchronise()
    seen = []
    while desk.row(version_id)["state"] == "fetching":
        row = desk.row(version_id)
        seen.append((row["rows_done"], row["total"]))
        order = desk.order()
        assert (order.work.start, order.work.most) == (row["rows_done"], 4)
        desk.answer(order)
    assert seen == [(0, 0), (4, 11), (8, 11)]
    row = desk.row(version_id)
    assert (row["state"], row["rows_done"], row["table_version"]) == ("complete", 11, "50.0")
    assert row["ended_at"] and not row["error"] and desk.codes(version_id) == [one.code for one in WHOLE]
    assert desk.agent.lease() == [], "nothing more is asked for"


def test_a_page_whose_outcome_was_lost_is_asked_for_again(desk: Desk, agent: Agent) -> None:
    """The agent answers page 2 into a lost line and is gone; its next session goes on at the right row."""
    version_id = desk.synchronise()
    desk.answer(desk.order())
    lost = desk.order()
    assert lost.work.start == 4
    agent.session = "session-2"
    again = desk.order()
    assert again.job_id == lost.job_id and again.redelivered and again.work.start == 4 and again.epoch > lost.epoch
    late = tables.page(WHOLE, 4, 4)
    stale = agent.answer(lost, "done", evidence=late)
    assert agent.settle(stale) == "stale" and desk.row(version_id)["rows_done"] == 4
    desk.answer(again)
    assert agent.settle(agent.answer(again, "done", evidence=late)) == "settled", "a repeat"
    assert desk.row(version_id)["rows_done"] == 8
    desk.answer(desk.order())
    assert desk.row(version_id)["state"] == "complete" and desk.codes(version_id) == [one.code for one in WHOLE]


def test_an_error_stops_it_and_it_is_resumed_at_the_right_row(desk: Desk, agent: Agent) -> None:
    version_id = desk.synchronise()
    desk.answer(desk.order())
    agent.settle(agent.answer(desk.order(), "refused", code="300001", message="无法连接税局"))
    row = desk.row(version_id)
    assert (row["state"], row["error"], row["rows_done"]) == ("stopped", "300001 无法连接税局", 4) and row["ended_at"]
    desk.act(version_id, "resume")
    order = desk.order()
    assert (order.work.start, order.work.version) == (4, "50.0"), "the same version, not the newest by then"
    desk.answer(order)
    desk.answer(desk.order())
    assert desk.row(version_id)["state"] == "complete"


def test_one_synchronisation_at_a_time(desk: Desk, agent: Agent) -> None:
    version_id = desk.synchronise()
    assert desk.refused(desk.synchronise).code == "code_sync_running"
    desk.act(version_id, "stop")
    assert agent.lease() == [] and desk.row(version_id)["state"] == "stopped"
    desk.act(version_id, "resume")
    desk.order()
    held = desk.refused(lambda: desk.act(version_id, "stop"))
    assert held.code == "job_held_by_agent"


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"digest": "0" * 64}, "digest_differs"), ({"rows": []}, "page_differs"), ({"start": 3}, "page_differs"),
     ({"total": 3}, "page_differs")],
)  # fmt: skip
def test_what_cannot_be_the_version_never_becomes_whole(desk: Desk, changes: dict[str, Any], error: str) -> None:
    version_id = desk.fetch(**changes)
    row = desk.row(version_id)
    assert row["state"] == "stopped" and row["error"].startswith(error), row
    if error == "digest_differs":
        assert (row["rows_done"], desk.codes(version_id)) == (0, []), "it is fetched from the beginning"
        desk.act(version_id, "resume")
        while desk.row(version_id)["state"] == "fetching":
            desk.answer(desk.order())
        assert desk.row(version_id)["state"] == "complete"


def test_a_version_that_changes_under_way_is_begun_anew(desk: Desk) -> None:
    version_id = desk.synchronise()
    desk.answer(desk.order())
    other = [replace_name(one) for one in WHOLE]
    desk.answer(desk.order(), other, version="51.0")
    row = desk.row(version_id)
    assert row["state"] == "stopped" and row["error"] == "version_changed: 50.0 → 51.0" and row["rows_done"] == 0
    assert desk.codes(version_id) == []


def replace_name(one: evidence.CodeFacts) -> evidence.CodeFacts:
    return evidence.CodeFacts(**{**{name: getattr(one, name) for name in one.__struct_fields__}, "name": f"{one.name}新"})


def test_a_code_that_stands_twice_is_no_version(desk: Desk) -> None:
    version_id = desk.fetch([*WHOLE[:5], WHOLE[0]])
    assert desk.row(version_id)["error"] == "code_twice"


def test_nothing_new_is_recognised_by_version_and_digest(desk: Desk) -> None:
    first = desk.fetch()
    second = desk.fetch()
    assert (desk.row(first)["state"], desk.row(second)["state"], desk.codes(second)) == ("complete", "known", [])
    third = desk.fetch([*WHOLE, tables.code(99)])
    assert desk.row(third)["state"] == "complete", "the same name and another content is another version"


def test_a_named_version_and_no_other(desk: Desk, server_id: str) -> None:
    version_id = desk.synchronise(server_id, "49.0")
    order = desk.order()
    assert order.work.version == "49.0"
    desk.answer(order)
    assert desk.row(version_id)["error"] == "version_differs: 50.0"
    assert desk.refused(lambda: desk.synchronise("nothing")).code == "not_found"


@pytest.mark.parametrize("wrong", [{"code": "123"}, {"name": "a\tb"}, {"rates": "nine"}, {"valid_to": "2026-02-30"}])
def test_rows_that_cannot_be_are_not_kept(desk: Desk, wrong: dict[str, Any]) -> None:
    version_id = desk.synchronise()
    order = desk.order()
    rows = [tables.code(1, **wrong)]
    found = tables.page([tables.code(1)], 0, 4)
    found.rows = rows
    desk.agent.settle(desk.agent.answer(order, "done", evidence=found))
    assert desk.codes(version_id) == [] and desk.scene.rows("SELECT * FROM evidence")


# --- in force from a day, and rolled back


def line(code: str, rate: str = "0.09") -> LineBody:
    return LineBody(item_name="货物", tax_class_code=code, rate=rate, quantity="1", unit_price="10.00")


def rice_and(*extra: evidence.CodeFacts, without_rice: bool = False) -> list[evidence.CodeFacts]:
    rows = [tables.code(0, code=row.code, name=row.name, rates=" ".join(row.usual_rates), sum_only=row.summary,
                        usable=not (without_rice and row.code == RICE)) for row in data.tax_codes()]  # fmt: skip
    return [*rows, *extra]


def test_the_version_of_the_day(desk: Desk, rules: IssuingRules) -> None:
    older = desk.fetch(rice_and(tables.code(1)), version="49.0")
    newer = desk.fetch(rice_and(tables.code(2)), version="50.0")
    desk.act(older, "activate", valid_from="2026-11-01")
    desk.act(newer, "activate", valid_from="2026-12-01")
    days = {date(2026, 10, 31): None, date(2026, 11, 1): "49.0", date(2026, 11, 30): "49.0", date(2026, 12, 1): "50.0"}
    for day, version in days.items():
        edition = rules.codes.edition_on(day)
        assert (edition.version if edition else None) == version, day
    first, second = tables.code(1).code, tables.code(2).code
    november, december = rules.codes.on(date(2026, 11, 22)), rules.codes.on(date(2026, 12, 1))
    assert november.refusal(first, "", date(2026, 11, 22)) is None and december.refusal(first, "", date(2026, 12, 1))
    assert december.refusal(second, "", date(2026, 12, 1)) is None
    last = desk.refused(lambda: desk.act(older, "rollback"))
    assert (last.code, last.details["version"]) == ("code_version_not_latest", "50.0")
    desk.act(newer, "rollback")
    edition = rules.codes.edition_on(date(2026, 12, 1))
    assert edition is not None and edition.version == "49.0" and desk.row(newer)["state"] == "rolled_back"
    desk.act(older, "rollback")
    assert rules.codes.on(date(2026, 12, 1)) is rules.codes.shipped


def test_a_version_starts_after_the_one_before_it(desk: Desk) -> None:
    older, newer = desk.fetch(version="49.0"), desk.fetch(version="50.0")
    assert desk.row(newer)["state"] == "complete"
    desk.act(older, "activate", valid_from="2026-12-01")
    for day in ("2026-12-01", "2026-11-30"):
        assert desk.refused(lambda day=day: desk.act(newer, "activate", valid_from=day)).code == "code_version_order"
    wrong = desk.refused(lambda: desk.act(newer, "activate", valid_from="2026-02-30"))
    assert wrong.code == "field_invalid"
    assert desk.refused(lambda: desk.act(older, "activate", valid_from="2026-12-09")).code == "move_not_allowed"


def ask(desk: Desk, owner: str, request_id: str, code: str = RICE) -> tuple[str, str]:
    asked = invoices.ask(body(owner, request_id, lines=[line(code)]), desk.scene.ledger.clock(), desk.rules)
    shown = desk.scene.ledger.write_now(lambda tx: invoices.request(tx, ADMIN, asked, desk.rules))
    return shown["id"], shown["state"]


def test_an_order_of_before_the_switch_issued_after_it(desk: Desk, scene: Scene, agent: Agent, clock: Any, server_id: str) -> None:
    """Rice ends with the new version: what waited for numbers and what waited for the agent are both looked at anew."""
    owner = scene.taxpayer(1)
    paper = scene.ready(agent, owner, server_id, numbers=1)
    version_id = desk.fetch(rice_and(tables.code(1), without_rice=True))
    desk.act(version_id, "activate", valid_from="2026-11-23")
    queued, _ = ask(desk, owner, "has-a-number")
    waiting, state = ask(desk, owner, "has-none")
    assert state == "waiting" and [job["state"] for job in scene.jobs_of(queued)] == ["queued"]
    clock.moment = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    agent.observe(paper)
    device_id = scene.id_of(paper)
    scene.ledger.write_now(lambda tx: placement.look_after(tx, device_id, desk.rules))
    scene.ledger.write_now(lambda tx: placement.place_waiting(tx, owner, desk.rules))
    for invoice_id in (queued, waiting):
        invoice = scene.invoice(invoice_id)
        assert invoice["state"] == "refused", invoice
        assert json.loads(invoice["refusal"])["code"] == "tax_code_ended"
    assert agent.lease() == []
    late, state = ask(desk, owner, "after-it", tables.code(1).code)
    assert state == "waiting" and scene.jobs_of(late), "a code of the new version is good from that day on"
    _early, state = ask(desk, owner, "rice")
    assert state == "refused"


def test_what_stays_the_same_is_not_disturbed_by_a_switch(desk: Desk, scene: Scene, agent: Agent, clock: Any, server_id: str) -> None:
    owner = scene.taxpayer(1)
    paper = scene.ready(agent, owner, server_id)
    desk.act(desk.fetch(rice_and(tables.code(1))), "activate", valid_from="2026-11-23")
    invoice_id, _ = ask(desk, owner, "r1")
    clock.forward(days=1)
    agent.observe(paper)
    device_id = scene.id_of(paper)
    scene.ledger.write_now(lambda tx: placement.look_after(tx, device_id, desk.rules))
    (order,) = agent.lease()
    agent.settle(agent.done(order))
    assert scene.invoice(invoice_id)["state"] == "issued"


def test_rows_end_by_themselves(desk: Desk, rules: IssuingRules) -> None:
    rows = rice_and(tables.code(1, valid_to="2026-12-31"), tables.code(2, valid_from="2027-01-01"))
    desk.act(desk.fetch(rows), "activate", valid_from="2026-11-01")
    first, second = tables.code(1).code, tables.code(2).code
    for day, good in ((date(2026, 12, 31), first), (date(2027, 1, 1), second)):
        table = rules.codes.on(day)
        assert [code for code in (first, second) if table.refusal(code, "", day) is None] == [good]
    told = rules.codes.on(date(2027, 1, 1)).refusal(first, "f", date(2027, 1, 1))
    assert told is not None and (told.code, told.details["last"]) == ("tax_code_ended", "2026-12-31")


# --- differences, search, staleness


def test_differences_and_the_lines_that_use_them(desk: Desk, scene: Scene, agent: Agent, server_id: str, clock: Any) -> None:
    owner = scene.taxpayer(1)
    scene.ready(agent, owner, server_id)
    for number in range(3):
        ask(desk, owner, f"r{number}")
    agent.work_off()
    changed = [one for one in rice_and(tables.code(1)) if one.code != "1010101020000000000"]
    for one in changed:
        if one.code == RICE:
            one.rates, one.name = "0.06", "水稻"
    version_id = desk.fetch(changed)
    found = desk.scene.ledger.read_now(
        lambda hand: tax_code_views.diff(hand, desk.row(version_id), None, desk.viewer(), Page())
    )
    assert (found["against"], found["counts"]) == ("shipped", {"added": 1, "ended": 1, "rate_changed": 1, "renamed": 1})
    by_what = {(one["what"], one["code"]): one for one in found["items"]}
    assert by_what["rate_changed", RICE] == {
        "id": f"{RICE}.rate_changed", "what": "rate_changed", "code": RICE, "old": "0.09", "new": "0.06", "used": 3,
    }  # fmt: skip
    assert by_what["renamed", RICE]["new"] == "水稻" and by_what["ended", "1010101020000000000"]["used"] == 0
    assert (found["used_codes"], found["used_lines"], found["days"]) == (1, 3, 90)
    stranger = desk.scene.ledger.read_now(
        lambda hand: tax_code_views.diff(hand, desk.row(version_id), "shipped", desk.viewer(front_end("x")), Page())
    )
    assert stranger["used_lines"] == 0, "usage is scoped"
    clock.moment = datetime.now(UTC) + timedelta(days=120)
    old = desk.scene.ledger.read_now(
        lambda hand: tax_code_views.diff(hand, desk.row(version_id), None, desk.viewer(), Page(limit=2))
    )
    assert old["used_lines"] == 0 and len(old["items"]) == 2 and old["next"]


def test_each_kind_of_difference_by_hand() -> None:
    def code(number: int, name: str = "n", rates: str = "0.09", usable: bool = True, last: date | None = None) -> TaxCode:
        return TaxCode(f"{number:019d}", name, tuple(rates.split()), False, "", usable, None, last)

    old = [code(1), code(2), code(3), code(4), code(5, usable=False), code(6), code(8)]
    new = [code(1), code(3, "m"), code(4, rates="0.06 0.13"), code(5), code(6, usable=False), code(7),
           code(8, last=date(2026, 12, 31))]  # fmt: skip
    assert [(one.what, int(one.code), one.old, one.new) for one in differences(old, new)] == [
        ("ended", 2, "n", ""), ("renamed", 3, "n", "m"), ("rate_changed", 4, "0.09", "0.06 0.13"), ("added", 5, "", "n"),
        ("ended", 6, "n", ""), ("added", 7, "", "n"), ("ended", 8, "n", "2026-12-31"),
    ]  # fmt: skip
    assert differences(old, old) == []


def found(desk: Desk, wanted: str, version: str | None = None, page: Page | None = None) -> list[str]:
    rows, _ = desk.scene.ledger.read_now(
        lambda hand: tax_code_views.search(hand, wanted, version, desk.viewer(), page or Page())
    )
    return [row["code"] for row in rows]


def test_search_by_beginning_and_by_name(desk: Desk) -> None:
    assert found(desk, "10101010100") == [RICE] and RICE in found(desk, "稻") and found(desk, "no such") == []
    rows = rice_and(tables.code(1, name="100%_棉!", short_name="Cotton"), tables.code(2, name="100x棉"))
    version_id = desk.fetch(rows)
    odd = tables.code(1).code
    assert found(desk, "100%", version_id) == [odd] and found(desk, "_棉!", "50.0") == [odd]
    assert found(desk, "COTTON", "50.0") == [odd] and found(desk, odd, "50.0") == [odd]
    assert RICE in found(desk, "稻") and odd not in found(desk, "棉!"), "not in force yet"
    desk.act(version_id, "activate", valid_from="2026-11-22")
    assert found(desk, "棉!") == [odd] and found(desk, "棉!", "shipped") == []
    with pytest.raises(Refusal):
        found(desk, "x", "7.0")
    whole = found(desk, "", None, Page(limit=1000))
    walked: list[str] = []
    page = Page(limit=7)
    while True:
        rows_, following = desk.scene.ledger.read_now(
            lambda hand, page=page: tax_code_views.search(hand, "", None, desk.viewer(), page)
        )
        walked += [row["code"] for row in rows_]
        if following is None:
            break
        page = Page(limit=7, cursor=following)
    assert walked == whole == sorted(whole) and len(whole) == len(rows)


def test_staleness_is_told_by_the_clock(desk: Desk, clock: Any) -> None:
    def current() -> dict[str, Any]:
        return desk.scene.ledger.read_now(lambda hand: tax_code_views.current(hand, desk.viewer()))

    assert (current()["version"], current()["stale"], current()["days"]) == ("shipped", True, None)
    version_id = desk.fetch(rice_and())
    desk.act(version_id, "activate", valid_from="2026-12-01")
    now = current()
    assert (now["stale"], now["days"], now["coming"]) == (False, 0, [{"version": "50.0", "valid_from": "2026-12-01"}])
    clock.forward(days=46)
    assert (current()["stale"], current()["days"], current()["version"]) == (True, 46, "50.0")
    desk.fetch(rice_and())
    assert current()["stale"] is False, "a synchronisation that finds nothing new is one"


def test_a_digest_is_over_everything_in_its_order() -> None:
    row = CodeFactsLike("1" * 19, "名", "简", "0.09", False, True, "", "", "", "")
    from controlplane.domain.tax_code import digest_of

    digests = {digest_of([row]), digest_of([row, row]), *(digest_of([row._replace(**{name: value})]) for name, value in
               (("name", "名2"), ("sum_only", True), ("usable", False), ("rates", "0.06"), ("note", "x"), ("valid_to", "2026-01-01")))}  # fmt: skip
    assert len(digests) == 8
