"""Agents: join tokens, joining, revoking, binding to tax servers and devices."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from controlplane.domain import agent as agent_rules
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import acts, jobs, secrets
from controlplane.operations.acts import Act
from controlplane.store import agents, devices, tax_servers, times
from controlplane.store import jobs as job_store
from controlplane.store.agents import AgentRow, JoinTokenRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction
from controlplane.wire.agents import JoinAnswer, JoinRequest

TOKEN_LIFE = timedelta(hours=1)


def new_token(tx: Transaction, caller: Principal, host_id: str, name: str) -> dict[str, Any]:
    """A join token for one host: one use, an hour."""
    token = secrets.new_secret()
    expires_at = times.utc_text(tx.moment + TOKEN_LIFE)
    tx.add(
        JoinTokenRow(
            token_hash=secrets.digest(token), host_id=host_id, name=name, expires_at=expires_at, created_at=tx.now
        )
    )
    entry = Entry(caller.id, caller.name, caller.kind, "agents.token", "agents", detail={"host_id": host_id})
    tx.begin_entry(entry)
    return {"token": token, "expires_at": expires_at, "host_id": host_id, "name": name}


def join(tx: Transaction, request: JoinRequest) -> JoinAnswer:
    """Turn a join token into an agent; ``join_token_invalid`` when it is unknown, used, expired or for another host."""
    tx.begin_entry(Entry("", request.name, "agent", "agents.join", "agents", detail={"host_id": request.host_id}))
    token = agents.spend(tx, secrets.digest(request.token), tx.now)
    if token is None or token["host_id"] not in ("", request.host_id):
        raise refuse("join_token_invalid")
    row = AgentRow(
        id=times.new_id(),
        name=token["name"] or request.name,
        host_id=request.host_id,
        secret_hash=secrets.digest(request.secret),
        agent_version=request.version,
        state="active",
        last_seen=tx.now,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.add(row)
    tx.entries[-1].subject_id = row.id
    tx.raise_event(Event("agents", row.id, jobs.PLATFORM, "joined", 1))
    instance_id, _ = jobs.ledger_position(tx)
    return JoinAnswer(agent_id=row.id, instance_id=instance_id)


def revoke(tx: Transaction, wanted: Act) -> None:
    """The agent may call no more; its open calls are cut as soon as the event is out."""
    row = _checked(tx, wanted)
    agent_id = wanted.record_id
    agents.set_state(tx, agent_id, agent_rules.MACHINE.after(row["state"], "revoke"), tx.now)
    tx.raise_event(Event("agents", agent_id, jobs.PLATFORM, "revoked", row["version"] + 1, topic=agent_id))


def bind(tx: Transaction, wanted: Act) -> None:
    """The agent serves a tax server and all its devices from now on. Refused while another agent holds a job there."""
    row = _checked(tx, wanted)
    agent_id, server_id = wanted.record_id, wanted.arguments["tax_server_id"]
    server = tax_servers.find(tx, server_id)
    if server is None:
        raise refuse("not_found")
    targets = [("tax-servers", server_id), *(("devices", device["id"]) for device in devices.of_server(tx, server_id))]
    for noun, target_id in targets:
        _bind_one(tx, noun, target_id, agent_id)
    tx.raise_event(Event("agents", agent_id, jobs.PLATFORM, "bound", row["version"], topic=agent_id))


def _bind_one(tx: Transaction, noun: str, target_id: str, agent_id: str) -> None:
    binding = job_store.binding(tx, target_id)
    if binding is None:
        tx.add(job_store.BindingRow(target_id=target_id, target_noun=noun, agent_id=agent_id, updated_at=tx.now))
    elif binding["agent_id"] != agent_id:
        holder = agents.find(tx, binding["agent_id"]) if binding["agent_id"] else None
        # A revoked agent brings no outcome any more: its successor gets what it held, and reads the journal first.
        if holder is not None and holder["state"] == "active" and job_store.held_on(tx, target_id):
            raise refuse("asset_bound_elsewhere", name=target_id)
        job_store.bind(tx, target_id, agent_id, tx.now)


def _checked(tx: Transaction, wanted: Act) -> Row:
    acts.begin(tx, wanted, "agents")
    row = agents.find(tx, wanted.record_id)
    if row is None:
        raise refuse("not_found")
    if row["state"] != "active":
        raise agent_rules.MACHINE.not_allowed(row["state"], wanted.verb)
    if row["version"] != wanted.version:
        raise refuse("version_differs", "version", current=row["version"], given=wanted.version)
    return row


def view(hand: Connection, row: Row, now: str) -> dict[str, Any]:
    """An agent as the API shows it, without anything of its secret."""
    shown = {name: value for name, value in row.items() if name != "secret_hash"}
    last_seen = times.from_text(row["last_seen"]) if row["last_seen"] else None
    shown["heartbeat"] = agent_rules.heartbeat(last_seen, times.from_text(now))
    shown["serves"] = [
        {"noun": target["target_noun"], "id": target["target_id"], "device_no": target["device_no"],
         "tax_server_no": target["tax_server_no"]}
        for target in job_store.serves(hand, row["id"])
    ]  # fmt: skip
    return shown
