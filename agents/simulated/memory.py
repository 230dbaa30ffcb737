"""Durable memory of one process: a SQLite file whose one writer thread commits all that is queued in one sync."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Statement = tuple[str, Sequence[Any]]
"""One SQL statement with its parameters."""

Line = tuple[str, bytes]
"""A journal's name and one line to append to it, newline included."""

_BATCH = 512


class _Write:
    __slots__ = ("done", "lines", "statements")

    def __init__(self, statements: Sequence[Statement], lines: Sequence[Line], done: asyncio.Future[None]) -> None:
        self.statements = statements
        self.lines = lines
        self.done = done


class Memory:
    """SQLite in WAL mode with synchronous=FULL.

    ``write`` returns once its statements are on disk; all writes queued meanwhile share one sync. Reading happens in
    the caller's thread and sees what is committed. A failed batch (disk full, disk error) ends the memory: every later
    write fails and ``on_failure`` is called, because a device that cannot remember must stop.
    """

    def __init__(
        self,
        path: Path,
        schema: str,
        append: Callable[[Sequence[Line]], None] | None = None,
        on_failure: Callable[[], None] | None = None,
    ) -> None:
        self._path = path
        self._append = append
        self._on_failure = on_failure
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._reader = self._connect()
        self._reader.executescript(schema)
        self._thread = threading.Thread(target=self._work, name="memory", daemon=True)
        self._thread.start()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=10)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query, as committed by now."""
        return self._reader.execute(sql, parameters).fetchall()

    def write(self, statements: Sequence[Statement], lines: Sequence[Line] = ()) -> asyncio.Future[None]:
        """Queue one atomic change; its place in the order is fixed by this call, its durability by the awaited result.

        Raises sqlite3.Error from the result when the disk refuses.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put(_Write(statements, lines, done))
        return done

    def close(self) -> None:
        """Finish what is queued and close the file."""
        self._queue.put(None)
        self._thread.join()
        self._reader.close()

    def _work(self) -> None:
        connection = self._connect()
        failure: sqlite3.Error | OSError | None = None
        running = True
        while running:
            batch = [self._queue.get()]
            while len(batch) < _BATCH and not self._queue.empty():
                batch.append(self._queue.get())
            running = None not in batch
            writes = [write for write in batch if write is not None]
            if writes and failure is None:
                try:
                    self._commit(connection, writes)
                except (sqlite3.Error, OSError) as error:
                    failure = error
                    if self._on_failure is not None:
                        self._on_failure()
            if writes:
                writes[0].done.get_loop().call_soon_threadsafe(_settle, writes, failure)
        connection.close()

    def _commit(self, connection: sqlite3.Connection, writes: list[_Write]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            for write in writes:
                for sql, parameters in write.statements:
                    connection.execute(sql, parameters)
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if self._append is not None:
            self._append([line for write in writes for line in write.lines])


def _settle(writes: list[_Write], failure: BaseException | None) -> None:
    for write in writes:
        if write.done.done():
            continue
        if failure is None:
            write.done.set_result(None)
        else:
            write.done.set_exception(failure)
