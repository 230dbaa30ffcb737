"""A red form (红字信息表), the bureau's leave for one red invoice of a special kind: states, native codes, verbs."""

from __future__ import annotations

from typing import Final

from controlplane.domain.acts import ActSpec, Field, Words
from controlplane.domain.lifecycle import machine

MACHINE: Final = machine(
    "red_form",
    "draft",
    (
        ("draft", "upload", "uploaded"),
        ("draft", "cancel", "cancelled"),
        ("uploaded", "query", "uploaded"),
        ("uploaded", "approve", "approved"),
        ("uploaded", "refuse", "refused"),
        ("uploaded", "cancel", "cancelled"),
        ("approved", "query", "approved"),
        ("approved", "cancel", "cancelled"),
        ("approved", "use", "used"),
        ("used", "query", "used"),
        ("used", "release", "approved"),
    ),
)
"""Used = its red invoice is issued; released when that red invoice was voided. Refused forms are made anew."""

OPEN: Final = frozenset({"draft", "uploaded", "approved"})
"""States in which a form keeps its amounts for a red invoice to come."""

JOB_KINDS: Final = {"upload": "redform.upload", "query": "redform.query", "cancel": "redform.cancel"}

MOVES_BY_STATUS: Final = {
    "TZD0500": "query",
    "TZD0000": "approve",
    "TZD1000": "approve",
    "TZD0061": "refuse",
    "TZD0071": "query",
    "TZD0072": "query",
    "TZD0073": "refuse",
    "TZD0074": "use",
    "TZD0075": "release",
    "TZD0076": "query",
    "TZD0077": "query",
    "TZD0078": "refuse",
    "TZD0079": "refuse",
    "TZD0080": "refuse",
    "TZD0082": "cancel",
    "TZD0083": "cancel",
    "TZD9998": "refuse",
}
"""The bureau's status → move. A status nobody wrote down moves nothing; it is kept and shown."""

STATUS_LABELS: Final = {
    "": ("", ""),
    "TZD0500": ("未上传", "not uploaded"),
    "TZD0000": ("审核通过", "approved"),
    "TZD1000": ("审核通过", "approved"),
    "TZD0061": ("重复上传", "uploaded twice"),
    "TZD0071": ("待查证", "to be looked into"),
    "TZD0072": ("已核销待查证", "written off, to be looked into"),
    "TZD0073": ("核销未通过待处理", "write-off refused, to be dealt with"),
    "TZD0074": ("已核销", "written off"),
    "TZD0075": ("核销后激活", "active again after write-off"),
    "TZD0076": ("处理中", "being dealt with"),
    "TZD0077": ("已处理", "dealt with"),
    "TZD0078": ("核销未通过待处理", "write-off refused, waiting"),
    "TZD0079": ("核销未通过处理中", "write-off refused, in work"),
    "TZD0080": ("核销未通过已处理", "write-off refused, done"),
    "TZD0082": ("已撤销", "cancelled"),
    "TZD0083": ("已作废", "void"),
    "TZD9998": ("上传失败", "upload failed"),
}
"""The bureau's status → (Chinese, English)."""

LABELS: Final = {
    "draft": ("待上传", "draft"),
    "uploaded": ("审核中", "with the bureau"),
    "approved": ("审核通过", "approved"),
    "refused": ("未通过", "refused"),
    "used": ("已开红票", "used"),
    "cancelled": ("已撤销", "cancelled"),
}
"""State → (Chinese, English) as shown."""

NEXT_ACTOR: Final = {"draft": "operator", "uploaded": "bureau", "approved": "operator"}
"""State → who must act next; a state that is missing waits for nobody."""

APPLICANTS: Final = ("seller", "buyer_not_deducted", "buyer_deducted")

_NOUN = "red-forms"
_PERMISSION = "invoices.cancel"

ACTS: Final = (
    ActSpec(
        _NOUN,
        "register",
        (
            Field("invoice_id", "id"),
            Field("applicant", "choice", choices=APPLICANTS),
            Field("line_nos", "words", optional=True),
        ),
        _PERMISSION,
        "collection",
    ),
    ActSpec(_NOUN, "upload", permission=_PERMISSION),
    ActSpec(_NOUN, "query", permission=_PERMISSION),
    ActSpec(_NOUN, "cancel", permission=_PERMISSION, dangerous=True),
)
"""What may be done with red forms. Without lines a form is over all that is left of its invoice."""

WORDS: Final[Words] = {
    "verb": {
        "register": ("登记信息表", "register red form"),
        "upload": ("上传信息表", "upload red form"),
        "query": ("查询审核结果", "query the verdict"),
        "cancel": ("撤销信息表", "cancel red form"),
    },
    "field": {
        "invoice_id": ("蓝字发票编号", "id of the blue invoice"),
        "applicant": ("申请方", "applicant"),
        "line_nos": ("蓝字发票行号 (空为全部)", "line numbers (none: all)"),
    },
    "choice": {
        "seller": ("销方申请", "seller"),
        "buyer_not_deducted": ("购方申请, 未抵扣", "buyer, not deducted"),
        "buyer_deducted": ("购方申请, 已抵扣", "buyer, deducted"),
    },
}
"""Words for verbs, fields and choices."""
