"""The command line: join, run without having joined, doctor, and how light it all is."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import pytest

from tests.agents.orders import DEVICE, address, order
from tests.agents.peers.agent_process import AgentProcess
from tests.agents.peers.control_plane import AGENT_ID, INSTANCE, ControlPlane
from tests.agents.peers.tax_server import TaxServer

TOKEN = "t" * 32


def command(*arguments: str, said: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agents", *arguments],
        input=said,
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, **environment},
    )


def test_join_makes_an_identity_only_its_user_can_read(plane: ControlPlane, tmp_path: Path) -> None:
    home = tmp_path / "home"
    joined = command("join", plane.url, TOKEN, "--name", "前台", "--host-id", "host-7", "--home", str(home))
    assert joined.returncode == 2, "names are plain ASCII words"
    joined = command("join", plane.url, TOKEN, "--name", "desk", "--host-id", "host-7", "--home", str(home))
    assert joined.returncode == 0 and "desk" in joined.stdout, joined.stderr
    identity = json.loads((home / "identity.json").read_text("utf-8"))
    assert (identity["agent_id"], identity["instance_id"], identity["url"]) == (AGENT_ID, INSTANCE, plane.url)
    assert identity["secret"] == plane.joins[0].secret and identity["secret"] not in joined.stdout + joined.stderr
    assert stat.S_IMODE((home / "identity.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    again = command("join", plane.url, TOKEN, "--home", str(home))
    assert again.returncode == 2 and "已加入" in again.stderr and len(plane.joins) == 1


def test_a_lost_join_is_repeated_with_the_same_secret(plane: ControlPlane, tmp_path: Path) -> None:
    plane.trouble["/v1/agent/join"] = deque([0])
    first = command("join", plane.url, TOKEN, "--host-id", "h", "--home", str(tmp_path / "home"))
    assert first.returncode == 2 and "不可达" in first.stderr
    second = ("join", plane.url, "-", "--host-id", "h", "--home", str(tmp_path / "home"))
    assert command(*second, said=TOKEN + "\n").returncode == 0
    assert plane.joins[-1].token == TOKEN
    assert len({request.secret for request in plane.joins}) == 1 and len(plane.joins) == 2


@pytest.mark.parametrize(("status", "words"), [(401, "not accept"), (403, "not accept"), (503, "not reached")])
def test_join_refused(plane: ControlPlane, tmp_path: Path, status: int, words: str) -> None:
    plane.trouble["/v1/agent/join"] = deque([status])
    refused = command("join", plane.url, TOKEN, "--home", str(tmp_path / "home"), "--lang", "en")
    assert refused.returncode == 2 and words in refused.stderr
    assert not (tmp_path / "home" / "identity.json").exists()


@pytest.mark.parametrize("url", ["ftp://x", "nonsense", "http://"])
def test_join_needs_a_web_address(tmp_path: Path, url: str) -> None:
    refused = command("join", url, TOKEN, "--home", str(tmp_path / "home"), TAXPLANE_LANG="en")
    assert refused.returncode == 2 and "not valid" in refused.stderr


def test_run_without_identity_says_what_to_do(tmp_path: Path) -> None:
    refused = command("run", "--home", str(tmp_path))
    assert refused.returncode == 2 and "taxplane-agent join" in refused.stderr


def test_run_with_a_damaged_journal_touches_nothing(plane: ControlPlane, agent: AgentProcess) -> None:
    (agent.home / "journal.db").write_bytes(b"not a journal" * 1000)
    agent.start()
    assert agent.ended() == 4 and plane.leases == 0
    assert "journal.db" in (agent.home / "stderr").read_text("utf-8")


def test_wrong_settings_are_named(agent: AgentProcess) -> None:
    agent.start(TAXPLANE_AGENT_WORKERS="0")
    assert agent.ended() == 2
    assert "workers" in (agent.home / "stderr").read_text("utf-8")


def test_unknown_fault_points_are_refused(agent: AgentProcess) -> None:
    agent.start("agent.nowhere=kill")
    assert agent.ended() == 2


# --- doctor ---------------------------------------------------------------------


def test_doctor_on_a_working_agent(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    plane.serves = [address(tax_server)]
    plane.put(order(tax_server))
    agent.start()
    plane.wait(plane.settled)
    page = command("doctor", "--home", str(agent.home))
    assert page.returncode == 0, page.stdout + page.stderr
    for words in ("运行中", "身份有效", "synchronous=FULL", DEVICE, "局端在线", "一切正常", "磁盘空间"):
        assert words in page.stdout
    facts = json.loads(command("doctor", "--home", str(agent.home), "--json", "--lang", "en").stdout)
    codes = {finding["code"] for finding in facts["findings"]}
    assert facts["well"] is True
    assert {"identity", "control_plane", "clock", "journal", "open_intents", "undelivered", "device"} <= codes


def test_doctor_names_each_trouble(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    plane.serves = [address(tax_server)]
    agent.start()
    plane.wait(lambda: plane.observations)
    agent.terminate()
    tax_server.down()
    plane.trouble["/v1/agent/outcomes"] = deque([401])
    page = command("doctor", "--home", str(agent.home), "--lang", "en")
    assert page.returncode == 1
    assert "revoked" in page.stdout and f"device {DEVICE}  not reached" in page.stdout
    (agent.home / "journal.db").write_bytes(b"x" * 9000)
    page = command("doctor", "--home", str(agent.home), "--lang", "en")
    assert page.returncode == 1 and "fault" in page.stdout


def test_doctor_on_an_empty_home(tmp_path: Path) -> None:
    page = command("doctor", "--home", str(tmp_path / "none"))
    assert page.returncode == 1 and "尚未加入" in page.stdout


# --- lightness ---------------------------------------------------------------------

HEAVY = {
    "pydantic", "fastapi", "starlette", "sqlmodel", "sqlalchemy", "textual", "httpx", "httpx2", "asyncio", "ssl",
    "http.client", "email", "hashlib",
}  # fmt: skip


@pytest.mark.parametrize("module", ["agents.host", "agents.__main__", "agents.drivers.new_tax_server"])
def test_nothing_heavy_is_loaded(module: str) -> None:
    script = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert not HEAVY & set(json.loads(loaded.stdout))


def test_the_command_starts_quickly() -> None:
    """Against the bare interpreter on the same machine; the goal is 150 ms where that takes 30."""

    def best(*arguments: str) -> float:
        took = []
        for _ in range(5):
            started = time.perf_counter()
            subprocess.run([sys.executable, *arguments], capture_output=True, timeout=30, check=True)
            took.append(time.perf_counter() - started)
        return min(took)

    best("-m", "agents", "run", "--help")
    bare = best("-c", "pass")
    assert best("-m", "agents", "--help") < 4 * bare + 0.1
    assert best("-c", "import agents.host") < 6 * bare + 0.15


def test_memory_of_a_working_agent(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    plane.serves = [address(tax_server, f"50000000000{n}") for n in range(10)]
    plane.put(*(order(tax_server, device_no=f"50000000000{n % 10}") for n in range(100)))
    agent.start(TAXPLANE_AGENT_WORKERS="16", TAXPLANE_AGENT_READ_TIMEOUT="5")
    plane.wait(plane.settled)
    status = Path(f"/proc/{agent.pid}/status").read_text("ascii")
    resident = int(status.split("VmRSS:")[1].split()[0])
    assert resident < 28 * 1024
