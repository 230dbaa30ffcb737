"""Agents and the one-use tokens they join with."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class AgentRow(SQLModel, table=True):
    """One agent; only the hash of its secret is kept. ``last_seen`` is written at most every few seconds."""

    __tablename__ = "agents"
    id: str = Field(primary_key=True)
    name: str
    host_id: str = Field(index=True)
    secret_hash: str
    agent_version: str
    state: str
    last_seen: str | None = None
    version: int = 1
    created_at: str
    updated_at: str


class JoinTokenRow(SQLModel, table=True):
    """A join token: one use, at most an hour, for one host."""

    __tablename__ = "join_tokens"
    token_hash: str = Field(primary_key=True)
    host_id: str
    name: str
    expires_at: str
    used_at: str | None = None
    created_at: str


_ONE = Statement("SELECT * FROM agents WHERE id = :id")
_SEEN = Statement("UPDATE agents SET last_seen = :now WHERE id = :id")
_STATE = Statement("UPDATE agents SET state = :state, version = version + 1, updated_at = :now WHERE id = :id")
_SPEND = Statement(
    "UPDATE join_tokens SET used_at = :now WHERE token_hash = :token_hash AND used_at IS NULL AND expires_at > :now"
)
_TOKEN = Statement("SELECT * FROM join_tokens WHERE token_hash = :token_hash")


def find(hand: Connection, agent_id: str) -> Row | None:
    """One agent."""
    return hand.one(_ONE, {"id": agent_id})


def seen(hand: Connection, agent_id: str, now: str) -> None:
    """The agent called in."""
    hand.run(_SEEN, {"id": agent_id, "now": now})


def spend(hand: Connection, token_hash: str, now: str) -> Row | None:
    """Use up a join token; None when it is unknown, used or expired."""
    if hand.run(_SPEND, {"token_hash": token_hash, "now": now}) != 1:
        return None
    return hand.one(_TOKEN, {"token_hash": token_hash})


def set_state(hand: Connection, agent_id: str, state: str, now: str) -> None:
    """Move an agent to another state."""
    hand.run(_STATE, {"id": agent_id, "state": state, "now": now})
