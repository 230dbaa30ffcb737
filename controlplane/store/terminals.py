"""Terminals (开票终端) and the stock of numbers each holds."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class TerminalRow(SQLModel, table=True):
    """One terminal of a device; ``business_type`` binds it to a line of business, if any."""

    __tablename__ = "terminals"
    taxpayer_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    device_id: str = Field(index=True)
    terminal_code: str
    terminal_name: str
    business_type: str = ""
    enabled: int = 1
    version: int = 1
    created_at: str
    updated_at: str


class StockRow(SQLModel, table=True):
    """Numbers of one kind on one terminal: left on the device, and reserved by orders that wait for it."""

    __tablename__ = "stock"
    taxpayer_id: str = Field(primary_key=True)
    device_id: str = Field(primary_key=True)
    terminal_code: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    remaining: int = 0
    reserved: int = 0
    read_at: str


_OF_DEVICE = Statement("SELECT * FROM terminals WHERE device_id = :device_id ORDER BY terminal_code")
_STOCK = Statement(
    "SELECT t.device_id, t.terminal_code, t.business_type, k.remaining, k.reserved FROM terminals t "
    "JOIN stock k ON k.taxpayer_id = t.taxpayer_id AND k.device_id = t.device_id "
    "AND k.terminal_code = t.terminal_code AND k.kind = :kind "
    "WHERE t.taxpayer_id = :taxpayer_id AND t.enabled = 1 ORDER BY t.device_id, t.terminal_code"
)
_RESERVE = Statement(
    "UPDATE stock SET reserved = reserved + 1 WHERE taxpayer_id = :taxpayer_id AND device_id = :device_id "
    "AND terminal_code = :terminal_code AND kind = :kind AND remaining > reserved"
)
_RELEASE = Statement(
    "UPDATE stock SET reserved = CASE WHEN reserved > 0 THEN reserved - 1 ELSE 0 END "
    "WHERE taxpayer_id = :taxpayer_id AND device_id = :device_id AND terminal_code = :terminal_code AND kind = :kind"
)
_PLACE = Statement(
    "SELECT * FROM stock WHERE taxpayer_id = :taxpayer_id AND device_id = :device_id "
    "AND terminal_code = :terminal_code AND kind = :kind",
    for_update=True,
)
_RESERVED_OF = Statement(
    "SELECT device_id, terminal_code, kind, reserved FROM stock WHERE taxpayer_id = :taxpayer_id AND reserved > 0"
)
_HOLD = Statement(
    "UPDATE stock SET reserved = reserved + :count WHERE taxpayer_id = :taxpayer_id AND device_id = :device_id "
    "AND terminal_code = :terminal_code AND kind = :kind AND remaining >= reserved + :count"
)
_LET_GO = Statement(
    "UPDATE stock SET reserved = CASE WHEN reserved > :count THEN reserved - :count ELSE 0 END "
    "WHERE taxpayer_id = :taxpayer_id AND device_id = :device_id AND terminal_code = :terminal_code AND kind = :kind"
)
_USED = Statement(
    "UPDATE stock SET remaining = CASE WHEN remaining > 0 THEN remaining - 1 ELSE 0 END, "
    "reserved = CASE WHEN reserved > 0 THEN reserved - 1 ELSE 0 END "
    "WHERE taxpayer_id = :taxpayer_id AND device_id = :device_id AND terminal_code = :terminal_code AND kind = :kind"
)
_EMPTIED = Statement(
    "UPDATE stock SET remaining = reserved "
    "WHERE taxpayer_id = :taxpayer_id AND device_id = :device_id AND terminal_code = :terminal_code AND kind = :kind"
)
_SET = Statement(
    "INSERT INTO stock (taxpayer_id, device_id, terminal_code, kind, remaining, reserved, read_at) "
    "SELECT taxpayer_id, device_id, terminal_code, kind, SUM(end_no - next_no + 1), 0, :now FROM segments "
    "WHERE taxpayer_id = :taxpayer_id AND device_id = :device_id AND terminal_code <> '' "
    "GROUP BY taxpayer_id, device_id, terminal_code, kind "
    "ON CONFLICT (taxpayer_id, device_id, terminal_code, kind) DO UPDATE SET remaining = excluded.remaining, "
    "read_at = excluded.read_at"
)
_TAKEN_AWAY = Statement(
    "UPDATE stock SET remaining = 0 WHERE taxpayer_id = :taxpayer_id AND device_id = :device_id AND remaining > 0 "
    "AND NOT EXISTS (SELECT 1 FROM segments s WHERE s.taxpayer_id = stock.taxpayer_id "
    "AND s.device_id = stock.device_id AND s.terminal_code = stock.terminal_code AND s.kind = stock.kind)"
)


def of_device(hand: Connection, device_id: str) -> list[Row]:
    """The terminals of a device."""
    return hand.rows(_OF_DEVICE, {"device_id": device_id})


def stock_of(hand: Connection, taxpayer_id: str, kind: str) -> list[Row]:
    """Enabled terminals of a taxpayer with remaining and reserved numbers of ``kind``."""
    return hand.rows(_STOCK, {"taxpayer_id": taxpayer_id, "kind": kind})


def reserve(hand: Connection, place: Row) -> bool:
    """Reserve one number; False when none is free. ``place``: taxpayer_id, device_id, terminal_code, kind."""
    return hand.run(_RESERVE, place) == 1


def release(hand: Connection, place: Row) -> None:
    """Give a reservation back."""
    hand.run(_RELEASE, place)


def stock_at(hand: Connection, where: Row) -> Row | None:
    """One row of stock, locked. ``where``: taxpayer_id, device_id, terminal_code, kind."""
    return hand.one(_PLACE, where)


def reserved_of(hand: Connection, taxpayer_id: str) -> list[Row]:
    """Per device, terminal and kind of a taxpayer: numbers spoken for."""
    return hand.rows(_RESERVED_OF, {"taxpayer_id": taxpayer_id})


def hold(hand: Connection, where: Row, count: int) -> bool:
    """Keep ``count`` numbers that are to leave the terminal from new invoices; False when not so many are free."""
    return hand.run(_HOLD, {**where, "count": count}) == 1


def let_go(hand: Connection, where: Row, count: int) -> None:
    """The numbers left the terminal, or stay there for good: they are kept from nobody any more."""
    hand.run(_LET_GO, {**where, "count": count})


def used(hand: Connection, place: Row) -> None:
    """A reserved number was issued."""
    hand.run(_USED, place)


def emptied(hand: Connection, place: Row) -> None:
    """The device says it has no numbers left: offer none until its segments are read again."""
    hand.run(_EMPTIED, place)


def recount(hand: Connection, taxpayer_id: str, device_id: str, now: str) -> None:
    """Set what remains on each terminal from the device's segments."""
    place = {"taxpayer_id": taxpayer_id, "device_id": device_id}
    hand.run(_TAKEN_AWAY, place)
    hand.run(_SET, {**place, "now": now})
