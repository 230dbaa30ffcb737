"""The calls that void an invoice and handle red forms."""

from __future__ import annotations

from agents.simulated.tax_server import Call

CALLS: dict[str, Call] = {}
