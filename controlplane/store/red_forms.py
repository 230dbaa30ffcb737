"""Red forms (红字信息表): what was applied for, what the bureau said, and which red invoice used it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class RedFormRow(SQLModel, table=True):
    """One form. Amounts in fen, above zero; ``lines`` JSON: what is offset of each line of the blue invoice."""

    __tablename__ = "red_forms"
    __table_args__ = (
        Index("uq_red_forms_form", "taxpayer_id", "form_no", unique=True),
        Index("uq_red_forms_red_form", "taxpayer_id", "red_form_no", unique=True,
              sqlite_where=text("red_form_no <> ''"), postgresql_where=text("red_form_no <> ''")),
        Index("ix_red_forms_invoice", "taxpayer_id", "invoice_id"),
        Index("ix_red_forms_id", "id"),
    )  # fmt: skip
    taxpayer_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    form_no: str
    """申请单编号 of ours: device number and time."""
    red_form_no: str = ""
    """信息表编号 of the bureau, once it is approved."""
    invoice_id: str
    device_id: str
    kind: str
    applicant: str
    state: str
    status: str = ""
    """The bureau's own status, TZD…."""
    message: str = ""
    net_fen: int = Field(sa_type=BigInteger)
    tax_fen: int = Field(sa_type=BigInteger)
    lines: str
    red_invoice_id: str | None = None
    since: str
    """When its state was reached."""
    version: int = 1
    created_at: str
    updated_at: str


_ONE = Statement("SELECT * FROM red_forms WHERE id = :id")
_LOCKED = Statement("SELECT * FROM red_forms WHERE id = :id", for_update=True)
_BY_NUMBER = Statement(
    "SELECT * FROM red_forms WHERE taxpayer_id = :taxpayer_id AND red_form_no = :red_form_no", for_update=True
)
_BY_FORM = Statement("SELECT id FROM red_forms WHERE taxpayer_id = :taxpayer_id AND form_no = :form_no")
_OF_INVOICE = Statement(
    "SELECT * FROM red_forms WHERE taxpayer_id = :taxpayer_id AND invoice_id = :invoice_id ORDER BY id"
)
_CHANGE = Statement(
    "UPDATE red_forms SET state = :state, red_form_no = :red_form_no, status = :status, message = :message, "
    "red_invoice_id = :red_invoice_id, since = :since, version = version + 1, updated_at = :now WHERE id = :id"
)
_CHANGED = ("id", "state", "red_form_no", "status", "message", "red_invoice_id", "since")


def find(hand: Connection, form_id: str, lock: bool = False) -> Row | None:
    """One form, whoever it belongs to; the caller checks the scope."""
    return hand.one(_LOCKED if lock else _ONE, {"id": form_id})


def by_number(hand: Connection, taxpayer_id: str, red_form_no: str) -> Row | None:
    """The form of a taxpayer with the bureau's number, locked."""
    return hand.one(_BY_NUMBER, {"taxpayer_id": taxpayer_id, "red_form_no": red_form_no})


def knows(hand: Connection, taxpayer_id: str, form_no: str) -> bool:
    """Whether our own form number is taken."""
    return hand.one(_BY_FORM, {"taxpayer_id": taxpayer_id, "form_no": form_no}) is not None


def of_invoice(hand: Connection, taxpayer_id: str, invoice_id: str) -> list[Row]:
    """All forms of a blue invoice, oldest first."""
    return hand.rows(_OF_INVOICE, {"taxpayer_id": taxpayer_id, "invoice_id": invoice_id})


def change(hand: Connection, form: Row, values: dict[str, Any], now: str) -> None:
    """Write new values of state, numbers, status, message or red invoice; a new state is reached now."""
    row = {name: form[name] for name in _CHANGED} | values | {"now": now}
    if row["state"] != form["state"]:
        row["since"] = now
    hand.run(_CHANGE, row)
