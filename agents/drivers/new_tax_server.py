"""Dialect of the new tax server (新税控服务器): orders as GP calls, endings as answers. Layout: DIALECTS.md."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from agents.drivers import gp_changes, gp_issue, gp_report, gp_seal, gp_stock, gp_table, gp_void
from agents.drivers import gp_replies as gp
from agents.drivers.catalog import Patience
from agents.drivers.contract import (
    Answer,
    Attempt,
    Busy,
    Contradiction,
    Done,
    Found,
    NeverExecuted,
    NoAnswer,
    NotReached,
    Recollection,
    Refused,
    StillWorking,
    Taken,
    Unreadable,
)
from agents.drivers.gp_calls import DeviceSaid, GpCalls
from agents.drivers.gp_issue import NextNumber, NumberKey
from agents.drivers.gp_observe import observe
from agents.drivers.gp_receive import Receiving
from agents.drivers.gp_transport import NotUnderstood, Unanswered, Unsent
from agents.phrases import say
from controlplane.wire.agents import DeviceAddress, Observation, Order
from controlplane.wire.evidence import Company, Kinds, Rates
from controlplane.wire.work import (
    FetchCompany,
    FetchKinds,
    FetchRates,
    IssueInvoice,
    ReceiveSegments,
    SynchroniseServer,
)

_ROOMS = (gp_changes, gp_stock, gp_report, gp_void, gp_seal, gp_table)
_CALLS = {work: call for room in _ROOMS for work, call in room.CALLS.items()}
_READS = {work: reading for room in _ROOMS for work, reading in room.READS.items()}


class NewTaxServer:
    """Driver of device kind ``new_tax_server``; see ``contract.Driver``."""

    def __init__(self, patience: Patience, clock: Callable[[], datetime]) -> None:
        self._calls = GpCalls(patience, clock)
        self._receiving = Receiving(self._calls)
        self._numbers: dict[NumberKey, NextNumber] = {}

    def perform(self, attempt: Attempt) -> Answer:
        """Do what the order says, once."""
        try:
            return self._perform(attempt)
        except Unsent as unsent:
            # After an earlier changing call of the same order, "nothing was sent" is not true of the order.
            return (NoAnswer if attempt.touched else NotReached)(unsent.code, unsent.detail)
        except Unanswered as unanswered:
            return NoAnswer(unanswered.code, unanswered.detail)
        except NotUnderstood as refusal:
            return Refused(refusal.code, refusal.detail)
        except DeviceSaid as said:
            return _answer(said)

    def poll(self, order: Order) -> Answer:
        """GP_YBJGCX after 1000."""
        try:
            if isinstance(order.work, ReceiveSegments):
                return self._receiving.poll(order, order.work)
            if isinstance(order.work, IssueInvoice):
                reply = self._calls.ask(order.address, "GP_YBJGCX", {"LSH": order.serial}, gp.InvoiceReply)
                return Done(reply.evidence(order.serial))
            result = self._recall_change(order)
        except (Unsent, Unanswered, NotUnderstood) as silence:
            return NoAnswer(silence.code, silence.detail)
        except DeviceSaid as said:
            return NoAnswer(said.code, said.message) if said.code == gp.UNKNOWN_SERIAL else _answer(said)
        return Done(result.evidence) if isinstance(result, Found) else NoAnswer(gp.UNKNOWN_SERIAL, "")

    def recall(self, order: Order) -> Recollection:
        """What the device remembers of the order's serial."""
        try:
            if isinstance(order.work, IssueInvoice):
                return self._recall_issue(order, order.work)
            if isinstance(order.work, ReceiveSegments):
                return self._receiving.recall(order, order.work)
            return self._recall_change(order)
        except Unsent as unsent:
            return Unreadable(unsent.code, unsent.detail, sent=False)
        except (Unanswered, NotUnderstood) as silence:
            return Unreadable(silence.code, silence.detail)
        except DeviceSaid as said:
            return _recollection(said, order)

    def observe(self, address: DeviceAddress, upload_cursor: int) -> Observation:
        """Read clock, line, limits, segments and uploads."""
        return observe(self._calls, address, upload_cursor)

    def close(self) -> None:
        """Drop kept connections."""
        self._calls.close()

    # --- performing -------------------------------------------------------------------------------

    def _perform(self, attempt: Attempt) -> Answer:
        order, work = attempt.order, attempt.order.work
        if isinstance(work, IssueInvoice):
            return self._issue(attempt, work)
        if isinstance(work, ReceiveSegments):
            return self._receiving.perform(attempt, work)
        call = _CALLS.get(type(work))
        if call is None:
            return self._read(order)
        try:
            reply = self._calls.change(attempt, call.code, {"LSH": order.serial, **call.body(work)}, gp.Change)
        except DeviceSaid as said:
            if said.code != call.good_news:
                raise
            reply = gp.Change(CODE=gp.OK)
            attempt.touched = True
        return Done(call.evidence(self._calls, order, reply))

    def _read(self, order: Order) -> Answer:
        work, address = order.work, order.address
        if isinstance(work, SynchroniseServer):
            return Done(gp_changes.server_facts(self._calls, address, after_change=False))
        if isinstance(work, FetchCompany):
            return Done(_company(self._calls.ask(address, "TP_QYXX", {}, gp.CompanyReply)))
        if isinstance(work, FetchKinds):
            monitor = self._calls.ask(address, "GP_JKXX", {}, gp.Monitor)
            return Done(Kinds(kinds=[kind.facts() for kind in monitor.JKSJ]))
        if isinstance(work, FetchRates):
            return Done(Rates(rates=self._calls.ask(address, "TP_SQSL", {}, gp.RatesReply).SL))
        reading = _READS.get(type(work))
        if reading is not None:
            return Done(reading(self._calls, address, work))
        return Refused("unsupported_work", say("order.unsupported", kind=type(work).__name__))

    def _issue(self, attempt: Attempt, work: IssueInvoice) -> Answer:
        """Sign with the number we expect; when the device has another one, go on from the device's."""
        key = (attempt.order.address.device_no or "", work.terminal_code, work.kind)
        number = self._numbers.pop(key, None) or self._read_number(attempt.order.address, work)
        try:
            reply = self._sign(attempt, work, number)
        except DeviceSaid as said:
            if said.code == gp.SERIAL_USED:
                return self._already_known(attempt.order, said)
            if said.code != gp.OTHER_NUMBER:
                raise
            number = self._read_number(attempt.order.address, work)
            reply = self._sign(attempt, work, number)
        evidence = reply.evidence(attempt.order.serial)
        if (evidence.invoice_code, evidence.invoice_no) == (number.code, number.number):
            following = number.after()
            if following is not None:
                self._numbers[key] = following
        return Done(evidence)

    def _sign(self, attempt: Attempt, work: IssueInvoice, number: NextNumber) -> gp.InvoiceReply:
        body = gp_issue.content(attempt.order, work)
        body |= {"LSH": attempt.order.serial, "DQFPDM": number.code, "DQFPHM": number.number}
        return self._calls.change(attempt, "GP_FPKJ", body, gp.InvoiceReply)

    def _read_number(self, address: DeviceAddress, work: IssueInvoice) -> NextNumber:
        body = {"FPLXDM": work.kind, "KPZDDM": work.terminal_code}
        reply = self._calls.ask(address, "GP_DQFPCX", body, gp.NumberReply)
        return NextNumber(reply.FPDM, reply.FPHM, reply.SYFS)

    def _already_known(self, order: Order, said: DeviceSaid) -> Answer:
        """9990: something stands under our serial. Only if nothing is in the journal is it a plain refusal."""
        nothing = isinstance(self.recall(order), NeverExecuted)
        return (Refused if nothing else NoAnswer)(said.code, said.message)

    # --- recalling --------------------------------------------------------------------------------

    def _recall_issue(self, order: Order, work: IssueInvoice) -> Recollection:
        reply = self._calls.ask(order.address, "GP_FPCX", {"LSH": order.serial}, gp.InvoiceReply)
        evidence = reply.evidence(order.serial)
        names = gp_issue.differing(order, work, evidence)
        if names:
            return Contradiction("content_differs", say("recall.differs", names=names))
        return Found(evidence)

    def _recall_change(self, order: Order) -> Recollection:
        call = _CALLS[type(order.work)]
        try:
            reply = self._calls.ask(order.address, "GP_YBJGCX", {"LSH": order.serial}, gp.Change)
        except DeviceSaid as said:
            if said.code == gp.UNKNOWN_SERIAL:
                return NeverExecuted()
            if said.code != call.good_news:
                raise
            reply = gp.Change(CODE=gp.OK)
        return Found(call.evidence(self._calls, order, reply))


def _answer(said: DeviceSaid) -> Answer:
    if said.code == gp.BUSY:
        return Busy(said.code, said.message)
    if said.code in (gp.TAKEN, gp.WORKING):
        return Taken(said.message)
    return Refused(said.code, said.message)


def _recollection(said: DeviceSaid, order: Order) -> Recollection:
    if said.code == gp.UNKNOWN_SERIAL:
        return NeverExecuted()
    if said.code in (gp.TAKEN, gp.WORKING, gp.BUSY):
        return StillWorking(said.message)
    if isinstance(order.work, IssueInvoice | ReceiveSegments):
        # A refused reading says nothing about the invoice.
        return Unreadable(said.code, said.message)
    return Refused(said.code, said.message)


def _company(reply: gp.CompanyReply) -> Company:
    return Company(
        taxpayer_id=reply.NSRSBH,
        taxpayer_name=reply.NSRMC,
        taxpayer_kind=reply.QYLX,
        tax_authority_code=reply.SWJGDM,
        tax_authority_name=reply.SWJGMC,
        may_issue=reply.KPBZ == "00",
        flags={name: str(value) for name, value in reply.BZ.items()},
    )
