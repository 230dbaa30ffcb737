"""The calls that fetch taxpayers and code tables."""

from __future__ import annotations

from agents.simulated.tax_server import Call

CALLS: dict[str, Call] = {}
