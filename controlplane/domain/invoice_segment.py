"""A segment of invoice numbers (号段): its states, and the state of a run as the device holds it."""

from __future__ import annotations

from typing import Final

from controlplane.domain.lifecycle import machine
from controlplane.domain.refusals import Refusal, refuse

MACHINE: Final = machine(
    "invoice_segment",
    "on_device",
    (
        ("on_device", "distribute", "on_terminal"),
        ("on_device", "return", "returned"),
        ("on_device", "exhaust", "exhausted"),
        ("on_terminal", "reclaim", "on_device"),
        ("on_terminal", "exhaust", "exhausted"),
    ),
)
"""What the device holds; the bureau's side of a grant (granted, written, confirmed) is a machine of its own.

What was returned stays on record as a run of its own, though the device holds it no more: issued, voided, returned and
unused numbers together are the grant.
"""

HELD: Final = frozenset({"on_device", "on_terminal"})
"""States of runs that still have numbers on the device."""

GRANT: Final = machine(
    "invoice_grant",
    "granted",
    (
        ("granted", "write", "written"),
        ("written", "confirm", "confirmed"),
    ),
)
"""领用 is three calls; a grant written but not yet confirmed is confirmed again after a restart."""

_STEPS: Final = ("granted", "written", "confirmed")


def grant_after(known: str | None, told: str) -> str:
    """State of a grant of which the device tells ``told``: it walks the machine forward, and never goes back."""
    if known is None:
        return told
    while _STEPS.index(known) < _STEPS.index(told):
        known = GRANT.after(known, GRANT.allowed(known)[0])
    return known


LABELS: Final = {
    "on_device": ("在设备", "on device"),
    "on_terminal": ("在终端", "on terminal"),
    "exhausted": ("已用完", "exhausted"),
    "returned": ("已退回", "returned"),
    "granted": ("已批准", "granted"),
    "written": ("已写盘未确认", "written"),
    "confirmed": ("已确认", "confirmed"),
}
"""State → (Chinese, English) as shown."""


def state_of(remaining: int, terminal_code: str | None) -> str:
    """State of a run of numbers as the device reports it."""
    if remaining <= 0:
        return "exhausted"
    return "on_terminal" if terminal_code else "on_device"


def unused_tail(run: tuple[int, int, int], wanted: tuple[int, int], spoken_for: int) -> Refusal | None:
    """Why ``wanted`` (first number, count) may not leave a run (first, last, next number); None when it may.

    Only the tail leaves, only what is unused, and not what ``spoken_for`` waiting invoices may come to draw from it.
    """
    start, last, following = run
    first, count = wanted
    if first + count - 1 != last or first < max(start, following):
        left = max(0, last - following + 1)
        return refuse("run_not_tail", "start_no", end_no=f"{last:08d}", next_no=f"{following:08d}", left=left)
    free = max(0, last - following + 1 - spoken_for)
    if count > free:
        return refuse("numbers_spoken_for", "count", count=count, waiting=spoken_for, free=free)
    return None
