"""Many virtual devices from one file: read, looked at as a whole, taken all or none; and how far they have come."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from controlplane.domain import tax_server, virtual_device
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal, refuse
from controlplane.operations import board, device_steps, quota, virtual_devices
from controlplane.operations.jobs import PLATFORM
from controlplane.store import batches, devices, tax_servers, taxpayers, times
from controlplane.store import board as sums
from controlplane.store.batches import BatchLineRow, BatchRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction
from inventory import sheet
from inventory.cell import Limits, SheetRefused
from inventory.sheet import Column

MOST_ROWS: Final = 1000
COLUMNS: Final = (
    Column("taxpayer_id", ("纳税人识别号", "Taxpayer id"), "id", required=True, longest=20),
    Column("tax_server_no", ("税控服务器编号", "Tax server number"), "id", required=True, longest=64),
    Column("name", ("名称", "设备名称", "Name"), required=True, longest=120),
)
"""The sheet of a batch; the first title of each is what our template says."""
_WORKBOOK = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How files begin that the reader takes or refuses by name; it would take anything else for csv."""
_LIMITS = Limits(rows=MOST_ROWS + 1, unpacked_bytes=64 * 1024 * 1024)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one cell; ``place`` as a spreadsheet names it."""

    line: int
    place: str
    column: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Wish:
    """One sound line."""

    line: int
    taxpayer_id: str
    tax_server_no: str
    name: str
    places: dict[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """What a batch would do or did; with any fault nothing was taken and ``batch_id`` is None."""

    total: int
    faults: list[Fault]
    servers: list[dict[str, Any]]
    batch_id: str | None = None

    def shown(self) -> dict[str, Any]:
        """As the API tells it."""
        faults = [_told(fault) for fault in self.faults]
        return {"total": self.total, "faults": faults, "servers": self.servers, "batch_id": self.batch_id}


@dataclass(slots=True)
class Batch:
    """A file as read: what it asks for, and every fault found in it so far."""

    digest: str
    total: int
    wishes: list[Wish]
    faults: list[Fault] = field(default_factory=list)

    def blame(self, wish: Wish, column: str, code: str, **params: str | int) -> None:
        """One more fault, in the cell of a wish."""
        place = wish.places[column]
        self.faults.append(Fault(wish.line, place, column, refuse(code, place, place=place, **params)))


def read(data: bytes) -> Batch:
    """A workbook's content; ``sheet_refused``, ``sheet_too_long`` or ``sheet_empty`` when it is no such sheet."""
    if not data.startswith(_WORKBOOK):
        raise refuse("sheet_refused", problem="not_a_sheet")
    try:
        rows = list(sheet.read_rows(data, COLUMNS, _LIMITS))
    except SheetRefused as refused:
        if refused.code == "too_many_rows":
            raise refuse("sheet_too_long", limit=MOST_ROWS) from refused
        raise refuse("sheet_refused", problem=str(refused)[:120]) from refused
    if not rows:
        raise refuse("sheet_empty")
    if len(rows) > MOST_ROWS:
        raise refuse("sheet_too_long", limit=MOST_ROWS)
    wishes = [_wish(row) for row in rows if not row.faults]
    faults = [_of_cell(fault) for row in rows for fault in row.faults]
    return Batch(hashlib.sha256(data).hexdigest(), len(rows), wishes, faults)


def _wish(row: sheet.Row) -> Wish:
    taxpayer_id, tax_server_no, name = (str(row.values[column.name]) for column in COLUMNS)
    return Wish(row.line, taxpayer_id, tax_server_no, name, dict(row.places))


def _of_cell(fault: sheet.Fault) -> Fault:
    problem = f"{fault.code}: {fault.detail}" if fault.detail else fault.code
    place = fault.place or str(fault.line)
    told = refuse("sheet_cell", place, place=place, column=fault.column, problem=problem)
    return Fault(fault.line, fault.place, fault.column, told)


def look(hand: Connection, caller: Principal, batch: Batch, lock: bool = False) -> Report:
    """The report on a batch: every fault at once by line, and what it does to each tax server's places.

    With ``lock`` the rows of the servers are held, in one order, so that nobody takes the places meanwhile.
    """
    batch = replace(batch, faults=list(batch.faults))
    servers = _servers(hand, batch, lock)
    _check_taxpayers(hand, caller, batch)
    _check_names(hand, batch, servers)
    effects = [_effect(hand, batch, no, row) for no, row in sorted(servers.items()) if row is not None]
    return Report(batch.total, sorted(batch.faults, key=lambda fault: (fault.line, fault.place)), effects)


def _servers(hand: Connection, batch: Batch, lock: bool) -> dict[str, Row | None]:
    found: dict[str, Row | None] = {}
    for no in sorted({wish.tax_server_no for wish in batch.wishes}):
        row = tax_servers.by_number(hand, no)
        found[no] = tax_servers.find(hand, row["id"], lock=True) if row and lock else row
    for wish in batch.wishes:
        row = found[wish.tax_server_no]
        if row is None:
            batch.blame(wish, "tax_server_no", "batch_server_unknown", tax_server_no=wish.tax_server_no)
        elif row["state"] not in tax_server.SERVING:
            params = {"tax_server_no": wish.tax_server_no, "state": row["state"]}
            batch.blame(wish, "tax_server_no", "batch_server_not_serving", **params)
    return found


