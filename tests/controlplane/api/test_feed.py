"""The change feed: replayed from a number, resumed by Last-Event-ID, and only what the caller may see."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

from tests.controlplane.api.house import House

Line = dict[str, Any]
SILENCE = 4
"""Keep-alives in a row (15 s each) after which a test does not wait any longer."""


class Feed:
    """An open feed, read event by event."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self._answer = answer

    def next(self) -> Line:
        """The next event: id, event and data; comments are passed over."""
        found: Line = {}
        silent = 0
        while True:
            line = self._answer.readline().decode().rstrip("\n")
            silent += line == ": keep-alive"
            assert silent < SILENCE, "nothing came"
            if not line and found:
                return found
            name, _, value = line.partition(": ")
            if name == "data":
                found["data"] = json.loads(value)
            elif name in ("id", "event"):
                found[name] = value

    def changes(self, count: int) -> list[Line]:
        """Data of the next changes; notes of position are passed over."""
        found: list[Line] = []
        while len(found) < count:
            event = self.next()
            if event["event"] == "change":
                assert event["id"] == str(event["data"]["seq"])
                found.append(event["data"])
        return found


@contextmanager
def feed(house: House, query: str = "", role: str = "admin", **headers: str) -> Iterator[Feed]:
    connection = http.client.HTTPConnection(urlsplit(house.url).netloc, timeout=20)
    given = {"Authorization": f"Bearer {house.tokens[role]}", "Accept": "text/event-stream", **headers}
    connection.request("GET", f"/v1/events{query}", headers=given)
    answer = connection.getresponse()
    assert answer.status == 200 and str(answer.headers["Content-Type"]).startswith("text/event-stream")
    try:
        yield Feed(answer)
    finally:
        answer.close()
        connection.close()


def last_seq(house: House) -> int:
    return int(house.scene.one("SELECT event_seq FROM ledger_head")["event_seq"])


def change(house: House) -> str:
    """One change through the API; the id of what changed."""
    url, body, role = house.valid("/v1/lines")
    status, row = house.post(url, body, role)
    assert status == 201
    return str(row["id"])


def test_it_tells_everything_from_a_number_on_and_goes_on_live(house: House) -> None:
    # On SQLite a server knows of what it commits itself: its own change shows it what the test wrote before.
    change(house)
    written = house.scene.rows("SELECT * FROM events ORDER BY seq")
    names = ("seq", "at", "noun", "taxpayer_id", "verb", "version")
    with feed(house, "?after=0") as followed:
        replayed = followed.changes(len(written))
        assert [event["seq"] for event in replayed] == list(range(1, len(written) + 1))
        for event, row in zip(replayed, written, strict=True):
            assert event == {name: row[name] for name in names} | {"id": row["record_id"]}
        changed = change(house)
        (live,) = followed.changes(1)
    assert (live["id"], live["noun"], live["verb"], live["seq"]) == (changed, "lines", "added", len(written) + 1)


def test_without_a_number_it_begins_now(house: House) -> None:
    change(house)
    with feed(house) as followed:
        changed = change(house)
        events = followed.changes(1)
        while events[-1]["id"] != changed:
            events += followed.changes(1)
        assert len(events) <= 2


def test_a_broken_feed_resumes_where_it_was(house: House) -> None:
    before = last_seq(house)
    seen: list[int] = []
    made = [change(house) for _ in range(6)]
    headers: dict[str, str] = {}
    for _ in range(3):
        with feed(house, f"?after={before}", **headers) as followed:
            for _ in range(2):
                event = followed.next()
                seen.append(int(event["id"]))
                headers["Last-Event-ID"] = event["id"]
    assert seen == list(range(before + 1, before + 7)), "each once, none missing; the header goes before the query"
    rows = house.scene.rows("SELECT record_id FROM events WHERE seq > :seq ORDER BY seq", seq=before)
    assert [row["record_id"] for row in rows] == made


def test_a_caller_of_narrow_scope_sees_its_own_and_how_far_the_feed_is(house: House) -> None:
    role = house.front_end_of(house.owner)
    before = last_seq(house)
    change(house)
    assert house.post("/v1/invoices", house.invoice_body(1), role)[0] == 202
    change(house)
    with feed(house, f"?after={before}", role) as followed:
        events = followed.changes(2)
    assert {event["taxpayer_id"] for event in events} == {house.owner}
    assert {event["noun"] for event in events} == {"invoices", "jobs"}
    with feed(house, f"?after={last_seq(house) - 1}", role) as followed:
        event = followed.next()
    assert (event["event"], event["id"], event["data"]) == ("position", str(last_seq(house)), {})


def test_what_is_no_number_is_refused(house: House) -> None:
    for after in ("-1", "x", "1.5", "9" * 19, "", "²", "１"):
        status, answer = house.ask("GET", f"/v1/events?after={quote(after)}")
        assert (status, answer["code"]) == (422, "query_invalid"), after


def test_a_number_beyond_the_end_waits_there(house: House) -> None:
    with feed(house, f"?after={last_seq(house) + 2}") as followed:
        made = [change(house) for _ in range(3)]
        assert [event["id"] for event in followed.changes(1)] == made[2:]
