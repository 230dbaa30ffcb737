"""Invoices, their lines, their facts for statistics, and the documents made of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Insert, Row, Statement


class InvoiceRow(SQLModel, table=True):
    """One invoice from request to upload. Money in fen; JSON columns: seller, buyer, refusal, waiting_reason, choice.

    ``live`` is 1 while a blue invoice waits or stands issued and not fully red-offset: an order has at most one such.
    Amounts of a red invoice are below zero; ``red_net_fen``, ``red_tax_fen`` of a blue one are what its issued red
    invoices come to, above zero, and ``red_offset_by`` is the red one that used up the last of it.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        Index(
            "uq_invoices_live", "taxpayer_id", "order_no", unique=True,
            sqlite_where=text("live = 1"), postgresql_where=text("live = 1"),
        ),
        Index(
            "uq_invoices_number", "taxpayer_id", "invoice_code", "invoice_no", unique=True,
            sqlite_where=text("invoice_no IS NOT NULL"), postgresql_where=text("invoice_no IS NOT NULL"),
        ),
        Index("ix_invoices_request", "taxpayer_id", "request_id", unique=True),
        Index("ix_invoices_device_index", "device_id", "device_index"),
        Index("ix_invoices_unplaced", "taxpayer_id", "id",
              sqlite_where=text("state = 'waiting' AND open_job_id IS NULL"),
              postgresql_where=text("state = 'waiting' AND open_job_id IS NULL")),
        Index("ix_invoices_id", "id"),
        Index("ix_invoices_waiting_device", "device_id",
              sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
        Index("ix_invoices_to_upload", "device_id",
              sqlite_where=text("state = 'issued' AND upload_status <> 'uploaded'"),
              postgresql_where=text("state = 'issued' AND upload_status <> 'uploaded'")),
        Index("ix_invoices_original", "taxpayer_id", "original_id",
              sqlite_where=text("original_id IS NOT NULL"), postgresql_where=text("original_id IS NOT NULL")),
        Index("uq_invoices_red_form", "taxpayer_id", "red_form_no", unique=True,
              sqlite_where=text("red_form_no <> '' AND state IN ('waiting', 'issued')"),
              postgresql_where=text("red_form_no <> '' AND state IN ('waiting', 'issued')")),
    )  # fmt: skip
    taxpayer_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    order_id: str
    request_id: str
    order_no: str
    state: str
    live: int
    kind: str
    direction: str
    seller: str
    buyer: str
    issuer: str
    payee: str
    reviewer: str
    remark: str
    net_fen: int = Field(sa_type=BigInteger)
    tax_fen: int = Field(sa_type=BigInteger)
    gross_fen: int = Field(sa_type=BigInteger)
    device_id: str | None = None
    terminal_code: str | None = None
    choice: str = "{}"
    open_job_id: str | None = None
    waiting_reason: str | None = None
    refusal: str | None = None
    segment_id: str | None = None
    device_index: int | None = None
    invoice_code: str | None = None
    invoice_no: str | None = None
    check_code: str | None = None
    cipher: str | None = None
    signature: str | None = None
    payload_hash: str | None = None
    issued_at: str | None = None
    upload_status: str = "not_uploaded"
    upload_receipt_no: str | None = None
    uploaded_at: str | None = None
    upload_message: str = ""
    upload_code: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The device's own code of the latest upload result."""
    upload_told_at: str | None = None
    """When the latest upload result came about, good or bad."""
    red_offset_by: str | None = None
    original_id: str | None = None
    red_form_no: str = ""
    red_reason: str = ""
    red_net_fen: int = Field(default=0, sa_type=BigInteger)
    red_tax_fen: int = Field(default=0, sa_type=BigInteger)
    voided_at: str | None = None
    voided_by: str = ""
    void_reason: str = ""
    version: int = 1
    created_at: str
    updated_at: str


class InvoiceLineRow(SQLModel, table=True):
    """One printed line with code, rate and amounts as used."""

    __tablename__ = "invoice_lines"
    __table_args__ = {"sqlite_with_rowid": False}
    taxpayer_id: str = Field(primary_key=True)
    invoice_id: str = Field(primary_key=True)
    line_no: int = Field(primary_key=True)
    nature: int
    item_name: str
    spec: str
    unit: str
    quantity: str | None
    unit_price: str | None
    amount_fen: int = Field(sa_type=BigInteger)
    rate: str
    tax_fen: int = Field(sa_type=BigInteger)
    tax_class_code: str
    preference_flag: int
    preference_note: str
    zero_rate_kind: str
    own_code: str
    order_line: int
    """Index of the order line it comes from."""
    original_line_no: int = 0
    """Of a red invoice: the line of the blue one that it offsets."""


