"""Taxpayers: the companies that issue."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class TaxpayerRow(SQLModel, table=True):
    """One taxpayer; ``taxpayer_id`` is the 纳税人识别号, ``parent_id`` its group or company in the scope tree."""

    __tablename__ = "taxpayers"
    taxpayer_id: str = Field(primary_key=True)
    id: str = Field(unique=True)
    name: str
    taxpayer_kind: str
    region: str
    address_phone: str = ""
    bank_account: str = ""
    issuer: str = ""
    tax_authority_code: str = ""
    tax_authority_name: str = ""
    may_issue: int = 1
    flags: str = "{}"
    parent_id: str | None = None
    version: int = 1
    created_at: str
    updated_at: str


_ONE = Statement("SELECT * FROM taxpayers WHERE taxpayer_id = :taxpayer_id")


def find(hand: Connection, taxpayer_id: str) -> Row | None:
    """The taxpayer with this 纳税人识别号."""
    return hand.one(_ONE, {"taxpayer_id": taxpayer_id})
