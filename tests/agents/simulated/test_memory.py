"""The durable memory: synced before it answers, one writer, whole after kill -9."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from agents.simulated import journal_files
from agents.simulated.journal_files import JournalFiles
from agents.simulated.memory import Memory

SCHEMA = "CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY) STRICT;" + journal_files.SCHEMA


def opened(folder: Path) -> tuple[Memory, JournalFiles]:
    journals = JournalFiles(folder / "journals")
    memory = Memory(folder / "m.sqlite", SCHEMA, journals.append)
    journals.reconcile(memory)
    return memory, journals


async def add(memory: Memory, journals: JournalFiles, value: int) -> None:
    _end, remembered, line = journals.place("d", b'{"a":%d}' % value)
    await memory.write([("INSERT INTO t VALUES (?)", (value,)), remembered], [line])


async def test_writes_queued_together_keep_their_order_and_reach_disk(tmp_path: Path):
    memory, journals = opened(tmp_path)
    await asyncio.gather(*(add(memory, journals, value) for value in range(500)))
    assert memory.read("SELECT count(*) FROM t") == [(500,)]
    memory.close()
    assert journals.path("d").read_bytes() == b"".join(b'{"a":%d}\n' % value for value in range(500))


async def test_every_connection_syncs_fully(tmp_path: Path):
    memory, _ = opened(tmp_path)
    assert memory.read("PRAGMA synchronous") == [(2,)] and memory.read("PRAGMA journal_mode") == [("wal",)]
    memory.close()


async def test_a_disk_that_refuses_ends_the_memory(tmp_path: Path):
    failed: list[bool] = []
    memory = Memory(tmp_path / "m.sqlite", SCHEMA, on_failure=lambda: failed.append(True))
    await memory.write([("INSERT INTO t VALUES (1)", ())])
    for statement in ("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"):
        with pytest.raises(sqlite3.Error):
            await memory.write([(statement, ())])
    assert failed and memory.read("SELECT a FROM t") == [(1,)]
    memory.close()


@pytest.mark.parametrize("damage", ["torn", "missing", "foreign", "longer", "gone"])
async def test_a_journal_file_is_made_equal_to_the_memory(tmp_path: Path, damage: str):
    memory, journals = opened(tmp_path)
    for value in range(5):
        await add(memory, journals, value)
    memory.close()
    path = journals.path("d")
    whole = path.read_bytes()
    damaged = {
        "torn": whole[:-3],
        "missing": whole[:16],
        "foreign": whole[:-4] + b"XX}\n",
        "longer": whole + b'{"a":',
        "gone": b"",
    }
    path.write_bytes(damaged[damage])
    memory, journals = opened(tmp_path)
    assert path.read_bytes() == whole
    await add(memory, journals, 5)
    memory.close()
    assert path.read_bytes() == whole + b'{"a":5}\n'


WRITER = """
import asyncio, sys
from pathlib import Path
from tests.agents.simulated.test_memory import add, opened
async def main():
    memory, journals = opened(Path(sys.argv[1]))
    for value in range(100000):
        await add(memory, journals, value)
        print(value, flush=True)
asyncio.run(main())
"""


@pytest.mark.parametrize("lines", [3, 40, 200])
def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, lines: int):
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(lines)]
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged += [int(line) for line in writer.stdout.read().splitlines() if line]
    writer.wait()
    writer.stdout.close()
    memory, journals = opened(tmp_path)
    kept = [row[0] for row in memory.read("SELECT a FROM t ORDER BY a")]
    assert kept[: len(acknowledged)] == acknowledged and len(kept) <= len(acknowledged) + 1
    assert journals.path("d").read_bytes() == b"".join(b'{"a":%d}\n' % value for value in kept)
    memory.close()
