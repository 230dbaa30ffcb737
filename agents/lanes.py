"""Who works on which device when: one order at a time per device, in order; no slow tax server holds all workers."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque

from agents.backoff import Backoff
from controlplane.wire.agents import Order
from controlplane.wire.evidence import IssuedInvoice
from controlplane.wire.work import CommissionDevice

Site = tuple[str, int]


def lane_of(order: Order) -> str:
    """The device that does the order: a virtual device, or the tax server itself."""
    address = order.address
    return address.device_no or f"server {address.tax_server_no or f'{address.host}:{address.port}'}"


def fence_of(order: Order) -> str:
    """What the order's epoch belongs to. A device not yet commissioned has no number: its order stands for it."""
    return f"job {order.job_id}" if isinstance(order.work, CommissionDevice) else lane_of(order)


class Task:
    """An order in hand and what is known of it. Belongs to the thread that took it, but for ``successor``."""

    __slots__ = (
        "answer", "backoff", "busy", "checked", "crashes", "intended", "must_recall", "order", "polling", "recovered",
        "started", "successor", "told_unknown",
    )  # fmt: skip

    def __init__(self, order: Order, backoff: Backoff) -> None:
        self.order = order
        self.backoff = backoff
        self.must_recall = order.redelivered
        self.polling = False
        self.intended = False
        """Its intent is in our journal."""
        self.recovered = False
        """Left by an earlier life: no lease of this life covers it."""
        self.answer: IssuedInvoice | None = None
        """What the device said it issued, as long as its journal does not confirm it."""
        self.told_unknown = ""
        """Code of the last interim ``unknown`` reported."""
        self.checked = False
        """Our own journal was asked about the job."""
        self.busy = 0
        self.crashes = 0
        self.started: float | None = None
        """When a worker first took it, by the monotonic clock."""
        self.successor: Order | None = None
        """The same job under a newer lease, come while this one was in hand."""

    def renew(self) -> bool:
        """Go on under the newer lease, if there is one."""
        if self.successor is None:
            return False
        self.order, self.successor = self.successor, None
        self.must_recall, self.told_unknown = True, ""
        self.polling = self.recovered = self.intended = self.checked = False
        return True


class _Lane:
    """One device's queue. ``held``: a worker, the ready list, the parked or the delayed ones have it."""

    __slots__ = ("held", "site", "tasks")

    def __init__(self, site: Site) -> None:
        self.site = site
        self.held = False
        self.tasks: deque[Task] = deque()


