"""An agent: its states, and its heartbeat as a fact of the clock (never stored)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from controlplane.domain.acts import ActSpec, Field, Words
from controlplane.domain.lifecycle import machine

MACHINE: Final = machine("agent", "active", (("active", "revoke", "revoked"),))
"""Revoked is final: an agent that joins again is a new agent."""

ACTS: Final = (
    ActSpec("agents", "bind", (Field("tax_server_id", "id"),), "agents.manage"),
    ActSpec("agents", "revoke", permission="agents.manage", dangerous=True),
)
"""What may be done with agents."""

WORDS: Final[Words] = {
    "verb": {"revoke": ("吊销", "revoke"), "bind": ("绑定税控服务器", "bind tax server")},
    "field": {"host_id": ("主机编号", "host id")},
}
"""Words for verbs and fields."""

LATE_AFTER: Final = timedelta(seconds=45)
"""One and a half of the longest lease call (30 s)."""

LOST_AFTER: Final = timedelta(seconds=120)

Heartbeat = Literal["online", "late", "lost"]

LABELS: Final = {
    "active": ("有效", "active"),
    "revoked": ("已吊销", "revoked"),
    "online": ("在线", "online"),
    "late": ("迟到", "late"),
    "lost": ("失联", "lost"),
}
"""State or heartbeat → (Chinese, English) as shown."""


def heartbeat(last_seen: datetime | None, now: datetime) -> Heartbeat:
    """How fresh an agent's last call is; an agent that never called is lost."""
    if last_seen is None:
        return "lost"
    silence = now - last_seen
    if silence > LOST_AFTER:
        return "lost"
    return "late" if silence > LATE_AFTER else "online"
