"""The simulated processes as programs: ready line, signals, death with their parent."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.agents.simulated.practice import await_ready, end, launch


def config(folder: Path, room: str, **more: object) -> Path:
    servers = {"servers": [], "journals_dir": str(folder / "j"), "bureau_url": "http://127.0.0.1:9"}
    path = folder / f"{room}.json"
    path.write_text(json.dumps({"state_dir": str(folder / room)} | (servers if room == "devices" else {}) | more))
    return path


@pytest.mark.parametrize("room", ["devices", "bureau"])
@pytest.mark.parametrize("way", ["SIGTERM", "stdin"])
def test_a_process_ends_quickly_when_told_or_left(tmp_path: Path, room: str, way: str):
    process, facts = launch(room, config(tmp_path, room))
    assert facts["ready"] and facts["process"] == room and facts["pid"] == process.pid
    started = time.monotonic()
    if way == "SIGTERM":
        process.send_signal(signal.SIGTERM)
    else:
        assert process.stdin is not None
        process.stdin.close()
    assert process.wait(5) == 0
    assert time.monotonic() - started < 2
    end(process)


def test_children_of_a_killed_parent_die(tmp_path: Path):
    """The parent holds the child's stdin; kill -9 of the parent is the end of it."""
    script = (
        "import subprocess, sys, time\nchild = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)\ntime.sleep(60)\n"
    )
    room = [sys.executable, "-m", "agents.simulated", "bureau", "--die-with-stdin", "--config"]
    parent, facts = await_ready([sys.executable, "-c", script, *room, str(config(tmp_path, "bureau"))])
    parent.kill()
    assert parent.stdout is not None
    assert parent.stdout.read() == b"", "the pipe ends when the child is gone as well"
    end(parent)
    assert facts["pid"] != parent.pid


def run(room: str, path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agents.simulated", room, "--config", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL, check=False)


def test_a_wrong_configuration_is_named(tmp_path: Path):
    ended = run("devices", config(tmp_path, "devices", quota="x"))
    assert ended.returncode == 2 and "quota" in ended.stderr and ended.stdout == ""


def test_a_taken_port_is_told(tmp_path: Path):
    process, facts = launch("bureau", config(tmp_path, "bureau"))
    other = tmp_path / "other"
    other.mkdir()
    ended = run("bureau", config(other, "bureau", port=facts["port"]))
    assert ended.returncode == 4 and ended.stdout == ""
    end(process)


def test_ports_are_kept_over_a_restart(tmp_path: Path):
    path = config(tmp_path, "bureau")
    process, first = launch("bureau", path)
    end(process)
    process, second = launch("bureau", path)
    assert (first["port"], first["control_port"]) == (second["port"], second["control_port"])
    end(process)


def test_nothing_of_the_other_floors_is_loaded(tmp_path: Path):
    script = (
        "import sys, agents.simulated.server_room, agents.simulated.bureau_house\n"
        "banned = ('controlplane', 'agents.drivers', 'pydantic', 'fastapi', 'sqlmodel', 'textual', 'aiosmtpd')\n"
        "print([name for name in sys.modules if name.startswith(banned)])\n"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout == b"[]\n"
