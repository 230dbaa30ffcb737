"""Taxpayers and code tables in the GP dialect: readings, which may simply be asked again."""

from __future__ import annotations

from agents.drivers import gp_replies as gp
from agents.drivers.gp_call import Call, Reading, given
from agents.drivers.gp_calls import GpCalls
from agents.drivers.gp_transport import Unanswered
from agents.plain_text import plain
from controlplane.wire.agents import DeviceAddress
from controlplane.wire.evidence import CodeFacts, CodePage, FlagFacts, TaxpayerFacts
from controlplane.wire.work import FetchCodes, FetchTaxpayer

_NAME_MOST = 200


def _taxpayer(calls: GpCalls, address: DeviceAddress, work: FetchTaxpayer) -> TaxpayerFacts:
    reply = calls.ask(address, "TP_NSRXX", {"NSRSBH": work.taxpayer_id}, gp.TaxpayerReply)
    return TaxpayerFacts(
        taxpayer_id=given(reply.NSRSBH, "NSRSBH"),
        name=plain(given(reply.NSRMC, "NSRMC"), _NAME_MOST),
        taxpayer_kind=given(reply.NSRXZ, "NSRXZ"),
        registration_seq=reply.DJXH,
        tax_authority_code=reply.ZGSWJGDM,
        tax_authority_name=plain(reply.ZGSWJGMC, _NAME_MOST),
        may_issue=given(reply.KPBZ, "KPBZ") == "00",
        flags=[FlagFacts(one.BZDM, one.BZZ, _day(one.YXQQ), _day(one.YXQZ)) for one in reply.BZ],
    )


def _codes(calls: GpCalls, address: DeviceAddress, work: FetchCodes) -> CodePage:
    asked = {"BBH": work.version, "QSXH": work.start, "ZS": work.most}
    reply = calls.ask(address, "TP_SSBMQQ", asked, gp.CodesReply)
    if work.start != reply.QSXH or len(reply.BM) > work.most or reply.ZS < 0:
        raise Unanswered("foreign_answer", f"answer speaks of rows from {reply.QSXH}, asked for {work.start}")
    return CodePage(
        version=given(reply.BBH, "BBH"),
        published_on=_day(reply.FBRQ),
        total=reply.ZS,
        start=reply.QSXH,
        digest=given(reply.ZY, "ZY").lower(),
        rows=[_row(row) for row in reply.BM],
    )


def _row(row: gp.CodeOfTable) -> CodeFacts:
    return CodeFacts(
        code=row.SPBM,
        name=row.MC,
        short_name=row.SPBMJC,
        rates=row.ZZSSL,
        sum_only=row.HZX == "Y",
        usable=row.KYZT == "Y",
        parent=row.PID,
        note=row.BZ,
        valid_from=_day(row.QYSJ),
        valid_to=_day(row.ZZSJ),
    )


def _day(text: str) -> str:
    """``yyyyMMdd`` as ``YYYY-MM-DD``; whatever else it is goes up as it is and is looked at there."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else text


CALLS: dict[type, Call] = {}
"""Work that changes something → its call."""

READS: dict[type, Reading] = {FetchTaxpayer: _taxpayer, FetchCodes: _codes}
"""Work that only reads → how it is read."""
