"""The chain of the operation log: whatever is changed, taken away, put in or put elsewhere is found, and where."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from typing import Any

import pytest

from controlplane.operations.operation_log import verify
from controlplane.store.head import digest, log_head, log_rows
from controlplane.store.statement import Row
from controlplane.store.transaction import Entry, Transaction
from tests.controlplane.operations.scene import Scene

ROWS = 60
TEXTS = ("actor_id", "actor_name", "action", "subject_id", "reason", "outcome", "detail", "at", "previous_hash", "hash")


@pytest.fixture
def rows(scene: Scene) -> list[Row]:
    """A log as it is read back."""

    def write(tx: Transaction) -> None:
        for number in range(ROWS):
            entry = Entry("p", "张三", "person", "x.change", "x", str(number), reason="因为", detail={"n": number})
            tx.begin_entry(entry)

    scene.ledger.write_now(write)
    return scene.ledger.read_now(lambda hand: list(log_rows(hand, 7)))


def test_an_untouched_log_is_whole(scene: Scene, rows: list[Row]) -> None:
    assert len(rows) == ROWS and verify(rows) is None
    assert verify(rows, scene.ledger.read_now(log_head)) is None
    assert verify([]) is None


def tampered(rows: list[Row], rng: random.Random) -> tuple[str, list[Row], int]:
    """One tampering: what it is, the log after it, and the first row that is not as it was written."""
    log = [dict(row) for row in rows]
    at = rng.randrange(len(log))
    how = rng.choice(("change", "delete", "repeat", "swap", "rehash", "insert"))
    if how == "change":
        name = rng.choice(TEXTS)
        log[at][name] = changed(log[at][name], rng)
    elif how == "delete":
        at = min(at, len(log) - 2)
        del log[at]
    elif how == "repeat":
        log.insert(at + 1, dict(log[at]))
        at += 1
    elif how == "swap":
        at = min(at, len(log) - 2)
        log[at], log[at + 1] = log[at + 1] | {"seq": at + 1}, log[at] | {"seq": at + 2}
    elif how == "rehash":
        at = min(at, len(log) - 2)
        log[at]["reason"] += "!"
        log[at]["hash"] = digest(log[at])
        at += 1
    else:
        made_up = log[at] | {"reason": "made up"}
        log.insert(at, made_up | {"hash": digest(made_up)})
        for number, row in enumerate(log, 1):
            row["seq"] = number
        at += 1
        log[at - 1]["hash"] = digest(log[at - 1])
    return how, log, at + 1


def changed(text: str, rng: random.Random) -> str:
    place = rng.randrange(len(text))
    return text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]


def test_two_hundred_tamperings_are_all_found(rows: list[Row]) -> None:
    rng = random.Random(24)
    seen = set()
    for number in range(200):
        how, log, at = tampered(rows, rng)
        seen.add(how)
        assert verify(log) == at, (number, how)
    assert len(seen) == 6


@pytest.mark.parametrize("left", [0, 1, ROWS - 1])
def test_a_log_that_was_cut_off_is_found_from_a_head_noted_before(scene: Scene, rows: list[Row], left: int) -> None:
    assert verify(rows[:left]) is None
    assert verify(rows[:left], scene.ledger.read_now(log_head)) == left + 1
    noted = (rows[30]["seq"], rows[30]["hash"])
    assert verify(rows, noted) is None


def test_a_log_written_anew_is_found_from_a_head_noted_before(rows: list[Row]) -> None:
    noted = (rows[40]["seq"], rows[40]["hash"])
    log, previous = [dict(row) for row in rows], rows[19]["hash"]
    log[20]["reason"] = "another"
    for row in log[20:]:
        row["previous_hash"] = previous
        row["hash"] = previous = digest(row)
    assert verify(log) is None
    assert verify(log, noted) == 41


def command(scene: Scene, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "controlplane", "verify-log", *arguments], capture_output=True, text=True, timeout=60,
        env={**os.environ, "TAXPLANE_DATABASE_URL": scene.ledger.url},
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)


def test_the_command_tells_the_head_and_the_first_broken_row(scene: Scene, rows: list[Row]) -> None:
    noted = f"{rows[30]['seq']}:{rows[30]['hash']}"
    whole = {"rows": ROWS, "head": f"{ROWS}:{rows[-1]['hash']}", "broken": None}
    assert command(scene, "--head", noted) == (0, whole)
    scene.change("UPDATE operation_log SET reason = 'nothing' WHERE seq = 17")
    assert command(scene) == (1, whole | {"broken": 17})
    scene.change("DELETE FROM operation_log WHERE seq >= 17")
    assert command(scene) == (1, whole | {"rows": 16, "broken": 17})
