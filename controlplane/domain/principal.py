"""Who may do what: roles and their acts as data, the scope a caller sees, and the life of people and front ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from controlplane.domain.acts import ActSpec, Field, Words, acts
from controlplane.domain.lifecycle import machine

READ: Final = frozenset({"fleet.read", "invoices.read", "jobs.read"})
OWN: Final = "own.access"
"""Own password, own sessions, signing out: everybody's, and all that is left to who must change the password first."""

ROLE_ACTS: Final = MappingProxyType(
    {
        "admin": READ
        | {
            OWN,
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
            OWN,
            "fleet.change",
            "fleet.act",
            "invoices.cancel",
            "log.read",
            "lines.change",
            "tables.change",
            "alerts.change",
            "emergency.stop",
        },
        "probe": frozenset({OWN, "lines.report"}),
        "auditor": READ | {OWN, "log.read"},
        "front_end": frozenset({OWN, "fleet.read", "invoices.read", "invoices.request", "invoices.cancel"}),
        "agent": frozenset({"agent.work"}),
    }
)
"""Role → acts. Routes name an act; who lacks it gets 403."""

PLATFORM_ACTS: Final = frozenset({"agents.manage", "people.manage", "tables.change", "lines.report"})
"""Acts that reach every taxpayer and region: nobody of narrow scope has them, whatever the role."""

PEOPLE_ROLES: Final = ("admin", "operator", "auditor")
"""Roles of people, who sign in with a password."""
PROGRAM_ROLES: Final = ("front_end", "probe")
"""Roles of programs, which carry tokens."""
KINDS: Final = MappingProxyType({**dict.fromkeys(PEOPLE_ROLES, "person"), "front_end": "front_end", "probe": "probe"})
"""Role → kind of principal."""


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller.

    ``scope`` None sees everything. Else ``scope`` holds the taxpayers that exist for the caller (trees and regions
    resolved), and ``regions`` the area codes whose tax servers, lines and seals do.
    """

    id: str
    name: str
    kind: str
    role: str
    scope: frozenset[str] | None = None
    regions: frozenset[str] | None = None
    must_change_password: bool = False
    session_id: str = ""
    """The session or token this caller came with."""

    def may(self, act: str) -> bool:
        """True when the caller's role has the act, and the act does not reach beyond the caller's scope."""
        if self.must_change_password and act != OWN:
            return False
        return act in ROLE_ACTS.get(self.role, frozenset()) and (self.scope is None or act not in PLATFORM_ACTS)

    def sees(self, taxpayer_id: str) -> bool:
        """True when records of this taxpayer exist for the caller; the platform's own (``-``) need full scope."""
        return self.scope is None or taxpayer_id in self.scope

    def sees_region(self, area_code: str) -> bool:
        """True when what belongs to a region and no taxpayer (tax servers, lines, seals) exists for the caller."""
        return self.scope is None or (self.regions is not None and area_code in self.regions)

    def may_take_on(self, area_code: str, parent_id: str | None) -> bool:
        """True when a taxpayer of that region and under that parent, if any, would exist for the caller."""
        if parent_id and not self.sees(parent_id):
            return False
        return bool(parent_id) or self.sees_region(area_code)

    def sees_record(self, row: Mapping[str, Any]) -> bool:
        """True when a record exists for the caller: by its taxpayer if it has one, else by its region."""
        owner = row.get("taxpayer_id")
        if owner and owner != "-":
            return self.sees(owner)
        return self.sees_region(row.get("area_code") or row.get("region") or "")


MACHINE: Final = machine(
    "principal",
    "active",
    (
        ("active", "disable", "disabled"),
        ("active", "reset", "active"),
        ("active", "change_role", "active"),
        ("active", "change_scope", "active"),
        ("active", "give_token", "active"),
        ("active", "revoke_token", "active"),
        ("disabled", "enable", "active"),
        ("disabled", "change_scope", "disabled"),
    ),
)
"""Who is disabled has no session or token left; enabled again, a person signs in with the password of before."""

_NOUN = "people"
_SCOPE = (
    Field("taxpayers", "taxpayer_ids", optional=True),
    Field("regions", "areas", optional=True),
    Field("everything", "flag", optional=True),
)

ACTS: Final = (
    ActSpec(
        _NOUN,
        "register",
        (Field("name", "word"), Field("role", "choice", choices=(*PEOPLE_ROLES, *PROGRAM_ROLES)), *_SCOPE),
        "people.manage",
        "collection",
    ),
    *acts(_NOUN, "enable", permission="people.manage"),
    ActSpec(_NOUN, "reset", permission="people.manage", dangerous=True),
    ActSpec(_NOUN, "change_role", (Field("role", "choice", choices=PEOPLE_ROLES),), "people.manage", dangerous=True),
    ActSpec(_NOUN, "change_scope", _SCOPE, "people.manage", dangerous=True),
    ActSpec(_NOUN, "give_token", (Field("label", "text", 60), Field("days", "count", 730)), "people.manage"),
    ActSpec(_NOUN, "revoke_token", (Field("token_id", "id"),), "people.manage", dangerous=True),
    ActSpec(_NOUN, "disable", permission="people.manage", dangerous=True),
)
"""What may be done with people, front ends and probe clocks."""

WORDS: Final[Words] = {
    "verb": {
        "register": ("登记", "register"),
        "enable": ("启用", "enable"),
        "disable": ("禁用", "disable"),
        "reset": ("重置口令", "reset password"),
        "change_role": ("更改角色", "change role"),
        "change_scope": ("更改范围", "change scope"),
        "give_token": ("发放令牌", "give token"),
        "revoke_token": ("吊销令牌", "revoke token"),
    },
    "field": {
        "name": ("名称", "name"),
        "role": ("角色", "role"),
        "taxpayers": ("纳税人范围 (含下级)", "taxpayers (their branches included)"),
        "regions": ("地区范围 (地区代码)", "regions (area codes)"),
        "everything": ("不限范围", "no limit of scope"),
        "label": ("用途", "label"),
        "days": ("有效天数", "days valid"),
        "token_id": ("令牌编号", "token id"),
    },
    "choice": {
        "admin": ("管理员", "admin"),
        "operator": ("运维", "operator"),
        "auditor": ("审计", "auditor"),
        "front_end": ("业务前端", "front end"),
        "probe": ("探测时钟", "probe clock"),
    },
}
"""Words for verbs, fields and roles."""

LABELS: Final = {"active": ("有效", "active"), "disabled": ("已禁用", "disabled")}
"""State → (Chinese, English) as shown."""
