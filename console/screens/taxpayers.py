"""Taxpayers (纳税人): list and page."""

from __future__ import annotations

from collections.abc import Sequence

from console.records import Record, flag, text
from console.screens.cells import ordered, plain_cell, signed, state_cell, urgency
from console.screens.noun import Noun, Related, Relation
from console.screens.page_lines import cell_fact, fact, fact_if, heading, known, table
from console.screens.virtual_devices import COLUMNS as DEVICE_COLUMNS
from console.theme import Verdict
from console.times import stamp
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import Line


def _verdict(record: Record) -> Verdict:
    return "warn" if flag(record, "may_issue") is False else "ok"


def _may_issue(record: Record, view: View) -> Cell:
    answer = flag(record, "may_issue")
    if answer is None:
        return Cell("", "dim")
    return Cell(view.say("page.yes"), "dim") if answer else Cell(view.say("page.no"), "warn")


COLUMNS = (
    signed(_verdict),
    Column("taxpayer_id", 20, plain_cell("taxpayer_id", "strong"), ordered("taxpayer_id")),
    Column("name", 24, plain_cell("name"), ordered("name"), grow=1),
    Column("taxpayer_kind", 12, state_cell("taxpayer_kind", "taxpayer_kind"), ordered("taxpayer_kind"), rank=2),
    Column("region", 10, plain_cell("region"), ordered("region"), rank=1),
    Column("may_issue", 9, _may_issue, ordered("may_issue"), rank=1),
)


def _parts(record: Record) -> Sequence[Relation]:
    return (Relation("virtual-devices", (("taxpayer_id", text(record, "taxpayer_id")),)),)


def _depends(record: Record) -> Sequence[Relation]:
    by_taxpayer = (("taxpayer_id", text(record, "taxpayer_id")),)
    return tuple(Relation(noun, by_taxpayer) for noun in ("virtual-devices", "stock", "segments", "invoices", "jobs"))


def _page(record: Record, view: View, related: Related) -> list[Line]:
    devices = sorted(related.get("virtual-devices", []), key=urgency)
    return [
        *known(
            [
                fact(view, "taxpayer", text(record, "taxpayer_id")),
                fact(view, "name", text(record, "name")),
                cell_fact(view, "taxpayer_kind", state_cell("taxpayer_kind", "taxpayer_kind")(record, view)),
                fact(view, "region", text(record, "region")),
                cell_fact(view, "may_issue", _may_issue(record, view)),
                fact_if(view, "parent", text(record, "parent_id")),
                fact(view, "created", stamp(record, "created_at")),
                fact(view, "id", text(record, "id")),
            ]
        ),
        *heading(view, "devices"),
        *table(view, DEVICE_COLUMNS, devices),
    ]


NOUN = Noun(
    "taxpayers",
    ("taxpayers", "taxpayer", "纳税人", "nsr", "tp"),
    COLUMNS,
    lambda record: text(record, "name") or text(record, "taxpayer_id"),
    _page,
    _verdict,
    lambda record: text(record, "taxpayer_id"),
    depends=_depends,
    parts=_parts,
)
