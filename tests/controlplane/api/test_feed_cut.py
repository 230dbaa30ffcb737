"""An open feed ends with the session it was opened by, and shows a changed scope, within five seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.controlplane.api.house import House
from tests.controlplane.api.test_feed import Feed, change, feed

PROMISED = 5.0


def ends(followed: Feed) -> float:
    """Seconds until the feed is over."""
    started = time.monotonic()
    while followed._answer.readline():
        assert time.monotonic() - started < 15
    return time.monotonic() - started


def person(house: House, **scope: Any) -> tuple[str, dict[str, Any]]:
    """A signed-in operator: the role under which ``house`` knows the session, and the record."""
    name = f"p{time.monotonic_ns()}"
    status, made = house.post("/v1/people", {"name": name, "role": "operator", **(scope or {"everything": True})})
    assert status == 201, made
    _, first = house.post("/v1/sessions", {"username": name, "password": made["password"]}, "")
    house.tokens[name] = first["token"]
    body = {"current": made["password"], "new": "a password of my own"}
    status, opened = house.post("/v1/me/password", body, name)
    assert status == 201 and opened["must_change_password"] is False
    house.tokens[name] = opened["token"]
    return name, house.ask("GET", f"/v1/people/{made['id']}")[1]


def disable(house: House, role: str, record: dict[str, Any]) -> None:
    body = {"reason": "left", "version": record["version"]}
    assert house.post(f"/v1/people/{record['id']}/disable", body)[0] == 202


def revoke(house: House, role: str, record: dict[str, Any]) -> None:
    _, mine = house.ask("GET", "/v1/sessions?state=open", role=role)
    (current,) = [one for one in mine["items"] if one["current"]]
    body = {"reason": "lost", "version": current["version"]}
    assert house.post(f"/v1/sessions/{current['id']}/revoke", body)[0] == 202


def change_role(house: House, role: str, record: dict[str, Any]) -> None:
    body = {"reason": "moved", "version": record["version"], "role": "auditor"}
    assert house.post(f"/v1/people/{record['id']}/change_role", body)[0] == 202


def sign_out(house: House, role: str, record: dict[str, Any]) -> None:
    assert house.post("/v1/me/sign-out", {"everywhere": False}, role)[0] == 200


def reset(house: House, role: str, record: dict[str, Any]) -> None:
    body = {"reason": "forgotten", "version": record["version"]}
    assert house.post(f"/v1/people/{record['id']}/reset", body)[0] == 202


def expire(house: House, role: str, record: dict[str, Any]) -> None:
    house.scene.ledger.clock.forward(hours=12)  # type: ignore[attr-defined]


@pytest.mark.parametrize("cut", [disable, revoke, change_role, sign_out, reset, expire])
def test_an_open_feed_is_cut_and_nothing_answers_any_more(house: House, cut: Callable[..., None]) -> None:
    role, record = person(house)
    with feed(house, role=role) as followed:
        change(house)
        assert followed.changes(1)
        cut(house, role, record)
        assert ends(followed) < PROMISED
    status, answer = house.ask("GET", "/v1/me", role=role)
    assert (status, answer["code"]) == (401, "not_signed_in")


def test_a_busy_feed_is_cut_as_well(house: House) -> None:
    role, record = person(house)
    with feed(house, role=role) as followed:
        disable(house, role, record)
        started = time.monotonic()
        while time.monotonic() - started < PROMISED:
            change(house)
        followed._answer.fp.raw._sock.settimeout(1)  # type: ignore[union-attr]
        assert ends(followed) < 1


def test_a_feed_of_a_region_tells_of_its_servers_and_lines_and_no_others(house: House) -> None:
    role, _ = person(house, regions=["4400"])
    with feed(house, role=role) as followed:
        made = []
        for area in ("3100", "4400"):
            line = {"region": "x", "area_code": area, "service": "test", "target": f"tcp://bureau{area}.example.cn:443"}
            server = {"tax_server_no": f"R{area}", "name": "x", "region": area, "host": "127.0.0.1", "port": 9}
            for path, body in (("/v1/lines", line), ("/v1/tax-servers", server)):
                status, row = house.post(path, body)
                assert status == 201, row
                made.append(row["id"])
        assert [event["id"] for event in followed.changes(2)] == made[2:]
    other, _ = person(house, taxpayers=[house.owner])
    with feed(house, role=other) as followed:
        change(house)
        assert house.post("/v1/invoices", house.invoice_body(1), "front_end")[0] == 202
        assert {event["taxpayer_id"] for event in followed.changes(2)} == {house.owner}
