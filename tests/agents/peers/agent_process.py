"""The agent as the process it is in production, with a home prepared for the test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from agents import identity
from agents.identity import Identity
from tests.agents.peers.control_plane import AGENT_ID, INSTANCE, SECRET

QUICK = {
    "TAXPLANE_AGENT_LEASE_WAIT": "1",
    "TAXPLANE_AGENT_READ_TIMEOUT": "0.4",
    "TAXPLANE_AGENT_CONNECT_TIMEOUT": "0.5",
    "TAXPLANE_AGENT_WORKERS": "4",
    "TAXPLANE_AGENT_RECALL_FIRST": "0.05",
    "TAXPLANE_AGENT_RECALL_MOST": "0.4",
    "TAXPLANE_AGENT_OBSERVE_SECONDS": "0.5",
    "PYTHONDEVMODE": "0",
}


class AgentProcess:
    """``start`` may be called again after the process has ended: a restart in the same home."""

    def __init__(self, home: Path, url: str) -> None:
        self.home = home
        self.errors = ""
        self._process: subprocess.Popen[bytes] | None = None
        identity.make_home(home)
        identity.save(
            home,
            Identity(agent_id=AGENT_ID, secret=SECRET, url=url, instance_id=INSTANCE, host_id="host-1", name="a"),
        )

    def start(self, faults: str = "", **settings: str) -> None:
        environment = {**os.environ, **QUICK, **settings}
        if faults:
            environment["TAXPLANE_FAULT_POINTS"] = faults
        command = [sys.executable, "-m", "agents", "run", "--home", str(self.home)]
        with (self.home / "stderr").open("ab") as stderr:
            self._process = subprocess.Popen(command, env=environment, stderr=stderr)

    def ended(self, seconds: float = 10.0) -> int:
        """Wait for the end by itself; the exit code, negative for a signal."""
        assert self._process is not None
        return self._process.wait(seconds)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def terminate(self) -> int:
        """SIGTERM and wait."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self.ended(12)

    def kill(self) -> None:
        if self.alive():
            assert self._process is not None
            self._process.kill()
            self._process.wait()

    def log(self) -> list[dict[str, object]]:
        """The lines of its log."""
        lines = (self.home / "stderr").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def logged(self, event: str, seconds: float = 5.0) -> dict[str, object]:
        """Wait for a log line whose event begins like this."""
        until = time.monotonic() + seconds
        while True:
            for line in self.log():
                if str(line["event"]).startswith(event):
                    return line
            assert time.monotonic() < until, self.log()
            time.sleep(0.02)
