"""The agent's own memory: what it was about to do, what came of it, what it must not forget; synced before it counts.

One SQLite file (WAL, synchronous=FULL) and one writer thread: everything queued while the disk is busy goes into one
synced transaction, then all who wait for it are woken.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from agents.fault_points import reach
from agents.journal_file import ISSUED, ORDER, JournalBroken, connect, is_shortage
from agents.journal_writes import Answered, Barrier, Conclude, Deliver, Intend, Prune, Recorded, Remember, Stop, Write
from controlplane.wire.agents import Order, Outcome
from controlplane.wire.evidence import IssuedInvoice

_RETRY_SECONDS = 0.5
_BATCH = 512


class JournalFull(Exception):
    """The disk took nothing now: what needs the write must not be done."""


class OpenIntent(Struct, frozen=True):
    """An order begun in an earlier life, end unknown. ``answer``: a device's word not found in its journal."""

    order: Order
    answer: IssuedInvoice | None


class Journal:
    """Thread-safe. ``on_broken`` is called once, from the writer thread, when the file cannot be trusted any more."""

    def __init__(self, path: Path, clock: Callable[[], datetime], on_broken: Callable[[str], None]) -> None:
        """Open or create the file and read its pragmas back.

        Raises:
            JournalBroken: it is damaged, or the durable settings did not take.
        """
        self._clock = clock
        self._on_broken = on_broken
        self._reader = connect(path, first=True)
        self._reading = threading.Lock()
        self._queue: queue.SimpleQueue[Write] = queue.SimpleQueue()
        self._held: list[Write] = []
        self._broken = ""
        self.fences: dict[str, int] = dict(self._reader.execute("SELECT device, epoch FROM fences"))
        """Highest epoch seen per device. Raised in memory by ``fence``, made durable with the next intent."""
        self._fences_on_disk = dict(self.fences)
        self._next_no = self._reader.execute("SELECT coalesce(max(no), 0) + 1 FROM outcomes").fetchone()[0]
        self._db = connect(path)
        self._thread = threading.Thread(target=self._write_on, name="journal", daemon=True)
        self._thread.start()

    # --- before and after a device call -----------------------------------------------------------

    def intend(self, order: Order, device: str) -> None:
        """Put the order down as about to be done; returns when that is on disk.

        Raises:
            JournalFull, JournalBroken: it is not; the device must not be touched.
        """
        try:
            reach("agent.intent_write")
        except OSError as error:
            raise JournalFull(str(error)) from error
        fences = (self._fences_on_disk, self.fences.get(device, order.epoch))
        write = Intend(order, device, fences, self._clock())
        self._put(write)
        write.waiter.acquire()
        if write.error is not None:
            raise JournalBroken(self._broken) if self._broken else JournalFull(str(write.error))
        reach("agent.intent_sync")

    def conclude(self, outcome: Outcome, then: Callable[[Recorded], None]) -> None:
        """Queue a final outcome and close its intent; ``then`` is called once it is on disk, from the writer thread."""
        reach("agent.local_commit")
        self._put(Conclude(outcome, self._clock(), then))

    def note_answer(self, job_id: str, answer: IssuedInvoice) -> None:
        """Keep what a device said it issued and its journal does not show."""
        self._put(Answered(job_id, msgspec.json.encode(answer)))

    def delivered(self, numbers: Iterable[int]) -> None:
        """The control plane has these outcomes."""
        self._put(Deliver(list(numbers), self._clock()))

    def fence(self, device: str, epoch: int) -> bool:
        """Whether an order of this epoch may be done; a higher one than before raises the fence."""
        highest = self.fences.get(device, epoch)
        if epoch < highest:
            return False
        self.fences[device] = epoch
        return True

    # --- facts ------------------------------------------------------------------------------------

    def remember(self, name: str, value: str) -> None:
        """Keep a fact; it is on disk no later than the next intent."""
        self._put(Remember(name, value))

    def fact(self, name: str) -> str | None:
        """A fact kept by ``remember``."""
        with self._reading:
            row = self._reader.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else None

    # --- what an earlier life left ----------------------------------------------------------------

    def open_intents(self) -> list[OpenIntent]:
        """Orders begun and not concluded, oldest first."""
        with self._reading:
            rows = self._reader.execute("SELECT body, answer FROM intents WHERE open = 1 ORDER BY place").fetchall()
        return [OpenIntent(ORDER.decode(body), ISSUED.decode(answer) if answer else None) for body, answer in rows]

    def undelivered(self) -> list[Recorded]:
        """Final outcomes the control plane has not acknowledged, oldest first."""
        with self._reading:
            rows = self._reader.execute(
                "SELECT no, job_id, body FROM outcomes WHERE delivered_at IS NULL ORDER BY no"
            ).fetchall()
        return [Recorded(*row) for row in rows]

    def recorded(self, job_id: str) -> Recorded | None:
        """The newest final outcome of a job."""
        with self._reading:
            row = self._reader.execute(
                "SELECT no, job_id, body FROM outcomes WHERE job_id = ? ORDER BY no DESC LIMIT 1", (job_id,)
            ).fetchone()
        return Recorded(*row) if row else None

    def prune(self, keep_days: int) -> None:
        """Queue the removal of delivered rows older than ``keep_days``; undelivered ones stay for ever."""
        reach("agent.cleanup")
        self._put(Prune(self._clock() - timedelta(days=keep_days)))

    def flush(self) -> None:
        """Return when all that was queued before is on disk, or can never be."""
        write = Barrier()
        self._put(write)
        write.waiter.acquire()

    def close(self) -> None:
        """Write what is queued and close the file."""
        self._queue.put(Stop())
        self._thread.join()
        self._reader.close()

    # --- the writer thread ------------------------------------------------------------------------

    def _put(self, write: Write) -> None:
        if self._broken:
            write.fail(JournalBroken(self._broken))
        else:
            self._queue.put(write)

    def _write_on(self) -> None:
        stopping = False
        while not stopping:
            batch = self._gather()
            stopping = any(isinstance(write, Stop) for write in batch)
            try:
                self._commit(batch)
            except (sqlite3.Error, OSError) as error:
                self._failed(batch, error)
                stopping = stopping or bool(self._broken)
        self._db.close()
        if self._broken:
            self._refuse_all()

    def _gather(self) -> list[Write]:
        batch, self._held = self._held, []
        try:
            batch.append(self._queue.get(timeout=_RETRY_SECONDS if batch else None))
            while len(batch) < _BATCH:
                batch.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        return batch

    def _commit(self, batch: list[Write]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        number = self._next_no
        for write in batch:
            number = write.apply(self._db, number)
        self._db.execute("COMMIT")
        self._next_no = number
        for write in batch:
            write.succeed()

    def _failed(self, batch: list[Write], error: Exception) -> None:
        """A full disk fails waiting intents and keeps the rest for later; anything worse ends this journal's life."""
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except sqlite3.Error as second:
            error = second
        if not is_shortage(error):
            # Never sync again and go on: what the failed sync left on disk is not known. A new life reads it afresh.
            self._broken = str(error)
        for write in batch:
            if self._broken or write.is_waited_for:
                write.fail(error)
            else:
                self._held.append(write)
        if self._broken:
            self._on_broken(self._broken)

    def _refuse_all(self) -> None:
        while True:
            try:
                self._queue.get_nowait().fail(JournalBroken(self._broken))
            except queue.Empty:
                return
