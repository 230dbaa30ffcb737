"""What can be written into the journal, each as one small change that is applied inside the writer's transaction."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec import Struct

from controlplane.wire.agents import Order, Outcome

_PRUNED_AT_ONCE = 500


class Recorded(Struct, frozen=True):
    """A final outcome; ``body`` is its encoded ``Outcome``, ``no`` its place in the journal."""

    no: int
    job_id: str
    body: bytes


class Write:
    """One change. ``is_waited_for``: a thread waits and must hear of a failure; all others are tried again."""

    is_waited_for = False

    def apply(self, db: sqlite3.Connection, number: int) -> int:
        """Do it within the open transaction; returns the next free outcome number (``number`` if none was used)."""
        raise NotImplementedError

    def succeed(self) -> None:
        """It is on disk."""

    def fail(self, error: Exception) -> None:
        """It is not, and will not be tried again."""


class Intend(Write):
    """An order is about to be done; its device's fence goes with it."""

    is_waited_for = True

    def __init__(self, order: Order, device: str, fences: tuple[dict[str, int], int], at: datetime) -> None:
        self._fences, self._fence = fences
        self._device = device
        self._row = (
            order.job_id,
            order.serial,
            device,
            order.taxpayer_id,
            order.epoch,
            msgspec.json.encode(order),
            at.isoformat(),
        )
        self.error: Exception | None = None
        self.waiter = threading.Lock()
        self.waiter.acquire()

    def apply(self, db: sqlite3.Connection, number: int) -> int:
        """See ``Write``."""
        db.execute(
            "INSERT INTO intents (job_id, serial, device, taxpayer_id, epoch, body, open, written_at)"
            " VALUES (?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT (job_id) DO UPDATE SET"
            " epoch = excluded.epoch, body = excluded.body, open = 1, written_at = excluded.written_at",
            self._row,
        )
        if self._fences.get(self._device) != self._fence:
            db.execute(
                "INSERT INTO fences VALUES (?, ?)"
                " ON CONFLICT (device) DO UPDATE SET epoch = max(epoch, excluded.epoch)",
                (self._device, self._fence),
            )
        return number

    def succeed(self) -> None:
        """See ``Write``."""
        self._fences[self._device] = self._fence
        self.waiter.release()

    def fail(self, error: Exception) -> None:
        """See ``Write``."""
        self.error = error
        self.waiter.release()


class Conclude(Write):
    """A final outcome; the job's intent is closed."""

    def __init__(self, outcome: Outcome, at: datetime, then: Callable[[Recorded], None]) -> None:
        self._job_id = outcome.job_id
        self._body = msgspec.json.encode(outcome)
        self._at = at.isoformat()
        self._then = then
        self._no = 0

    def apply(self, db: sqlite3.Connection, number: int) -> int:
        """See ``Write``."""
        self._no = number
        db.execute(
            "INSERT INTO outcomes (no, job_id, body, written_at) VALUES (?, ?, ?, ?)",
            (number, self._job_id, self._body, self._at),
        )
        db.execute("UPDATE intents SET open = 0, answer = NULL WHERE job_id = ?", (self._job_id,))
        return number + 1

    def succeed(self) -> None:
        """See ``Write``."""
        self._then(Recorded(self._no, self._job_id, self._body))


class Answered(Write):
    """A device says it issued, and its journal does not show it."""

    def __init__(self, job_id: str, answer: bytes) -> None:
        self._row = (answer, job_id)

    def apply(self, db: sqlite3.Connection, number: int) -> int:
        """See ``Write``."""
        db.execute("UPDATE intents SET answer = ? WHERE job_id = ?", self._row)
        return number


class Deliver(Write):
    """The control plane acknowledged these outcomes."""

    def __init__(self, numbers: list[int], at: datetime) -> None:
        self._row = (at.isoformat(), msgspec.json.encode(numbers).decode())

    def apply(self, db: sqlite3.Connection, number: int) -> int:
        """See ``Write``."""
        db.execute("UPDATE outcomes SET delivered_at = ? WHERE no IN (SELECT value FROM json_each(?))", self._row)
        return number


class Remember(Write):
    """A named fact."""

    def __init__(self, name: str, value: str) -> None:
        self._row = (name, value)

    def apply(self, db: sqlite3.Connection, number: int) -> int:
        """See ``Write``."""
        db.execute("INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", self._row)
        return number


class Prune(Write):
    """Remove a portion of what was delivered before a moment, and intents nothing refers to."""

    def __init__(self, before: datetime) -> None:
        self._before = before.isoformat()

    def apply(self, db: sqlite3.Connection, number: int) -> int:
        """See ``Write``."""
        db.execute(
            "DELETE FROM outcomes WHERE no IN (SELECT no FROM outcomes WHERE delivered_at < ? ORDER BY no LIMIT ?)",
            (self._before, _PRUNED_AT_ONCE),
        )
        db.execute(
            "DELETE FROM intents WHERE place IN (SELECT place FROM intents AS i WHERE open = 0 AND written_at < ?"
            " AND NOT EXISTS (SELECT 1 FROM outcomes AS o WHERE o.job_id = i.job_id) ORDER BY place LIMIT ?)",
            (self._before, _PRUNED_AT_ONCE),
        )
        return number


class Barrier(Write):
    """Changes nothing; whoever waits for it knows that all before it is on disk."""

    is_waited_for = True

    def __init__(self) -> None:
        self.waiter = threading.Lock()
        self.waiter.acquire()

    def apply(self, db: sqlite3.Connection, number: int) -> int:
        """See ``Write``."""
        return number

    def succeed(self) -> None:
        """See ``Write``."""
        self.waiter.release()

    def fail(self, error: Exception) -> None:
        """See ``Write``."""
        self.waiter.release()


class Stop(Write):
    """The last write: the writer ends after it."""

    def apply(self, db: sqlite3.Connection, number: int) -> int:
        """See ``Write``."""
        return number
