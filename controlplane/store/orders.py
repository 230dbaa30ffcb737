"""Orders as they were received: immutable, one row per request, linked to the invoice lines they became."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class OrderRow(SQLModel, table=True):
    """One request as received. ``body`` is its canonical JSON, ``digest`` the SHA-256 of that."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("taxpayer_id", "request_id"),
        UniqueConstraint("taxpayer_id", "order_no", "attempt"),
        Index("ix_orders_received", "taxpayer_id", "received_at"),
    )
    taxpayer_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    request_id: str
    order_no: str
    attempt: int
    source: str
    business_type: str
    digest: str
    body: str
    received_at: str


class OrderLineRow(SQLModel, table=True):
    """One line as received."""

    __tablename__ = "order_lines"
    __table_args__ = {"sqlite_with_rowid": False}
    taxpayer_id: str = Field(primary_key=True)
    order_id: str = Field(primary_key=True)
    line_no: int = Field(primary_key=True)
    body: str


class OrderLineLinkRow(SQLModel, table=True):
    """Which part of an order line stands on which invoice line (n:m; quantity and amount of the part)."""

    __tablename__ = "order_line_links"
    __table_args__ = {"sqlite_with_rowid": False}
    taxpayer_id: str = Field(primary_key=True)
    order_id: str = Field(primary_key=True)
    order_line_no: int = Field(primary_key=True)
    invoice_id: str = Field(primary_key=True)
    invoice_line_no: int = Field(primary_key=True)
    quantity: str | None
    amount_fen: int = Field(sa_type=BigInteger)


_TAKE = Statement(
    "INSERT INTO orders (taxpayer_id, id, request_id, order_no, attempt, source, business_type, digest, body, "
    "received_at) "
    "VALUES (:taxpayer_id, :id, :request_id, :order_no, "
    "(SELECT COUNT(*) + 1 FROM orders WHERE taxpayer_id = CAST(:taxpayer_id AS VARCHAR) "
    "AND order_no = CAST(:order_no AS VARCHAR)), "
    ":source, :business_type, :digest, :body, :received_at) ON CONFLICT DO NOTHING RETURNING id, order_no, attempt"
)
_BY_REQUEST = Statement("SELECT * FROM orders WHERE taxpayer_id = :taxpayer_id AND request_id = :request_id")
_BY_ID = Statement("SELECT * FROM orders WHERE taxpayer_id = :taxpayer_id AND id = :id")
_LINES = Statement(
    "SELECT * FROM order_lines WHERE taxpayer_id = :taxpayer_id AND order_id = :order_id ORDER BY line_no"
)


def take(hand: Connection, row: Row) -> Row | None:
    """Store a request: its id, order_no, attempt; None when it, or this attempt of the order, is already there."""
    found = hand.rows(_TAKE, row)
    return found[0] if found else None


def by_request(hand: Connection, taxpayer_id: str, request_id: str) -> Row | None:
    """The order that came with this request id."""
    return hand.one(_BY_REQUEST, {"taxpayer_id": taxpayer_id, "request_id": request_id})


def find(hand: Connection, taxpayer_id: str, order_id: str) -> Row | None:
    """One order."""
    return hand.one(_BY_ID, {"taxpayer_id": taxpayer_id, "id": order_id})


def lines(hand: Connection, taxpayer_id: str, order_id: str) -> list[Row]:
    """The lines of an order as received."""
    return hand.rows(_LINES, {"taxpayer_id": taxpayer_id, "order_id": order_id})
