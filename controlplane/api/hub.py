"""The hub: every committed event, in order, to whoever waits for it in this process.

On SQLite all commits are our own. On PostgreSQL other replicas commit too: a NOTIFY wakes a listener that reads what is
new, so the order is always that of the ledger's own numbers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator

from controlplane.store.engine import Ledger, LedgerUnavailable
from controlplane.store.head import events_since, position
from controlplane.store.statement import Connection
from controlplane.store.transaction import Event

RING = 20_000
POLL_SECONDS = 2.0
LOOK_UP = 1.0
"""Seconds of silence after which a follower is woken, to see whether it may still be there."""

log = logging.getLogger("taxplane.hub")


class Waiter:
    """Someone waiting for an event about one of a few keys."""

    __slots__ = ("event", "keys")

    def __init__(self, keys: frozenset[str]) -> None:
        self.keys = keys
        self.event = asyncio.Event()

    async def wait(self, seconds: float) -> bool:
        """True when something came within ``seconds``; the waiter is ready for the next thing then."""
        try:
            async with asyncio.timeout(seconds):
                await self.event.wait()
        except TimeoutError:
            return False
        self.event.clear()
        return True


class Hub:
    """Hands events to waiters by record id or topic, and to followers of the whole feed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiters: dict[str, set[Waiter]] = {}
        self._followers: set[asyncio.Event] = set()
        self._ring: deque[Event] = deque(maxlen=RING)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._read_up_to = 0
        self.seq = 0

    def start(self) -> None:
        """Begin to pass events on, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self.seq = self._read_up_to = self._ledger.read_now(position)[1]
        if self._ledger.dialect == "sqlite":
            self._ledger.listen(self._from_thread)
        else:
            self._ledger.listen(lambda _events: self._catch_up())
            self._thread = threading.Thread(target=self._listen, name="feed", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Wake everyone for the last time."""
        self._stop.set()
        for follower in self._followers:
            follower.set()
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.event.set()

    @property
    def stopping(self) -> bool:
        """True once the process is going down."""
        return self._stop.is_set()

    @contextlib.contextmanager
    def waiting_for(self, keys: Iterable[str]) -> Iterator[Waiter]:
        """A waiter that is woken by events whose record id or topic is one of ``keys``."""
        waiter = Waiter(frozenset(keys))
        for key in waiter.keys:
            self._waiters.setdefault(key, set()).add(waiter)
        try:
            yield waiter
        finally:
            for key in waiter.keys:
                there = self._waiters[key]
                there.discard(waiter)
                if not there:
                    del self._waiters[key]

    async def follow(self, after: int) -> AsyncIterator[list[Event]]:
        """Batches of events after ``after``, for ever; an empty batch each second of silence."""
        bell = asyncio.Event()
        self._followers.add(bell)
        try:
            while not self.stopping:
                events = await self._since(after)
                if not events:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_UP):
                            await bell.wait()
                    bell.clear()
                    events = await self._since(after)
                yield events
                if events:
                    after = events[-1].seq
        finally:
            self._followers.discard(bell)

    async def _since(self, seq: int) -> list[Event]:
        if seq >= self.seq:
            return []
        if self._ring and self._ring[0].seq <= seq + 1:
            return [event for event in self._ring if event.seq > seq][:1000]
        return await self._ledger.read(lambda hand: events_since(hand, seq))

    # --- from the writer's and the listener's threads

    def _from_thread(self, events: list[Event]) -> None:
        if events and self._loop is not None and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._dispatch, events)

    def _dispatch(self, events: list[Event]) -> None:
        for event in events:
            if event.seq <= self.seq:
                continue
            self.seq = event.seq
            self._ring.append(event)
            for key in (event.record_id, event.topic):
                if key is not None:
                    for waiter in self._waiters.get(key, ()):
                        waiter.event.set()
        for follower in self._followers:
            follower.set()

    def _catch_up(self) -> None:
        with self._lock:
            while events := self._ledger.read_now(self._unread):
                self._read_up_to = events[-1].seq
                self._from_thread(events)

    def _unread(self, hand: Connection) -> list[Event]:
        return events_since(hand, self._read_up_to)

    def _listen(self) -> None:
        import psycopg

        url = self._ledger.driver_url()
        while not self._stop.is_set():
            try:
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute("LISTEN taxplane_feed")
                    while not self._stop.is_set():
                        for _notice in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                            pass
                        self._catch_up()
            except (psycopg.Error, LedgerUnavailable) as fault:
                log.warning("change feed listener lost the database: %s", fault)
                self._stop.wait(POLL_SECONDS)
