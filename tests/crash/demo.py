"""The demo as tests use it: started headless in a folder of its own, steered through its control port."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).parents[2]
START_WITHIN = 90.0
STOP_WITHIN = 15.0


class Demo:
    """A running demo. It ends with this object, and with this process however that ends."""

    def __init__(self, folder: Path, speed: float, database_url: str = "") -> None:
        """Start it and wait for its ready line; RuntimeError with its last words when none comes."""
        ledger = ["--database-url", database_url] if database_url else []
        self.folder = folder
        self._words = (self.folder / "demo.err").open("wb")
        command = [sys.executable, "-m", "console.demo.tether", "console", "demo", "--headless", "--port", "0"]
        self._process = subprocess.Popen(
            [*command, "--data-dir", str(self.folder / "data"), "--speed", str(speed), *ledger],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._words, cwd=HOUSE,
        )  # fmt: skip
        self.facts = self._ready_line()
        self.api, self.bureau, self._control = self.facts["api"], self.facts["bureau"], self.facts["control"]
        self.taxpayer_id = str(self.facts["taxpayer_id"])
        self.tokens: dict[str, str] = self.facts["tokens"]
        self.journals = Path(self.facts["journals_dir"])

    def _ready_line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], START_WITHIN)
        line = self._process.stdout.readline() if readable else b""
        if not line:
            self.close()
            raise RuntimeError(f"the demo did not get ready: {(self.folder / 'demo.err').read_text()[-2000:]}")
        facts: dict[str, Any] = json.loads(line)
        return facts

    def close(self) -> None:
        """Stop it; what it kept stays in ``folder``."""
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._words):
            if stream is not None:
                stream.close()

    def kill(self, name: str) -> int:
        """``kill -9`` one of its children as it is now; the process id. It may be gone already: then 0."""
        pid = int(self._steer("GET", "/pids")[name])
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return 0
        return pid

    def devices(self) -> list[str]:
        """Numbers of the ready-line taxpayer's devices."""
        return [device["device_no"] for device in self._ours()]

    def open_calls(self) -> set[tuple[str, str]]:
        """(device, serial) of every changing call that the taxpayer's devices are working on at this moment."""
        return {(device["device_no"], device["working_on"]) for device in self._ours() if device["working_on"]}

    def _ours(self) -> list[dict[str, Any]]:
        servers = self._steer("GET", "/devices")["tax_servers"]
        found = [device for server in servers for device in server["devices"]]
        return [device for device in found if device["taxpayer_id"] == self.taxpayer_id]

    def put_faults(self, device_no: str, faults: list[dict[str, Any]]) -> None:
        """Replace the faults of one device; an empty list clears them."""
        self._steer("PUT", f"/devices/{device_no}/faults", {"faults": faults})

    def _steer(self, method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._control + path, content, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
