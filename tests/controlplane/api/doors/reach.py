"""How far a narrow scope reaches, noun by noun: the hand-written table of own and other objects."""

from __future__ import annotations

from typing import Final, Literal

Reach = Literal["taxpayer", "region", "both", "platform", "everyone", "own"]
"""Whose records of a noun are: a taxpayer's; a region's; the one or the other; nobody's, and hidden from every narrow
scope; shared by all; or the caller's own."""

REACH: Final[dict[str, Reach]] = {
    "agents": "platform",
    "alert-flips": "platform",
    "alert-rules": "platform",
    "applications": "taxpayer",
    "batches": "platform",
    "bureau-addresses": "region",
    "code-versions": "platform",
    "deliveries": "platform",
    "devices": "taxpayer",
    "grants": "taxpayer",
    "invoices": "taxpayer",
    "jobs": "both",
    "lines": "region",
    "operation-log": "both",
    "orders": "taxpayer",
    "people": "platform",
    "red-forms": "taxpayer",
    "releases": "platform",
    "report-schedules": "taxpayer",
    "reports": "taxpayer",
    "seals": "region",
    "secure-proxies": "platform",
    "segments": "taxpayer",
    "sessions": "own",
    "stock": "taxpayer",
    "stock-alerts": "taxpayer",
    "stops": "both",
    "tax-codes": "everyone",
    "tax-servers": "region",
    "taxpayers": "taxpayer",
    "terminals": "taxpayer",
    "uploads": "taxpayer",
    "virtual-devices": "taxpayer",
}

WRITING: Final[dict[str, Reach]] = {
    "bureau-addresses": "platform",
    "tax-codes": "platform",
}
"""Nouns whose reach differs when they are changed."""

BY_ID: Final = frozenset({"batches"})
"""Nouns that are not listed to a narrow scope, but open by their id to whose devices they are about."""

BEYOND: Final[dict[str, set[str]]] = {
    "/v1/stops": {"tree"},  # of a tax server, as the valid request is
    "/v1/stops/{record_id}/resume": {"tree"},
    "/v1/taxpayers": {"tree"},  # without a parent it stands in no tree
    "/v1/taxpayers/{record_id}/move": {"tree"},  # to the top, out of its tree
    "/v1/virtual-devices": {"tree"},  # on a tax server, which is a region's
}
"""Write routes whose reach differs from that of their noun: path → own scopes (tree, region) that do not get in."""
