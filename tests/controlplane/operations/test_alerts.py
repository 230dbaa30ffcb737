"""Alerts: when they open and close, who hears of it, how flips are grouped, and what happens when rules change."""

from __future__ import annotations

import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import alert_rules
from tests.controlplane.operations.scene import Clock, Scene, front_end
from tests.controlplane.operations.watching import PERIOD, Watch


@pytest.fixture
def watch(scene: Scene, clock: Clock) -> Watch:
    return Watch(scene, clock)


def test_two_failures_open_and_one_success_closes(watch: Watch) -> None:
    watch.rule("a@example.com", "b@example.com")
    first, second = watch.line(), watch.line(2)
    watch.sweep(**{first: True, second: True})
    watch.sweep(**{first: False, second: True})
    assert watch.verdict(first) == "normal" and watch.letters() == []
    watch.sweep(**{first: False, second: False})
    assert watch.verdict(first) == "abnormal"
    assert [one["to"] for one in watch.letters()] == ["a@example.com", "b@example.com"]
    watch.delivered()
    watch.clock.forward(seconds=PERIOD)
    watch.sweep(**{first: True, second: False})
    assert (watch.verdict(first), watch.verdict(second)) == ("normal", "abnormal")
    told = watch.letters()
    assert len(told) == 4 and "1 条异常, 1 条恢复, 仍有 1 条异常" in told[2]["subject"], "one letter names all flips"
    down, up = told[2]["text"].split("\n")[:2]
    assert ":2: " in down and "异常 (环节 建立连接: 连接被拒)" in down and ":1: " in up and "恢复正常" in up
    watch.sweep(**{first: True, second: False})
    assert len(watch.letters()) == 4


def test_a_missed_slot_opens_nothing_and_closes_nothing(watch: Watch, clock: Clock) -> None:
    watch.rule()
    line_id = watch.line()
    watch.sweep(**{line_id: False})
    watch.sweep(**{line_id: None})
    assert watch.flips() == []
    watch.sweep(**{line_id: False})
    clock.forward(seconds=PERIOD)
    watch.keep_up()
    watch.sweep(**{line_id: None})
    assert watch.flips() == [("opened", line_id)] and watch.verdict(line_id) == "abnormal"


@pytest.mark.parametrize("open_after", [1, 2, 3])
@pytest.mark.parametrize("close_after", [1, 2, 3])
def test_each_rule_has_thresholds_of_its_own(watch: Watch, open_after: int, close_after: int) -> None:
    watch.rule(open_after=open_after, close_after=close_after)
    line_id = watch.line()
    moves = []
    for ok in (True, False, False, False, True, True, True):
        before = len(watch.flips())
        watch.sweep(**{line_id: ok})
        moves.append(len(watch.flips()) - before)
    assert moves == [0, *(int(number == open_after) for number in (1, 2, 3)),
                     *(int(number == close_after) for number in (1, 2, 3))]  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "values", "told"),
    [
        ("all", None, "ab"),
        ("regions", ["1100"], "a"),
        ("services", ["verify"], "b"),
        ("regions", ["3100", "1100"], "ab"),
    ],
)
def test_a_rule_tells_of_its_scope(watch: Watch, scope: str, values: list[str] | None, told: str) -> None:
    lines = {"a": watch.line(), "b": watch.line(2, area_code="3100", region="上海", service="verify")}
    watch.rule(scope=scope, scope_values=values)
    watch.rule("x@example.com", name="one line", scope="lines", scope_values=[lines["b"]])
    for _ in range(2):
        watch.sweep(**dict.fromkeys(lines.values(), False))
    assert sorted(watch.flips()) == sorted(("opened", lines[name]) for name in [*told, "b"])


def test_flips_of_five_minutes_go_into_one_letter_in_their_order(watch: Watch, clock: Clock) -> None:
    watch.rule(open_after=1)
    line_id, other = watch.line(), watch.line(2)
    watch.sweep(forward=False, **{line_id: False, other: True})
    watch.delivered()
    for ok in (True, False, True, False):
        clock.forward(seconds=20)
        watch.check(line_id, ok)
        watch.keep_up()
    assert len(watch.letters()) == 1, "not yet: five minutes are not over"
    clock.forward(seconds=219)
    watch.keep_up()
    assert len(watch.letters()) == 1
    clock.forward(seconds=1)
    watch.keep_up()
    assert len(watch.letters()) == 2
    line = watch.letters()[1]["text"].split("\n")[0]
    words = [word for word in line.split() if word in ("异常", "恢复正常", "→", "/")]
    assert words == ["恢复正常", "→", "异常", "→", "恢复正常", "→", "异常", "/"]
    assert "1 条异常, 0 条恢复" in watch.letters()[1]["subject"]