def _check_taxpayers(hand: Connection, caller: Principal, batch: Batch) -> None:
    known = {
        taxpayer_id: caller.sees(taxpayer_id) and taxpayers.find(hand, taxpayer_id) is not None
        for taxpayer_id in {wish.taxpayer_id for wish in batch.wishes}
    }
    for wish in batch.wishes:
        if not known[wish.taxpayer_id]:
            batch.blame(wish, "taxpayer_id", "batch_taxpayer_unknown", taxpayer_id=wish.taxpayer_id)


def _check_names(hand: Connection, batch: Batch, servers: dict[str, Row | None]) -> None:
    seen: dict[tuple[str, str, str], int] = {}
    for wish in batch.wishes:
        server = servers[wish.tax_server_no]
        key = (wish.taxpayer_id, wish.tax_server_no, wish.name)
        if key in seen:
            batch.blame(wish, "name", "batch_row_twice", line=seen[key])
        elif server is not None and devices.named(hand, _values(wish, server)):
            batch.blame(wish, "name", "batch_name_taken", name=wish.name)
        seen.setdefault(key, wish.line)


def _effect(hand: Connection, batch: Batch, no: str, server: Row) -> dict[str, Any]:
    wishes = [wish for wish in batch.wishes if wish.tax_server_no == no]
    found = quota.places(hand, server)
    if server["state"] in tax_server.SERVING:
        for wish in wishes[found.free :]:
            batch.blame(wish, "tax_server_no", "batch_quota", tax_server_no=no, free=found.free, wanted=len(wishes))
    return {
        "tax_server_id": server["id"],
        "tax_server_no": no,
        "quota_total": found.total,
        "quota_left": found.left,
        "free": found.free,
        "wanted": len(wishes),
        "free_after": max(0, found.free - len(wishes)),
    }


def _values(wish: Wish, server: Row) -> dict[str, Any]:
    return {"taxpayer_id": wish.taxpayer_id, "tax_server_id": server["id"], "name": wish.name}


def _told(fault: Fault) -> dict[str, Any]:
    refusal = fault.refusal
    named = {"line": fault.line, "place": fault.place, "column": fault.column, "code": refusal.code}
    return named | {"message": refusal.message, "message_en": refusal.message_en}


def apply(tx: Transaction, caller: Principal, batch: Batch) -> Report:
    """Take a batch: every device registered and its commissioning begun, or nothing when there is any fault."""
    entry = tx.begin_entry(Entry(caller.id, caller.name, caller.kind, "virtual-devices.batch", "batches"))
    report = look(tx, caller, batch, lock=True)
    if report.faults:
        tx.no_entry()
        return report
    batch_id = times.new_id()
    kept = BatchRow(
        id=batch_id,
        requested_by=caller.name,
        digest=batch.digest,
        total=batch.total,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.add(kept)
    for wish in batch.wishes:
        tx.add(BatchLineRow(batch_id=batch_id, line=wish.line, device_id=_begin(tx, caller, wish)))
    entry.subject_id, entry.detail = batch_id, {"total": batch.total, "digest": batch.digest}
    tx.raise_event(Event("batches", batch_id, PLATFORM, "begun", 1))
    return replace(report, batch_id=batch_id)


def _begin(tx: Transaction, caller: Principal, wish: Wish) -> str:
    server = tax_servers.by_number(tx, wish.tax_server_no)
    assert server is not None
    device_id = virtual_devices.add(tx, {**_values(wish, server), "to_ready": 1})
    device = devices.find(tx, device_id)
    assert device is not None
    device_steps.next_step(tx, device, caller)
    return device_id


def view(hand: Connection, caller: Principal, batch: Row) -> dict[str, Any]:
    """How far a batch has come: rows ready of total, and each device with its state and last refusal."""
    rows = [row for row in batches.lines(hand, batch["id"]) if caller.sees(row["taxpayer_id"])]
    if not rows:
        raise refuse("not_found")
    shown = list(_devices(hand, rows))
    states = Counter(row["state"] for row in rows)
    return batch | {
        "ready": sum(states[state] for state in _ARRIVED),
        "stopped": sum(1 for row in shown if row["stopped"]),
        "states": dict(sorted(states.items())),
        "rows": shown,
    }


_ARRIVED = virtual_device.MACHINE.states - virtual_device.NEXT_STEP.keys() - {"cancelled"}


def _devices(hand: Connection, rows: list[Row]) -> Iterator[dict[str, Any]]:
    ids = [row["id"] for row in rows]
    newest = {row["subject_id"]: row for row in sums.newest_jobs(hand, ids)}
    held = {row["subject_id"]: {"id": row["id"], "kind": row["kind"]} for row in sums.open_jobs(hand, ids)}
    for row in rows:
        on_the_way = row["state"] in virtual_device.NEXT_STEP
        yield row | {
            "to_ready": bool(row["to_ready"]),
            "open_job": held.get(row["id"]),
            "next_step": virtual_device.NEXT_STEP.get(row["state"]),
            "stopped": on_the_way and row["id"] not in held,
            "last_refusal": board.last_refusal(row, newest.get(row["id"])),
        }
