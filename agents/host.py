"""The agent's loops: lease, work, deliver, observe; put together, started, watched over and stopped in order."""

from __future__ import annotations

import logging
import os
import queue
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec

from agents import logs
from agents.authority import Authority
from agents.backoff import Backoff
from agents.delivery import Delivery
from agents.drivers.catalog import Catalog, Patience, UnknownKind
from agents.drivers.contract import changes
from agents.fault_points import reach
from agents.identity import Identity
from agents.instants import text_of
from agents.journal import Journal
from agents.journal_file import ADDRESSES, JournalBroken
from agents.lanes import Lanes, Task, fence_of
from agents.phrases import say
from agents.settings import Settings
from agents.uplink import Away, Rejected, Revoked, Uplink
from agents.watch import Watch
from agents.workbench import GIVE_BACK, Again, Step, Workbench
from controlplane.wire.agents import DeviceAddress, LeaseRequest, Observation, Order, Outcome
from controlplane.wire.work import IssueInvoice

EXIT_OK = 0
EXIT_REVOKED = 3
EXIT_JOURNAL = 4

_GUARDED_POLL = 5.0
_WORK_ENDS = 7.0
_DELIVERY_ENDS = 1.5
_HOUSEKEEPING = 60.0
_SLOW = 0.5
_MOST_NAMED = 4096
_FIRST_RETRY, _LAST_RETRY = 0.2, 10.0

_log = logging.getLogger(__name__)


