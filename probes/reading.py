"""What one probe saw: a frozen result that measures and never judges, whether the check went well or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Phase = Literal["dns", "tcp", "tls", "ttfb"]
FailingPhase = Literal["reach", "dns", "tcp", "tls", "ttfb", "body", "login", "read"]
"""``reach``: refused by our own allow-list before anything was sent; ``login`` and ``read``: SSH and SNMP only."""

Reason = Literal[
    "",
    "not_allowed",
    "no_such_name",
    "name_server_failed",
    "refused",
    "unreachable",
    "timeout",
    "reset",
    "closed",
    "tls_failed",
    "certificate_expired",
    "certificate_wrong_name",
    "certificate_untrusted",
    "bad_answer",
    "server_error",
    "host_key_unknown",
    "host_key_changed",
    "denied",
    "no_credentials",
    "not_found",
    "failed",
]
"""Deliberately coarse: a probe that told more would be a port scanner."""

PHASES: tuple[Phase, ...] = ("dns", "tcp", "tls", "ttfb")


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate the peer showed, also when it was not accepted."""

    not_after: datetime
    issuer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Result of one check. ``phases`` holds only the phases that were finished, each by itself, in milliseconds."""

    target: str
    started_at: datetime
    duration_ms: float
    ok: bool
    address: str | None = None
    """The address that was connected to; None when it did not come that far."""
    phases: Mapping[Phase, float] = field(default_factory=dict)
    failing_phase: FailingPhase | None = None
    reason: Reason = ""
    certificate: Certificate | None = None
    facts: Mapping[str, str | int | float] = field(default_factory=dict)
    """What this kind of probe reads besides: ``status``, ``offset_seconds``, an OID's value. Never a body."""

    def as_record(self) -> dict[str, Any]:
        """The reading as plain JSON values, times in UTC with milliseconds."""
        certificate = self.certificate and {
            "not_after": utc_text(self.certificate.not_after),
            "issuer": self.certificate.issuer,
        }
        return {
            "target": self.target,
            "started_at": utc_text(self.started_at),
            "duration_ms": round(self.duration_ms, 3),
            "ok": self.ok,
            "address": self.address,
            "phases": {phase: round(value, 3) for phase, value in self.phases.items()},
            "failing_phase": self.failing_phase,
            "reason": self.reason,
            "certificate": certificate,
            "facts": dict(self.facts),
        }


def utc_text(moment: datetime) -> str:
    """RFC 3339 text with milliseconds of an aware UTC time."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def printable(text: str, limit: int) -> str:
    """Foreign text made harmless for a terminal: anything not printable becomes U+FFFD, cut at ``limit``."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:limit])