class InvoiceFactsRow(SQLModel, table=True):
    """What statistics count: one row per settled invoice, by the device's own day; red ones below zero.

    ``voided_day`` is empty as long as the invoice stands.
    """

    __tablename__ = "invoice_facts"
    __table_args__ = (
        Index("ix_invoice_facts_day", "taxpayer_id", "day"),
        Index("ix_invoice_facts_device", "device_id", "day"),
    )
    taxpayer_id: str = Field(primary_key=True)
    invoice_id: str = Field(primary_key=True)
    day: str
    device_id: str
    terminal_code: str
    business_type: str
    kind: str
    direction: str
    net_fen: int = Field(sa_type=BigInteger)
    tax_fen: int = Field(sa_type=BigInteger)
    gross_fen: int = Field(sa_type=BigInteger)
    voided_day: str = ""


class DocumentRow(SQLModel, table=True):
    """A file made of an invoice: format, digest and where it is kept."""

    __tablename__ = "documents"
    taxpayer_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    invoice_id: str = Field(index=True)
    format: str
    digest: str
    stored_at: str
    created_at: str


_INSERT = Insert("invoices", InvoiceRow.model_fields, "ON CONFLICT DO NOTHING")
_ONE = Statement("SELECT * FROM invoices WHERE taxpayer_id = :taxpayer_id AND id = :id")
_LOCKED = Statement("SELECT * FROM invoices WHERE taxpayer_id = :taxpayer_id AND id = :id", for_update=True)
_BY_ID = Statement("SELECT * FROM invoices WHERE id = :id")
_BY_REQUEST = Statement("SELECT * FROM invoices WHERE taxpayer_id = :taxpayer_id AND request_id = :request_id")
_LIVE = Statement("SELECT * FROM invoices WHERE taxpayer_id = :taxpayer_id AND order_no = :order_no AND live = 1")
_LINES = Statement("SELECT * FROM invoice_lines WHERE taxpayer_id = :taxpayer_id AND invoice_id = :id ORDER BY line_no")
_ATTEMPTS = Statement(
    "SELECT i.id AS invoice_id, i.request_id, i.state, i.refusal, i.created_at FROM orders o "
    "JOIN invoices i ON i.taxpayer_id = o.taxpayer_id AND i.request_id = o.request_id "
    "WHERE o.taxpayer_id = :taxpayer_id AND o.order_no = :order_no ORDER BY o.attempt"
)
_UNPLACED = Statement(
    "SELECT * FROM invoices WHERE state = 'waiting' AND open_job_id IS NULL AND taxpayer_id = :taxpayer_id "
    "ORDER BY id LIMIT :limit"
)
_UNPLACED_TAXPAYERS = Statement(
    "SELECT DISTINCT taxpayer_id FROM invoices WHERE state = 'waiting' AND open_job_id IS NULL"
)
_PLACE = Statement(
    "UPDATE invoices SET device_id = :device_id, terminal_code = :terminal_code, choice = :choice, "
    "open_job_id = :open_job_id, waiting_reason = :waiting_reason, version = version + 1, updated_at = :now "
    "WHERE taxpayer_id = :taxpayer_id AND id = :id AND state = 'waiting'"
)
_ISSUE = Statement(
    "UPDATE invoices SET state = 'issued', open_job_id = NULL, waiting_reason = NULL, segment_id = :segment_id, "
    "device_id = :device_id, terminal_code = :terminal_code, device_index = :device_index, "
    "invoice_code = :invoice_code, invoice_no = :invoice_no, check_code = :check_code, "
    "cipher = :cipher, signature = :signature, payload_hash = :payload_hash, issued_at = :issued_at, "
    "version = version + 1, updated_at = :now WHERE taxpayer_id = :taxpayer_id AND id = :id AND state = 'waiting'"
)
_REFUSE = Statement(
    "UPDATE invoices SET state = 'refused', live = 0, open_job_id = NULL, waiting_reason = NULL, refusal = :refusal, "
    "version = version + 1, updated_at = :now WHERE taxpayer_id = :taxpayer_id AND id = :id AND state = 'waiting'"
)
_UPLOAD = Statement(
    "UPDATE invoices SET upload_status = :status, upload_receipt_no = :receipt_no, uploaded_at = :uploaded_at, "
    "upload_message = :message, upload_code = :code, upload_told_at = :told_at, "
    "version = version + 1, updated_at = :now "
    "WHERE device_id = :device_id AND device_index = :device_index AND invoice_no = :invoice_no "
    "AND upload_status <> 'uploaded' AND (upload_status <> :status OR upload_message <> :message)"
)
_BY_INDEX = Statement(
    "SELECT taxpayer_id, id, version FROM invoices WHERE device_id = :device_id AND device_index = :device_index"
)
_AFTER = Statement(
    "SELECT device_index, upload_status FROM invoices WHERE device_id = :device_id AND device_index > :cursor "
    "ORDER BY device_index LIMIT 500"
)