def test_while_a_letter_is_on_its_way_the_next_one_waits(watch: Watch, clock: Clock) -> None:
    watch.rule()
    line_id = watch.line()
    for ok in (False, False, True, False, False):
        watch.sweep(**{line_id: ok})
    clock.forward(hours=1)
    watch.keep_up()
    assert [one["state"] for one in watch.letters()] == ["queued"]
    watch.delivered()
    watch.keep_up()
    assert len(watch.letters()) == 1, "and comes no sooner than five minutes after it"
    clock.forward(seconds=PERIOD)
    watch.keep_up()
    first, second = watch.letters()
    assert "异常" in first["text"] and "恢复正常 → " in second["text"]


def test_one_line_in_two_rules_is_named_once(watch: Watch) -> None:
    watch.rule()
    watch.rule("a@example.com", "b@example.com", name="other")
    line_id = watch.line()
    for _ in range(2):
        watch.sweep(**{line_id: False})
    assert [(one["to"], one["text"].count("127.0.0.1")) for one in watch.letters()] == [
        ("a@example.com", 1), ("b@example.com", 1),
    ]  # fmt: skip


# --- rules that change meanwhile


@pytest.mark.parametrize("verb", ["disable", "remove", "change"])
def test_who_heard_it_open_hears_it_close_whatever_became_of_the_rule(watch: Watch, clock: Clock, verb: str) -> None:
    rule_id = watch.rule("a@example.com", "b@example.com")
    line_id = watch.line()
    for _ in range(2):
        watch.sweep(**{line_id: False})
    watch.delivered()
    changed = {"name": "n", "scope": "services", "scope_values": ["upload"], "recipients": ["c@example.com"]}
    watch.on_rule(rule_id, verb, **(changed if verb == "change" else {}))
    clock.forward(seconds=PERIOD)
    watch.sweep(**{line_id: True})
    assert [one["to"] for one in watch.letters()] == ["a@example.com", "b@example.com"] * 2
    assert "恢复正常" in watch.letters()[2]["text"]


def test_nothing_new_is_told_while_a_rule_is_off(watch: Watch, clock: Clock) -> None:
    rule_id = watch.rule()
    watch.on_rule(rule_id, "disable")
    line_id = watch.line()
    for ok in (False, False, True, False, False):
        watch.sweep(**{line_id: ok})
    assert watch.letters() == [] and watch.flips() == [] and watch.verdict(line_id) == "abnormal"
    watch.on_rule(rule_id, "enable")
    watch.sweep(**{line_id: False})
    assert len(watch.letters()) == 1, "on again, and the line is down"


def test_a_flip_not_yet_in_a_letter_when_its_rule_goes_off_is_dropped_with_its_end(watch: Watch, clock: Clock) -> None:
    rule_id = watch.rule(open_after=1)
    first, second = watch.line(), watch.line(2)
    watch.sweep(forward=False, **{first: False, second: True})
    watch.delivered()
    clock.forward(seconds=20)
    watch.check(second, False)
    watch.on_rule(rule_id, "disable")
    clock.forward(seconds=20)
    watch.check(second, True)
    clock.forward(seconds=PERIOD)
    watch.keep_up()
    assert len(watch.letters()) == 1
    states = [row["state"] for row in watch.scene.rows("SELECT state FROM alert_tells ORDER BY flip_id")]
    assert states == ["told", "dropped", "dropped"]


def test_a_line_that_is_disabled_closes_its_alert(watch: Watch, clock: Clock) -> None:
    watch.rule()
    line_id = watch.line()
    for _ in range(2):
        watch.sweep(**{line_id: False})
    watch.delivered()
    clock.forward(seconds=PERIOD)
    watch.switch(line_id, "disable")
    assert watch.flips() == [("opened", line_id), ("closed", line_id)]
    assert "停止监测" in watch.letters()[1]["text"]
    watch.switch(line_id, "enable")
    watch.sweep(**{line_id: False})
    assert len(watch.flips()) == 2, "it begins anew"


# --- the watch itself


def test_a_silent_vantage_is_told_and_its_return_too(watch: Watch, clock: Clock) -> None:
    watch.rule("a@example.com", "b@example.com")
    watch.rule("c@example.com", name="off", open_after=1)
    watch.on_rule(str(watch.scene.one("SELECT id FROM alert_rules WHERE name = 'off'")["id"]), "disable")
    line_id = watch.line()
    watch.sweep(**{line_id: True})
    clock.forward(seconds=PERIOD)
    watch.keep_up()
    assert watch.letters() == [], "one missed slot is not silence"
    clock.forward(seconds=PERIOD)
    watch.keep_up()
    assert [one["to"] for one in watch.letters()] == ["a@example.com", "b@example.com"]
    assert "监测点 v" in watch.letters()[0]["text"]
    watch.delivered()
    for _ in range(10):
        clock.forward(seconds=PERIOD)
        watch.keep_up()
    assert len(watch.letters()) == 2, "told once"
    watch.sweep(**{line_id: True})
    assert len(watch.letters()) == 4 and "12 个时段未检测" in watch.letters()[2]["text"]


