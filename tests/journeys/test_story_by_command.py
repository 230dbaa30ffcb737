"""The end of the story by ``taxplane do`` in processes of its own: exit codes and JSON a script can go by."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.asking import simple
from tests.journeys.books import Books
from tests.journeys.demo_process import HOUSE, Demo, prepared
from tests.journeys.front_door import Row, until
from tests.journeys.test_whole_story import KIND, OWNER, numbers, tax_server, virtual_device

DONE, REFUSED, SIGNED_OUT, WRONG_WORDS = 0, 1, 2, 4


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """The product with nothing in it."""
    with prepared(tmp_path / "data", "--scenario", "none", "--speed", "40") as demo:
        demo.start()
        yield demo


def taxplane(demo: Demo, *words: str, token: str = "") -> tuple[int, Row, str]:
    """Exit code, the JSON on stdout (empty if there is none), and stderr of a command."""
    file = demo.folder / "command.token"
    file.write_text(token or demo.facts["tokens"]["operator"])
    asked = [sys.executable, "-m", "console", "--url", demo.facts["api"], "--token-file", str(file), *words]
    done = subprocess.run(asked, capture_output=True, text=True, cwd=HOUSE, timeout=60)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def do(demo: Demo, verb: str, report_id: str) -> tuple[int, Row, str]:
    words = ("reports", verb, report_id, "--reason", "by command", "--json", "--wait", "20")
    return taxplane(demo, "do", *words)


def test_a_report_is_led_to_its_end_by_commands(demo: Demo) -> None:
    desk = demo.desk()
    owner = {"taxpayer_id": OWNER, "name": "故事有限公司", "taxpayer_kind": "general", "region": "1100"}
    desk.post("/v1/taxpayers", owner)
    device = virtual_device(demo, desk, tax_server(demo, desk), "柜台一")
    numbers(desk, device)
    told = demo.door().post("/v1/invoices", simple(OWNER, "command", kind=KIND), wait=20)
    assert told["state"] == "issued"
    Books(demo, OWNER).uploaded(["command"], 60)

    def opened() -> list[str]:
        rows = desk.all("/v1/reports", device_id=device["id"])
        return [row["id"] for row in rows if row["kind"] == KIND]

    (report_id,) = until(opened, 30, "the clock to open the report")
    code, _, said = do(demo, "clear", report_id)
    assert code == REFUSED and "move_not_allowed" in said and "allowed now" in said, said
    code, _, said = do(demo, "cleer", report_id)
    assert code == WRONG_WORDS and said
    code, _, said = taxplane(demo, "get", "reports", report_id, "--json", token="nobody")
    assert code == SIGNED_OUT and said

    for verb, state in (("report", "reported"), ("verify", "verified"), ("file_return", "return_filed")):
        _led(demo, verb, report_id, state)
    _led(demo, "clear", report_id, "cleared")
    code, _, said = do(demo, "report", report_id)
    assert code == REFUSED and "move_not_allowed" in said, said


def _led(demo: Demo, verb: str, report_id: str, state: str) -> None:
    """The command ends with 0, its job done; the record is told by another process as it now stands."""
    code, answer, said = until(lambda: _unless_early(demo, verb, report_id, state), 30, verb, every=0.5)
    assert code == DONE, (verb, said, answer)
    code, row, said = taxplane(demo, "get", "reports", report_id, "--json")
    assert (code, row["state"]) == (DONE, state), (row, said)


def _unless_early(demo: Demo, verb: str, report_id: str, state: str) -> tuple[int, Row, str] | None:
    """The answer; None while the bureau has not looked at the report yet, which a later ``verify`` finds out."""
    told = do(demo, verb, report_id)
    if verb == "verify" and demo.desk().get(f"/v1/reports/{report_id}")["state"] != state:
        return None
    return told
