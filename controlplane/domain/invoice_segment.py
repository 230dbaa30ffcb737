"""A segment of invoice numbers (号段): its states and the arithmetic of numbers as 8-digit text."""

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

NUMBER_WIDTH: Final = 8

LABELS: Final = {
    "on_device": ("在设备", "on device"),
    "on_terminal": ("在终端", "on terminal"),
    "exhausted": ("已用完", "exhausted"),
    "granted": ("已批准", "granted"),
    "written": ("已写盘未确认", "written"),
    "confirmed": ("已确认", "confirmed"),
}
"""State → (Chinese, English) as shown."""


def count(start_no: str, end_no: str) -> int:
    """Numbers from start to end, both included; 0 when the end lies before the start."""
    return max(0, int(end_no) - int(start_no) + 1)


def left(next_no: str, end_no: str) -> int:
    """Numbers not used yet; 0 when the next number has passed the end."""
    return count(next_no, end_no)


def number_after(number: str, steps: int = 1) -> str:
    """The number ``steps`` further on, in 8 digits; ValueError beyond 99999999."""
    reached = int(number) + steps
    if not 0 <= reached < 10**NUMBER_WIDTH:
        raise ValueError(f"no {NUMBER_WIDTH}-digit number {steps} after {number}")
    return f"{reached:0{NUMBER_WIDTH}d}"


def overlap(first: tuple[str, str], second: tuple[str, str]) -> bool:
    """True when two (start_no, end_no) runs of the same code share a number."""
    return int(first[0]) <= int(second[1]) and int(second[0]) <= int(first[1])


def state_of(remaining: int, terminal_code: str | None) -> str:
    """State of a run of numbers as the device reports it."""
    if remaining <= 0:
        return "exhausted"
    return "on_terminal" if terminal_code else "on_device"
