"""The calls that bring seals, releases and secure proxies."""

from __future__ import annotations

from agents.simulated.tax_server import Call

CALLS: dict[str, Call] = {}
