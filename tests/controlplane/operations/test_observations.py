"""Readings: what a device holds becomes what the ledger says; numbers never go back; uploads have a cursor."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controlplane.wire import agents as wire
from controlplane.wire import evidence
from tests.controlplane.operations.paper_devices import CODES, Paper, run
from tests.controlplane.operations.scene import Agent, Clock, Scene, body


@pytest.fixture
def owner(scene: Scene) -> str:
    return scene.taxpayer(1)


@pytest.fixture
def paper(scene: Scene, agent: Agent, owner: str) -> Paper:
    """A ready device without any number."""
    return scene.ready(agent, owner, scene.server(agent), numbers=0)


def segments(scene: Scene, paper: Paper) -> list[tuple[Any, ...]]:
    rows = scene.rows("SELECT * FROM segments WHERE device_id = :id ORDER BY start_no", id=scene.id_of(paper))
    names = ("start_no", "end_no", "next_no", "terminal_code", "state")
    return [tuple(row[name] for name in names) for row in rows]


def stock(scene: Scene, paper: Paper) -> dict[str, int]:
    rows = scene.rows("SELECT * FROM stock WHERE device_id = :id", id=scene.id_of(paper))
    return {row["terminal_code"]: row["remaining"] for row in rows}


def see(agent: Agent, paper: Paper, *held: evidence.SegmentFacts) -> None:
    paper.segments = list(held)
    agent.observe(paper)


# --- segments


def test_segments_are_split_and_moved_as_the_device_does(scene: Scene, agent: Agent, paper: Paper) -> None:
    see(agent, paper, run("026", 1, 100, None))
    assert segments(scene, paper) == [(1, 100, 1, "", "on_device")] and stock(scene, paper) == {}
    see(agent, paper, run("026", 1, 40, "1"), run("026", 41, 100, None))
    assert segments(scene, paper) == [(1, 40, 1, "1", "on_terminal"), (41, 100, 41, "", "on_device")]
    assert stock(scene, paper) == {"1": 40}
    see(agent, paper, run("026", 1, 40, "1"), run("026", 41, 60, "2"), run("026", 61, 100, "1"))
    assert stock(scene, paper) == {"1": 80, "2": 20}
    see(agent, paper, run("026", 1, 40, None), run("026", 41, 60, "1"), run("026", 61, 100, None))
    assert stock(scene, paper) == {"1": 20, "2": 0}
    see(agent, paper, run("026", 1, 100, "2"))
    assert segments(scene, paper) == [(1, 100, 1, "2", "on_terminal")] and stock(scene, paper) == {"1": 0, "2": 100}
    assert scene.device(scene.id_of(paper))["state"] == "ready"


def test_the_next_number_never_goes_back(scene: Scene, agent: Agent, paper: Paper) -> None:
    see(agent, paper, run("026", 1, 100, "1", next_no="00000031", left=70))
    assert segments(scene, paper) == [(1, 100, 31, "1", "on_terminal")]
    see(agent, paper, run("026", 1, 100, "1", next_no="00000011", left=90))
    assert segments(scene, paper) == [(1, 100, 31, "1", "on_terminal")] and stock(scene, paper) == {"1": 70}
    see(agent, paper, run("026", 1, 100, "1", next_no="00000101", left=0))
    see(agent, paper, run("026", 1, 100, "1", next_no="00000099", left=2))
    assert segments(scene, paper) == [(1, 100, 101, "1", "exhausted")] and stock(scene, paper) == {"1": 0}


def test_a_used_run_that_is_gone_from_the_device_stays_on_record(scene: Scene, agent: Agent, paper: Paper) -> None:
    see(agent, paper, run("026", 1, 100, "1", next_no="00000101", left=0), run("026", 101, 200, None))
    see(agent, paper, run("026", 201, 300, None))
    assert [row[0] for row in segments(scene, paper)] == [1, 201]


@pytest.mark.parametrize("grown", [False, True])
def test_two_devices_with_one_number_stop_the_second(
    scene: Scene, agent: Agent, owner: str, paper: Paper, grown: bool
) -> None:
    see(agent, paper, run("026", 1, 100, "1"))
    other = scene.ready(agent, scene.taxpayer(2), scene.device(scene.id_of(paper))["tax_server_id"], numbers=0)
    if grown:
        see(agent, other, run("026", 101, 150, "1"))
        see(agent, paper, run("026", 1, 101, "1"))
        other, paper = paper, other
    else:
        see(agent, other, run("026", 100, 150, "1"))
    assert scene.device(scene.id_of(paper))["state"] == "ready"
    stopped = scene.device(scene.id_of(other))
    assert stopped["state"] == "suspended" and CODES["026"] in stopped["held_reason"]
    held = {number for start, end, *_ in segments(scene, other) for number in range(start, end + 1)}
    assert not held & {number for start, end, *_ in segments(scene, paper) for number in range(start, end + 1)}


# --- readings


def test_a_reading_is_written_and_told_once(scene: Scene, agent: Agent, paper: Paper, clock: Clock) -> None:
    device_id = scene.id_of(paper)

    def events() -> int:
        return len(scene.rows("SELECT seq FROM events WHERE record_id = :id AND verb = 'read'", id=device_id))

    version, seen = scene.device(device_id)["version"], events()
    clock.forward(seconds=20)
    agent.observe(paper)
    assert events() == seen, "nothing new"
    agent.observe(paper, clock_offset_seconds=4.0)
    assert events() == seen, "a clock moves a little all the time"
    agent.observe(paper, clock_offset_seconds=400.0, bureau_online=False, offline_since="2026-11-22T02:00:00.000Z",
                  offline_count=3, offline_amount="12.34")  # fmt: skip
    row = scene.device(device_id)
    assert events() == seen + 1 and row["version"] == version, "a reading is no change of the record"
    assert (row["clock_offset_seconds"], row["bureau_online"], row["offline_count"], row["offline_fen"]) == (
        400,
        0,
        3,
        1234,
    )


def test_an_older_reading_that_comes_late_is_passed_over(
    scene: Scene, agent: Agent, paper: Paper, clock: Clock
) -> None:
    agent.observe(paper)
    before = scene.dump(but=())
    agent.observe(paper, read_at="2026-11-22T02:59:59.000Z", reachable=False, message="old")
    assert scene.dump(but=()) == before


def test_an_unreachable_device_keeps_its_last_reading(scene: Scene, agent: Agent, paper: Paper) -> None:
    see(agent, paper, run("026", 1, 10, "1"))
    agent.observe(paper, reachable=False, message="no route", segments=[], kinds=[], clock_offset_seconds=None)
    row = scene.device(scene.id_of(paper))
    assert (row["reachable"], row["unreachable_message"], row["clock_offset_seconds"]) == (0, "no route", 0.5)
    assert stock(scene, paper) == {"1": 10} and row["kinds"] != "[]"


def test_readings_of_devices_the_agent_does_not_serve_change_nothing(scene: Scene, agent: Agent, paper: Paper) -> None:
    stranger = Agent(scene, host_id="host-2")
    before = scene.dump(but=())
    assert stranger.observe(paper, reachable=False) is None
    assert agent.observe(Paper("499999999999", "SK0001")) is None
    assert scene.dump(but=()) == before


def test_bad_news_takes_queued_work_back(scene: Scene, agent: Agent, owner: str, paper: Paper) -> None:
    see(agent, paper, run("026", 1, 10, "1"))
    invoice_id = scene.request(body(owner, "r1"))[0]
    agent.observe(paper, clock_offset_seconds=3600.0)
    assert [job["state"] for job in scene.jobs_of(invoice_id)] == ["refused"]
    assert json.loads(scene.invoice(invoice_id)["waiting_reason"])["code"] == "clock_off"
    agent.observe(paper)
    assert [job["state"] for job in scene.jobs_of(invoice_id)] == ["refused", "queued"]


# --- uploads


@pytest.fixture
def issued(scene: Scene, agent: Agent, owner: str, paper: Paper) -> list[str]:
    """Four invoices, issued and not uploaded."""
    see(agent, paper, run("026", 1, 100, "1"))
    ids = [scene.request(body(owner, f"r{number}"))[0] for number in range(4)]
    agent.work_off()
    return ids


def status(scene: Scene, ids: list[str]) -> list[str]:
    return [scene.invoice(one)["upload_status"] for one in ids]


def test_the_cursor_stands_before_the_first_that_is_not_final(
    scene: Scene, agent: Agent, paper: Paper, issued: list[str]
) -> None:
    done, failed = paper.uploads(), paper.uploads("failed", "签名服务忙")
    assert agent.observe(paper, uploads=[done[1], done[0]]) == (paper.device_no, 2)
    assert agent.observe(paper, uploads=[failed[2], done[3]]) == (paper.device_no, 2)
    assert status(scene, issued) == ["uploaded", "uploaded", "failed", "uploaded"]
    assert agent.observe(paper, uploads=[done[2]]) == (paper.device_no, 4)
    row = scene.invoice(issued[2])
    assert (row["upload_status"], row["upload_receipt_no"], row["upload_message"]) == ("uploaded", "SL00000003", "")
    assert agent.observe(paper) == (paper.device_no, 4)


def test_uploaded_is_for_ever_and_a_repeat_is_nothing(
    scene: Scene, agent: Agent, paper: Paper, issued: list[str]
) -> None:
    agent.observe(paper, uploads=paper.uploads())
    before = scene.dump(but=())
    agent.observe(paper, uploads=paper.uploads())
    agent.observe(paper, uploads=paper.uploads("failed", "late"))
    agent.observe(paper, uploads=paper.uploads("signature_rejected", "late"))
    assert scene.dump(but=()) == before


def test_a_rejected_signature_is_final_for_the_cursor(
    scene: Scene, agent: Agent, paper: Paper, issued: list[str]
) -> None:
    rejected = paper.uploads("signature_rejected", "验签失败")
    assert agent.observe(paper, uploads=[rejected[0], *paper.uploads()[1:]]) == (paper.device_no, 4)
    assert status(scene, issued)[0] == "signature_rejected"


def test_an_upload_of_another_number_is_not_ours(scene: Scene, agent: Agent, paper: Paper, issued: list[str]) -> None:
    one = paper.uploads()[0]
    one.invoice_no = "00000099"
    assert agent.observe(paper, uploads=[one]) == (paper.device_no, 0)
    assert status(scene, issued) == ["not_uploaded"] * 4


def test_what_somebody_issued_by_hand_is_logged_and_passed_over(
    scene: Scene, agent: Agent, paper: Paper, issued: list[str]
) -> None:
    uploads = paper.uploads()
    by_hand = wire.UploadFacts(
        index=5, serial="HAND", invoice_code=CODES["026"], invoice_no="00000005", status="uploaded", receipt_no="SL5",
        at="2026-11-22T03:00:05.000Z",
    )  # fmt: skip
    assert agent.observe(paper, uploads=[*uploads, by_hand]) == (paper.device_no, 5)
    row = scene.log()[-1]
    assert row["action"] == "invoices.found_on_device" and json.loads(row["detail"])["index"] == 5
