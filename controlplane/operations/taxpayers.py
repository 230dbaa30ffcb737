"""Taxpayers: taking them on."""

from __future__ import annotations

from typing import Any

import msgspec

from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.store import taxpayers, times
from controlplane.store.statement import Row
from controlplane.store.taxpayers import TaxpayerRow
from controlplane.store.transaction import Entry, Event, Transaction


def create(tx: Transaction, caller: Principal, values: dict[str, Any]) -> Row:
    """A new taxpayer; ``already_exists`` when the 纳税人识别号 is on record, ``not_found`` for an unknown parent."""
    taxpayer_id = values["taxpayer_id"]
    entry = Entry(caller.id, caller.name, caller.kind, "taxpayers.create", "taxpayers", taxpayer_id, taxpayer_id)
    tx.begin_entry(entry)
    if not caller.may_take_on(values["region"], values.get("parent_id")):
        raise refuse("not_found")
    if taxpayers.find(tx, taxpayer_id) is not None:
        raise refuse("already_exists", "taxpayer_id", name=taxpayer_id)
    if values.get("parent_id") and taxpayers.find(tx, values["parent_id"]) is None:
        raise refuse("not_found", "parent_id")
    row = TaxpayerRow(id=times.new_id(), created_at=tx.now, updated_at=tx.now, **values)
    tx.add(row)
    tx.raise_event(Event("taxpayers", taxpayer_id, taxpayer_id, "created", 1))
    return row.model_dump()


def view(row: Row) -> dict[str, Any]:
    """A taxpayer as the API shows it."""
    return row | {"may_issue": bool(row["may_issue"]), "flags": msgspec.json.decode(row["flags"])}
