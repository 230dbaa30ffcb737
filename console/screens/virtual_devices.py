"""Virtual devices (虚拟设备): list and page."""

from __future__ import annotations

from collections.abc import Sequence

from console.records import Record, flag, mapping, pick, rows, text, whole
from console.screens.cells import (
    STOCK_LOW,
    amount_cell,
    cause_cell,
    certificate_cell,
    clock_cell,
    days_left,
    deadline_cell,
    ordered,
    plain_cell,
    signed,
    state_cell,
    stock_cell,
    time_cell,
    trouble_of,
    until_cell,
    urgency,
    verdict,
)
from console.screens.invoices import SHORT_COLUMNS
from console.screens.noun import Noun, Related, Relation
from console.screens.page_lines import (
    cell_fact,
    fact,
    fact_if,
    heading,
    health,
    job_lines,
    known,
    reading_lines,
    table,
)
from console.screens.segments import COLUMNS as SEGMENT_COLUMNS
from console.screens.terminals import NOUN as TERMINALS
from console.theme import Tone
from console.times import stamp
from console.widgets.columns import Cell, Column, View
from console.widgets.gauge import gauge
from console.widgets.ink import BLANK, Line

_FULL_STOCK = 1000
_FULL_DAYS = 30


def name(record: Record) -> str:
    """The device number, or before commissioning its name or taxpayer."""
    return text(record, "device_no") or text(record, "name") or text(record, "taxpayer_name")


def _number(record: Record, view: View) -> Cell:
    return Cell(name(record), "strong" if text(record, "device_no") else "dim")


COLUMNS = (
    signed(verdict),
    Column("device_no", 13, _number, ordered("device_no")),
    Column("taxpayer", 16, plain_cell("taxpayer_name"), ordered("taxpayer_name"), grow=1, rank=3),
    Column("server", 12, plain_cell("tax_server_no", "dim"), ordered("tax_server_no"), rank=5),
    Column("state", 14, state_cell("state.virtual-devices"), ordered("state"), rank=4),
    Column("issued", 6, amount_cell("issued_today"), ordered("issued_today"), right=True, rank=1),
    Column("waiting", 4, amount_cell("waiting_invoices", 0), ordered("waiting_invoices"), right=True),
    Column("uploads", 4, amount_cell("waiting_uploads", 20), ordered("waiting_uploads"), right=True, rank=1),
    Column("stock_026", 5, stock_cell("026"), ordered("stock.026"), right=True, rank=2),
    Column("stock_028", 5, stock_cell("028"), ordered("stock.028"), right=True, rank=2),
    Column("clock", 5, clock_cell, ordered("clock_offset_seconds"), right=True, rank=3),
    Column("certificate", 4, certificate_cell, ordered("certificate_not_after"), right=True, rank=4),
    Column("deadline", 4, deadline_cell, right=True, rank=4),
    Column("read_at", 11, time_cell("read_at"), ordered("read_at"), rank=6),
    Column("until", 5, until_cell, ordered("health.minutes_until_stop"), right=True, rank=3),
    Column("cause", 16, cause_cell, urgency, grow=2),
)


def _depends(record: Record) -> Sequence[Relation]:
    own = (("device_id", record["id"]),)
    sold = (("taxpayer_id", text(record, "taxpayer_id")), *own)
    return (
        Relation("invoices", (("state", "waiting"), *sold)),
        Relation("invoices", sold),
        Relation("stock", own),
        *_parts(record)[1:],
    )


def _parts(record: Record) -> Sequence[Relation]:
    own = (("device_id", record["id"]),)
    waiting = (("taxpayer_id", text(record, "taxpayer_id")), ("state", "waiting"), *own)
    return (
        Relation("invoices", waiting),
        Relation("segments", own),
        Relation("terminals", own),
        Relation("jobs", (("subject_id", record["id"]),)),
    )


