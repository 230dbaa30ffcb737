"""Taxpayers: the companies that issue, their flags, their contacts, and what the bureau was last asked about them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Insert, Row, Statement


class TaxpayerRow(SQLModel, table=True):
    """One taxpayer; ``taxpayer_id`` is the 纳税人识别号, ``parent_id`` its group or company in the scope tree.

    ``flags`` repeats the flags' own table as JSON (name → [[value, first day, last day] …]), so that a request for an
    invoice reads one row.
    """

    __tablename__ = "taxpayers"
    __table_args__ = (Index("ix_taxpayers_parent", "parent_id"),)
    taxpayer_id: str = Field(primary_key=True)
    id: str = Field(unique=True)
    name: str
    taxpayer_kind: str
    region: str = Field(index=True)
    address_phone: str = ""
    bank_account: str = ""
    issuer: str = ""
    tax_authority_code: str = ""
    tax_authority_name: str = ""
    registration_seq: str = ""
    state: str = "active"
    may_issue: int = 1
    flags: str = "{}"
    parent_id: str | None = None
    version: int = 1
    created_at: str
    updated_at: str


class FlagRow(SQLModel, table=True):
    """One flag in one stretch of time; days YYYY-MM-DD, empty = always or no end known. ``source`` fetched, entered."""

    __tablename__ = "taxpayer_flags"
    taxpayer_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    valid_from: str = Field(primary_key=True)
    valid_to: str = ""
    value: str
    source: str
    created_at: str


class ContactRow(SQLModel, table=True):
    """A person to turn to; phone and mail are personal data."""

    __tablename__ = "taxpayer_contacts"
    taxpayer_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    name: str
    phone: str = ""
    mail: str = ""
    duty: str = ""
    created_at: str


class FetchRow(SQLModel, table=True):
    """One look at the bureau. ``diff`` JSON list of {field, old, new}; ``base_version``: of the taxpayer then."""

    __tablename__ = "taxpayer_fetches"
    taxpayer_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    tax_server_id: str
    state: str
    job_id: str | None = None
    facts: str = "{}"
    diff: str = "[]"
    applied: str = "[]"
    base_version: int = 0
    message: str = ""
    requested_by: str = ""
    arrived_at: str | None = None
    settled_at: str | None = None
    version: int = 1
    created_at: str
    updated_at: str


_ONE = Statement("SELECT * FROM taxpayers WHERE taxpayer_id = :taxpayer_id")
_LOCKED = Statement("SELECT * FROM taxpayers WHERE taxpayer_id = :taxpayer_id", for_update=True)
_CHILDREN = Statement(
    "SELECT taxpayer_id FROM taxpayers WHERE parent_id = :taxpayer_id AND state <> 'retired' "
    "ORDER BY taxpayer_id LIMIT 20"
)
_SUBTREE = Statement(
    "WITH RECURSIVE below (taxpayer_id, depth) AS ("
    "SELECT taxpayer_id, 1 FROM taxpayers WHERE taxpayer_id = :taxpayer_id "
    "UNION ALL SELECT t.taxpayer_id, b.depth + 1 FROM taxpayers t JOIN below b ON t.parent_id = b.taxpayer_id "
    "WHERE b.depth < :most) "
    "SELECT b.depth, t.taxpayer_id, t.name, t.state, t.taxpayer_kind, t.parent_id FROM below b "
    "JOIN taxpayers t ON t.taxpayer_id = b.taxpayer_id ORDER BY b.depth, t.taxpayer_id"
)
_ABOVE = Statement(
    "WITH RECURSIVE above (taxpayer_id, parent_id, depth) AS ("
    "SELECT taxpayer_id, parent_id, 1 FROM taxpayers WHERE taxpayer_id = :taxpayer_id "
    "UNION ALL SELECT t.taxpayer_id, t.parent_id, a.depth + 1 FROM taxpayers t "
    "JOIN above a ON t.taxpayer_id = a.parent_id WHERE a.depth < :most) "
    "SELECT taxpayer_id, depth FROM above ORDER BY depth"
)
_FLAGS = Statement("SELECT * FROM taxpayer_flags WHERE taxpayer_id = :taxpayer_id ORDER BY name, valid_from")
_DROP_FLAGS = Statement(
    "DELETE FROM taxpayer_flags WHERE taxpayer_id = :taxpayer_id AND name = :name AND valid_from >= :valid_from"
)
_END_FLAG = Statement(
    "UPDATE taxpayer_flags SET valid_to = :last WHERE taxpayer_id = :taxpayer_id AND name = :name "
    "AND (valid_to = '' OR valid_to > :last)"
)
_CONTACTS = Statement("SELECT * FROM taxpayer_contacts WHERE taxpayer_id = :taxpayer_id ORDER BY id")
_DROP_CONTACT = Statement("DELETE FROM taxpayer_contacts WHERE taxpayer_id = :taxpayer_id AND id = :id")
_FETCH = Statement("SELECT * FROM taxpayer_fetches WHERE taxpayer_id = :taxpayer_id AND id = :id", for_update=True)
_FETCHES = Statement("SELECT * FROM taxpayer_fetches WHERE taxpayer_id = :taxpayer_id ORDER BY id DESC LIMIT :limit")
_FETCH_OF_JOB = Statement(
    "SELECT * FROM taxpayer_fetches WHERE taxpayer_id = :taxpayer_id AND job_id = :job_id", for_update=True
)
_OPEN_FETCHES = Statement(
    "SELECT * FROM taxpayer_fetches WHERE taxpayer_id = :taxpayer_id AND state = 'pending' ORDER BY id"
)
_SERVER_OF_REGION = Statement(
    "SELECT s.* FROM tax_servers s JOIN bindings b ON b.target_id = s.id "
    "WHERE s.region = :region AND s.state = 'certified' AND b.agent_id IS NOT NULL ORDER BY s.id LIMIT 1"
)

# --- what stands in the way of retiring

_LIVE_DEVICES = Statement(
    "SELECT id, device_no, name, state, kinds, rates, company FROM devices "
    "WHERE taxpayer_id = :taxpayer_id AND state <> 'cancelled' ORDER BY id"
)
_STOCK_LEFT = Statement(
    "SELECT d.device_no, k.kind, SUM(k.remaining) AS n FROM stock k JOIN devices d ON d.id = k.device_id "
    "WHERE k.taxpayer_id = :taxpayer_id AND k.remaining > 0 GROUP BY d.device_no, k.kind ORDER BY d.device_no, k.kind"
)
_NOT_UPLOADED = Statement(
    "SELECT COUNT(*) AS n FROM invoices WHERE taxpayer_id = :taxpayer_id "
    "AND state = 'issued' AND upload_status <> 'uploaded'"
)
_WAITING = Statement("SELECT COUNT(*) AS n FROM invoices WHERE taxpayer_id = :taxpayer_id AND state = 'waiting'")
_OPEN_JOBS = Statement(
    "SELECT COUNT(*) AS n FROM jobs WHERE taxpayer_id = :taxpayer_id AND state IN ('queued', 'leased', 'unknown')"
)
_ISSUED_SINCE = Statement(
    "SELECT COUNT(*) AS n FROM invoice_facts WHERE taxpayer_id = :taxpayer_id AND device_id = :device_id "
    "AND kind = :kind AND day > :day"
)


def find(hand: Connection, taxpayer_id: str, lock: bool = False) -> Row | None:
    """The taxpayer with this 纳税人识别号, its row locked until the end of the batch when ``lock``."""
    return hand.one(_LOCKED if lock else _ONE, {"taxpayer_id": taxpayer_id})


def change(hand: Connection, taxpayer_id: str, values: dict[str, Any], now: str) -> None:
    """Set columns of a taxpayer, count its version up."""
    columns = ", ".join(f"{name} = :{name}" for name in values)
    text = f"UPDATE taxpayers SET {columns}{', ' if columns else ''}version = version + 1, updated_at = :now"
    hand.run(Statement(f"{text} WHERE taxpayer_id = :key"), {**values, "now": now, "key": taxpayer_id})


def children(hand: Connection, taxpayer_id: str) -> list[str]:
    """Those directly below that are not retired; at most 20."""
    return [row["taxpayer_id"] for row in hand.rows(_CHILDREN, {"taxpayer_id": taxpayer_id})]


def subtree(hand: Connection, taxpayer_id: str, most: int) -> list[Row]:
    """The taxpayer and all below it, with their depth from 1, at most ``most`` levels; upper levels first."""
    return hand.rows(_SUBTREE, {"taxpayer_id": taxpayer_id, "most": most})


def above(hand: Connection, taxpayer_id: str, most: int) -> list[str]:
    """The taxpayer and those above it, nearest first, at most ``most``."""
    return [row["taxpayer_id"] for row in hand.rows(_ABOVE, {"taxpayer_id": taxpayer_id, "most": most})]


def lock_tree(hand: Connection) -> None:
    """One change of the tree at a time: two moves that are each sound could make a circle together."""
    if hand.dialect == "postgresql":
        hand.rows(Statement("SELECT pg_advisory_xact_lock(8621)"))


def flags(hand: Connection, taxpayer_id: str) -> list[Row]:
    """All stretches of all flags, by name and first day."""
    return hand.rows(_FLAGS, {"taxpayer_id": taxpayer_id})


def drop_flags(hand: Connection, taxpayer_id: str, name: str, valid_from: str) -> None:
    """Forget the stretches of a flag that begin on that day or later."""
    hand.run(_DROP_FLAGS, {"taxpayer_id": taxpayer_id, "name": name, "valid_from": valid_from})


def end_flag(hand: Connection, taxpayer_id: str, name: str, last: str) -> None:
    """No stretch of the flag lasts longer than that day."""
    hand.run(_END_FLAG, {"taxpayer_id": taxpayer_id, "name": name, "last": last})


def contacts(hand: Connection, taxpayer_id: str) -> list[Row]:
    """People to turn to."""
    return hand.rows(_CONTACTS, {"taxpayer_id": taxpayer_id})


def drop_contact(hand: Connection, taxpayer_id: str, contact_id: str) -> bool:
    """Forget a contact; False when there is none."""
    return hand.run(_DROP_CONTACT, {"taxpayer_id": taxpayer_id, "id": contact_id}) > 0


def fetch(hand: Connection, taxpayer_id: str, fetch_id: str) -> Row | None:
    """One look at the bureau, locked."""
    return hand.one(_FETCH, {"taxpayer_id": taxpayer_id, "id": fetch_id})


def fetches(hand: Connection, taxpayer_id: str, limit: int) -> list[Row]:
    """The latest looks at the bureau, newest first."""
    return hand.rows(_FETCHES, {"taxpayer_id": taxpayer_id, "limit": limit})


def fetch_of_job(hand: Connection, taxpayer_id: str, job_id: str) -> Row | None:
    """The look that a job was opened for."""
    return hand.one(_FETCH_OF_JOB, {"taxpayer_id": taxpayer_id, "job_id": job_id})


def pending_fetches(hand: Connection, taxpayer_id: str) -> list[Row]:
    """Differences nobody has decided on."""
    return hand.rows(_OPEN_FETCHES, {"taxpayer_id": taxpayer_id})


def change_fetch(hand: Connection, row: Row, values: dict[str, Any], now: str) -> None:
    """Set columns of a fetch, count its version up."""
    columns = ", ".join(f"{name} = :{name}" for name in values)
    text = f"UPDATE taxpayer_fetches SET {columns}, version = version + 1, updated_at = :now"
    where = "WHERE taxpayer_id = :taxpayer_id AND id = :id"
    hand.run(Statement(f"{text} {where}"), {**values, "now": now, "taxpayer_id": row["taxpayer_id"], "id": row["id"]})


def server_of_region(hand: Connection, region: str) -> Row | None:
    """A tax server in service in the region that an agent looks after."""
    return hand.one(_SERVER_OF_REGION, {"region": region})


def live_devices(hand: Connection, taxpayer_id: str) -> list[Row]:
    """Devices that are not cancelled."""
    return hand.rows(_LIVE_DEVICES, {"taxpayer_id": taxpayer_id})


def stock_left(hand: Connection, taxpayer_id: str) -> list[Row]:
    """Unused numbers by device and kind."""
    return hand.rows(_STOCK_LEFT, {"taxpayer_id": taxpayer_id})


def count_open(hand: Connection, taxpayer_id: str) -> dict[str, int]:
    """How many invoices wait, how many are not uploaded, how many jobs are open."""
    asked = {"not_uploaded": _NOT_UPLOADED, "waiting": _WAITING, "open_jobs": _OPEN_JOBS}
    rows = {name: hand.one(statement, {"taxpayer_id": taxpayer_id}) for name, statement in asked.items()}
    return {name: int(row["n"]) if row else 0 for name, row in rows.items()}


def issued_since(hand: Connection, taxpayer_id: str, device_id: str, kind: str, day: str) -> int:
    """Invoices of a kind a device has issued after a day (YYYY-MM-DD)."""
    asked = {"taxpayer_id": taxpayer_id, "device_id": device_id, "kind": kind, "day": day}
    row = hand.one(_ISSUED_SINCE, asked)
    return int(row["n"]) if row else 0


_BUSY = (
    "SELECT t.taxpayer_id FROM taxpayers t WHERE t.taxpayer_id IN ({names}) AND ("
    "EXISTS (SELECT 1 FROM devices d WHERE d.taxpayer_id = t.taxpayer_id AND d.state <> 'cancelled') "
    "OR EXISTS (SELECT 1 FROM stock k WHERE k.taxpayer_id = t.taxpayer_id AND k.remaining > 0) "
    "OR EXISTS (SELECT 1 FROM invoices i WHERE i.taxpayer_id = t.taxpayer_id AND (i.state = 'waiting' "
    "OR (i.state = 'issued' AND i.upload_status <> 'uploaded'))) "
    "OR EXISTS (SELECT 1 FROM jobs j WHERE j.taxpayer_id = t.taxpayer_id "
    "AND j.state IN ('queued', 'leased', 'unknown')) "
    "OR EXISTS (SELECT 1 FROM taxpayers c WHERE c.parent_id = t.taxpayer_id AND c.state <> 'retired'))"
)


def busy(hand: Connection, taxpayer_ids: list[str]) -> set[str]:
    """Those that still have something which must be gone before they are retired."""
    asked = {f"id{number}": taxpayer_id for number, taxpayer_id in enumerate(taxpayer_ids)}
    if not asked:
        return set()
    statement = Statement(_BUSY.format(names=", ".join(f":{name}" for name in asked)))
    return {row["taxpayer_id"] for row in hand.rows(statement, asked)}


_ADD_FLAG = Insert("taxpayer_flags", FlagRow.model_fields)


def add_flag(hand: Connection, row: FlagRow) -> None:
    """One more stretch of a flag."""
    hand.run(_ADD_FLAG, row.model_dump())
