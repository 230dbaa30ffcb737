"""What stops if a tax server or virtual device stops, as lines of text."""

from __future__ import annotations

from console.records import Record, rows, text, whole
from console.screens.cells import amount_cell, plain_cell
from console.screens.page_lines import cell_fact, fact, heading, table
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import Line


def _words(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _devices(record: Record, view: View) -> Cell:
    return Cell("  ".join(_words(record.get("devices"))))


def _stops(record: Record, view: View) -> Cell:
    """Kinds that nobody else can issue then."""
    kinds = [view.say.word("kind", kind) for kind in _words(record.get("stops"))]
    return Cell(" ".join(kinds), "stopped") if kinds else Cell(view.say("page.none"), "dim")


def _take_over(record: Record, view: View) -> Cell:
    """Kind and the devices that could issue it instead."""
    found = record.get("take_over")
    pairs = found.items() if isinstance(found, dict) else ()
    shown = [f"{view.say.word('kind', str(kind))}: {' '.join(_words(who))}" for kind, who in pairs if _words(who)]
    return Cell("; ".join(shown), "plain")


_TAXPAYERS = (
    Column("name", 18, plain_cell("name", "strong"), grow=1),
    Column("stops_kinds", 19, _stops),
    Column("waiting", 5, amount_cell("waiting_invoices", 0), right=True),
    Column("issued", 7, amount_cell("issued_today"), right=True),
    Column("gross", 12, plain_cell("gross_today"), right=True, rank=1),
    Column("take_over", 24, _take_over, grow=1, rank=1),
    Column("devices", 14, _devices, grow=1, rank=2),
)


def lines(view: View, found: Record) -> list[Line]:
    """The impact as the API answers it; a taxpayer for whom nobody can take over comes first."""
    taxpayers = sorted(rows(found, "taxpayers"), key=lambda one: (not _words(one.get("stops")), text(one, "name")))
    count = {name: len(rows(found, name)) for name in ("taxpayers", "devices", "terminals")}
    return [
        *heading(view, "impact")[1:],
        *(fact(view, f"hit_{name}", f"{n:,}") for name, n in count.items()),
        fact(view, "business", "  ".join(_words(found.get("business_types")))),
        cell_fact(view, "waiting", amount_cell("waiting_invoices", 0)(found, view)),
        fact(view, "issued", _today(found)),
        *heading(view, "impact_taxpayers"),
        *table(view, _TAXPAYERS, taxpayers, 60),
    ]


def _today(found: Record) -> str:
    issued = whole(found, "issued_today")
    return "" if issued is None else f"{issued:,}  ¥ {text(found, 'gross_today')}"
