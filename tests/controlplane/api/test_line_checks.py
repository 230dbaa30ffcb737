"""Checks by hand and deliveries through the front door: one, marked, all; limited, logged; foreign ones do not exist."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from controlplane.store.times import utc_text
from tests.controlplane.api.house import House
from tests.controlplane.operations.scene import Clock
from tests.controlplane.operations.watching import Watch

PROBE = {"vantage": "v", "holder": "h"}


def line(house: House, number: int, enabled: bool = True) -> str:
    body = {"region": "北京", "area_code": "1100", "service": "verify", "target": f"tcp://b{number}.example.cn:443"}
    status, row = house.post("/v1/lines", body | {"enabled": enabled}, "operator")
    assert status == 201, row
    return str(row["id"])


def check(house: House, *ids: str, role: str = "operator") -> tuple[int, Any]:
    return house.post("/v1/lines/check", {"ids": list(ids)}, role)


def take(house: House, wait: float = 0.0) -> list[dict[str, str]]:
    status, answer = house.post("/v1/lines/checks/take", {**PROBE, "wait": wait}, "probe")
    assert status == 200
    return list(answer["checks"])


def hand_in(house: House, check_id: str, ok: bool) -> tuple[int, Any]:
    seen = {"endpoint_id": "-", "at": utc_text(house.scene.ledger.clock()), "ok": ok, "duration_ms": 12.5}
    sample = seen if ok else seen | {"failing_phase": "tls", "reason": "certificate_expired"}
    return house.post("/v1/lines/checks", {**PROBE, "check_id": check_id, "sample": sample}, "probe")


def shown(house: House, line_id: str) -> dict[str, Any]:
    return dict(house.ask("GET", f"/v1/lines/{line_id}")[1])


def test_one_line_is_checked_and_the_check_counts(house: House, clock: Clock) -> None:
    line_id = line(house, 1)
    for number in (1, 2):
        status, answer = check(house, line_id)
        assert status == 202 and [one["line_id"] for one in answer["asked"]] == [line_id]
        assert shown(house, line_id)["check"]["state"] == "wanted"
        (taken,) = take(house)
        assert taken == {"id": answer["asked"][0]["id"], "target": "tcp://b1.example.cn:443"}
        assert take(house) == [], "one process makes it"
        assert hand_in(house, taken["id"], ok=False) == (200, {"taken": True})
        assert hand_in(house, taken["id"], ok=True) == (200, {"taken": False}), "a repeat changes nothing"
        now = shown(house, line_id)
        assert now["verdict"] == ("abnormal" if number == 2 else "unknown"), "it counts like any other"
        clock.forward(seconds=10)
    newest = now["history"][0]
    assert (newest["kind"], newest["ok"], newest["failing_phase"]) == ("manual", False, "tls")
    assert (now["check"]["state"], len(now["history"])) == ("done", 2)


def test_marked_and_all(house: House) -> None:
    ids = [line(house, number) for number in range(3)]
    line(house, 9, enabled=False)
    assert len(check(house, *ids[:2], ids[0])[1]["asked"]) == 2
    assert len(take(house)) == 2
    status, answer = check(house, "all")
    assert status == 202 and [one["line_id"] for one in answer["asked"]] == [ids[2]], "the others were checked lately"
    assert sorted(one["line_id"] for one in answer["limited"]) == sorted(ids[:2])


def test_a_line_is_checked_once_in_ten_seconds(house: House, clock: Clock) -> None:
    line_id = line(house, 1)
    assert check(house, line_id)[0] == 202
    clock.forward(seconds=3)
    body = json.dumps({"ids": [line_id]}).encode()
    status, headers, content = house.send(
        "POST", "/v1/lines/check", body, {"Content-Type": "application/json"}, "admin"
    )
    assert (status, headers["Retry-After"], json.loads(content)["code"]) == (429, "7", "line_checked_lately")
    clock.forward(seconds=7)
    assert check(house, line_id)[0] == 202
    assert [row["outcome"] for row in house.scene.log() if row["action"] == "lines.check"] == [
        "allowed", "refused", "allowed",
    ]  # fmt: skip


def test_racers_get_one_check(house: House) -> None:
    line_id, got = line(house, 1), []
    racers = [threading.Thread(target=lambda: got.append(check(house, line_id)[0])) for _ in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(30)
    assert sorted(got) == [202, *[429] * 7]


def test_what_may_not_be_checked(house: House) -> None:
    disabled = line(house, 1, enabled=False)
    for ids, code in (([disabled], "line_disabled"), (["nobody"], "not_found"), ([line(house, 2), "x"], "not_found")):
        status, answer = check(house, *ids)
        assert (answer["code"], status) == (code, 409 if code == "line_disabled" else 404)
    assert check(house, disabled, role="auditor")[0] == 403
    assert house.scene.rows("SELECT * FROM line_checks") == []


def test_what_a_tenant_asks_for_is_missing(house: House) -> None:
    line_id = line(house, 1)
    watch = Watch(house.scene, house.scene.ledger.clock)  # type: ignore[arg-type]
    watch.on_rule(watch.rule(), "test_send")
    tenant = house.front_end_of(house.owner)
    assert check(house, line_id, role=tenant)[0] == 403
    missing = house.bytes_of("GET", "/v1/lines/01a20000-0000-7000-8000-000000000000", role=tenant)
    assert house.bytes_of("GET", f"/v1/lines/{line_id}", role=tenant) == missing
    assert house.ask("GET", "/v1/lines", role=tenant)[1]["items"] == []
    assert house.ask("GET", "/v1/deliveries", role=tenant)[0] == 403


def test_a_waiting_probe_process_hears_of_a_check_at_once(house: House) -> None:
    line_id = line(house, 1)
    got: list[list[dict[str, str]]] = []
    waiting = threading.Thread(target=lambda: got.append(take(house, wait=20)))
    waiting.start()
    time.sleep(0.3)
    began = time.monotonic()
    assert check(house, line_id)[0] == 202
    waiting.join(10)
    assert time.monotonic() - began < 3 and len(got[0]) == 1


def test_a_check_that_its_taker_lost_is_given_to_the_next_and_an_old_one_to_nobody(house: House, clock: Clock) -> None:
    line_id = line(house, 1)
    asked = check(house, line_id)[1]["asked"][0]["id"]
    assert len(take(house)) == 1
    clock.forward(seconds=21)
    other = {"vantage": "v", "holder": "other", "wait": 0.0}
    assert [one["id"] for one in house.post("/v1/lines/checks/take", other, "probe")[1]["checks"]] == [asked]
    assert hand_in(house, asked, ok=True)[1]["code"] == "slot_not_yours", "it is the other's now"
    clock.forward(seconds=40)
    assert take(house) == [] and shown(house, line_id)["check"]["state"] == "expired"


def test_a_line_says_what_may_be_done_with_it(house: House) -> None:
    line_id = line(house, 1)
    allowed = {one["verb"]: one["enabled"] for one in shown(house, line_id)["allowed"]}
    assert allowed == {"enable": False, "disable": True}
    row = house.ask("GET", f"/v1/lines/{line_id}", role="auditor")[1]
    assert not any(one["enabled"] for one in row["allowed"]) and all(one["why"] for one in row["allowed"])


def test_deliveries_are_listed_with_subject_cause_and_state(house: House) -> None:
    watch = Watch(house.scene, house.scene.ledger.clock)  # type: ignore[arg-type]
    rule_id = watch.rule("a@example.com", "b@example.com")
    watch.on_rule(rule_id, "test_send")
    house.scene.change("UPDATE outbox SET state = 'deferred', attempts = 2, last_error = '451 later' "
                       "WHERE recipient = 'a@example.com'")  # fmt: skip
    (found,) = house.ask("GET", "/v1/deliveries?state=deferred")[1]["items"]
    assert (found["recipient"], found["attempts"], found["last_error"]) == ("a@example.com", 2, "451 later")
    assert found["subject"] == "[taxplane] 试发 / test" and found["cause"] == f"test/{rule_id}" and found["next_try_at"]
    assert "payload" not in found
    assert house.ask("GET", f"/v1/deliveries/{found['id']}")[1] == found
    (mine,) = house.ask("GET", "/v1/deliveries?recipient=b@example.com")[1]["items"]
    assert mine["state"] == "queued"


def test_a_flip_names_its_line_and_how_far_each_letter_is(house: House) -> None:
    watch = Watch(house.scene, house.scene.ledger.clock)  # type: ignore[arg-type]
    rule_id = watch.rule("a@example.com", open_after=1)
    line_id = line(house, 1)
    watch.claim()
    watch.report(**{line_id: False})
    (flip,) = house.ask("GET", f"/v1/alert-flips?line_id={line_id}")[1]["items"]
    assert (flip["move"], flip["target"], flip["rule_id"]) == ("opened", "tcp://b1.example.cn:443", rule_id)
    assert [(one["recipient"], one["state"]) for one in flip["mails"]] == [("a@example.com", "queued")]
    assert house.ask("GET", f"/v1/alert-rules/{rule_id}")[1]["open_alerts"] == 1


def test_ten_thousand_recipients_are_refused(house: House) -> None:
    body = {"name": "n", "scope": "all", "recipients": [f"r{number}@example.com" for number in range(10_000)]}
    assert house.post("/v1/alert-rules", body)[0] == 422
    for address in ("a@b.cn\n", "a@b.cn,c@d.cn", "<a@b.cn>", "张三@example.com", "a@b.cn\r\nBcc: c@d.cn", "a@-.cn"):
        assert house.post("/v1/alert-rules", {**body, "recipients": [address]})[0] == 422, address
    assert house.scene.rows("SELECT * FROM alert_rules") == []


def test_an_inside_address_is_refused_at_the_door(house: House) -> None:
    for target in ("tcp://127.0.0.1:80", "http://169.254.169.254/latest", "http://[::1]/", "tcp://2130706433:80"):
        body = {"region": "x", "area_code": "1100", "service": "s", "target": target}
        status, answer = house.post("/v1/lines", body, "operator")
        assert (status, answer["code"]) == (422, "target_not_allowed"), target
