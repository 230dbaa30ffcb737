"""Columns of the server board; every cell serves a tax server's line and a virtual device's."""

from __future__ import annotations

from console.records import Record, text, whole
from console.screens.cells import (
    amount_cell,
    cause_in_short,
    cause_text,
    certificate_cell,
    clock_cell,
    deadline_cell,
    heartbeat_cell,
    ordered,
    signed,
    stock_cell,
    until_cell,
    urgency,
    verdict,
)
from console.widgets.columns import Cell, Column, View
from console.widgets.sparkline import sparkline

_TREND = 8


def is_server(record: Record) -> bool:
    """True for a tax server's line."""
    return record.get("row") == "server"


def _name(record: Record, view: View) -> Cell:
    if is_server(record):
        name = text(record, "name") or text(record, "tax_server_no")
        return Cell(name, "strong")
    name = text(record, "device_no") or text(record, "name")
    return Cell(f"  {name} {text(record, 'taxpayer_name')}")


def _trend(record: Record, view: View) -> Cell:
    return Cell(sparkline(view.trends.get(record["id"], []), _TREND), "accent" if is_server(record) else "dim")


def _cause(record: Record, view: View) -> Cell:
    word = verdict(record)
    if word == "ok":
        return Cell("", "dim")
    told, short = cause_text(record, view), cause_in_short(record, view)
    if is_server(record) and not record.get("own"):
        others = whole(record, "others") or 0
        count = view.say("board.alike", n=whole(record, "alike") or 0)
        told, short = (f"{count} {words}" + (f" +{others}" if others else "") for words in (told, short))
    return Cell(told, word, short)


COLUMNS = (
    signed(verdict),
    Column("server_or_device", 22, _name, ordered("tax_server_no"), grow=3),
    Column("issued", 6, amount_cell("issued_today"), ordered("issued_today"), right=True),
    Column("trend", _TREND, _trend, rank=4),
    Column("waiting", 4, amount_cell("waiting_invoices", 0), ordered("waiting_invoices"), right=True),
    Column("uploads", 4, amount_cell("waiting_uploads", 20), ordered("waiting_uploads"), right=True, rank=1),
    Column("stock_026", 5, stock_cell("026"), ordered("stock.026"), right=True, rank=2),
    Column("stock_028", 5, stock_cell("028"), ordered("stock.028"), right=True, rank=2),
    Column("clock", 5, clock_cell, ordered("clock_offset_seconds"), right=True, rank=3),
    Column("certificate", 4, certificate_cell, ordered("certificate_not_after"), right=True, rank=5),
    Column("deadline", 4, deadline_cell, right=True, rank=3),
    Column("agent", 4, heartbeat_cell, ordered("agent_id"), rank=3),
    Column("until", 5, until_cell, ordered("health.minutes_until_stop"), right=True, rank=2),
    Column("cause", 16, _cause, urgency, grow=5),
)
