"""Schedules of automatic reporting (自动抄报): the platform's default and taxpayers' own."""

from __future__ import annotations

from console.records import Record, text
from console.screens.cells import ordered, plain_cell, signed, state_cell
from console.screens.noun import Noun, Related
from console.screens.page_lines import cell_fact, fact, known
from console.theme import Verdict
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import Line


def _verdict(record: Record) -> Verdict:
    return "ok" if text(record, "state") == "enabled" else "warn"


def _owner(record: Record, view: View) -> Cell:
    return Cell(text(record, "taxpayer_id") or view.say("report.platform"), "strong")


COLUMNS = (
    signed(_verdict),
    Column("taxpayer", 24, _owner, ordered("taxpayer_id")),
    Column("days_before", 10, plain_cell("days_before"), ordered("days_before"), right=True),
    Column("created", 8, plain_cell("at"), ordered("at")),
    Column("state", 10, state_cell("state.report-schedules"), ordered("state"), grow=1),
)


def _page(record: Record, view: View, related: Related) -> list[Line]:
    return known(
        [
            cell_fact(view, "taxpayer", _owner(record, view)),
            fact(view, "days_before", text(record, "days_before")),
            fact(view, "at", text(record, "at")),
            cell_fact(view, "state", state_cell("state.report-schedules")(record, view)),
        ]
    )


NOUN = Noun(
    "report-schedules",
    ("report-schedules", "schedules", "自动抄报", "zdcb"),
    COLUMNS,
    lambda record: text(record, "taxpayer_id") or "-",
    _page,
    _verdict,
)
