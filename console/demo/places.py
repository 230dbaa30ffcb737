"""Where the demo keeps things: its data directory, held by one demo at a time, and the port of its API."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from agents.single import HomeInUse, Single

DEFAULT_PORT = 8620
LAST_PORT = 8699


class DirectoryInUse(Exception):
    """Another demo works in this directory."""


class PortBusy(Exception):
    """The port that was asked for is taken."""


class Places:
    """The demo's directory and what lies in it."""

    def __init__(self, root: Path) -> None:
        """Hold the directory. Raises DirectoryInUse naming pid and URL of the demo that has it."""
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root = root.resolve()
        try:
            self._lock = Single(self.root / "demo.lock")
        except HomeInUse as held:
            running = self.remembered("running.json")
            raise DirectoryInUse(f"pid {held.pid}, {running.get('api', 'URL unknown')}") from None

    def __getattr__(self, name: str) -> Path:
        """``places.logs`` and so on: a directory of that name."""
        if name.startswith("_"):
            raise AttributeError(name)
        return self.root / name

    @property
    def embedded_ledger(self) -> str:
        """The ledger of a machine of its own: one SQLite file."""
        return f"sqlite:///{self.root / 'ledger.db'}"

    @property
    def tokens_file(self) -> Path:
        """The demo's tokens; readable by its user only."""
        return self.root / "demo-tokens.json"

    def remembered(self, name: str) -> dict[str, Any]:
        """What was kept under a name, or nothing."""
        try:
            found: dict[str, Any] = json.loads((self.root / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found

    def remember(self, name: str, content: dict[str, Any]) -> None:
        """Keep something under a name: whole or not at all, closed to other users."""
        aside = self.root / f"{name}.new"
        aside.touch(mode=0o600)
        aside.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        os.replace(aside, self.root / name)  # noqa: PTH105


def api_port(wanted: int | None, remembered: int | None) -> int:
    """The API's port: the one asked for (PortBusy when taken), else last time's, 8620, or the next free one."""
    if wanted == 0:
        return _free(0) or 0
    if wanted is not None:
        if not _free(wanted):
            raise PortBusy(str(wanted))
        return wanted
    candidates = [remembered] if remembered else []
    for port in candidates + list(range(DEFAULT_PORT, LAST_PORT + 1)):
        if _free(port):
            if port not in (remembered, DEFAULT_PORT):
                print(f"taxplane demo: port {DEFAULT_PORT} is taken, using {port}", file=sys.stderr)
            return port
    return _free(0) or 0


def _free(port: int) -> int | None:
    """The port if it can be bound on loopback now (0: any), else None."""
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return None
        return int(probe.getsockname()[1])
