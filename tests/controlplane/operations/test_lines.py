"""Bureau lines: each slot is worked once, what was passed over is written down, and flips go out in one letter."""

from __future__ import annotations

import json

import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import lines
from controlplane.operations.acts import Act
from controlplane.store.engine import Ledger
from controlplane.store.statement import Row
from controlplane.store.times import utc_text
from controlplane.wire.lines import ClaimSlot, Sample, SampleReport
from tests.controlplane.operations.scene import ADMIN, START, Clock, Scene

PERIOD = 300.0
RECIPIENTS = ("a@example.com", "b@example.com")


def line(scene: Scene, number: int = 1, enabled: bool = True) -> str:
    values = {"region": "北京", "area_code": "1100", "service": "upload", "target": f"tcp://127.0.0.1:{number}",
              "enabled": enabled}  # fmt: skip
    return str(scene.ledger.write_now(lambda tx: lines.add(tx, ADMIN, values))["id"])


def claim(ledger: Ledger, slot: str, vantage: str = "v") -> list[Row] | None:
    wanted = ClaimSlot(slot=slot, period=PERIOD, vantage=vantage, holder="h")
    return ledger.write_now(lambda tx: lines.claim(tx, wanted))


def slot_at(clock: Clock) -> str:
    return utc_text(clock())


def report(scene: Scene, clock: Clock, **seen: bool | None) -> None:
    """Samples of one slot: line id → ok."""
    samples = [
        Sample(endpoint_id=line_id, at=slot_at(clock), ok=ok, failing_phase="" if ok else "tcp")
        for line_id, ok in seen.items()
    ]
    sent = SampleReport(slot=slot_at(clock), vantage="v", samples=samples)
    scene.ledger.write_now(lambda tx: lines.report(tx, sent, RECIPIENTS))
    clock.forward(seconds=PERIOD)


def letters(scene: Scene) -> list[dict[str, str]]:
    rows = scene.rows("SELECT * FROM outbox ORDER BY id")
    return [{"to": row["recipient"], **json.loads(row["payload"])} for row in rows]


def verdict(scene: Scene, line_id: str) -> str:
    row = scene.one("SELECT * FROM bureau_endpoints WHERE id = :id", id=line_id)
    return str(scene.ledger.read_now(lambda hand: lines.view(hand, row))["verdict"])


def test_each_slot_of_a_vantage_is_worked_once(scene: Scene, clock: Clock) -> None:
    line(scene)
    line(scene, 2, enabled=False)
    other = Ledger(scene.ledger.url, clock)
    for _ in range(5):
        wanted = ClaimSlot(slot=slot_at(clock), period=PERIOD, vantage="v", holder="h")
        futures = [
            ledger.submit(lambda tx, wanted=wanted: lines.claim(tx, wanted)) for ledger in (scene.ledger, other) * 4
        ]
        got = [future.result(20) for future in futures]
        assert [len(one) for one in got if one is not None] == [1], "one clock gets it, with the enabled address"
        clock.forward(seconds=PERIOD)
    other.close()
    assert claim(scene.ledger, utc_text(START), "another") is not None


def test_a_slot_of_the_past_or_the_future_is_nobodys(scene: Scene, clock: Clock) -> None:
    line(scene)
    assert claim(scene.ledger, slot_at(clock)) is not None
    assert claim(scene.ledger, "2026-11-22T02:55:00.000Z") is None
    with pytest.raises(Refusal, match="field_invalid"):
        claim(scene.ledger, "2026-11-22T03:05:01.000Z")


def test_slots_passed_over_are_written_as_missed_and_not_made_up(scene: Scene, clock: Clock) -> None:
    line_id = line(scene)
    claim(scene.ledger, slot_at(clock))
    clock.forward(hours=6)
    claim(scene.ledger, slot_at(clock))
    rows = scene.rows("SELECT * FROM line_samples ORDER BY slot")
    assert len(rows) == 71 and {(row["endpoint_id"], row["ok"], row["reason"]) for row in rows} == {
        (line_id, None, "missed")
    }
    assert verdict(scene, line_id) == "unknown" and letters(scene) == []


def test_two_failures_are_a_flip_and_one_success_is_another(scene: Scene, clock: Clock) -> None:
    first, second = line(scene), line(scene, 2)
    report(scene, clock, **{first: True, second: True})
    report(scene, clock, **{first: False, second: True})
    assert verdict(scene, first) == "normal" and letters(scene) == []
    report(scene, clock, **{first: False, second: False})
    assert verdict(scene, first) == "abnormal" and [one["to"] for one in letters(scene)] == list(RECIPIENTS)
    report(scene, clock, **{first: True, second: False})
    assert (verdict(scene, first), verdict(scene, second)) == ("normal", "abnormal")
    told = letters(scene)
    assert len(told) == 4 and "1 条异常, 1 条恢复" in told[2]["subject"], "one letter names all flips of a sweep"
    assert ":1: 恢复正常" in told[2]["text"] and ":2: 异常" in told[2]["text"]
    report(scene, clock, **{first: True, second: False})
    assert len(letters(scene)) == 4


def test_a_sample_that_is_there_stays_as_it_is(scene: Scene, clock: Clock) -> None:
    line_id = line(scene)
    report(scene, clock, **{line_id: True})
    clock.forward(seconds=-PERIOD)
    report(scene, clock, **{line_id: False})
    assert [row["ok"] for row in scene.rows("SELECT ok FROM line_samples")] == [1]


def test_an_address_stands_once_and_is_switched_by_version(scene: Scene) -> None:
    line_id = line(scene, enabled=False)
    with pytest.raises(Refusal, match="already_exists"):
        line(scene)

    def switch(verb: str, version: int) -> None:
        wanted = Act(ADMIN, verb, line_id, version, "because", {})
        scene.ledger.write_now(lambda tx: lines.switch(tx, wanted))

    switch("enable", 1)
    with pytest.raises(Refusal, match="version_differs"):
        switch("disable", 1)
    assert scene.one("SELECT enabled, version FROM bureau_endpoints") == {"enabled": 1, "version": 2}
    assert [row["outcome"] for row in scene.log()] == ["allowed", "refused", "allowed", "refused"]
