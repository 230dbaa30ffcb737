"""All tables in one place: importing this module fills the metadata that migrations compare against."""

from __future__ import annotations

from sqlmodel import SQLModel

from controlplane.store import (
    agents,
    alert_flips,
    alert_rules,
    batches,
    devices,
    head,
    invoices,
    jobs,
    line_checks,
    line_slots,
    lines,
    orders,
    outbox,
    principals,
    red_forms,
    releases,
    report_schedules,
    reports,
    seals,
    secure_proxies,
    segments,
    slots,
    tax_codes,
    tax_servers,
    taxpayers,
    terminals,
)

NOUNS = (
    agents,
    batches,
    alert_flips,
    alert_rules,
    devices,
    head,
    invoices,
    jobs,
    line_checks,
    line_slots,
    lines,
    orders,
    outbox,
    principals,
    red_forms,
    releases,
    seals,
    secure_proxies,
    report_schedules,
    reports,
    segments,
    slots,
    tax_codes,
    tax_servers,
    taxpayers,
    terminals,
)
METADATA = SQLModel.metadata