def test_after_six_hours_of_silence_of_everything_one_letter_comes(watch: Watch, clock: Clock) -> None:
    watch.rule()
    line_id = watch.line()
    watch.sweep(**{line_id: True})
    clock.forward(hours=6)
    watch.sweep(**{line_id: True})
    (letter,) = watch.letters()
    assert "72 个时段未检测" in letter["text"] and "0 条异常, 1 条恢复" in letter["subject"]


# --- rules


BAD_RECIPIENTS = (
    "", "x", "a@", "@b", "a b@x.cn", "<a@b.cn>", "a@b.cn, c@d.cn", "a@b.cn\r\nBcc: c@d.cn", "张三@example.com", "a@b..cn",
    "a@-b.cn", "a@.cn", ".a@b.cn", "a..b@c.cn", "a@b.cn ", "a@例子.cn", "a@b\u2028.cn", f"{'a' * 65}@b.cn", "a@b@c.cn",
    f"a@{'b' * 64}.cn", "a@" + "b." * 130 + "cn", '"a b"@c.cn', "a@[127.0.0.1]", "a" * 5000,
)  # fmt: skip


@pytest.mark.parametrize("address", BAD_RECIPIENTS)
def test_what_is_no_address_is_refused_when_it_is_saved(watch: Watch, address: str) -> None:
    with pytest.raises(Refusal, match="recipient_invalid"):
        watch.rule("good@example.com", address)
    assert watch.scene.rows("SELECT * FROM alert_rules") == []


def test_an_address_stands_in_a_rule_once(watch: Watch) -> None:
    watch.rule("a@example.com", "A@Example.com", "b@example.com")
    assert watch.scene.one("SELECT recipients FROM alert_rules")["recipients"] == '["A@Example.com","b@example.com"]'


@pytest.mark.parametrize(
    ("scope", "values", "code"),
    [("all", ["1100"], "scope_values_wrong"), ("regions", None, "scope_values_wrong"),
     ("lines", [], "scope_values_wrong"), ("regions", ["9999"], "scope_matches_nothing"),
     ("services", ["1100"], "scope_matches_nothing"), ("lines", ["x"], "scope_matches_nothing")],
)  # fmt: skip
def test_a_scope_must_match_something(watch: Watch, scope: str, values: list[str] | None, code: str) -> None:
    watch.line()
    with pytest.raises(Refusal, match=code):
        watch.rule(scope=scope, scope_values=values)


def test_names_are_taken_until_the_rule_is_removed(watch: Watch) -> None:
    first = watch.rule(name="r")
    second = watch.rule(name="s")
    for attempt in (lambda: watch.rule(name="r"), lambda: watch.on_rule(
        second, "change", name="r", scope="all", recipients=["a@example.com"])):  # fmt: skip
        with pytest.raises(Refusal, match="already_exists"):
            attempt()
    watch.on_rule(first, "remove")
    watch.rule(name="r")
    with pytest.raises(Refusal, match="move_not_allowed"):
        watch.on_rule(first, "enable")


def test_a_test_letter_goes_to_each_recipient_also_of_a_rule_that_is_off(watch: Watch) -> None:
    rule_id = watch.rule("a@example.com", "b@example.com")
    watch.on_rule(rule_id, "disable")
    watch.on_rule(rule_id, "test_send")
    assert [one["to"] for one in watch.letters()] == ["a@example.com", "b@example.com"]
    assert {one["subject"] for one in watch.letters()} == {"[taxplane] 试发 / test"}


def test_a_new_installation_starts_with_a_rule_for_the_recipients_of_its_settings(watch: Watch) -> None:
    for recipients in ((), ("ops@example.com",), ("other@example.com",)):
        watch.scene.ledger.write_now(lambda tx, given=recipients: alert_rules.first_rule(tx, given))
    row = watch.scene.one("SELECT * FROM alert_rules")
    assert (row["scope"], row["recipients"], row["open_after"], row["close_after"]) == (
        "all", '["ops@example.com"]', 2, 1,
    )  # fmt: skip


def test_a_scoped_caller_makes_no_rule(watch: Watch) -> None:
    values = {"name": "x", "scope": "all", "recipients": ["a@example.com"]}
    with pytest.raises(Refusal, match="not_permitted"):
        watch.scene.ledger.write_now(lambda tx: alert_rules.register(tx, front_end("x"), values))


def test_a_hostile_name_in_a_letter_makes_no_header(watch: Watch) -> None:
    watch.rule()
    line_id = watch.line(region="北京\r\nBcc: x@example.com\u202e\x1b[2J")
    for _ in range(2):
        watch.sweep(**{line_id: False})
    from controlplane.mail.letter import Letter, compose

    (told,) = watch.letters()
    message = compose(Letter(told["to"], told["subject"], told["text"]), "t@example.com", "1")
    assert "Bcc" not in message and "\x1b" not in message.get_content() and "北京" in message.get_content()
