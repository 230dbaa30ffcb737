"""The demo's children: started with a tether, watched, and restarted within a second when they die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

LOOK_EVERY = 0.1
READY_WITHIN = 30.0
STOP_WITHIN = 6.0


class ChildFailed(Exception):
    """A child ended before it was ready; the message names its log."""


@dataclass
class Child:
    """One process of the demo. ``ready_line``: it prints one JSON line on stdout when it is ready."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ready_line: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None


class Processes:
    """Starts children in the order they are added and keeps them alive until told to stop."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: dict[str, Child] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)
        logs.mkdir(parents=True, exist_ok=True)

    def add(self, child: Child) -> dict[str, Any]:
        """Start a child; its ready line's facts, or nothing. Raises ChildFailed. Several threads may add at once."""
        self._start(child)
        with self._lock:
            self._children[child.name] = child
            if not self._watcher.is_alive():
                self._watcher.start()
        return child.facts

    def pids(self) -> dict[str, int]:
        """Process ids as they are now."""
        with self._lock:
            running = {name: child.process for name, child in self._children.items()}
        return {name: process.pid for name, process in running.items() if process is not None}

    def halt(self) -> None:
        """Start nothing any more: whoever ends from now on was told to."""
        self._stopping.set()

    def stop(self) -> None:
        """End all children, last started first; what does not go by itself is killed."""
        self.halt()
        with self._lock:
            running = [child.process for child in reversed(self._children.values()) if child.process is not None]
        for process in running:
            process.terminate()
        until = time.monotonic() + STOP_WITHIN
        for process in running:
            try:
                process.wait(max(0.05, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, child: Child) -> None:
        with (self._logs / f"{child.name}.log").open("ab") as log:
            child.process = subprocess.Popen(
                child.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if child.ready_line else log,
                stderr=log,
                env={**os.environ, **child.environment},
            )
        if child.ready_line:
            child.facts = self._read_ready(child)

    def _read_ready(self, child: Child) -> dict[str, Any]:
        assert child.process is not None and child.process.stdout is not None
        line = _line_within(child.process.stdout, READY_WITHIN)
        if not line:
            raise ChildFailed(f"{child.name}: see {self._logs / f'{child.name}.log'}")
        facts: dict[str, Any] = json.loads(line)
        return facts

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_EVERY):
            with self._lock:
                dead = [
                    child for child in self._children.values() if child.process and child.process.poll() is not None
                ]
                for child in dead:
                    if not self._stopping.is_set():
                        self._restart(child)

    def _restart(self, child: Child) -> None:
        print(f"taxplane demo: {child.name} ended, starting it again", file=sys.stderr, flush=True)
        try:
            self._start(child)
        except ChildFailed as fault:
            print(f"taxplane demo: {fault}", file=sys.stderr, flush=True)


def _line_within(stream: IO[bytes], seconds: float) -> bytes:
    """One line, or what came of it when the time was over or the stream ended."""
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(stream.readline()), daemon=True)
    reader.start()
    reader.join(seconds)
    return found[0] if found else b""


def wait_until(happened: Callable[[], bool], seconds: float, every: float = 0.05) -> bool:
    """Look until it happened; False when the time is over first."""
    until = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > until:
            return False
        time.sleep(every)
    return True
