"""All tables in one place: importing this module fills the metadata that migrations compare against."""

from __future__ import annotations

from sqlmodel import SQLModel

from controlplane.store import (
    agents,
    batches,
    devices,
    head,
    invoices,
    jobs,
    lines,
    orders,
    outbox,
    principals,
    releases,
    seals,
    secure_proxies,
    segments,
    tax_codes,
    tax_servers,
    taxpayers,
    terminals,
)

NOUNS = (
    agents,
    batches,
    devices,
    head,
    invoices,
    jobs,
    lines,
    orders,
    outbox,
    principals,
    releases,
    seals,
    secure_proxies,
    segments,
    tax_codes,
    tax_servers,
    taxpayers,
    terminals,
)
METADATA = SQLModel.metadata