class Host:
    """One agent at work. ``run`` blocks until it is told to stop or may not go on."""

    def __init__(
        self,
        home: Path,
        identity: Identity,
        settings: Settings,
        clock: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        """Open the journal and put the parts together.

        Raises:
            JournalBroken: the journal cannot be trusted.
        """
        self._settings = settings
        self._identity = identity
        self._clock = clock
        self._rng = rng
        self._halts: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._delivery_stop = threading.Event()
        self._session = os.urandom(8).hex()
        self._revision = ""
        self._journal = Journal(home / "journal.db", clock, lambda fault: self._halts.put((EXIT_JOURNAL, fault)))
        self._authority = Authority(
            identity.instance_id,
            int(self._journal.fact("ledger_seq") or 0),
            settings.lease_seconds,
            lambda seq: self._journal.remember("ledger_seq", str(seq)),
        )
        self._lanes = Lanes(settings.workers)
        self._watch = Watch(settings.observe_seconds)
        self._delivery = Delivery(self._journal, self._authority, self._session, self._watch.cursors)
        self._catalog = Catalog(Patience(settings.connect_timeout, settings.read_timeout), clock)
        self._bench = Workbench(self._journal, self._authority, self._catalog, clock, self._delivery.observed)
        self._lease_line = self._uplink()
        self._report_line = self._uplink()

    def run(self) -> int:
        """Work until a signal, a revocation or a broken journal; the process's exit code."""
        for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
            if (number := getattr(signal, name, None)) is not None:
                signal.signal(number, lambda *_: self._halts.put((EXIT_OK, "asked to stop")))
        self._journal.remember("session", self._session)
        self._recover()
        workers = [self._start(f"worker-{n}", self._work_turn) for n in range(self._settings.workers)]
        for n in range(self._settings.observers):
            self._start(f"observe-{n}", self._observe_turn)
        self._start("lease", self._lease_turn)
        self._start("housekeeping", self._house_turn)
        self._start("deliver", lambda: self._delivery.turn(self._report_line), self._delivery_stop)
        _log.info("started", extra=logs.fields(agent_id=self._identity.agent_id, session=self._session))
        code, words = self._wait()
        _log.warning("stopping", extra=logs.fields(why=words, code=code))
        self._end(code, workers)
        return code

    # --- the four loops ---------------------------------------------------------------------------

    def _lease_turn(self) -> None:
        reach("agent.poll")
        floor = self._authority.floor()
        answer = self._lease_line.lease(
            LeaseRequest(
                session=self._session,
                wait=0 if self._authority.guard else self._settings.lease_wait,
                limit=self._settings.lease_limit,
                revision=self._revision,
                holding=self._holding(),
            )
        )
        reach("agent.lease_ack")
        if not self._authority.heard(answer.ledger_seq, floor, answer.instance_id):
            self._stop.wait(_GUARDED_POLL)
            return
        if answer.serves is not None:
            self._serve(answer.serves, answer.revision)
        for order in answer.orders:
            self._journal.fence(fence_of(order), order.epoch)
            self._lanes.accept(self._task(order))

    def _work_turn(self) -> None:
        task = self._lanes.take()
        if task is None:
            return
        try:
            self._settle(task, self._bench.step(task))
        except JournalBroken:
            self._lanes.again(task, _HOUSEKEEPING)  # the process is about to end
        except Exception as error:
            _log.exception("fault while working", extra=logs.fields(job_id=task.order.job_id))
            self._settle(task, self._bench.crashed(task, error))

    def _house_turn(self) -> None:
        self._journal.prune(self._settings.keep_days)
        self._stop.wait(_HOUSEKEEPING)

    def _observe_turn(self) -> None:
        batch = self._watch.take()
        if not batch:
            return
        first = batch[0][0]
        try:
            self._observe(batch)
        finally:
            self._watch.release((first.host, first.port))

    def _observe(self, batch: list[tuple[DeviceAddress, int]]) -> None:
        slow_failures, silence = 0, None
        for address, cursor in batch:
            if self._stop.is_set():
                return
            if silence is None:
                started = time.monotonic()
                seen = self._read(address, cursor)
                slow = not seen.reachable and time.monotonic() - started > _SLOW
                slow_failures = slow_failures + 1 if slow else 0
                # Two devices of one tax server silent in a row: it is the server, and the others need not be tried.
                silence = seen if slow_failures == 2 else None
            else:
                seen = msgspec.structs.replace(silence, device_no=address.device_no or "")
            self._delivery.observed(seen)
            self._watch.seen(seen)

    def _read(self, address: DeviceAddress, cursor: int) -> Observation:
        try:
            return self._catalog.driver(address.device_kind).observe(address, cursor)
        except UnknownKind as unknown:
            return Observation(
                device_no=address.device_no or "",
                tax_server_no=address.tax_server_no,
                read_at=text_of(self._clock()),
                reachable=False,
                message=say("order.no_driver", kind=unknown),
            )

    # --- settling ---------------------------------------------------------------------------------

    def _settle(self, task: Task, step: Step) -> None:
        if isinstance(step, Again):
            if step.interim is not None:
                self._tell(task, step.interim)
                self._delivery.say(step.interim)
            self._lanes.heard_from(task, step.silent)
            self._lanes.again(task, step.delay)
        elif not isinstance(step, Outcome):
            self._delivery.expect(step.job_id)
            self._delivery.recorded(step)
            self._lanes.finish(task)
        elif task.recovered and task.successor is not None:
            self._lanes.again(task, 0.0)
        else:
            self._conclude(task, step)

    def _conclude(self, task: Task, outcome: Outcome) -> None:
        away = outcome.result == "unreachable" and outcome.code not in GIVE_BACK
        self._lanes.heard_from(task, away and outcome.code in ("timeout", "connect_timeout"))
        # Put down before the lane is freed: on disk no later than the device's next intent.
        durable = task.intended or (changes(task.order) and outcome.result in ("done", "refused"))
        behind = self._lanes.clear_behind(task) if away else []
        given_back = [self._bench.given_back(other, "order.not_started") for other in behind]
        self._tell(task, outcome)
        if durable:
            self._delivery.expect(outcome.job_id, *(other.job_id for other in given_back))
            self._journal.conclude(outcome, lambda recorded: self._delivery.recorded(recorded, given_back))
        else:
            self._delivery.say(outcome, *given_back)
        self._lanes.finish(task)

    def _tell(self, task: Task, outcome: Outcome) -> None:
        order = task.order
        if outcome.result == "done":
            if isinstance(order.work, IssueInvoice):
                self._watch.issued(order.address.device_no)
            return
        _log.info(
            "order not done",
            extra=logs.fields(
                job_id=outcome.job_id,
                device_no=order.address.device_no,
                work=type(order.work).__name__,
                result=outcome.result,
                code=outcome.code,
                message=outcome.message,
            ),
        )

    # --- taking up --------------------------------------------------------------------------------

    def _task(self, order: Order) -> Task:
        return Task(order, Backoff(self._settings.recall_first, self._settings.recall_most, self._rng))

    def _holding(self) -> list[str]:
        """Jobs that need not be sent to us: in hand, or ended and not yet heard."""
        return list(self._lanes.in_hand() | self._delivery.unheard())[:_MOST_NAMED]

    def _serve(self, addresses: list[DeviceAddress], revision: str) -> None:
        self._revision = revision
        self._watch.serve(addresses)
        self._journal.remember("serves", msgspec.json.encode(addresses).decode())

    def _recover(self) -> None:
        """Take up what an earlier life left: open intents are recalled first, unheard outcomes are sent again."""
        serves = self._journal.fact("serves")
        if serves:
            self._watch.serve(ADDRESSES.decode(serves))
        for intent in self._journal.open_intents():
            task = self._task(intent.order)
            task.must_recall = task.intended = task.recovered = True
            task.answer = intent.answer
            self._lanes.accept(task)
            _log.warning("intent without outcome: recalling", extra=logs.fields(job_id=intent.order.job_id))
        for recorded in self._journal.undelivered():
            self._delivery.expect(recorded.job_id)
            self._delivery.recorded(recorded)

    def _uplink(self) -> Uplink:
        return Uplink(self._identity.url, self._identity.bearer, self._settings.ca_file)

    # --- life -------------------------------------------------------------------------------------

    def _start(self, name: str, turn: Callable[[], None], stop: threading.Event | None = None) -> threading.Thread:
        thread = threading.Thread(target=self._keep_on, args=(turn, stop or self._stop), name=name, daemon=True)
        thread.start()
        return thread

    def _keep_on(self, turn: Callable[[], None], stop: threading.Event) -> None:
        """Repeat a turn until the end; trouble with the control plane is waited out, any other fault is logged."""
        backoff = Backoff(_FIRST_RETRY, _LAST_RETRY, self._rng)
        away = False
        while not stop.is_set():
            try:
                turn()
                backoff.reset()
                if away:
                    _log.warning("control plane back")
                away = False
            except Revoked:
                self._authority.withdraw()
                self._halts.put((EXIT_REVOKED, "revoked: the control plane no longer knows this agent"))
                stop.wait()
            except (Away, Rejected) as error:
                if not away:
                    _log.warning("control plane away", extra=logs.fields(why=str(error)))
                away = True
                stop.wait(backoff.next())
            except Exception:
                _log.exception("fault in a loop")
                stop.wait(backoff.next())

    def _wait(self) -> tuple[int, str]:
        # Short waits on Windows, where a blocked main thread does not see Ctrl-C.
        patience = 1.0 if sys.platform == "win32" else None
        while True:
            try:
                return self._halts.get(timeout=patience)
            except queue.Empty:
                continue

    def _end(self, code: int, workers: list[threading.Thread]) -> None:
        """Finish the device calls in hand, put them down, hand over what can be handed over."""
        self._authority.withdraw()
        self._stop.set()
        self._lanes.stop()
        self._watch.stop()
        self._lease_line.abort()
        until = time.monotonic() + _WORK_ENDS
        for worker in workers:
            worker.join(max(0.0, until - time.monotonic()))
        if code != EXIT_JOURNAL:
            self._journal.flush()
        if code == EXIT_OK:
            self._delivery.say(*(self._bench.given_back(task, "order.stopping") for task in self._lanes.drain()))
            left = self._delivery.drain(_DELIVERY_ENDS)
            _log.info("handed over", extra=logs.fields(left_for_next_start=left))
        self._delivery_stop.set()
        self._report_line.abort()
        if code != EXIT_JOURNAL:
            self._journal.close()
        self._catalog.close()
