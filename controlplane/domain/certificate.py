"""A certificate (证书) of a tax server or virtual device: its stages, its status, when it is renewed and warned of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Final

from controlplane.domain.dated import DEVICE_ZONE, Row, day_of, in_force, last_day_of
from controlplane.domain.lifecycle import machine

MACHINE: Final = machine(
    "certificate",
    "none",
    (
        ("none", "certify", "temporary"),
        ("temporary", "certify", "temporary"),
        ("temporary", "request_formal", "formal_requested"),
        ("temporary", "renew", "temporary"),
        ("formal_requested", "request_formal", "formal_requested"),
        ("formal_requested", "sync_formal", "formal_synced"),
        ("formal_requested", "certify", "formal_requested"),
        ("formal_requested", "renew", "formal_requested"),
        ("formal_synced", "certify", "formal_synced"),
        ("formal_synced", "renew", "formal_synced"),
    ),
)
"""From the temporary to the formal certificate (正式证书申请及同步). Renewing, or certifying again, keeps the stage; an
application the bureau turned down may be made again."""

DATES: Final = {
    "temporary": "temporary_at",
    "formal_requested": "formal_requested_at",
    "formal_synced": "formal_synced_at",
}
"""Stage → the column that says when it was reached."""

LABELS: Final = {
    "none": ("无证书", "none"),
    "temporary": ("临时证书", "temporary"),
    "formal_requested": ("已申请正式证书", "formal requested"),
    "formal_synced": ("正式证书", "formal"),
}
"""Stage → (Chinese, English) as shown."""

VALID, SUSPENDED, REVOKED, EXPIRED = "00", "01", "02", "03"
STATUS_LABELS: Final = {
    VALID: ("正常", "valid"),
    SUSPENDED: ("挂起", "suspended"),
    REVOKED: ("注销", "revoked"),
    EXPIRED: ("过期", "expired"),
}
"""Native status → (Chinese, English). The device tells the first three; that it has expired, the clock tells too."""
STOPPED: Final = frozenset({SUSPENDED, REVOKED})
"""Status words under which nothing is signed, whatever the dates say."""


@dataclass(frozen=True, slots=True)
class CertificateRule:
    """When certificates are renewed and warned of: dated data (``data/certificate_rules.csv``)."""

    renewal_part: Fraction
    """Part of its life after which a certificate is renewed."""
    ladder_days: tuple[int, ...]
    """Days before the end at which its owner is told, most first."""
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Life:
    """From when until when a certificate serves; ``issued_at`` None when nobody wrote it down."""

    issued_at: datetime | None
    not_after: datetime


def load(rows: Iterable[Row]) -> tuple[CertificateRule, ...]:
    """Rules from rows with renewal_part (``2/3``), ladder_days (``60 30 7 1``), valid_from, valid_to."""
    return tuple(
        CertificateRule(
            Fraction(row["renewal_part"]),
            tuple(sorted(map(int, row["ladder_days"].split()), reverse=True)),
            day_of(row["valid_from"]),
            last_day_of(row["valid_to"]),
        )
        for row in rows
    )


def rule_at(rules: Iterable[CertificateRule], now: datetime) -> CertificateRule | None:
    """The rule in force at a moment; None when nothing is laid down."""
    day = now.astimezone(DEVICE_ZONE).date()
    return next((rule for rule in rules if in_force(rule, day)), None)


def status_at(told: str, not_after: datetime | None, now: datetime) -> str:
    """The status that counts now: what the device told, or expired by the clock; empty when there is no certificate."""
    if not_after is None:
        return ""
    if told in STOPPED:
        return told
    return EXPIRED if not_after <= now else VALID


def renewal_due_at(life: Life, rule: CertificateRule) -> datetime:
    """When the certificate is to be renewed: after its part of life, or at the ladder's first step."""
    if life.issued_at is None or life.issued_at >= life.not_after:
        return life.not_after - timedelta(days=rule.ladder_days[0])
    part = rule.renewal_part
    return life.issued_at + (life.not_after - life.issued_at) * part.numerator / part.denominator


def step_at(not_after: datetime, now: datetime, rule: CertificateRule) -> int | None:
    """The lowest step of the ladder that is reached (days), 0 once expired, None while it is far."""
    if not_after <= now:
        return 0
    left = not_after - now
    return min((days for days in rule.ladder_days if left <= timedelta(days=days)), default=None)
