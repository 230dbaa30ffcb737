"""The same intake the usual way: FastAPI, pydantic, SQLModel, and one commit per request.

It checks the body's form, finds caller, taxpayer and the terminal with most numbers, reserves one, and writes in one
session what our route writes: the order with its lines, the invoice with its lines, the links between them, the job,
the operation-log row and two event rows. It has none of our rules of issuing, no chained log and no answers to repeats:
what it leaves out is in its favour.
"""

import hashlib
import socket
import sys
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict, StringConstraints
from sqlalchemy import Engine, event
from sqlmodel import Field, Relationship, Session, SQLModel, create_engine, select

Amount = Annotated[str, StringConstraints(pattern=r"^-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,8})?$", max_length=26)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(max_length=200)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class BuyerIn(Strict):
    name: Name
    tax_id: Text | None = None
    address_phone: Text | None = None
    bank_account: Text | None = None


class LineIn(Strict):
    item_name: Name
    tax_class_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}$")]
    rate: Amount
    quantity: Amount
    unit_price: Amount
    unit: Text | None = None
    spec: Text | None = None


class InvoiceIn(Strict):
    taxpayer_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{15,20}$")]
    request_id: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")]
    kind: Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]
    buyer: BuyerIn
    lines: list[LineIn]


def _key() -> str:
    return str(uuid.uuid4())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Token(SQLModel, table=True):
    token_hash: str = Field(primary_key=True)
    name: str


class Taxpayer(SQLModel, table=True):
    taxpayer_id: str = Field(primary_key=True)
    name: str


class Stock(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    taxpayer_id: str = Field(index=True)
    device_no: str
    terminal_code: str
    remaining: int
    reserved: int = 0


class Order(SQLModel, table=True):
    __tablename__ = "orders"
    id: str = Field(default_factory=_key, primary_key=True)
    taxpayer_id: str = Field(index=True)
    request_id: str = Field(unique=True)
    digest: str
    body: str
    received_at: str = Field(default_factory=_now)


class OrderLine(SQLModel, table=True):
    __tablename__ = "order_lines"
    order_id: str = Field(primary_key=True)
    line_no: int = Field(primary_key=True)
    body: str


class OrderLineLink(SQLModel, table=True):
    __tablename__ = "order_line_links"
    order_id: str = Field(primary_key=True)
    order_line_no: int = Field(primary_key=True)
    invoice_id: str
    invoice_line_no: int
    quantity: str
    amount_fen: int


class InvoiceLine(SQLModel, table=True):
    __tablename__ = "invoice_lines"
    id: str = Field(default_factory=_key, primary_key=True)
    invoice_id: str = Field(foreign_key="invoices.id", index=True)
    line_no: int
    item_name: str
    tax_class_code: str
    rate: str
    quantity: str
    unit_price: str
    unit: str
    spec: str
    amount_fen: int
    tax_fen: int


class Invoice(SQLModel, table=True):
    __tablename__ = "invoices"
    id: str = Field(default_factory=_key, primary_key=True)
    taxpayer_id: str = Field(index=True)
    request_id: str = Field(unique=True)
    order_id: str
    kind: str
    state: str = "waiting"
    buyer: str
    device_no: str
    terminal_code: str
    net_fen: int
    tax_fen: int
    created_at: str = Field(default_factory=_now)
    lines: list[InvoiceLine] = Relationship()


class Job(SQLModel, table=True):
    __tablename__ = "jobs"
    id: str = Field(default_factory=_key, primary_key=True)
    invoice_id: str = Field(index=True)
    device_no: str = Field(index=True)
    state: str = "queued"
    work: str
    created_at: str = Field(default_factory=_now)


class LogRow(SQLModel, table=True):
    __tablename__ = "operation_log"
    seq: int | None = Field(default=None, primary_key=True)
    at: str = Field(default_factory=_now)
    actor: str
    action: str
    subject_id: str = Field(index=True)


class EventRow(SQLModel, table=True):
    __tablename__ = "events"
    seq: int | None = Field(default=None, primary_key=True)
    at: str = Field(default_factory=_now)
    noun: str
    record_id: str
    verb: str


class LineOut(BaseModel):
    line_no: int
    item_name: str
    tax_class_code: str
    rate: str
    quantity: str
    unit_price: str
    unit: str
    spec: str
    amount_fen: int
    tax_fen: int


class InvoiceOut(BaseModel):
    id: str
    taxpayer_id: str
    request_id: str
    order_id: str
    kind: str
    state: str
    device_no: str
    terminal_code: str
    net_fen: int
    tax_fen: int
    created_at: str
    lines: list[LineOut]


def open_database(url: str) -> Engine:
    """WAL and synchronous=FULL, as ours; writers wait for each other."""
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 60}, pool_size=40)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    # As SQLAlchemy's page on SQLite tells it: a transaction that reads first and then writes must begin as a writer.
    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def fill(url: str, token: str, taxpayer_id: str) -> None:
    """Make the tables, one front end, one taxpayer, four terminals with numbers."""
    engine = open_database(url)
    SQLModel.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Token(token_hash=hashlib.sha256(token.encode()).hexdigest(), name="shop"))
        session.add(Taxpayer(taxpayer_id=taxpayer_id, name="云杉就绪科技有限公司"))
        for number in range(1, 5):
            place = {"device_no": f"50000000000{number}", "terminal_code": "1"}
            session.add(Stock(taxpayer_id=taxpayer_id, remaining=10_000_000, **place))
        session.commit()
    engine.dispose()


