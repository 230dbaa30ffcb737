"""Alert rules, flips and deliveries as the API answers them."""

from __future__ import annotations

from typing import Any

from controlplane.wire.records import Record, Verb


class AlertRule(Record):
    """An alert rule with the verbs that are allowed now."""

    id: str
    name: str
    scope: str
    scope_values: list[str]
    recipients: list[str]
    open_after: int
    close_after: int
    state: str
    open_alerts: int
    version: int
    allowed: list[Verb]


class AlertFlip(Record):
    """A line found abnormal (``opened``) or normal again (``closed``), and the letters that tell of it."""

    id: str
    rule_id: str
    rule_name: str
    line_id: str
    region: str
    service: str
    target: str
    vantage: str
    move: str
    slot: str
    at: str
    failing_phase: str
    reason: str
    mails: list[dict[str, Any]]


class Delivery(Record):
    """One letter to one recipient: queued, deferred (will be tried again), sent (the mail server took it), given_up."""

    id: str
    channel: str
    recipient: str
    subject: str
    cause: str
    state: str
    attempts: int
    next_try_at: str | None
    last_error: str
    sent_at: str | None
    created_at: str
