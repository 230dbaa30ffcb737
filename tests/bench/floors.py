"""The raw floor: SQLite itself, WAL with synchronous=FULL, one process, a 1.1 KiB row with a unique request id."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

from tests.bench.bodies import body


class Floor:
    """One file; ``one_row`` and ``group`` insert for some seconds and tell the durable rows per second."""

    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / "floor.db", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, request_id TEXT UNIQUE, body TEXT)")
        self._body = json.dumps(body("91990000MA0000015Q", "R"), ensure_ascii=False)
        self._written = 0

    def one_row(self, seconds: float) -> float:
        """Rows per second, a synced commit each."""
        return self._run(seconds, 1)

    def group(self, seconds: float) -> float:
        """Rows per second, 64 to a synced commit."""
        return self._run(seconds, 64)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _run(self, seconds: float, at_once: int) -> float:
        first, started = self._written, time.monotonic()
        while (passed := time.monotonic() - started) < seconds:
            rows = [(f"R-{self._written + number}", self._body) for number in range(at_once)]
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT INTO rows (request_id, body) VALUES (?, ?)", rows)
            self._db.execute("COMMIT")
            self._written += at_once
        return (self._written - first) / passed