class Lanes:
    """The queues of all devices, drained by ``workers`` threads.

    A tax server that stays silent is given at most ``_SICK_LIMIT`` of them, a healthy one all but a quarter as long as
    there are others.
    """

    _SICK_LIMIT = 2

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._lanes: dict[str, _Lane] = {}
        self._ready: deque[_Lane] = deque()
        self._parked: dict[Site, deque[_Lane]] = {}
        self._delayed: list[tuple[float, int, _Lane]] = []
        self._busy: dict[Site, int] = {}
        self._sick: set[Site] = set()
        self._sites: set[Site] = set()
        self._order = itertools.count()
        self._stopped = False
        self._change = threading.Condition(threading.Lock())

    def accept(self, task: Task) -> bool:
        """Queue a task behind its device's others; False when the job is in hand already (a newer lease renews it)."""
        order = task.order
        key = lane_of(order)
        with self._change:
            lane = self._lanes.get(key)
            if lane is None:
                lane = self._lanes[key] = _Lane((order.address.host, order.address.port))
            for known in lane.tasks:
                if known.order.job_id == order.job_id:
                    held = known.successor or known.order
                    if order.epoch > held.epoch or (known.recovered and known.successor is None):
                        known.successor = order
                    return False
            lane.tasks.append(task)
            if not lane.held:
                lane.site = (order.address.host, order.address.port)
                self._sites.add(lane.site)
                self._resume(lane)
            return True

    def take(self) -> Task | None:
        """The next task to work on; blocks. None when the lanes are stopped."""
        with self._change:
            while not self._stopped:
                now = time.monotonic()
                while self._delayed and self._delayed[0][0] <= now:
                    self._ready.append(heapq.heappop(self._delayed)[2])
                lane = self._next()
                if lane is not None:
                    if self._ready:
                        self._change.notify()
                    task = lane.tasks[0]
                    task.renew()
                    if task.started is None:
                        task.started = now
                    return task
                self._change.wait(self._delayed[0][0] - now if self._delayed else None)
            return None

    def again(self, task: Task, delay: float) -> None:
        """The task stays at the head of its lane and comes up after ``delay`` seconds."""
        with self._change:
            lane = self._release(task)
            task.renew()
            if delay <= 0:
                self._ready.append(lane)
            else:
                heapq.heappush(self._delayed, (time.monotonic() + delay, next(self._order), lane))
            self._change.notify()

    def finish(self, task: Task) -> None:
        """The task is settled: its lane goes on. A newer lease of the same job is queued next."""
        with self._change:
            lane = self._release(task)
            lane.tasks.popleft()
            if task.successor is not None:
                task.backoff.reset()
                following = Task(task.successor, task.backoff)
                following.must_recall = True
                lane.tasks.appendleft(following)
            self._resume(lane)

    def clear_behind(self, task: Task) -> list[Task]:
        """Remove what is queued behind a task in progress; returns it in order. The lane stays the task's."""
        with self._change:
            lane = self._lanes[lane_of(task.order)]
            left = [other for other in lane.tasks if other is not task]
            if task.successor is not None:
                left.insert(0, Task(task.successor, task.backoff))
                task.successor = None
            lane.tasks = deque([task])
            return left

    def drain(self) -> list[Task]:
        """Remove all tasks that nobody has begun, in order per device."""
        left: list[Task] = []
        with self._change:
            for lane in self._lanes.values():
                begun = [task for task in lane.tasks if task.started is not None]
                left.extend(task for task in lane.tasks if task.started is None)
                lane.tasks = deque(begun)
        return left

    def heard_from(self, task: Task, silent: bool) -> None:
        """Whether the task's tax server kept silent at its last call."""
        if not silent and not self._sick:
            return
        with self._change:
            site = self._lanes[lane_of(task.order)].site
            if silent:
                self._sick.add(site)
            elif site in self._sick:
                self._sick.discard(site)
                self._ready.extend(self._parked.pop(site, ()))
                self._change.notify_all()

    def in_hand(self) -> set[str]:
        """Ids of all jobs queued or in progress."""
        with self._change:
            return {task.order.job_id for lane in self._lanes.values() for task in lane.tasks}

    def stop(self) -> None:
        """Let no worker begin anything more."""
        with self._change:
            self._stopped = True
            self._change.notify_all()

    # --- under the lock ---------------------------------------------------------------------------

    def _next(self) -> _Lane | None:
        while self._ready:
            lane = self._ready.popleft()
            if not lane.tasks:
                lane.held = False
                continue
            busy = self._busy.get(lane.site, 0)
            if busy < self._limit(lane.site):
                self._busy[lane.site] = busy + 1
                return lane
            self._parked.setdefault(lane.site, deque()).append(lane)
        return None

    def _limit(self, site: Site) -> int:
        if site in self._sick:
            return self._SICK_LIMIT
        return self._workers if len(self._sites) == 1 else max(1, self._workers * 3 // 4)

    def _release(self, task: Task) -> _Lane:
        lane = self._lanes[lane_of(task.order)]
        self._busy[lane.site] -= 1
        parked = self._parked.get(lane.site)
        if parked:
            self._ready.append(parked.popleft())
            self._change.notify()
        return lane

    def _resume(self, lane: _Lane) -> None:
        lane.held = bool(lane.tasks)
        if lane.held:
            self._ready.append(lane)
            self._change.notify()
