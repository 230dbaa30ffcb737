"""A segment of invoice numbers (号段): its states, and the state of a run as the device holds it."""

from __future__ import annotations

from typing import Final

from controlplane.domain.lifecycle import machine

MACHINE: Final = machine(
    "invoice_segment",
    "on_device",
    (
        ("on_device", "distribute", "on_terminal"),
        ("on_device", "exhaust", "exhausted"),
        ("on_terminal", "reclaim", "on_device"),
        ("on_terminal", "exhaust", "exhausted"),
    ),
)
"""What the device holds; the bureau's side of a grant (granted, written, confirmed) is a machine of its own."""

GRANT: Final = machine(
    "invoice_grant",
    "granted",
    (
        ("granted", "write", "written"),
        ("written", "confirm", "confirmed"),
    ),
)
"""领用 is three calls; a grant written but not yet confirmed is confirmed again after a restart."""

LABELS: Final = {
    "on_device": ("在设备", "on device"),
    "on_terminal": ("在终端", "on terminal"),
    "exhausted": ("已用完", "exhausted"),
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
