"""What every driver offers: perform an order, recall what became of it, observe a device.

A driver raises nothing for what a device or the network does to it: each ending has its own answer, because what may
be done next depends on it. Only ``Done`` and ``Refused`` are definite. After ``NoAnswer`` only ``recall`` is allowed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from controlplane.wire.agents import DeviceAddress, Observation, Order
from controlplane.wire.evidence import Evidence
from controlplane.wire.work import (
    CheckRelease,
    FetchCodes,
    FetchCompany,
    FetchKinds,
    FetchRates,
    FetchTaxpayer,
    IssueInvoice,
    QueryApplications,
    QueryRedForm,
    ReadDevice,
    ReadProxy,
    SynchroniseServer,
    VerifyReport,
)

_READING = (
    SynchroniseServer,
    FetchCompany,
    FetchKinds,
    FetchRates,
    ReadDevice,
    FetchTaxpayer,
    FetchCodes,
    CheckRelease,
    ReadProxy,
    QueryApplications,
    QueryRedForm,
    VerifyReport,
)


class Done(Struct, frozen=True):
    """The device did it and said so."""

    evidence: Evidence


class Refused(Struct, frozen=True):
    """A definite no of device or bureau: nothing was done."""

    code: str
    message: str


class NotReached(Struct, frozen=True):
    """Nothing was sent, so nothing happened."""

    code: str
    message: str


class NoAnswer(Struct, frozen=True):
    """Something was sent and no definite answer came: it may or may not have been done."""

    code: str
    message: str


class Busy(Struct, frozen=True):
    """The device works on something else and did not begin this."""

    code: str
    message: str


class Taken(Struct, frozen=True):
    """The device took the order and has not finished: ask by ``poll``."""

    message: str


class Later(Struct, frozen=True):
    """Nothing to do yet and nothing done: perform again after ``delay`` seconds."""

    delay: float
    message: str


Answer = Done | Refused | NotReached | NoAnswer | Busy | Taken | Later


class Found(Struct, frozen=True):
    """The device has done it; ``evidence`` as the device itself remembers it."""

    evidence: Evidence


class NeverExecuted(Struct, frozen=True):
    """The device definitely did not do it (or not all of it): performing with the same serial is safe."""


class StillWorking(Struct, frozen=True):
    """The device has it in hand."""

    message: str


class Unreadable(Struct, frozen=True):
    """The device's memory could not be read. ``sent`` is False when no connection came about."""

    code: str
    message: str
    sent: bool = True


class Contradiction(Struct, frozen=True):
    """The device remembers something else under this serial: a person must look."""

    code: str
    message: str


Recollection = Found | Refused | NeverExecuted | StillWorking | Unreadable | Contradiction


class Attempt:
    """One order being performed.

    ``elapsed``: seconds since it was first begun here; ``begun``: a changing call was about to be made; ``touched``:
    one was answered.
    """

    __slots__ = ("_intend", "begun", "elapsed", "order", "touched")

    def __init__(self, order: Order, elapsed: float, intend: Callable[[], None]) -> None:
        self.order = order
        self.elapsed = elapsed
        self.begun = False
        self.touched = False
        self._intend = intend

    def intend(self) -> None:
        """To be called before every call that changes something: returns once the intent is on disk, or raises.

        Raises:
            Exception: the intent could not be made durable; the changing call must not be made.
        """
        self._intend()
        self.begun = True


class Driver(Protocol):
    """The seam between workbench and dialect. Methods are called from several threads, for one device one at a time."""

    def perform(self, attempt: Attempt) -> Answer:
        """Do what the order says, calling ``attempt.intend()`` before each changing call."""
        ...

    def poll(self, order: Order) -> Answer:
        """After ``Taken``: what the device says of it now."""
        ...

    def recall(self, order: Order) -> Recollection:
        """Read from the device what became of the order's serial. Changes nothing."""
        ...

    def observe(self, address: DeviceAddress, upload_cursor: int) -> Observation:
        """Read the device; uploads from journal position ``upload_cursor`` + 1 on, at most 200."""
        ...

    def close(self) -> None:
        """Drop kept connections."""
        ...


def changes(order: Order) -> bool:
    """Whether the order can change something on a device; all others may simply be asked again."""
    return not isinstance(order.work, _READING)


def is_read_back(order: Order) -> bool:
    """Whether the result must be found in the device's journal before it is reported as done."""
    return isinstance(order.work, IssueInvoice)