def _limits(record: Record, view: View) -> list[Line]:
    lines: list[Line] = []
    stock = mapping(record, "stock")
    for kind in sorted(stock):
        left = whole(stock, kind)
        tone: Tone = "stopped" if not left else "warn" if left < STOCK_LOW else "plain"
        shown = "?" if left is None else f"{gauge(left, _FULL_STOCK, 12)} {left:,}"
        lines.append(fact(view, "stock", shown, tone, kind=kind))
    for kind_facts in rows(record, "kinds"):
        kind = text(kind_facts, "kind")
        days = days_left(kind_facts, "issue_deadline", view)
        if days is not None:
            due: Tone = "stopped" if days < 0 else "warn" if days < 3 else "plain"
            bar = gauge(days, _FULL_DAYS, 12)
            shown = f"{bar} {view.say('time.days', n=days)}  {text(kind_facts, 'issue_deadline')}"
            lines.append(fact(view, "deadline", shown, due, kind=kind))
        limit = text(kind_facts, "single_limit")
        if limit:
            lines.append(fact(view, "single_limit", limit, kind=kind))
    certificate = certificate_cell(record, view)
    until = stamp(record, "certificate_not_after")
    lines.append(cell_fact(view, "certificate", Cell(f"{until}  {certificate.text}".strip(), certificate.tone)))
    rates = pick(record, "rates")
    if isinstance(rates, list) and rates:
        lines.append(fact(view, "rates", "  ".join(rate for rate in rates if isinstance(rate, str))))
    return lines


def _yes(view: View, answer: bool | None, yes: str, no: str) -> Cell:
    if answer is None:
        return Cell("", "dim")
    return Cell(view.say(yes)) if answer else Cell(view.say(no), "stopped")


def _facts(record: Record, view: View) -> list[Line]:
    say = view.say
    bureau = _yes(view, flag(record, "bureau_online"), "page.online", "page.offline")
    return known(
        [
            fact(view, "device", text(record, "device_no")),
            fact_if(view, "name", text(record, "name")),
            fact(view, "taxpayer", f"{text(record, 'taxpayer_name')}  {text(record, 'taxpayer_id')}".strip()),
            fact(view, "server", text(record, "tax_server_no")),
            cell_fact(view, "state", state_cell("state.virtual-devices")(record, view)),
            cell_fact(view, "reachable", _yes(view, flag(record, "reachable"), "page.yes", "page.no")),
            cell_fact(view, "bureau", Cell(f"{bureau.text} {text(record, 'bureau_message')}".strip(), bureau.tone)),
            fact_if(view, "offline_since", stamp(record, "offline_since"), "warn"),
            cell_fact(view, "clock", clock_cell(record, view)),
            fact(view, "issued", text(record, "issued_today")),
            cell_fact(view, "waiting", amount_cell("waiting_invoices", 0)(record, view)),
            cell_fact(view, "uploads", amount_cell("waiting_uploads", 20)(record, view)),
            fact(view, "read_at", stamp(record, "read_at")),
            fact_if(view, "open_job", say.word("job", text(record, "open_job.kind")), "accent"),
            fact(view, "id", text(record, "id")),
        ]
    )


def _page(record: Record, view: View, related: Related) -> list[Line]:
    waiting = related.get("invoices", [])
    return [
        *health(view, record),
        BLANK,
        *_facts(record, view),
        *heading(view, "limits"),
        *_limits(record, view),
        *reading_lines(view, record),
        *([*heading(view, "waiting", str(len(waiting))), *table(view, SHORT_COLUMNS, waiting, 10)] if waiting else []),
        *heading(view, "jobs"),
        *job_lines(view, related.get("jobs", [])[:8]),
        *heading(view, "segments"),
        *table(view, SEGMENT_COLUMNS, related.get("segments", [])),
        *heading(view, "terminals"),
        *table(view, TERMINALS.columns[1:], related.get("terminals", [])),
    ]


NOUN = Noun(
    "virtual-devices",
    ("devices", "device", "虚拟设备", "设备", "xnsb", "sb", "vd"),
    COLUMNS,
    name,
    _page,
    verdict,
    urgency,
    depends=_depends,
    parts=_parts,
    trouble=lambda record, related: trouble_of(record),
    impact=True,
    watched=frozenset({"invoices", "agents", "tax-servers"}),
)
