"""Applications, reclaim and return in the GP dialect."""

from __future__ import annotations

from agents.drivers.gp_call import Call, Reading

CALLS: dict[type, Call] = {}
"""Work that changes something → its call."""

READS: dict[type, Reading] = {}
"""Work that only reads → how it is read."""
