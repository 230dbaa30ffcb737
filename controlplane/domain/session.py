"""A session of a person, or a token of a program: it stands until it is revoked or its time is over."""

from __future__ import annotations

from typing import Final

from controlplane.domain.acts import ActSpec, Words
from controlplane.domain.lifecycle import machine
from controlplane.domain.principal import OWN

MACHINE: Final = machine("session", "open", (("open", "revoke", "revoked"),))
"""Revoked is final. That its time is over is told by the clock, not stored."""

ACTS: Final = (ActSpec("sessions", "revoke", permission=OWN, dangerous=True),)
"""What may be done with sessions: one's own; an administrator everybody's."""

WORDS: Final[Words] = {"verb": {"revoke": ("吊销", "revoke")}, "field": {}}
"""Words for verbs and fields."""

LABELS: Final = {
    "open": ("有效", "open"),
    "revoked": ("已吊销", "revoked"),
    "expired": ("已过期", "expired"),
}
"""State, or what the clock makes of it → (Chinese, English) as shown."""
