"""The calls that report and clear."""

from __future__ import annotations

from agents.simulated.tax_server import Call

CALLS: dict[str, Call] = {}