def add(hand: Connection, row: Row) -> bool:
    """Insert a row of InvoiceRow; False when the order already has a live invoice (or the request is known)."""
    return hand.run(_INSERT, row) == 1


def find(hand: Connection, taxpayer_id: str, invoice_id: str, lock: bool = False) -> Row | None:
    """One invoice of a taxpayer."""
    return hand.one(_LOCKED if lock else _ONE, {"taxpayer_id": taxpayer_id, "id": invoice_id})


def by_id(hand: Connection, invoice_id: str) -> Row | None:
    """One invoice, whoever it belongs to; the caller checks the scope."""
    return hand.one(_BY_ID, {"id": invoice_id})


def by_request(hand: Connection, taxpayer_id: str, request_id: str) -> Row | None:
    """The invoice that answers a request."""
    return hand.one(_BY_REQUEST, {"taxpayer_id": taxpayer_id, "request_id": request_id})


def live_of(hand: Connection, taxpayer_id: str, order_no: str) -> Row | None:
    """The live invoice of an order."""
    return hand.one(_LIVE, {"taxpayer_id": taxpayer_id, "order_no": order_no})


def lines(hand: Connection, taxpayer_id: str, invoice_id: str) -> list[Row]:
    """The lines in print order."""
    return hand.rows(_LINES, {"taxpayer_id": taxpayer_id, "id": invoice_id})


def attempts(hand: Connection, taxpayer_id: str, order_no: str) -> list[Row]:
    """All requests for one order, oldest first."""
    return hand.rows(_ATTEMPTS, {"taxpayer_id": taxpayer_id, "order_no": order_no})


def unplaced(hand: Connection, taxpayer_id: str, limit: int) -> list[Row]:
    """Waiting invoices without a job, oldest first."""
    return hand.rows(_UNPLACED, {"taxpayer_id": taxpayer_id, "limit": limit})


def unplaced_taxpayers(hand: Connection) -> list[str]:
    """Taxpayers that have invoices waiting without a job."""
    return [row["taxpayer_id"] for row in hand.rows(_UNPLACED_TAXPAYERS)]


def place(hand: Connection, values: Row) -> None:
    """Give a waiting invoice its device, terminal and job, or the reason why it has none."""
    hand.run(_PLACE, values)


def issue(hand: Connection, values: Row) -> bool:
    """Write what the device's journal says; False when the invoice no longer waits."""
    return hand.run(_ISSUE, values) == 1


def refuse(hand: Connection, values: Row) -> bool:
    """End a waiting invoice with its refusal."""
    return hand.run(_REFUSE, values) == 1


def upload(hand: Connection, values: Row) -> bool:
    """Record the bureau's word on one upload; False when nothing is new. Uploaded never changes again."""
    return hand.run(_UPLOAD, values) == 1


def by_index(hand: Connection, device_id: str, device_index: int) -> Row | None:
    """The invoice at one position of a device's journal."""
    return hand.one(_BY_INDEX, {"device_id": device_id, "device_index": device_index})


def uploaded_up_to(hand: Connection, device_id: str, cursor: int, foreign: set[int]) -> int:
    """Highest journal position from ``cursor`` on up to which every invoice has its final upload word.

    ``foreign`` positions are not of our making (someone issued by hand) and are passed over.
    """
    rows = hand.rows(_AFTER, {"device_id": device_id, "cursor": cursor})
    final = {row["device_index"] for row in rows if row["upload_status"] in ("uploaded", "signature_rejected")}
    while cursor + 1 in final or cursor + 1 in foreign:
        cursor += 1
    return cursor
