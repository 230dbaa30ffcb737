"""Seals, releases and secure proxies as answered; their fields may grow over time."""

from __future__ import annotations

from typing import Any

from controlplane.wire.records import Record, Verb


class Seal(Record):
    """A seal. ``condition`` is its state, or ``expired``, or ``test_failed``; personal data masked for most callers."""

    id: str
    tax_server_id: str
    area_code: str
    seal_name: str
    state: str
    condition: str
    usable: bool
    expires_in_days: int | None
    invoices_per_day: int
    version: int
    request: dict[str, Any] | None
    allowed: list[Verb]


class Release(Record):
    """A published version of a product (``tax_server`` or ``secure_proxy``)."""

    id: str
    product: str
    release_version: str
    released_on: str
    effective_on: str | None
    notes: str


class MatrixPlace(Record):
    """Which version runs at one tax server or secure proxy, and how it stands to what is published."""

    id: str
    noun: str
    product: str
    tax_server_no: str
    running: str
    status: str
    newest: str
    due_on: str | None
    days: int | None


class SecureProxy(Record):
    """A secure proxy: settings, what it reported last, and warnings. It has no password here."""

    id: str
    tax_server_id: str
    name: str
    host: str
    port: int
    state: str
    version: int
    warnings: list[dict[str, Any]]
    allowed: list[Verb]
