"""The small parts: fault points, back-off, inert text, log lines, settings, the lock, the digest."""

from __future__ import annotations

import ast
import errno
import hashlib
import json
import logging
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents import fault_points, logs, phrases, settings
from agents.backoff import Backoff
from agents.digest import sha256_hex
from agents.fault_points import FaultInjected, reach
from agents.plain_text import masked, plain
from agents.single import HomeInUse, Single


def test_fault_points_are_silent_unless_armed() -> None:
    for name in fault_points.NAMES:
        reach(name)


def test_fault_points_strike_at_the_named_reach() -> None:
    try:
        assert fault_points.arm("agent.poll=raise@2; agent.readback=EIO;agent.cleanup=delay:0.05") == [
            "agent.cleanup", "agent.poll", "agent.readback",
        ]  # fmt: skip
        reach("agent.poll")
        with pytest.raises(FaultInjected):
            reach("agent.poll")
        reach("agent.poll")
        with pytest.raises(OSError) as raised:
            reach("agent.readback")
        assert raised.value.errno == errno.EIO
        started = time.monotonic()
        reach("agent.cleanup")
        assert time.monotonic() - started >= 0.05
    finally:
        fault_points.arm("")


@pytest.mark.parametrize("text", ["agent.nowhere=kill", "agent.poll=explode", "agent.poll", "agent.poll=kill@x"])
def test_unknown_faults_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        fault_points.arm(text)


def test_backoff_doubles_up_to_its_cap_and_starts_over() -> None:
    backoff = Backoff(0.2, 1.0, random.Random(7))
    waits = [backoff.next() for _ in range(6)]
    for wait, bound in zip(waits, [0.2, 0.4, 0.8, 1.0, 1.0, 1.0], strict=True):
        assert bound / 2 <= wait <= bound
    backoff.reset()
    assert backoff.next() <= 0.2


def test_plain_text_is_inert() -> None:
    assert plain("\x1b]52;c;aGk=\x07a\nb\tc\u202ed\ud800") == "]52;c;aGk=a b cd"
    assert plain("票" * 600, 512) == "票" * 512


def test_tax_ids_are_masked() -> None:
    assert masked("购方 91310000MA1FL00001 拒绝, job 0193-a1b2") == "购方 9131**** 拒绝, job 0193-a1b2"


def test_a_log_line_is_one_json_object() -> None:
    record = logging.LogRecord("agents", logging.WARNING, __file__, 1, "line one\nline two %s", ("\x1b[2J",), None)
    record.fields = {"job_id": "j", "taxpayer": "91310000MA1FL00001", "n": 3}
    line = logs.JsonLines().format(record)
    assert "\n" not in line and "\x1b" not in line
    assert json.loads(line)["taxpayer"] == "9131****" and json.loads(line)["level"] == "warning"


def test_settings_come_from_file_and_environment(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text("workers = 4\nobserve_seconds = 2.5\n", "utf-8")
    found = settings.load(tmp_path, {"TAXPLANE_AGENT_WORKERS": "8", "OTHER": "x"})
    assert (found.workers, found.observe_seconds, found.keep_days) == (8, 2.5, 7)
    with pytest.raises(ValueError, match="lease_wait"):
        settings.load(tmp_path, {"TAXPLANE_AGENT_LEASE_WAIT": "31"})
    (tmp_path / "agent.toml").write_text("worker = 4\n", "utf-8")
    with pytest.raises(ValueError, match="worker"):
        settings.load(tmp_path, {})


def test_home_follows_the_environment(tmp_path: Path) -> None:
    assert settings.default_home({"TAXPLANE_AGENT_HOME": str(tmp_path)}) == tmp_path
    assert settings.default_home({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "taxplane" / "agent"


def test_the_lock_lets_one_process_in(tmp_path: Path) -> None:
    held = Single(tmp_path / "agent.lock")
    script = (
        "import sys; from pathlib import Path; from agents.single import *\n"
        f"try: Single(Path({str(tmp_path / 'agent.lock')!r}))\n"
        "except HomeInUse as error: print(error.pid)"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=10, check=True)
    assert answer.stdout.strip().isdigit()
    held.release()
    Single(tmp_path / "agent.lock").release()
    with pytest.raises(HomeInUse):
        first = Single(tmp_path / "agent.lock")
        try:
            Single(tmp_path / "agent.lock")
        finally:
            first.release()


def test_digest_is_sha256() -> None:
    assert sha256_hex("豆腐".encode()) == hashlib.sha256("豆腐".encode()).hexdigest()


THREADED = ["delivery", "host", "journal", "journal_writes", "lanes", "uplink", "watch", "workbench"]


def test_decoders_are_made_while_importing() -> None:
    """msgspec describes a type at its first use, and two threads doing that at once crash the interpreter."""
    root = Path(fault_points.__file__).parent
    paths = [*(root / f"{name}.py" for name in THREADED), *(root / "drivers").glob("*.py")]
    found = []
    for path in paths:
        functions = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef))
        inside = (node for function in functions for node in ast.walk(function) if isinstance(node, ast.Call))
        calls = (ast.unparse(node.func) for node in inside)
        found += [(path.name, call) for call in calls if call in ("msgspec.json.decode", "msgspec.convert", "Decoder")]
    assert found == []


def test_first_uses_from_many_threads() -> None:
    script = (
        "import sys, threading, agents.host\n"
        "from agents.journal_file import OUTCOME\n"
        "sys.setswitchinterval(1e-6)\n"
        "gate = threading.Barrier(8)\n"
        "text = b'{\"job_id\":\"a\",\"taxpayer_id\":\"t\",\"epoch\":1,\"result\":\"done\",\"at\":\"x\"}'\n"
        "threads = [threading.Thread(target=lambda: (gate.wait(), OUTCOME.decode(text))) for _ in range(8)]\n"
        "[thread.start() for thread in threads]\n"
        "[thread.join() for thread in threads]\n"
    )
    for _ in range(10):
        subprocess.run([sys.executable, "-c", script], timeout=20, check=True)


def test_every_phrase_has_both_languages() -> None:
    for chinese, english in phrases.PHRASES.values():
        assert chinese and english
        assert {part.split("}")[0] for part in chinese.split("{")[1:]} == {
            part.split("}")[0] for part in english.split("{")[1:]
        }
