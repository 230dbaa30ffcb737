"""One order, one driver call, one outcome: the law of what may be done to a device next.

Before a changing call the intent is on disk. An invoice is reported as issued only when the device's own journal shows
it as the device answered it. After a call without a definite answer the device's memory is read until it is definite.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from agents.authority import Authority
from agents.drivers.catalog import Catalog, UnknownKind
from agents.drivers.contract import (
    Answer,
    Attempt,
    Busy,
    Contradiction,
    Done,
    Driver,
    Found,
    Later,
    NeverExecuted,
    NoAnswer,
    NotReached,
    Recollection,
    Refused,
    StillWorking,
    Taken,
    changes,
    is_read_back,
)
from agents.fault_points import reach
from agents.instants import text_of
from agents.journal import Journal, JournalFull
from agents.journal_file import OUTCOME
from agents.journal_writes import Recorded
from agents.lanes import Task, fence_of
from agents.phrases import say
from agents.plain_text import plain
from controlplane.wire.agents import Observation, Outcome
from controlplane.wire.evidence import Evidence, IssuedInvoice, Nothing
from controlplane.wire.frame import Result
from controlplane.wire.work import ReadDevice

_BUSY_TRIES = 5
_CRASHES = 3
_CONTRADICTIONS = ("content_differs", "answer_differs", "journal_lacks_invoice")
NOT_STARTED = "not_started"
"""Code of ``unreachable`` for an order that was not begun, for a reason that lies with neither order nor device."""
GIVE_BACK = (NOT_STARTED, "stale_epoch", "agent_fault", "journal_full")
"""Codes of ``unreachable`` that say nothing about the device: only this order goes back."""


class Again(Struct, frozen=True):
    """Not settled: the order comes up again after ``delay`` seconds.

    ``interim`` is to be reported meanwhile; ``silent``: the device kept silent.
    """

    delay: float
    interim: Outcome | None = None
    silent: bool = False


Step = Again | Outcome | Recorded
"""What one step came to; ``Recorded`` is an outcome of an earlier life, to be sent again."""


class Workbench:
    """Takes the next step with a task. Called from many threads, for one task by one at a time."""

    def __init__(
        self,
        journal: Journal,
        authority: Authority,
        catalog: Catalog,
        clock: Callable[[], datetime],
        observed: Callable[[Observation], None],
    ) -> None:
        self._journal = journal
        self._authority = authority
        self._catalog = catalog
        self._clock = clock
        self._observed = observed

    def step(self, task: Task) -> Step:
        """Do the one thing that may be done next."""
        if not task.intended and (early := self._before(task)) is not None:
            return early
        try:
            driver = self._catalog.driver(task.order.address.device_kind)
        except UnknownKind as unknown:
            return self._outcome(task, "refused", "no_driver", say("order.no_driver", kind=unknown))
        if task.must_recall and changes(task.order):
            return self._recall(task, driver)
        if task.polling:
            return self._judge(task, driver, driver.poll(task.order), began=True)
        return self._perform(task, driver)

    def crashed(self, task: Task, error: Exception) -> Step:
        """After a fault of our own: a task whose intent is written can only be recalled, any other goes back."""
        task.crashes += 1
        if not task.intended:
            return self._fault(task, error)
        task.must_recall, task.polling = True, False
        return Again(task.backoff.next())

    def given_back(self, task: Task, phrase: str) -> Outcome:
        """The outcome of a queued order nobody began."""
        return self._outcome(task, "unreachable", NOT_STARTED, say(phrase))

    # --- before anything --------------------------------------------------------------------------

    def _before(self, task: Task) -> Step | None:
        """Reasons not to begin at all."""
        if task.order.redelivered and not task.checked:
            task.checked = True
            if (known := self._journal.recorded(task.order.job_id)) is not None:
                outcome = OUTCOME.decode(known.body)
                if outcome.epoch == task.order.epoch and outcome.result in ("done", "refused"):
                    return known
                if isinstance(outcome.evidence, IssuedInvoice):
                    # It was issued: should the device deny it now, it must not be issued again.
                    task.answer = outcome.evidence
        return self._no_leave(task)

    def _no_leave(self, task: Task) -> Outcome | None:
        if not self._journal.fence(fence_of(task.order), task.order.epoch):
            return self._outcome(task, "unreachable", "stale_epoch", say("order.stale_epoch"))
        if not self._authority.live():
            return self._outcome(task, "unreachable", NOT_STARTED, say("order.lease_lost"))
        return None

    # --- performing -------------------------------------------------------------------------------

    def _perform(self, task: Task, driver: Driver) -> Step:
        order = task.order
        if isinstance(order.work, ReadDevice):
            return self._read_device(task, driver)
        if task.intended and (refusal := self._no_leave(task)) is not None:
            return refusal
        if task.crashes >= _CRASHES:
            return self._fault(task, RuntimeError("repeated"))
        elapsed = 0.0 if task.started is None else time.monotonic() - task.started
        attempt = Attempt(order, elapsed, lambda: self._intend(task))
        try:
            answer = driver.perform(attempt)
        except JournalFull:
            return self._outcome(task, "unreachable", "journal_full", say("order.journal"))
        return self._judge(task, driver, answer, attempt.begun)

    def _intend(self, task: Task) -> None:
        if not task.intended:
            self._journal.intend(task.order, fence_of(task.order))
            task.intended = True

    def _judge(self, task: Task, driver: Driver, answer: Answer, began: bool) -> Step:
        """What an answer allows next. ``began``: a changing call was made or about to be made."""
        task.polling = isinstance(answer, Taken)
        match answer:
            case Done(evidence):
                return self._read_back(task, driver, evidence)
            case Refused(code, message):
                return self._outcome(task, "refused", code, message)
            case NotReached(code, message):
                return self._outcome(task, "unreachable", code, message)
            case NoAnswer(code, message) if not began:
                return self._outcome(task, "unreachable", code, message)
            case NoAnswer(code, message):
                task.must_recall = True
                return self._unknown(task, code, message, silent=True)
            case Busy(code, message):
                task.busy += 1
                if task.busy >= _BUSY_TRIES:
                    return self._outcome(task, "unreachable", code, message or say("device.busy"))
                return Again(task.backoff.next())
            case Later(delay, _):
                return Again(delay)
            case Taken(_):
                return Again(task.backoff.next())

    def _read_back(self, task: Task, driver: Driver, evidence: Evidence) -> Step:
        if not is_read_back(task.order) or not isinstance(evidence, IssuedInvoice):
            return self._outcome(task, "done", evidence=evidence)
        task.answer, task.must_recall = evidence, True
        reach("agent.readback")
        return self._recall(task, driver)

    def _read_device(self, task: Task, driver: Driver) -> Step:
        observation = driver.observe(task.order.address, 0)
        self._observed(observation)
        if not observation.reachable:
            return self._outcome(task, "unreachable", "not_reached", observation.message)
        return self._outcome(task, "done", evidence=Nothing())

    # --- recalling --------------------------------------------------------------------------------

    def _recall(self, task: Task, driver: Driver) -> Step:
        found: Recollection = driver.recall(task.order)
        match found:
            case Found(evidence):
                return self._found(task, evidence)
            case Refused(code, message):
                return self._outcome(task, "refused", code, message)
            case NeverExecuted():
                return self._never_executed(task, driver)
            case StillWorking(_):
                return Again(task.backoff.next())
            case Contradiction(code, message):
                return self._unknown(task, code, message)
        if not found.sent and not task.intended:
            # This agent did nothing and cannot see what an earlier holder did: the order is to come again later.
            return self._outcome(task, "unreachable", found.code, found.message)
        return self._unknown(task, found.code, found.message, silent=True)

    def _found(self, task: Task, evidence: Evidence) -> Step:
        if task.answer is not None and evidence != task.answer:
            names = _differences(task.answer, evidence)
            self._journal.note_answer(task.order.job_id, task.answer)
            return self._unknown(task, "answer_differs", say("recall.answer_differs", names=names))
        return self._outcome(task, "done", evidence=evidence)

    def _never_executed(self, task: Task, driver: Driver) -> Step:
        if task.answer is not None:
            self._journal.note_answer(task.order.job_id, task.answer)
            return self._unknown(task, "journal_lacks_invoice", say("recall.missing"))
        if task.recovered:
            # The lease of an earlier life: whether the order still stands is for the control plane to say.
            return self._outcome(task, "unreachable", NOT_STARTED, say("order.never_executed"))
        task.must_recall = False
        if not task.intended:
            return self._perform(task, driver)
        return Again(task.backoff.next())

    # --- outcomes ---------------------------------------------------------------------------------

    def _unknown(self, task: Task, code: str, message: str, silent: bool = False) -> Again:
        """Recall again later; tell the control plane once, and once more when it turns out to be a contradiction."""
        delay = task.backoff.next()
        if task.told_unknown and (code not in _CONTRADICTIONS or code == task.told_unknown):
            return Again(delay, silent=silent)
        task.told_unknown = code
        return Again(delay, self._outcome(task, "unknown", code, message or say("device.no_answer")), silent)

    def _fault(self, task: Task, error: Exception) -> Outcome:
        words = say("order.fault", error=f"{type(error).__name__}: {error}")
        return self._outcome(task, "unreachable", "agent_fault", words)

    def _outcome(
        self, task: Task, result: Result, code: str = "", message: str = "", evidence: Evidence | None = None
    ) -> Outcome:
        return Outcome(
            job_id=task.order.job_id,
            taxpayer_id=task.order.taxpayer_id,
            epoch=task.order.epoch,
            result=result,
            at=text_of(self._clock()),
            code=plain(code, 64),
            message=plain(message) if message else "",
            evidence=evidence,
        )


def _differences(one: Evidence, other: Evidence) -> str:
    names = (name for name in one.__struct_fields__ if getattr(one, name) != getattr(other, name, None))
    return ", ".join(names)
