"""What goes up to the control plane: outcomes until they are acknowledged, observations while they are the newest."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable

import msgspec

from agents.authority import Authority
from agents.fault_points import reach
from agents.journal import Journal
from agents.journal_writes import Recorded
from agents.uplink import Rejected, Uplink
from controlplane.wire.agents import Observation, Outcome

AT_ONCE = 256
COALESCE_SECONDS = 0.001
"""After a quiet time, wait this long for company before sending."""
_FIRST_RETRY = 1.0
_LAST_RETRY = 60.0


class _Item:
    """An outcome on its way. ``no``: its place in the journal; None: kept in memory only (nothing done, or interim)."""

    __slots__ = ("body", "interim", "job_id", "no", "retry")

    def __init__(self, job_id: str, body: bytes, no: int | None, interim: bool = False) -> None:
        self.job_id = job_id
        self.body = body
        self.no = no
        self.interim = interim
        self.retry = _FIRST_RETRY


class Delivery:
    """The outgoing queue; any thread puts in, one thread calls ``turn``."""

    def __init__(
        self, journal: Journal, authority: Authority, session: str, cursors: Callable[[dict[str, int]], None]
    ) -> None:
        self._journal = journal
        self._authority = authority
        self._session = session
        self._cursors = cursors
        self._items: deque[_Item] = deque()
        self._later: list[tuple[float, _Item]] = []
        self._observations: dict[str, Observation] = {}
        self._unheard: Counter[str] = Counter()
        self._most = AT_ONCE
        self._change = threading.Condition(threading.Lock())
        self._sending = False

    def expect(self, *job_ids: str) -> None:
        """Final outcomes of these jobs are on their way and will come by ``recorded``."""
        with self._change:
            self._unheard.update(job_ids)

    def unheard(self) -> set[str]:
        """Ids of jobs whose end the control plane has not acknowledged."""
        with self._change:
            return set(self._unheard)

    def recorded(self, recorded: Recorded, following: Iterable[Outcome] = ()) -> None:
        """Send an outcome that is on disk, then ``following`` ones that need no disk; all were expected."""
        self._put([_Item(recorded.job_id, recorded.body, recorded.no), *map(_light, following)])

    def say(self, *outcomes: Outcome) -> None:
        """Send outcomes that need no disk: nothing was done, or they are not final."""
        items = [_light(outcome) for outcome in outcomes]
        with self._change:
            self._unheard.update(item.job_id for item in items if not item.interim)
        self._put(items)

    def observed(self, observation: Observation) -> None:
        """Send a reading; an older one of the same device not yet sent is dropped."""
        with self._change:
            self._observations[observation.device_no] = observation
            self._change.notify_all()

    def turn(self, uplink: Uplink) -> None:
        """Wait for something to send and send one batch of it.

        Raises:
            Away, Revoked, Rejected: it was not taken; what must arrive is kept.
        """
        self._wait()
        items, observations = self._take()
        try:
            if items or observations:
                self._send(uplink, items, observations)
        finally:
            with self._change:
                self._sending = False
                self._change.notify_all()

    def _send(self, uplink: Uplink, items: list[_Item], observations: list[Observation]) -> None:
        floor = self._authority.floor()
        encoded = [msgspec.json.encode(observation) for observation in observations]
        try:
            ack = uplink.report(self._session, [item.body for item in items], encoded)
            reach("agent.report_acked")
        except Rejected:
            self._refused(items)
            raise
        except Exception:
            self._put_back(items, observations)
            raise
        self._most = AT_ONCE
        if self._authority.heard(ack.ledger_seq, floor):
            self._settle(items, {*ack.settled, *ack.stale})
            self._cursors(ack.upload_cursors)
        else:
            self._postpone(items)

    def drain(self, seconds: float) -> int:
        """Wait until all that can be sent now is sent; the number of outcomes still not acknowledged."""
        with self._change:
            self._change.wait_for(lambda: not (self._items or self._observations or self._sending), seconds)
            return len(self._items) + len(self._later)

    # --- the queue --------------------------------------------------------------------------------

    def _put(self, items: list[_Item]) -> None:
        with self._change:
            self._items.extend(items)
            self._change.notify_all()

    def _wait(self) -> None:
        with self._change:
            if self._items or self._observations:
                return
            self._change.wait(None if not self._later else max(0.0, self._later[0][0] - time.monotonic()))
        time.sleep(COALESCE_SECONDS)

    def _take(self) -> tuple[list[_Item], list[Observation]]:
        with self._change:
            now = time.monotonic()
            while self._later and self._later[0][0] <= now:
                self._items.append(self._later.pop(0)[1])
            items = [self._items.popleft() for _ in range(min(self._most, len(self._items)))]
            names = list(self._observations)[: self._most]
            observations = [self._observations.pop(name) for name in names]
            self._sending = True
        last = {item.job_id: item for item in items}
        # An interim word is dropped when the same batch holds what came after it.
        return [item for item in items if not item.interim or last[item.job_id] is item], observations

    def _put_back(self, items: list[_Item], observations: list[Observation]) -> None:
        with self._change:
            self._items.extendleft(reversed(items))
            for observation in observations:
                self._observations.setdefault(observation.device_no, observation)

    def _settle(self, items: list[_Item], acknowledged: set[str]) -> None:
        heard = [item for item in items if item.job_id in acknowledged]
        numbers = [item.no for item in heard if item.no is not None]
        if numbers:
            self._journal.delivered(numbers)
        with self._change:
            self._unheard -= Counter(item.job_id for item in heard if not item.interim)
        # An interim word is said once; all else is said until it is heard.
        self._postpone([item for item in items if item.job_id not in acknowledged and not item.interim])

    def _refused(self, items: list[_Item]) -> None:
        """Find the outcome that is not taken: send fewer, and let a single one wait. Observations are dropped."""
        if len(items) > 1:
            self._most = max(1, len(items) // 2)
            self._put_back(items, [])
        else:
            self._postpone([item for item in items if not item.interim])

    def _postpone(self, items: list[_Item]) -> None:
        with self._change:
            now = time.monotonic()
            for item in items:
                self._later.append((now + item.retry, item))
                item.retry = min(_LAST_RETRY, item.retry * 2)
            self._later.sort(key=lambda entry: entry[0])


def _light(outcome: Outcome) -> _Item:
    return _Item(outcome.job_id, msgspec.json.encode(outcome), None, outcome.result == "unknown")
