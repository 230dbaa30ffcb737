"""Who may do what: roles and their acts as data, and the scope of taxpayers a caller sees."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

READ: Final = frozenset({"fleet.read", "invoices.read", "jobs.read"})

ROLE_ACTS: Final = MappingProxyType(
    {
        "admin": READ
        | {
            "fleet.change",
            "fleet.act",
            "invoices.request",
            "invoices.cancel",
            "agents.manage",
            "log.read",
            "lines.change",
            "tables.change",
            "people.manage",
            "alerts.change",
            "emergency.stop",
        },
        "operator": READ
        | {
            "fleet.change",
            "fleet.act",
            "invoices.cancel",
            "log.read",
            "lines.change",
            "tables.change",
            "alerts.change",
            "emergency.stop",
        },
        "probe": frozenset({"lines.report"}),
        "auditor": READ | {"log.read"},
        "front_end": frozenset({"fleet.read", "invoices.read", "invoices.request", "invoices.cancel"}),
        "agent": frozenset({"agent.work"}),
    }
)
"""Role → acts. Routes name an act; who lacks it gets 403."""


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller. ``scope`` None sees every taxpayer, else only these."""

    id: str
    name: str
    kind: str
    role: str
    scope: frozenset[str] | None = None

    def may(self, act: str) -> bool:
        """True when the caller's role has the act."""
        return act in ROLE_ACTS.get(self.role, frozenset())

    def sees(self, taxpayer_id: str) -> bool:
        """True when records of this taxpayer exist for the caller; the platform's own (``-``) need full scope."""
        return self.scope is None or taxpayer_id in self.scope
