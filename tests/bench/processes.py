"""Servers as the bench runs them: a process each, a free port each, and the CPU seconds it has used."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

HOUSE = Path(__file__).parents[2]
READY_WITHIN = 30.0


def cpu_seconds(pid: int) -> float:
    """CPU seconds a process has used, in user mode and in the kernel."""
    used = psutil.Process(pid).cpu_times()
    return used.user + used.system


@dataclass(frozen=True)
class Server:
    """A running server."""

    pid: int
    port: int

    def cpu_seconds(self) -> float:
        """CPU seconds used so far."""
        return cpu_seconds(self.pid)


@contextmanager
def serving(command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[Server]:
    """Run ``python -m command …`` with a listening socket as ``{fd}`` until the block ends; it answers ``/healthz``."""
    with socket.socket() as listener, log.open("wb") as words:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        filled = [part.format(fd=listener.fileno()) for part in command]
        process = subprocess.Popen(
            [sys.executable, "-m", *filled], cwd=HOUSE, env={**os.environ, **environment}, stdout=words, stderr=words,
            pass_fds=[listener.fileno()],
        )  # fmt: skip
        server = Server(process.pid, int(listener.getsockname()[1]))
        try:
            _wait_until_ready(server, process, log)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/healthz", timeout=1.0).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"a server did not get ready: {log.read_text()[-2000:]}")
