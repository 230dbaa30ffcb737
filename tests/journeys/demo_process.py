"""The demo as a process of its own, started as a person would; it ends with its test, however that ends."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from tests.journeys.desk import Desk
from tests.journeys.front_door import Door

HOUSE = Path(__file__).parents[2]
COMMAND = str(Path(sys.prefix) / "bin" / "taxplane")
START_WITHIN = 90.0
STOP_WITHIN = 10.0
_MARK = "TAXPLANE_JOURNEY"
_PR_SET_PDEATHSIG = 1


def die_with_us() -> None:
    """In a child before it runs: SIGTERM when pytest ends, kill -9 included (where there is no prctl it may stay)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Demo:
    """A demo, running or not: ``folder`` is its data directory, and every process it starts bears its mark."""

    def __init__(self, folder: Path, *options: str, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.facts: dict[str, Any] = {}
        self.seconds = 0.0
        self._mark = uuid.uuid4().hex
        self._environment = {**os.environ, **(environment or {}), _MARK: self._mark}
        self._options = ["--data-dir", str(folder), "--headless", "--port", "0", *options]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *command: str) -> None:
        """Start (by ``command``, if one is given) and read the ready line."""
        started = time.monotonic()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self.folder.with_suffix(".err").open("ab") as words:
            self.process = subprocess.Popen(
                command or (COMMAND, "demo", *self._options),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words, cwd=HOUSE, env=self._environment,
                start_new_session=True, preexec_fn=die_with_us,
            )  # fmt: skip
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], START_WITHIN)
        line = self.process.stdout.readline() if readable else b""
        assert line, f"no ready line: {self.words()[-3000:]}"
        self.facts = json.loads(line)
        self.seconds = time.monotonic() - started

    def words(self) -> str:
        """What it said on stderr."""
        words = self.folder.with_suffix(".err").read_text(encoding="utf-8", errors="replace")
        return "\n".join(line for line in words.splitlines() if not line.startswith("import time:"))

    def run_out(self, *options: str) -> tuple[int, str]:
        """Start one that is not to get far: exit code and stderr."""
        done = subprocess.run(
            [COMMAND, "demo", *self._options, *options], env=self._environment, cwd=HOUSE, capture_output=True,
            text=True, stdin=subprocess.DEVNULL, timeout=30, preexec_fn=die_with_us,
        )  # fmt: skip
        assert done.stdout == "", done.stdout
        return done.returncode, done.stderr

    def processes(self) -> dict[int, str]:
        """Every living process that came of this demo, by its mark."""
        found = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get(_MARK) == self._mark and process.status() != psutil.STATUS_ZOMBIE:
                    found[process.pid] = " ".join(process.cmdline())
        return found

    def end(self, number: signal.Signals) -> int:
        """Send a signal, see everything go within 10 s; the exit code."""
        assert self.process is not None
        until = time.monotonic() + STOP_WITHIN
        self.process.send_signal(number)
        code = self.process.wait(STOP_WITHIN)
        while (left := self.processes()) and time.monotonic() < until:
            time.sleep(0.1)
        self._close()
        assert not left, left
        return code

    def clear_away(self) -> None:
        """Whatever state it is in: stop it, kill what stays, and complain if anything did."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_WITHIN)
        left = self.processes()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait(STOP_WITHIN)
        self._close()
        assert not left, left

    def _close(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()

    # --- its doors

    @property
    def taxpayer_id(self) -> str:
        return str(self.facts["taxpayer_id"])

    def door(self, role: str = "front_end") -> Door:
        """The API for one role."""
        return Door(self.facts["api"], self.facts["tokens"][role])

    def desk(self) -> Desk:
        """The API for an administrator."""
        return Desk(self.facts["api"], self.facts["tokens"]["admin"])

    def control(self) -> Door:
        """The demo's own port."""
        return Door(self.facts["control"])

    def bureau(self) -> Door:
        """The simulated bureau."""
        return Door(self.facts["bureau"])

    def faults(self, target: str, *faults: Mapping[str, object]) -> None:
        """Replace the faults of a device or tax server; none clears them."""
        self.control().put(f"/devices/{target}/faults", {"faults": list(faults)})

    def log(self, name: str) -> str:
        """What a child has logged."""
        return (self.folder / "logs" / f"{name}.log").read_text(encoding="utf-8", errors="replace")


@contextlib.contextmanager
def prepared(folder: Path, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[Demo]:
    """A demo that is not started yet; whatever became of it, nothing of it is left afterwards."""
    demo = Demo(folder, *options, environment=environment)
    try:
        yield demo
    finally:
        demo.clear_away()
