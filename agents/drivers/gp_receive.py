"""领用 in the GP dialect: query what was granted, write it to the device, confirm it; resumable at any point.

Where a grant stands (LPZT) is all the memory needed: 0 is to be written, 1 to be confirmed, 2 is finished. The serials
of both changing calls are made from the order's serial and the grant's number, so the device knows a repeated call.
"""

from __future__ import annotations

from agents.digest import sha256_hex
from agents.drivers import gp_replies as gp
from agents.drivers.contract import Answer, Attempt, Done, Found, Later, NeverExecuted, Recollection, Refused, Taken
from agents.drivers.gp_calls import DeviceSaid, GpCalls
from agents.phrases import say
from controlplane.wire.agents import Order
from controlplane.wire.evidence import Segments
from controlplane.wire.work import ReceiveSegments

WAIT_FOR_GRANT = 20.0
"""Seconds the bureau may take to decide on an application."""
_ASK_AGAIN = 1.0
_RECENT = 16
_WRITTEN = 1
_CONFIRMED = 2


class Receiving:
    """The three calls, for any order of kind segment.receive."""

    def __init__(self, calls: GpCalls) -> None:
        self._calls = calls

    def perform(self, attempt: Attempt, work: ReceiveSegments) -> Answer:
        """Take over everything granted; wait for grants up to ``WAIT_FOR_GRANT``."""
        open_grants = [grant for grant in self._grants(attempt.order, work) if grant.LPZT < _CONFIRMED]
        if not open_grants and not attempt.touched:
            if attempt.elapsed < WAIT_FOR_GRANT:
                return Later(_ASK_AGAIN, say("receive.waiting"))
            return Refused("nothing_granted", say("receive.nothing_granted"))
        for grant in open_grants:
            body = {"LPBH": grant.LPBH}
            if grant.LPZT < _WRITTEN:
                self._calls.change(attempt, "GP_FPWSGPLR", {"LSH": _serial(attempt.order, grant, 0), **body}, gp.Change)
            self._calls.change(attempt, "TP_LPQR", {"LSH": _serial(attempt.order, grant, 1), **body}, gp.Change)
        return Done(self._segments(attempt.order))

    def poll(self, order: Order, work: ReceiveSegments) -> Answer:
        """After 1000: still at it, or time to go on."""
        for grant in self._grants(order, work):
            if grant.LPZT < _CONFIRMED and self._known(order, _serial(order, grant, grant.LPZT)) == gp.TAKEN:
                return Taken(say("device.working"))
        return Later(0.0, say("device.working"))

    def recall(self, order: Order, work: ReceiveSegments) -> Recollection:
        """Finished when nothing is open and a confirmation made by this order is known; else it may simply go on."""
        grants = self._grants(order, work)
        if any(grant.LPZT < _CONFIRMED for grant in grants):
            return NeverExecuted()
        for grant in grants[-_RECENT:]:
            if self._known(order, _serial(order, grant, 1)) == gp.OK:
                return Found(self._segments(order))
        return NeverExecuted()

    def _grants(self, order: Order, work: ReceiveSegments) -> list[gp.Grant]:
        return self._calls.ask(order.address, "GP_FPDXCX", {"FPLXDM": work.kind}, gp.GrantsReply).LPXX

    def _segments(self, order: Order) -> Segments:
        reply = self._calls.ask_after_change(order.address, "GP_LGXXCX", gp.SegmentsReply)
        return Segments(segments=[segment.facts() for segment in reply.LGXX])

    def _known(self, order: Order, serial: str) -> str:
        """The CODE under which the device remembers a call."""
        try:
            return self._calls.ask(order.address, "GP_YBJGCX", {"LSH": serial}, gp.Change).CODE
        except DeviceSaid as said:
            return said.code


def _serial(order: Order, grant: gp.Grant, step: int) -> str:
    return sha256_hex(f"{order.serial}/{grant.LPBH}/{step}".encode())[:32]
