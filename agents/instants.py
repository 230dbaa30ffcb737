"""Moments as text between agent and control plane."""

from __future__ import annotations

from datetime import UTC, datetime


def now_utc() -> datetime:
    """The host's clock, aware, in UTC: what the program passes in as its clock."""
    return datetime.now(UTC)


def text_of(moment: datetime) -> str:
    """RFC 3339, UTC, milliseconds: ``2026-11-22T17:00:00.000Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
