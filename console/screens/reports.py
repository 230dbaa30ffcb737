"""Reports (抄报清零): list with what is overdue first, and a page with totals side by side and refusals."""

from __future__ import annotations

from collections.abc import Sequence

from console.records import Record, mapping, pick, rows, text, whole
from console.screens.cells import cell_of_kind, ordered, plain_cell, signed, state_cell, time_cell
from console.screens.noun import Noun, Related, Relation
from console.screens.page_lines import cell_fact, fact, fact_if, heading, known, paragraph, remedy, table, trouble
from console.theme import SEVERITY, Tone, Verdict
from console.times import stamp
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import Line

_STANDINGS: dict[str, Verdict] = {
    "zombie": "stopped", "locked": "stopped", "due": "warn", "not_due": "ok", "cleared": "ok",
}  # fmt: skip
_NUMBERS = ("opening", "received", "returned", "closing")
_TOTALS = ("blue_count", "blue_net", "blue_tax", "red_count", "red_net", "red_tax", "void_count")


def _verdict(record: Record) -> Verdict:
    return _STANDINGS.get(text(record, "standing"), "unknown")


def _standing(record: Record, view: View) -> Cell:
    return Cell(view.say.word("standing", text(record, "standing")), _verdict(record))


def _days(record: Record, view: View) -> Cell:
    days = whole(record, "days_left")
    return Cell("" if days is None else f"{days}d", "dim" if text(record, "state") == "cleared" else _verdict(record))


def _why(record: Record, view: View) -> Cell:
    """Why it does not go on: what stopped the clock, else in what the totals differ."""
    if text(record, "state") == "cleared":
        return Cell("")
    if mapping(record, "stopped"):
        return Cell(view.say.told(mapping(record, "stopped")).message, "warn")
    return Cell(view.say("report.differ") if pick(record, "differences") else "", "warn")


COLUMNS = (
    signed(_verdict),
    Column("device_no", 13, plain_cell("device_no", "strong"), ordered("device_no")),
    Column("kind", 12, cell_of_kind, ordered("kind"), rank=1),
    Column("period", 8, plain_cell("period"), ordered("period")),
    Column("state", 14, state_cell("state.reports"), ordered("state")),
    Column("standing", 10, _standing, ordered("standing"), rank=1),
    Column("deadline", 6, _days, ordered("days_left"), right=True),
    Column("taxpayer_id", 20, plain_cell("taxpayer_id", "dim"), ordered("taxpayer_id"), rank=4),
    Column("why", 16, _why, grow=1, rank=2),
)

_REFUSALS = (
    Column("created", 11, time_cell("at")),
    Column("step", 10, state_cell("verb", "step")),
    Column("code", 8, plain_cell("code")),
    Column("message", 24, plain_cell("text"), grow=1),
)


def _totals(view: View, record: Record) -> list[Line]:
    if not mapping(record, "summary"):
        return [paragraph(view.say("page.none"), "dim")]
    differ = pick(record, "differences")
    lines = []
    for name in _TOTALS:
        tone: Tone = "stopped" if isinstance(differ, list) and name in differ else "plain"
        shown = view.say("report.beside", device=text(record, f"summary.{name}"), ledger=_ledger(record, name))
        lines.append(fact(view, name, shown, tone))
    numbers = "  ".join(text(record, f"summary.{name}") for name in _NUMBERS)
    off: Tone = "stopped" if isinstance(differ, list) and "closing" in differ else "plain"
    return [*lines, fact(view, "numbers", numbers, off)]


def _ledger(record: Record, name: str) -> str:
    return text(record, f"ledger_totals.{name}")


def _page(record: Record, view: View, related: Related) -> list[Line]:
    stopped = mapping(record, "stopped")
    return [
        *known(
            [
                fact(view, "device", text(record, "device_no")),
                fact(view, "taxpayer", text(record, "taxpayer_id")),
                cell_fact(view, "kind", cell_of_kind(record, view)),
                fact(view, "period", f"{text(record, 'report_from')} – {text(record, 'report_to')}"),
                cell_fact(view, "state", state_cell("state.reports")(record, view)),
                cell_fact(view, "standing", _standing(record, view)),
                fact(view, "issue_deadline", f"{text(record, 'deadline')}  {_days(record, view).text}"),
                fact_if(view, "new_deadline", text(record, "new_deadline")),
                fact_if(view, "report_no", text(record, "report_no")),
                fact_if(view, "reported_at", stamp(record, "reported_at")),
                fact_if(view, "verified_at", stamp(record, "verified_at")),
                fact_if(view, "return_filed_at", stamp(record, "return_filed_at")),
                fact_if(view, "cleared_at", stamp(record, "cleared_at")),
                fact_if(view, "accepted", text(record, "totals_accepted.reason")),
            ]
        ),
        *(trouble(view, stopped, "warn") if stopped and text(record, "state") != "cleared" else []),
        *(remedy(view, {"code": "totals_differ"}) if pick(record, "differences") and not stopped else []),
        *heading(view, "totals"),
        *_totals(view, record),
        *heading(view, "refusals"),
        *table(view, _REFUSALS, rows(record, "refusals")),
    ]


def _depends(record: Record) -> Sequence[Relation]:
    own = (("device_id", text(record, "device_id")),)
    return (Relation("uploads", own), Relation("virtual-devices", (("id", text(record, "device_id")),)))


def _name(record: Record) -> str:
    return " ".join(filter(None, (text(record, key) for key in ("device_no", "kind", "period"))))


NOUN = Noun(
    "reports",
    ("reports", "抄报清零", "抄报", "cbql", "cb"),
    COLUMNS,
    _name,
    _page,
    _verdict,
    lambda record: (SEVERITY[_verdict(record)], whole(record, "days_left") or 0, _name(record)),
    depends=_depends,
    trouble=lambda record, related: {} if text(record, "state") == "cleared" else mapping(record, "stopped"),
    watched=frozenset({"invoices", "jobs"}),
)
