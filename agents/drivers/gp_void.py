"""Voiding and red forms in the GP dialect."""

from __future__ import annotations

from typing import Any

from agents.drivers import gp_replies as gp
from agents.drivers.gp_call import Call, Reading, given
from agents.drivers.gp_calls import GpCalls
from agents.drivers.gp_issue import line_body
from agents.drivers.gp_transport import Unanswered
from agents.plain_text import plain
from controlplane.wire.agents import DeviceAddress, Order
from controlplane.wire.evidence import RedFormFacts, Voided
from controlplane.wire.work import CancelRedForm, QueryRedForm, UploadRedForm, VoidInvoice

_APPLICANTS = {"seller": "0000000100", "buyer_not_deducted": "1010000000", "buyer_deducted": "1100000000"}
"""申请说明 of 10 digits."""


def _void(work: VoidInvoice) -> dict[str, Any]:
    return {
        "FPLXDM": work.kind,
        "ZFLX": "1",
        "FPDM": work.invoice_code,
        "FPHM": work.invoice_no,
        "JSHJ": work.gross_total,
        "ZFR": work.voided_by,
        "ZFYY": work.reason,
    }


def _voided(calls: GpCalls, order: Order, reply: gp.Change) -> Voided:
    """The void as the device wrote it; a reply about another invoice is no answer to our question."""
    work = order.work
    assert isinstance(work, VoidInvoice)
    if (work.invoice_code, work.invoice_no) != (reply.FPDM, reply.FPHM):
        raise Unanswered("foreign_answer", f"answer speaks of {reply.FPDM} {reply.FPHM}")
    when = given(reply.ZFSJ, "ZFSJ")
    if reply.XH < 1 or len(when) != 14 or not when.isdigit():
        raise Unanswered("damaged", "void without position or time")
    at = f"{when[:4]}-{when[4:6]}-{when[6:8]}T{when[8:10]}:{when[10:12]}:{when[12:]}+08:00"
    return Voided(invoice_code=reply.FPDM, invoice_no=reply.FPHM, voided_at=at, index=reply.XH)


def _upload(work: UploadRedForm) -> dict[str, Any]:
    return {
        "SQDH": work.form_no,
        "FPLXDM": work.kind,
        "YFPDM": work.original_code,
        "YFPHM": work.original_no,
        "SQSM": _APPLICANTS[work.applicant],
        "YYSBZ": "0000000000",
        "HJJE": work.net_total,
        "HJSE": work.tax_total,
        "FYXM": [line_body(line) for line in work.lines],
    }


def _taken(calls: GpCalls, order: Order, reply: gp.Change) -> RedFormFacts:
    return _facts(reply, order.work)


def _facts(reply: gp.Change | gp.RedFormReply, work: Any) -> RedFormFacts:
    if work.form_no != reply.SQDH:
        raise Unanswered("foreign_answer", f"answer speaks of form {reply.SQDH}")
    return RedFormFacts(
        form_no=reply.SQDH, red_form_no=reply.XXBBH, status=given(reply.XXBZT, "XXBZT"), message=plain(reply.XXBMS)
    )


def _query(calls: GpCalls, address: DeviceAddress, work: QueryRedForm) -> RedFormFacts:
    return _facts(calls.ask(address, "GP_HZXXBXXCX", {"SQDH": work.form_no}, gp.RedFormReply), work)


CALLS: dict[type, Call] = {
    VoidInvoice: Call("GP_FPZF", _voided, _void),
    UploadRedForm: Call("GP_HZXXBSQ", _taken, _upload),
    CancelRedForm: Call("GP_HZXXBCX", _taken, lambda work: {"SQDH": work.form_no}),
}
"""Work that changes something → its call."""

READS: dict[type, Reading] = {QueryRedForm: _query}
"""Work that only reads → how it is read."""
