"""Taxpayers (纳税人): list and page."""

from __future__ import annotations

from collections.abc import Sequence

from console.records import Record, flag, pick, rows, text
from console.screens.cells import amount_cell, ordered, plain_cell, signed, state_cell, urgency
from console.screens.noun import Noun, Related, Relation
from console.screens.page_lines import cell_fact, fact, fact_if, heading, known, paragraph, table, trouble
from console.screens.virtual_devices import COLUMNS as DEVICE_COLUMNS
from console.theme import Verdict
from console.times import stamp
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import Line, Part


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


_FLAGS = (
    Column("flag", 20, plain_cell("name", "strong"), grow=1),
    Column("flag_value", 10, plain_cell("value")),
    Column("valid_from", 10, plain_cell("valid_from")),
    Column("valid_to", 10, plain_cell("valid_to")),
    Column("source", 8, state_cell("flag_source", "source"), rank=1),
)
_CONTACTS = (
    Column("name", 14, plain_cell("name", "strong")),
    Column("duty", 12, plain_cell("duty"), grow=1, rank=1),
    Column("phone", 16, plain_cell("phone")),
    Column("mail", 24, plain_cell("mail"), grow=1),
)
_LEFT = (
    Column("what", 20, state_cell("leftover", "what"), grow=1),
    Column("device_no", 20, plain_cell("device_no")),
    Column("kind", 8, plain_cell("kind")),
    Column("count", 7, amount_cell("count"), right=True),
)


def _told(value: object) -> str:
    """A value of a difference in one piece: text, number, yes/no, or the parts of a flag."""
    if isinstance(value, dict):
        return " ".join(_told(one) for one in value.values() if one not in (None, ""))
    return "" if value is None or isinstance(value, list) else str(value)


def _old(record: Record, view: View) -> Cell:
    return Cell(_told(record.get("old")), "dim")


def _new(record: Record, view: View) -> Cell:
    return Cell(_told(record.get("new")), "accent")


_DIFF = (
    Column("diff_field", 20, plain_cell("field", "strong")),
    Column("diff_old", 24, _old, grow=1),
    Column("diff_new", 24, _new, grow=1),
)


def _fetches(record: Record, view: View) -> list[Line]:
    """Looks at the bureau, newest first; what differs stands as old and new under each that waits for a decision."""
    lines: list[Line] = []
    for fetch in rows(record, "fetches"):
        state = text(fetch, "state")
        lines.append(
            Line(
                (
                    Part(f"  {stamp(fetch, 'created_at')}  ", "dim"),
                    Part(view.say.word("fetch", state), "warn" if state in ("pending", "failed") else "plain"),
                    Part(f"  {text(fetch, 'requested_by')}  {text(fetch, 'message')}"),
                    Part(f"  {text(fetch, 'id')}", "dim"),
                ),
                4,
            )
        )
        if rows(fetch, "diff"):
            lines += table(view, _DIFF, rows(fetch, "diff"))
    return lines or [paragraph(view.say("page.none"), "dim")]


def _told_more(record: Record, view: View) -> list[Line]:
    """What only a single taxpayer's record tells."""
    lines: list[Line] = []
    if pick(record, "fetches") is not None:
        lines += [*heading(view, "fetches"), *_fetches(record, view)]
        lines += [*heading(view, "flags"), *table(view, _FLAGS, rows(record, "flag_history"))]
        lines += [*heading(view, "contacts"), *table(view, _CONTACTS, rows(record, "contacts"))]
    if rows(record, "leftovers"):
        lines += [*heading(view, "leftovers"), *table(view, _LEFT, rows(record, "leftovers"))]
    return lines


def _page(record: Record, view: View, related: Related) -> list[Line]:
    devices = sorted(related.get("virtual-devices", []), key=urgency)
    return [
        *(line for warning in rows(record, "warnings") for line in trouble(view, warning, "warn")),
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
        *_told_more(record, view),
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
