"""Applications for numbers (申领), and the grants (领票) the bureau makes of them."""

from __future__ import annotations

from typing import Any

from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class ApplicationRow(SQLModel, table=True):
    """One application of a device for numbers of one kind. ``message``: what the bureau or the device said last."""

    __tablename__ = "applications"
    taxpayer_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    device_id: str = Field(index=True)
    kind: str
    count: int
    application_no: str
    state: str
    message: str = ""
    requested_by: str
    queried_at: str | None = None
    decided_at: str | None = None
    version: int = 1
    created_at: str
    updated_at: str


class GrantRow(SQLModel, table=True):
    """One run of numbers the bureau granted to a device, as device and bureau tell of it.

    ``next_try_at`` and ``tries``: when a grant that was written and not confirmed is taken up again.
    """

    __tablename__ = "grants"
    taxpayer_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    device_id: str = Field(index=True)
    grant_no: str
    application_no: str
    kind: str
    invoice_code: str
    start_no: int
    end_no: int
    state: str = Field(index=True)
    message: str = ""
    tries: int = 0
    next_try_at: str = ""
    version: int = 1
    created_at: str
    updated_at: str


_ONE = Statement("SELECT * FROM applications WHERE id = :id")
_LOCKED = Statement("SELECT * FROM applications WHERE id = :id", for_update=True)
_OPEN = Statement(
    "SELECT * FROM applications WHERE device_id = :device_id AND kind = :kind AND state = :state ORDER BY id LIMIT 1"
)
_OF_KIND = Statement("SELECT * FROM applications WHERE device_id = :device_id AND kind = :kind ORDER BY id")
_CHANGE = Statement(
    "UPDATE applications SET state = :state, message = :message, queried_at = :queried_at, decided_at = :decided_at, "
    "version = version + 1, updated_at = :now WHERE taxpayer_id = :taxpayer_id AND id = :id"
)
_ASKED = Statement("UPDATE applications SET queried_at = :now WHERE id = :id")
_UNDONE = Statement(
    "SELECT * FROM applications WHERE device_id = :device_id AND state IN ('applied', 'granted') ORDER BY id"
)
_GRANTS = Statement("SELECT * FROM grants WHERE device_id = :device_id ORDER BY id")
_UNCONFIRMED = Statement(
    "SELECT DISTINCT g.device_id, g.kind FROM grants g WHERE g.state = 'written' AND g.next_try_at <= :now "
    "AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.subject_id = g.device_id "
    "AND j.state IN ('queued', 'leased', 'unknown')) ORDER BY g.device_id, g.kind"
)
_MOVE_GRANT = Statement(
    "UPDATE grants SET state = :state, application_no = :application_no, message = :message, version = version + 1, "
    "updated_at = :now WHERE taxpayer_id = :taxpayer_id AND id = :id"
)
_TRY = Statement("UPDATE grants SET tries = tries + 1, next_try_at = :next_try_at WHERE id = :id")


def find(hand: Connection, application_id: str, lock: bool = False) -> Row | None:
    """One application, its row locked until the end of the batch when ``lock``."""
    return hand.one(_LOCKED if lock else _ONE, {"id": application_id})


def in_state(hand: Connection, device_id: str, kind: str, state: str) -> Row | None:
    """The oldest application of a device for a kind that stands in ``state``."""
    return hand.one(_OPEN, {"device_id": device_id, "kind": kind, "state": state})


def of_kind(hand: Connection, device_id: str, kind: str) -> list[Row]:
    """All applications of a device for a kind, oldest first."""
    return hand.rows(_OF_KIND, {"device_id": device_id, "kind": kind})


def change(hand: Connection, row: Row, values: dict[str, Any], now: str) -> None:
    """Write state, message and times; what is not in ``values`` stays as it is in ``row``."""
    hand.run(_CHANGE, {**row, **values, "now": now})


def asked(hand: Connection, application_id: str, now: str) -> None:
    """The bureau was asked and said nothing new."""
    hand.run(_ASKED, {"id": application_id, "now": now})


def undone(hand: Connection, device_id: str) -> list[Row]:
    """Applications of a device that are undecided, or granted and not received."""
    return hand.rows(_UNDONE, {"device_id": device_id})


def grants_of(hand: Connection, device_id: str) -> list[Row]:
    """All grants of a device."""
    return hand.rows(_GRANTS, {"device_id": device_id})


def unconfirmed(hand: Connection, now: str) -> list[Row]:
    """(device_id, kind) with a grant that was written and not confirmed, is due, and has nobody at work on it."""
    return hand.rows(_UNCONFIRMED, {"now": now})


def move_grant(hand: Connection, row: Row, values: dict[str, Any], now: str) -> None:
    """Write a grant's state, application number and message."""
    hand.run(_MOVE_GRANT, {**row, **values, "now": now})


def tried(hand: Connection, grant_id: str, next_try_at: str) -> None:
    """A grant was taken up again: not before ``next_try_at`` once more."""
    hand.run(_TRY, {"id": grant_id, "next_try_at": next_try_at})
