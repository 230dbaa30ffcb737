"""领用 in the GP dialect: query what was granted, write it to the device, confirm it; resumable at any point.

Where a grant stands (LPZT) is all the memory needed: 0 is to be written, 1 to be confirmed, 2 is finished. The serials
of both changing calls are made from the order's serial and the grant's number, so the device knows a repeated call.
"""

from __future__ import annotations

from agents.digest import sha256_hex
from agents.drivers import gp_replies as gp
from agents.drivers.contract import Answer, Attempt, Done, Found, Later, NeverExecuted, Recollection, Refused, Taken
from agents.drivers.gp_calls import DeviceSaid, GpCalls
from agents.drivers.gp_numbers import Grant
from agents.phrases import say
from controlplane.wire.agents import Order
from controlplane.wire.evidence import Segments
from controlplane.wire.work import ReceiveSegments

WAIT_FOR_GRANT = 20.0
"""Seconds the bureau may take to decide on an application."""
_ASK_AGAIN = 1.0
_RECENT = 16
_TOLD = 100
"""Grants told with the evidence: the newest."""
_PASSING = frozenset({gp.BUSY, gp.TAKEN, gp.WORKING})
_WRITTEN = 1
_CONFIRMED = 2


class Receiving:
    """The three calls, for any order of kind segment.receive."""

    def __init__(self, calls: GpCalls) -> None:
        self._calls = calls

    def perform(self, attempt: Attempt, work: ReceiveSegments) -> Answer:
        """Take over everything granted; a patient order waits for grants up to ``WAIT_FOR_GRANT``."""
        order = attempt.order
        grants = self._grants(order, work)
        if not attempt.touched and all(grant.LPZT == _CONFIRMED for grant in grants):
            if not work.patient:
                return Done(self._evidence(order, grants))
            if attempt.elapsed < WAIT_FOR_GRANT:
                return Later(_ASK_AGAIN, say("receive.waiting"))
            return Refused("nothing_granted", say("receive.nothing_granted"))
        try:
            for grant in grants:
                self._take(attempt, grant)
        except DeviceSaid as said:
            # What is written and not confirmed must be known as such, or nobody would ever come back to it.
            if said.code in _PASSING or all(grant.LPZT != _WRITTEN for grant in grants):
                raise
            return Done(self._evidence(order, grants, f"{said.code} {said.message}"))
        return Done(self._evidence(order, grants))

    def _take(self, attempt: Attempt, grant: Grant) -> None:
        """Both changing calls for one grant, from where it stands."""
        steps = ("GP_FPWSGPLR", "TP_LPQR")
        while grant.LPZT < _CONFIRMED:
            body = {"LSH": _serial(attempt.order, grant, grant.LPZT), "LPBH": grant.LPBH}
            self._calls.change(attempt, steps[grant.LPZT], body, gp.Change)
            grant.LPZT += 1

    def poll(self, order: Order, work: ReceiveSegments) -> Answer:
        """After 1000: still at it, done, or time to go on."""
        grants = self._grants(order, work)
        for grant in grants:
            if grant.LPZT < _CONFIRMED and self._known(order, _serial(order, grant, grant.LPZT)) == gp.TAKEN:
                return Taken(say("device.working"))
        finished = self._finished(order, grants)
        return Later(0.0, say("device.working")) if finished is None else Done(finished)

    def recall(self, order: Order, work: ReceiveSegments) -> Recollection:
        """Finished when nothing is open and a confirmation made by this order is known; else it may simply go on."""
        finished = self._finished(order, self._grants(order, work))
        return NeverExecuted() if finished is None else Found(finished)

    def _finished(self, order: Order, grants: list[Grant]) -> Segments | None:
        if all(grant.LPZT == _CONFIRMED for grant in grants):
            for grant in grants[-_RECENT:]:
                if self._known(order, _serial(order, grant, 1)) == gp.OK:
                    return self._evidence(order, grants)
        return None

    def _grants(self, order: Order, work: ReceiveSegments) -> list[Grant]:
        return self._calls.ask(order.address, "GP_FPDXCX", {"FPLXDM": work.kind}, gp.GrantsReply).LPXX

    def _evidence(self, order: Order, grants: list[Grant], stopped_by: str = "") -> Segments:
        reply = self._calls.ask_after_change(order.address, "GP_LGXXCX", gp.SegmentsReply)
        return Segments(
            segments=[segment.facts() for segment in reply.LGXX],
            grants=[grant.facts() for grant in grants[-_TOLD:]],
            stopped_by=stopped_by,
        )

    def _known(self, order: Order, serial: str) -> str:
        """The CODE under which the device remembers a call."""
        try:
            return self._calls.ask(order.address, "GP_YBJGCX", {"LSH": serial}, gp.Change).CODE
        except DeviceSaid as said:
            return said.code


def _serial(order: Order, grant: Grant, step: int) -> str:
    return sha256_hex(f"{order.serial}/{grant.LPBH}/{step}".encode())[:32]
