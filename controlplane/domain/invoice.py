"""An invoice: its states, its upload states, and what counts as live and as settled."""

from __future__ import annotations

from typing import Final

from controlplane.domain.acts import ActSpec, Field, Words
from controlplane.domain.lifecycle import machine

RED_REASONS: Final = ("1", "2", "3", "4")
"""冲红原因: 1 goods returned, 2 issued in error, 3 service stopped, 4 allowance."""

MACHINE: Final = machine(
    "invoice",
    "waiting",
    (
        ("waiting", "issue", "issued"),
        ("waiting", "refuse", "refused"),
        ("waiting", "cancel", "refused"),
        ("issued", "void", "voided"),
        ("issued", "red_offset", "issued"),
    ),
)
"""Issued = the device assigned code and number and its journal was read back. Unknown stays waiting and says so."""

_NOUN = "invoices"
_PERMISSION = "invoices.cancel"

ACTS: Final = (
    ActSpec(_NOUN, "cancel", permission=_PERMISSION),
    ActSpec(_NOUN, "void", (Field("voided_by", "text", 16),), _PERMISSION, dangerous=True),
    ActSpec(
        _NOUN,
        "red_offset",
        (
            Field("request_id", "word"),
            Field("red_reason", "choice", choices=RED_REASONS),
            Field("red_form_no", "form_no", optional=True),
            Field("kind", "kind", optional=True),
            Field("issuer", "text", 16, optional=True),
            Field("payee", "text", 16, optional=True),
            Field("reviewer", "text", 16, optional=True),
            Field("remark", "text", 200, optional=True),
        ),
        _PERMISSION,
        dangerous=True,
    ),
)
"""What may be done with invoices. A red-offset without lines (which only programs send) is over all that is left."""

WORDS: Final[Words] = {
    "verb": {
        "cancel": ("撤销申请", "withdraw request"),
        "void": ("作废", "void"),
        "red_offset": ("冲红", "red-offset"),
    },
    "field": {
        "voided_by": ("作废人", "voided by"),
        "request_id": ("红字发票流水号", "request id of the red invoice"),
        "red_reason": ("冲红原因", "reason of the red invoice"),
        "red_form_no": ("红字信息表编号", "red form number"),
        "kind": ("票种", "kind"),
        "issuer": ("开票人", "issuer"),
        "payee": ("收款人", "payee"),
        "reviewer": ("复核人", "reviewer"),
        "remark": ("备注", "remark"),
    },
    "choice": {
        "1": ("销货退回", "goods returned"),
        "2": ("开票有误", "issued in error"),
        "3": ("服务中止", "service stopped"),
        "4": ("销售折让", "allowance"),
    },
}
"""Words for verbs, fields and choices."""

UPLOAD: Final = machine(
    "upload",
    "not_uploaded",
    (
        ("not_uploaded", "uploaded", "uploaded"),
        ("not_uploaded", "failed", "failed"),
        ("not_uploaded", "signature_rejected", "signature_rejected"),
        ("failed", "uploaded", "uploaded"),
        ("failed", "failed", "failed"),
        ("failed", "signature_rejected", "signature_rejected"),
    ),
)
"""Moves are the words of the device's upload results; a failed upload is tried again by the device."""

SETTLED: Final = frozenset({"issued", "refused", "voided"})
"""States in which a request has its outcome for ever."""

LIVE: Final = frozenset({"waiting", "issued"})
"""States that make a blue invoice count against a second one of the same order (unless fully red-offset)."""

LABELS: Final = {
    "waiting": ("待开", "waiting"),
    "issued": ("已开具", "issued"),
    "refused": ("已拒绝", "refused"),
    "voided": ("已作废", "voided"),
    "not_uploaded": ("未上传", "not uploaded"),
    "uploaded": ("已上传", "uploaded"),
    "failed": ("上传失败", "upload failed"),
    "signature_rejected": ("验签失败", "signature rejected"),
}
"""State or upload status → (Chinese, English) as shown."""


def live(state: str, fully_red_offset: bool = False) -> bool:
    """True when the invoice blocks another blue invoice of its order."""
    return state in LIVE and not fully_red_offset
