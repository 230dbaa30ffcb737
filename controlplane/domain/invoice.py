"""An invoice: its states, its upload states, and what counts as live and as settled."""

from __future__ import annotations

from typing import Final

from controlplane.domain.lifecycle import machine

MACHINE: Final = machine(
    "invoice",
    "waiting",
    (
        ("waiting", "issue", "issued"),
        ("waiting", "refuse", "refused"),
        ("issued", "void", "voided"),
    ),
)
"""Issued = the device assigned code and number and its journal was read back. Unknown stays waiting and says so."""

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
