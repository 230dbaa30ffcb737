"""A job: one order to one device, leased under an epoch, settled once."""

from __future__ import annotations

from typing import Final

from controlplane.domain.lifecycle import machine

MACHINE: Final = machine(
    "job",
    "queued",
    (
        ("queued", "lease", "leased"),
        ("queued", "withdraw", "refused"),
        ("leased", "lease", "leased"),
        ("leased", "unreachable", "queued"),
        ("leased", "requeue", "queued"),
        ("leased", "unknown", "unknown"),
        ("leased", "done", "done"),
        ("leased", "refused", "refused"),
        ("unknown", "lease", "unknown"),
        ("unknown", "unknown", "unknown"),
        ("unknown", "unreachable", "unknown"),
        ("unknown", "requeue", "queued"),
        ("unknown", "done", "done"),
        ("unknown", "refused", "refused"),
    ),
)
"""The moves done, refused, unreachable and unknown are the results an agent reports.

``requeue`` gives a job back unworked or proven not executed. An unknown job that is leased again stays unknown: the
agent reads the device's journal before anything else, and a device out of reach proves nothing; it never becomes queued
by time alone. ``withdraw`` needs no device.
"""

OPEN: Final = frozenset({"queued", "leased", "unknown"})
"""States of a job that is still under way."""

HELD: Final = frozenset({"leased", "unknown"})
"""States in which the device may have been touched: no other job may be leased for that device."""

MOVES_BY_RESULT: Final = {
    "done": "done",
    "refused": "refused",
    "unreachable": "unreachable",
    "unknown": "unknown",
}
"""Result word of an agent's outcome → move."""

LABELS: Final = {
    "queued": ("排队", "queued"),
    "leased": ("执行中", "leased"),
    "unknown": ("结果未知", "unknown"),
    "done": ("完成", "done"),
    "refused": ("拒绝", "refused"),
}
"""State → (Chinese, English) as shown."""
