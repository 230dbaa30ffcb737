"""The guard at the door: guesses are slowed down per name and address, refused credentials are noted without flooding.

Each server process counts for itself, by the monotonic clock; nothing of it survives a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from controlplane.domain.foreign_text import clean
from controlplane.domain.refusals import refuse
from controlplane.store.engine import Ledger, LedgerUnavailable
from controlplane.store.transaction import Entry, Transaction

FREE_BY_NAME = 5
FREE_BY_ADDRESS = 20
"""Guesses that cost nothing; each one more doubles the time to wait, from a second to the most."""
MOST_BY_NAME = 60.0
MOST_BY_ADDRESS = 300.0
QUIET = 900.0
"""Seconds without a guess after which a count is forgotten."""
REMEMBERED = 10_000
"""Names, and addresses, that are counted at a time; the one that was silent longest goes first."""
NOTE_EVERY = 60.0
NOTED_ADDRESSES = 100
NOTED_NAMES = 5
"""Addresses noted by themselves per minute, and names told of each; what is more is one row together."""
ELSEWHERE = "elsewhere"

Clock = Callable[[], float]
T = TypeVar("T")


@dataclass(slots=True)
class _Count:
    guesses: int = 0
    shut_until: float = 0.0
    seen: float = 0.0


class _Counts:
    """Guesses by one kind of key."""

    def __init__(self, free: int, most: float) -> None:
        self._free, self._most = free, most
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def shut(self, key: str, now: float) -> float:
        """Seconds this key has to wait still."""
        count = self._counts.get(key)
        return 0.0 if count is None else max(0.0, count.shut_until - now)

    def guess(self, key: str, now: float) -> None:
        """One more guess."""
        count = self._counts.pop(key, None)
        if count is None or now - count.seen > QUIET:
            count = _Count()
        self._counts[key] = count
        while len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)
        count.guesses, count.seen = count.guesses + 1, now
        over = count.guesses - self._free
        if over > 0:
            count.shut_until = now + min(self._most, 2.0 ** min(over - 1, 16))

    def forgive(self, key: str, all_of_it: bool) -> None:
        """The last guess was none; or none of them was."""
        count = self._counts.get(key)
        if count is None:
            return
        count.guesses = 0 if all_of_it else max(0, count.guesses - 1)
        count.shut_until = 0.0


@dataclass(slots=True)
class _Note:
    """What an address was refused since the last row about it."""

    at: float
    count: int = 0
    names: list[str] = field(default_factory=list)


class Guard:
    """Slows guessing down and keeps the operation log's account of it."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._names = _Counts(FREE_BY_NAME, MOST_BY_NAME)
        self._addresses = _Counts(FREE_BY_ADDRESS, MOST_BY_ADDRESS)
        self._notes: dict[tuple[str, str], _Note] = {}
        self._hashing = asyncio.Semaphore(4)

    def enter(self, name: str, address: str) -> None:
        """Let one guess at a name in, counted as failed until told otherwise; ``too_many_requests`` while shut."""
        now, name, near = self._clock(), name.lower(), network(address)
        wait = max(self._names.shut(name, now), self._addresses.shut(near, now))
        if wait > 0:
            raise refuse("too_many_requests", seconds=int(wait) + 1)
        self._names.guess(name, now)
        self._addresses.guess(near, now)

    def passed(self, name: str, address: str) -> None:
        """The guess was right: the name is open again, the address as it was before."""
        self._names.forgive(name.lower(), True)
        self._addresses.forgive(network(address), False)

    async def hashing(self, work: Callable[[], T]) -> T:
        """Run slow hashing beside the loop, few at a time: each takes 64 MiB."""
        async with self._hashing:
            return await asyncio.to_thread(work)

    # --- the account in the operation log

    async def refused(self, ledger: Ledger, what: str, address: str, name: str = "") -> None:
        """Note a refused sign-in or credential: the first of a minute at once, the rest with the minute's end."""
        key = (what, network(address))
        if key not in self._notes and len(self._notes) >= NOTED_ADDRESSES:
            key = (what, ELSEWHERE)
        note = self._notes.get(key)
        if note is None:
            self._notes[key] = _Note(self._clock())
            await self._write(ledger, key, 1, [name] if name else [])
            return
        note.count += 1
        if name and name not in note.names and len(note.names) < NOTED_NAMES:
            note.names.append(name)

    async def settle(self, ledger: Ledger, everything: bool = False) -> None:
        """Write what came together in minutes that are over."""
        for key, note in self._due(everything):
            del self._notes[key]
            if note.count:
                await self._write(ledger, key, note.count, note.names)

    def _due(self, everything: bool) -> Iterator[tuple[tuple[str, str], _Note]]:
        until = self._clock() - NOTE_EVERY
        yield from [(key, note) for key, note in self._notes.items() if everything or note.at <= until]

    async def _write(self, ledger: Ledger, key: tuple[str, str], count: int, names: list[str]) -> None:
        what, address = key
        detail = {"address": address, "count": count, "names": [clean(name, "log")[:64] for name in names]}
        entry = Entry("", address, "unknown", what, "sessions", outcome="refused", detail=detail)

        def write(tx: Transaction) -> None:
            tx.begin_entry(entry)

        with contextlib.suppress(LedgerUnavailable):
            await ledger.write(write)

    async def run(self, ledger: Ledger) -> None:
        """Settle for as long as the server runs."""
        while True:
            await asyncio.sleep(NOTE_EVERY / 6)
            await self.settle(ledger)


def network(address: str) -> str:
    """An address as it is counted: IPv6 by the /64 that one subscriber has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))