def build(url: str) -> FastAPI:
    """The application over a filled database."""
    engine = open_database(url)
    app = FastAPI()

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    # The session lives in the route, not in a dependency: there, all worker threads could wait for a lock whose holder
    # waits for a worker thread.
    @app.post("/v1/invoices", response_model=InvoiceOut, status_code=202)
    def request_invoice(body: InvoiceIn, authorization: Annotated[str, Header()]) -> Invoice:
        with Session(engine, expire_on_commit=False) as session:
            invoice = _take(session, body, _caller(session, authorization))
            session.commit()
            return invoice

    return app


def _caller(session: Session, authorization: str) -> str:
    found = session.get(Token, hashlib.sha256(authorization.removeprefix("Bearer ").encode()).hexdigest())
    if found is None:
        raise HTTPException(401)
    return found.name


def _take(session: Session, body: InvoiceIn, who: str) -> Invoice:
    if session.get(Taxpayer, body.taxpayer_id) is None:
        raise HTTPException(404)
    stocks = session.exec(select(Stock).where(Stock.taxpayer_id == body.taxpayer_id)).all()
    chosen = max(stocks, key=lambda one: one.remaining - one.reserved)
    chosen.reserved += 1
    text = body.model_dump_json()
    digest = hashlib.sha256(text.encode()).hexdigest()
    order = Order(taxpayer_id=body.taxpayer_id, request_id=body.request_id, digest=digest, body=text)
    lines = [_line(number, line) for number, line in enumerate(body.lines, 1)]
    invoice = Invoice(
        taxpayer_id=body.taxpayer_id, request_id=body.request_id, order_id=order.id, kind=body.kind,
        buyer=body.buyer.model_dump_json(), device_no=chosen.device_no, terminal_code=chosen.terminal_code,
        net_fen=sum(line.amount_fen for line in lines), tax_fen=sum(line.tax_fen for line in lines), lines=lines,
    )  # fmt: skip
    job = Job(invoice_id=invoice.id, device_no=chosen.device_no, work=text)
    session.add_all([order, invoice, job])
    session.add(LogRow(actor=who, action="invoices.request", subject_id=invoice.id))
    session.add(EventRow(noun="invoices", record_id=invoice.id, verb="waiting"))
    session.add(EventRow(noun="jobs", record_id=job.id, verb="queued"))
    for number, (asked, line) in enumerate(zip(body.lines, lines, strict=True), 1):
        session.add(OrderLine(order_id=order.id, line_no=number, body=asked.model_dump_json()))
        session.add(
            OrderLineLink(
                order_id=order.id, order_line_no=number, invoice_id=invoice.id, invoice_line_no=number,
                quantity=line.quantity, amount_fen=line.amount_fen,
            )
        )  # fmt: skip
    return invoice


def _line(number: int, line: LineIn) -> InvoiceLine:
    amount_fen = round(Decimal(line.quantity) * Decimal(line.unit_price) * 100)
    return InvoiceLine(
        line_no=number, item_name=line.item_name, tax_class_code=line.tax_class_code, rate=line.rate,
        quantity=line.quantity, unit_price=line.unit_price, unit=line.unit or "", spec=line.spec or "",
        amount_fen=amount_fen, tax_fen=round(amount_fen * Decimal(line.rate)),
    )  # fmt: skip


def main(arguments: list[str]) -> None:
    """``python -m tests.bench.peers.sqlmodel_app fill URL TOKEN TAXPAYER_ID`` or ``… run URL SOCKET_FD``."""
    verb, url, *rest = arguments
    if verb == "fill":
        fill(url, *rest)
    else:
        config = uvicorn.Config(build(url), access_log=False, log_level="warning")
        # Not uvicorn's own fd: it takes every inherited socket for a Unix one and leaves TCP_NODELAY off.
        uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(rest[0]))])


if __name__ == "__main__":
    main(sys.argv[1:])
