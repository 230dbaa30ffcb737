"""A letter's way to one recipient: queued, put off, sent, or given up."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from controlplane.domain.lifecycle import machine

MACHINE: Final = machine(
    "delivery",
    "queued",
    (
        ("queued", "accept", "sent"),
        ("queued", "put_off", "deferred"),
        ("queued", "give_up", "given_up"),
        ("deferred", "accept", "sent"),
        ("deferred", "put_off", "deferred"),
        ("deferred", "give_up", "given_up"),
    ),
)
"""``sent``: the mail server has taken it. ``deferred``: it will be tried again."""

UNDELIVERED: Final = ("queued", "deferred")

FIRST_PAUSE: Final = timedelta(seconds=10)
LONGEST_PAUSE: Final = timedelta(minutes=15)
GIVE_UP_AFTER: Final = timedelta(hours=24)


def pause(attempts: int) -> timedelta:
    """How long to wait after so many failed tries (at least one): twice as long each time."""
    return min(FIRST_PAUSE * (1 << min(max(attempts, 1) - 1, 12)), LONGEST_PAUSE)
