"""Replies of the GP dialect as read, and their translation into what the control plane understands."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import Struct

from agents.drivers.gp_numbers import Application, Grant, Segment
from agents.drivers.gp_transport import DEVICE_ZONE, Unanswered
from agents.instants import text_of
from agents.plain_text import plain
from controlplane.wire.agents import UploadFacts
from controlplane.wire.evidence import IssuedInvoice, KindFacts

OK = "0000"
WORKING = "0001"
TAKEN = "1000"
OTHER_NUMBER = "1003"
BUSY = "7503"
UNKNOWN_SERIAL = "9001"
SERIAL_USED = "9990"
NO_CALIBRATION_NEEDED = "99800011"
INDEFINITE = frozenset({"9007", "9999"})
"""Failures of the device that do not say whether it did anything."""


class Reply(Struct, kw_only=True):
    """What every reply body holds."""

    CODE: str
    MSG: str = ""


class Change(Reply, kw_only=True):
    """Reply of any changing call but the issue; each call fills some of it."""

    XNSBH: str = ""
    SYKFXSL: int | None = None
    JZQSSJ: str = ""
    JZYXQZ: str = ""
    SLXH: str = ""
    LGXX: list[Segment] | None = None
    MYSY: str = ""
    QMGY: str = ""
    SQBH: str = ""
    SQZT: int = -1
    YXQZ: str = ""
    MS: str = ""
    ZY: str = ""
    QM: str = ""
    QMSF: str = ""
    DQBBH: str = ""
    ZJJG: int = -1
    HTZT: int = -1
    SLXLH: str = ""
    QCKC: int | None = None
    LGFS: int = 0
    THFS: int = 0
    QMKC: int = 0
    ZSFS: int = 0
    ZSJE: str = "0.00"
    ZSSE: str = "0.00"
    FSFS: int = 0
    FSJE: str = "0.00"
    FSSE: str = "0.00"
    ZFFS: int = 0
    XH: int = 0
    FPDM: str = ""
    FPHM: str = ""
    ZFSJ: str = ""
    SQDH: str = ""
    XXBBH: str = ""
    XXBZT: str = ""
    XXBMS: str = ""

    def summary(self) -> dict[str, Any] | None:
        """Counts and totals of a period (汇总数据); None when the reply holds none."""
        return None if self.QCKC is None else {name: getattr(self, native) for name, native in _SUMMARY.items()}


_SUMMARY = {
    "opening": "QCKC",
    "received": "LGFS",
    "returned": "THFS",
    "closing": "QMKC",
    "blue_count": "ZSFS",
    "blue_net": "ZSJE",
    "blue_tax": "ZSSE",
    "red_count": "FSFS",
    "red_net": "FSJE",
    "red_tax": "FSSE",
    "void_count": "ZFFS",
}
NOTHING: dict[str, Any] = {name: "0.00" if native.endswith(("JE", "SE")) else 0 for name, native in _SUMMARY.items()}
"""The summary of a kind that was never used."""


class VerdictReply(Reply, kw_only=True):
    """TP_CBJGCX. ``CLZT`` 0 processing, 1 accepted, 2 refused; ``XSB``, ``YSB``: return wanted, return filed."""

    CLZT: int = -1
    CLMS: str = ""
    XSB: int = 0
    YSB: int = 0


class ReleaseLine(Struct):
    """One announced version (BBXX); dates yyyyMMdd, QYSJ empty when nobody said."""

    BBH: str
    FBRQ: str
    QYSJ: str = ""
    SM: str = ""


class ReleasesReply(Reply, kw_only=True):
    """TP_BBCX."""

    DQBBH: str = ""
    BBXX: list[ReleaseLine] = []


class ProxyReply(Reply, kw_only=True):
    """TP_DLXX. ``YXZT`` 1 running; LJS connections now, ZDLJS at most; ``SFS`` bureau addresses held."""

    BBH: str = ""
    YXZT: int = 0
    LJS: int = 0
    ZDLJS: int = 0
    SOCKLJS: int = 0
    LXXZJG: int = 0
    RZJB: int = 0
    PTKEY: int = 0
    SFS: int = 0


class Server(Reply, kw_only=True):
    """TP_FWQXX."""

    SWUKBH: str = ""
    XNSBZS: int = 0
    SYKFXSL: int = 0
    FWQSJ: str = ""
    LJNH: str = ""
    FXZT: int = 0
    ZZZT: int = 0
    JZYXQZ: str = ""
    ZGSWJGDM: str = ""
    ZGSWJGMC: str = ""
    ZSJD: str = ""
    ZSZT: str = ""
    JZQSSJ: str = ""
    ZSSQSJ: str = ""
    ZSTBSJ: str = ""


class CompanyReply(Reply, kw_only=True):
    """TP_QYXX."""

    NSRSBH: str = ""
    NSRMC: str = ""
    QYLX: str = ""
    SWJGDM: str = ""
    SWJGMC: str = ""
    KPBZ: str = ""
    BZ: dict[str, str | int] = {}


class KindMonitor(Struct):
    """One kind in JKSJ."""

    FPLXDM: str
    KPJZSJ: str
    BSQSRQ: str
    BSZZRQ: str
    ZXBSRQ: str
    DZKPXE: str
    SCJZRQ: int
    LXKPSC: int
    LXKPZS: int
    LXZSLJJE: str
    FSFPBZ: int = 0
    FSFPTS: int = 0

    def facts(self) -> KindFacts:
        """As reported to the control plane."""
        return KindFacts(
            kind=self.FPLXDM,
            issue_deadline=self.KPJZSJ[:8],
            report_from=self.BSQSRQ[:8],
            report_to=self.BSZZRQ[:8],
            last_report_date=self.ZXBSRQ[:8],
            single_limit=self.DZKPXE,
            upload_deadline_day=self.SCJZRQ,
            offline_max_hours=self.LXKPSC,
            offline_max_count=self.LXKPZS,
            offline_max_amount=self.LXZSLJJE,
            red_needs_original=self.FSFPBZ == 1,
            red_max_days=self.FSFPTS,
        )


class Monitor(Reply, kw_only=True):
    """GP_JKXX."""

    SBSJ: str = ""
    JKSJ: list[KindMonitor] = []
    LXQSSJ: str = ""
    LXZS: int = 0
    LXJE: str = "0.00"
    JDZT: int = 0
    JDMS: str = ""
    ZDXH: int = 0


class RedFormReply(Reply, kw_only=True):
    """GP_HZXXBXXCX."""

    SQDH: str = ""
    XXBBH: str = ""
    XXBZT: str = ""
    XXBMS: str = ""


class RatesReply(Reply, kw_only=True):
    """TP_SQSL."""

    SL: list[str] = []


class SegmentsReply(Reply, kw_only=True):
    """GP_LGXXCX."""

    LGXX: list[Segment] = []


class ApplicationsReply(Reply, kw_only=True):
    """GP_SLXXCX."""

    SLXX: list[Application] = []


class GrantsReply(Reply, kw_only=True):
    """GP_FPDXCX."""

    LPXX: list[Grant] = []


class FlagOfTaxpayer(Struct):
    """One flag with its validity (BZ of TP_NSRXX); days yyyyMMdd, empty = no end known."""

    BZDM: str
    BZZ: str
    YXQQ: str = ""
    YXQZ: str = ""


class TaxpayerReply(Reply, kw_only=True):
    """TP_NSRXX."""

    NSRSBH: str = ""
    NSRMC: str = ""
    NSRXZ: str = ""
    DJXH: str = ""
    ZGSWJGDM: str = ""
    ZGSWJGMC: str = ""
    KPBZ: str = ""
    BZ: list[FlagOfTaxpayer] = []


class CodeOfTable(Struct):
    """One row of the code table (BM); ``ZZSSL`` rates joined by blanks, ``HZX`` and ``KYZT`` Y or N."""

    SPBM: str
    MC: str
    SPBMJC: str = ""
    ZZSSL: str = ""
    HZX: str = "N"
    KYZT: str = "Y"
    PID: str = ""
    BZ: str = ""
    QYSJ: str = ""
    ZZSJ: str = ""


class CodesReply(Reply, kw_only=True):
    """TP_SSBMQQ."""

    BBH: str = ""
    FBRQ: str = ""
    ZS: int = -1
    QSXH: int = -1
    ZY: str = ""
    BM: list[CodeOfTable] = []


class NumberReply(Reply, kw_only=True):
    """GP_DQFPCX."""

    FPDM: str = ""
    FPHM: str = ""
    SYFS: int = 0


class InvoiceReply(Reply, kw_only=True):
    """GP_FPKJ, and GP_FPCX by serial."""

    XH: int = 0
    LSH: str = ""
    FPQQLSH: str = ""
    DDH: str = ""
    FPLXDM: str = ""
    KPZDDM: str = ""
    FPDM: str = ""
    FPHM: str = ""
    KPRQ: str = ""
    JYM: str = ""
    SKM: str = ""
    QMZ: str = ""
    HJJE: str = ""
    HJSE: str = ""
    JSHJ: str = ""
    BWZY: str = ""

    def evidence(self, serial: str) -> IssuedInvoice:
        """The invoice, if it is whole and bears our serial.

        Raises:
            Unanswered: it is not; then this is no answer to our question.
        """
        if serial != self.LSH:
            raise Unanswered("foreign_answer", f"answer speaks of another serial: {self.LSH}")
        if self.XH < 1 or not (self.FPHM.isdigit() and self.BWZY and len(self.KPRQ) == 14 and self.KPRQ.isdigit()):
            raise Unanswered("damaged", "invoice without number, position, time or digest")
        when = self.KPRQ
        return IssuedInvoice(
            index=self.XH,
            serial=serial,
            request_id=self.FPQQLSH,
            order_no=self.DDH,
            kind=self.FPLXDM,
            terminal_code=self.KPZDDM,
            invoice_code=self.FPDM,
            invoice_no=self.FPHM,
            check_code=self.JYM,
            cipher=self.SKM,
            signature=self.QMZ,
            issued_at=f"{when[:4]}-{when[4:6]}-{when[6:8]}T{when[8:10]}:{when[10:12]}:{when[12:]}+08:00",
            net_total=self.HJJE,
            tax_total=self.HJSE,
            gross_total=self.JSHJ,
            payload_hash=self.BWZY.lower(),
        )


_RESULTS: dict[int, Literal["uploaded", "failed", "signature_rejected"]] = {
    1: "uploaded",
    2: "failed",
    4: "signature_rejected",
}


class Upload(Struct):
    """One line of SCJG. ``SCZT`` 0 not uploaded, 1 uploaded, 2 failed, 3 on its way, 4 signature rejected."""

    XH: int
    LSH: str
    FPDM: str
    FPHM: str
    SCZT: int
    SLXLH: str | None = None
    SCSJ: str | None = None
    SCMS: str | None = None

    def facts(self, read_at: str) -> UploadFacts | None:
        """As reported to the control plane; None while there is no result."""
        status = _RESULTS.get(self.SCZT)
        if status is None:
            return None
        return UploadFacts(
            index=self.XH,
            serial=self.LSH,
            invoice_code=self.FPDM,
            invoice_no=self.FPHM,
            status=status,
            receipt_no=self.SLXLH or None,
            at=utc_text(self.SCSJ) if self.SCSJ else read_at,
            message=plain(self.SCMS or ""),
            code=str(self.SCZT),
        )


class UploadsReply(Reply, kw_only=True):
    """GP_SCJGCX."""

    SCJG: list[Upload] = []


STAGES: dict[str, Literal["none", "temporary", "formal_requested", "formal_synced"]] = {
    "0": "none",
    "1": "temporary",
    "2": "formal_requested",
    "3": "formal_synced",
}
"""ZSJD of TP_FWQXX."""
STATUS: dict[str, Literal["00", "01", "02", "03"]] = {"00": "00", "01": "01", "02": "02", "03": "03"}
"""ZSZT of TP_FWQXX; a word that is not there is not told on."""


def maybe_utc(device_text: str) -> str | None:
    """As :func:`utc_text`; None for an empty text."""
    return utc_text(device_text) if device_text else None


def moment_of(device_text: str) -> datetime:
    """A device time ``yyyyMMddHHmmss`` or the last second of a device date ``yyyyMMdd``.

    Raises:
        Unanswered: it is neither.
    """
    text = device_text if len(device_text) != 8 else device_text + "235959"
    try:
        if len(text) != 14:
            raise ValueError(text)
        year, rest = int(text[:4]), [int(text[at : at + 2]) for at in range(4, 14, 2)]
        return datetime(year, rest[0], rest[1], rest[2], rest[3], rest[4], tzinfo=DEVICE_ZONE)
    except ValueError as error:
        raise Unanswered("damaged", f"not a device time: {device_text}") from error


def utc_text(device_text: str) -> str:
    """Device time as UTC text."""
    return text_of(moment_of(device_text))


def clock_offset(device_text: str, asked_at: datetime, took: float) -> float:
    """Device clock minus host clock in seconds; the device's text holds whole seconds, so its middle is taken."""
    device = moment_of(device_text) + timedelta(seconds=0.5)
    return round((device - (asked_at + timedelta(seconds=took / 2))).total_seconds(), 3)
