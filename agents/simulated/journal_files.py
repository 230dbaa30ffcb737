"""The devices' own journals on disk: one JSON line per event, always a copy of what the durable memory holds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from agents.simulated.memory import Line, Memory, Statement

SCHEMA = """
CREATE TABLE IF NOT EXISTS lines (
    device_no TEXT NOT NULL, end_offset INTEGER NOT NULL, text BLOB NOT NULL, PRIMARY KEY (device_no, end_offset)
) STRICT;
"""


class JournalFiles:
    """Files ``<folder>/<device_no>.jsonl``; memory first, file second, so a file never knows more than the memory.

    Where a line ends in its file is its key in the memory: after a crash the file is cut or continued at that place.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._ends: dict[str, int] = {}

    def path(self, device_no: str) -> Path:
        """The journal file of a device."""
        return self._folder / f"{device_no}.jsonl"

    def place(self, device_no: str, text: bytes) -> tuple[int, Statement, Line]:
        """Reserve the next place for a line: (its end offset, the statement that remembers it, the line itself).

        Both must go into one ``Memory.write`` with no waiting in between, so that files and memory keep one order.
        """
        line = text + b"\n"
        end = self._ends.get(device_no, 0) + len(line)
        self._ends[device_no] = end
        return end, ("INSERT INTO lines VALUES (?, ?, ?)", (device_no, end, line)), (device_no, line)

    def append(self, lines: Sequence[Line]) -> None:
        """Write committed lines to their files, one write per file; called by the memory's writer thread."""
        by_device: dict[str, list[bytes]] = {}
        for device_no, line in lines:
            by_device.setdefault(device_no, []).append(line)
        for device_no, texts in by_device.items():
            file = self._open(device_no)
            try:
                _write_all(file, b"".join(texts))
            finally:
                os.close(file)

    def reconcile(self, memory: Memory) -> None:
        """Make every file equal to the memory again: cut a torn or foreign tail, append what is missing."""
        for device_no, end in memory.read("SELECT device_no, max(end_offset) FROM lines GROUP BY device_no"):
            self._ends[device_no] = end
            self._repair(memory, device_no)

    def _repair(self, memory: Memory, device_no: str) -> None:
        path = self.path(device_no)
        size = path.stat().st_size if path.exists() else 0
        whole = memory.read(
            "SELECT end_offset, text FROM lines WHERE device_no = ? AND end_offset <= ?"
            " ORDER BY end_offset DESC LIMIT 1",
            (device_no, size),
        )
        good = 0
        if whole:
            with path.open("rb") as journal:
                journal.seek(whole[0][0] - len(whole[0][1]))
                good = whole[0][0] if journal.read(len(whole[0][1])) == whole[0][1] else 0
        missing = memory.read(
            "SELECT text FROM lines WHERE device_no = ? AND end_offset > ? ORDER BY end_offset", (device_no, good)
        )
        if missing or size != good:
            file = self._open(device_no)
            try:
                os.ftruncate(file, good)
                _write_all(file, b"".join(text for (text,) in missing))
                os.fsync(file)
            finally:
                os.close(file)

    def _open(self, device_no: str) -> int:
        # Opened for each append: hundreds of devices would else use up the process's file descriptors.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        return os.open(self.path(device_no), flags, 0o644)


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
