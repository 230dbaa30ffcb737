"""Segments of invoice numbers (号段), and the reference table that keeps their ranges from overlapping."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class SegmentRow(SQLModel, table=True):
    """A run of numbers on a device; ``terminal_code`` is empty until it is distributed."""

    __tablename__ = "segments"
    taxpayer_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    device_id: str = Field(index=True)
    kind: str
    invoice_code: str
    start_no: int
    end_no: int
    next_no: int
    terminal_code: str = ""
    state: str
    grant_no: str
    received_on: str
    version: int = 1
    created_at: str
    updated_at: str


class InvoiceCodeRow(SQLModel, table=True):
    """One invoice code ever seen: the row that is locked while a range of it is claimed."""

    __tablename__ = "invoice_codes"
    invoice_code: str = Field(primary_key=True)


class NumberRangeRow(SQLModel, table=True):
    """A range of one code and the one device that holds it; no two overlap, across all taxpayers."""

    __tablename__ = "number_ranges"
    invoice_code: str = Field(primary_key=True)
    start_no: int = Field(primary_key=True)
    end_no: int
    taxpayer_id: str
    device_id: str


_CODE = Statement(
    "INSERT INTO invoice_codes (invoice_code) VALUES (:invoice_code) ON CONFLICT (invoice_code) DO NOTHING"
)
_LOCK_CODE = Statement("SELECT invoice_code FROM invoice_codes WHERE invoice_code = :invoice_code", for_update=True)
_OVERLAP = Statement(
    "SELECT * FROM number_ranges WHERE invoice_code = :invoice_code AND start_no <= :end_no AND end_no >= :start_no "
    "ORDER BY start_no"
)
_CLAIM = Statement(
    "INSERT INTO number_ranges (invoice_code, start_no, end_no, taxpayer_id, device_id) "
    "VALUES (:invoice_code, :start_no, :end_no, :taxpayer_id, :device_id)"
)
_OF_DEVICE = Statement(
    "SELECT * FROM segments WHERE taxpayer_id = :taxpayer_id AND device_id = :device_id AND state <> 'returned' "
    "ORDER BY invoice_code, start_no"
)
_DROP = Statement("DELETE FROM segments WHERE taxpayer_id = :taxpayer_id AND id = :id")
_MOVE = Statement(
    "UPDATE segments SET end_no = :end_no, next_no = CASE WHEN next_no > :next_no THEN next_no ELSE :next_no END, "
    "terminal_code = :terminal_code, state = :state, version = version + 1, updated_at = :now "
    "WHERE taxpayer_id = :taxpayer_id AND id = :id"
)
_HOLDING = Statement(
    "SELECT * FROM segments WHERE taxpayer_id = :taxpayer_id AND device_id = :device_id "
    "AND invoice_code = :invoice_code AND start_no <= :number AND end_no >= :number AND state <> 'returned'"
)
_FORWARD = Statement(
    "UPDATE segments SET next_no = CASE WHEN next_no > :next_no THEN next_no ELSE :next_no END, "
    "state = CASE WHEN :next_no > end_no THEN 'exhausted' ELSE state END, updated_at = :now "
    "WHERE taxpayer_id = :taxpayer_id AND id = :id"
)
_DROP_RANGE = Statement("DELETE FROM number_ranges WHERE invoice_code = :invoice_code AND start_no = :start_no")
_DEVICES_OF_TREE = Statement(
    "SELECT id AS device_id, device_no, name AS device_name, state AS device_state, read_at FROM devices "
    "WHERE taxpayer_id = :taxpayer_id AND state <> 'cancelled' ORDER BY id LIMIT :limit"
)
_HELD_OF_TAXPAYER = Statement(
    "SELECT * FROM segments WHERE taxpayer_id = :taxpayer_id AND state IN ('on_device', 'on_terminal') "
    "ORDER BY device_id, terminal_code, kind, invoice_code, start_no LIMIT :limit"
)
_OF_GRANT = Statement(
    "SELECT * FROM segments WHERE taxpayer_id = :taxpayer_id AND device_id = :device_id AND grant_no = :grant_no "
    "ORDER BY start_no"
)
_TOLD_OF = Statement(
    "SELECT state, COUNT(*) AS n FROM invoices WHERE taxpayer_id = :taxpayer_id AND invoice_code = :invoice_code "
    "AND device_id = :device_id AND invoice_no >= :first AND invoice_no <= :last GROUP BY state"
)


def claim(hand: Connection, wanted: Row) -> Row | None:
    """Claim a range for a device. Returns the overlapping range of another device when there is one, else None.

    What the device holds of the range already stays as it is; the rest is added.
    """
    hand.run(_CODE, wanted)
    hand.one(_LOCK_CODE, wanted)
    held = hand.rows(_OVERLAP, wanted)
    foreign = next((row for row in held if row["device_id"] != wanted["device_id"]), None)
    if foreign is None:
        hand.run_many(_CLAIM, [{**wanted, "start_no": start, "end_no": end} for start, end in _uncovered(wanted, held)])
    return foreign


def release(hand: Connection, wanted: Row) -> None:
    """Give a range up: the bureau may grant it again, to anybody. What the device holds beside it stays claimed."""
    hand.run(_CODE, wanted)
    hand.one(_LOCK_CODE, wanted)
    for row in hand.rows(_OVERLAP, wanted):
        if row["device_id"] != wanted["device_id"]:
            continue
        hand.run(_DROP_RANGE, row)
        left, right = (row["start_no"], wanted["start_no"] - 1), (wanted["end_no"] + 1, row["end_no"])
        kept = [{**row, "start_no": start, "end_no": end} for start, end in (left, right) if start <= end]
        hand.run_many(_CLAIM, kept)


def _uncovered(wanted: Row, held: list[Row]) -> list[tuple[int, int]]:
    gaps, start = [], wanted["start_no"]
    for row in held:
        if row["start_no"] > start:
            gaps.append((start, row["start_no"] - 1))
        start = max(start, row["end_no"] + 1)
    return [*gaps, (start, wanted["end_no"])] if start <= wanted["end_no"] else gaps


def of_device(hand: Connection, taxpayer_id: str, device_id: str) -> list[Row]:
    """All segments of a device in order of code and number."""
    return hand.rows(_OF_DEVICE, {"taxpayer_id": taxpayer_id, "device_id": device_id})


def holding(hand: Connection, place: Row, number: int) -> Row | None:
    """The segment that holds ``number``. ``place``: taxpayer_id, device_id, invoice_code."""
    return hand.one(_HOLDING, {**place, "number": number})


def drop(hand: Connection, taxpayer_id: str, segment_id: str) -> None:
    """Forget a run that was split or moved by distribution; nothing was issued from it."""
    hand.run(_DROP, {"taxpayer_id": taxpayer_id, "id": segment_id})


def move(hand: Connection, values: Row) -> None:
    """Set end, terminal and state as the device tells; ``next_no`` only moves forward."""
    hand.run(_MOVE, values)


def forward(hand: Connection, taxpayer_id: str, segment_id: str, next_no: int, now: str) -> None:
    """A number was used: the next one follows."""
    hand.run(_FORWARD, {"taxpayer_id": taxpayer_id, "id": segment_id, "next_no": next_no, "now": now})


def devices_of(hand: Connection, taxpayer_id: str, limit: int) -> list[Row]:
    """Devices of a taxpayer as the tree of stock names them."""
    return hand.rows(_DEVICES_OF_TREE, {"taxpayer_id": taxpayer_id, "limit": limit})


def held_by(hand: Connection, taxpayer_id: str, limit: int) -> list[Row]:
    """Segments of a taxpayer that have numbers left, by device, terminal, kind and number."""
    return hand.rows(_HELD_OF_TAXPAYER, {"taxpayer_id": taxpayer_id, "limit": limit})


def of_grant(hand: Connection, place: Row) -> list[Row]:
    """What became of a grant, returned parts too. ``place``: taxpayer_id, device_id, grant_no."""
    return hand.rows(_OF_GRANT, place)


def told_of(hand: Connection, grant: Row) -> list[tuple[str, int]]:
    """(state, number) of the invoices on record within a grant's numbers on its device."""
    bounds = {"first": f"{grant['start_no']:08d}", "last": f"{grant['end_no']:08d}"}
    return [(row["state"], int(row["n"])) for row in hand.rows(_TOLD_OF, {**grant, **bounds})]
