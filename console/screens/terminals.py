"""Terminals (开票终端): list and page."""

from __future__ import annotations

from console.records import Record, flag, text
from console.screens.cells import ordered, plain_cell
from console.screens.noun import Noun, Related
from console.screens.page_lines import fact
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import Line


def _enabled(record: Record, view: View) -> Cell:
    enabled = flag(record, "enabled")
    if enabled is None:
        return Cell("", "dim")
    return Cell(view.say("page.yes"), "dim") if enabled else Cell(view.say("page.no"), "warn")


COLUMNS = (
    Column("terminal", 10, plain_cell("terminal_code", "strong"), ordered("terminal_code")),
    Column("terminal_name", 20, plain_cell("terminal_name"), ordered("terminal_name"), grow=1, rank=1),
    Column("device_no", 13, plain_cell("device_no"), ordered("device_no"), rank=1),
    Column("taxpayer_id", 20, plain_cell("taxpayer_id", "dim"), ordered("taxpayer_id"), rank=2),
    Column("enabled", 7, _enabled, ordered("enabled")),
)


def _page(record: Record, view: View, related: Related) -> list[Line]:
    return [
        fact(view, "terminal", f"{text(record, 'terminal_code')}  {text(record, 'terminal_name')}".strip()),
        fact(view, "device", text(record, "device_no")),
        fact(view, "taxpayer", text(record, "taxpayer_id")),
        fact(view, "enabled", _enabled(record, view).text),
    ]


NOUN = Noun(
    "terminals",
    ("terminals", "开票终端", "终端", "kpzd", "zd", "tm"),
    COLUMNS,
    lambda record: text(record, "terminal_name") or text(record, "terminal_code"),
    _page,
    order=lambda record: (text(record, "device_no"), text(record, "terminal_code")),
    has_page=False,
)
