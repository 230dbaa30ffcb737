"""Lines of a detail page: headings, facts, causes with their remedy and runbook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from console.records import Record, instant, mapping, text
from console.runbook import page
from console.screens.cells import cause_text, clock_cell, verdict
from console.theme import SIGNS, Tone
from console.times import moment
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import BLANK, Line, Part, fitted
from console.widgets.trail import job_line, trail_lines

_LABEL = 16
_RUNBOOK_LINES = 60


def heading(view: View, section: str, note: str = "") -> list[Line]:
    """A blank line and a section title."""
    parts = (Part(view.say(f"section.{section}"), "strong"), Part(f"  {note}" if note else "", "dim"))
    return [BLANK, Line(parts)]


def fact(view: View, key: str, value: str, tone: Tone = "plain", **params: str) -> Line:
    """A label and its value; further lines of a long value hang under it."""
    label = view.say(f"fact.{key}", **params)
    return Line(
        (Part("  " + fitted(label, _LABEL) + "  ", "dim"), Part(value or "—", tone if value else "dim")), _LABEL + 4
    )


def known(lines: Iterable[Line | None]) -> list[Line]:
    """The lines that are there."""
    return [line for line in lines if line is not None]


def fact_if(view: View, key: str, value: str, tone: Tone = "plain") -> Line | None:
    """A fact, unless there is nothing to say."""
    return fact(view, key, value, tone) if value else None


def cell_fact(view: View, key: str, cell: Cell, **params: str) -> Line:
    """A fact from a table's cell."""
    return fact(view, key, cell.text, "plain" if cell.tone == "dim" else cell.tone, **params)


def paragraph(words: str, tone: Tone = "plain") -> Line:
    """A line of running text."""
    return Line((Part("  " + words, tone),), 2)


def health(view: View, record: Record) -> list[Line]:
    """Why a record stands as it stands: verdict, cause, time left, remedy, rule and runbook page."""
    word = verdict(record)
    head = Line((Part(f"{SIGNS[word]} {view.say.word('verdict', word)}", word), Part("  ")))
    cause = record.get("health")
    cause = cause if isinstance(cause, dict) else {}
    if word == "ok":
        return [Line((*head.parts, Part(view.say("page.no_problem"), "dim")), 4)]
    minutes = cause.get("minutes_until_stop")
    left = view.say.minutes(minutes) if isinstance(minutes, int) else ""
    lines = [
        Line((*head.parts, Part(cause_text(record, view), "strong")), 4),
        *known([fact_if(view, "until", left, word)]),
    ]
    return lines + remedy(view, {**cause, "code": text(cause, "code") or text(cause, "cause")})


def trouble(view: View, cause: Record, tone: Tone) -> list[Line]:
    """A waiting reason or refusal with its remedy and runbook page beside it."""
    told = view.say.told(cause)
    return [Line((Part(f"  {told.message}", tone),), 2), *remedy(view, cause)]


def remedy(view: View, cause: Record) -> list[Line]:
    """What to do, the rule's code, and the whole runbook page."""
    told = view.say.told(cause)
    lines = known(
        [
            fact_if(view, "remedy", told.remedy, "accent"),
            fact_if(view, "rule", text(cause, "code")),
            fact_if(view, "runbook", told.runbook and f"runbooks/{told.runbook}.md"),
        ]
    )
    return lines + runbook_lines(view, told.runbook)


def runbook_lines(view: View, slug: str) -> list[Line]:
    """The runbook page, its markup taken away as far as a terminal needs it."""
    found = page(slug, view.say.language)[:_RUNBOOK_LINES]
    return [
        Line((Part("    │ ", "dim"), Part(line.lstrip("# ") if line.startswith("#") else line)), 6) for line in found
    ]


def table(view: View, columns: Sequence[Column], records: Sequence[Record], most: int = 20) -> list[Line]:
    """A small table inside a page; widths are those of the columns, and what is beyond ``most`` is counted."""
    if not records:
        return [paragraph(view.say("page.none"), "dim")]
    head = tuple(
        Part(
            fitted(view.say(f"column.{column.key}") if column.key else "", _wide(view, column), column.right) + "  ",
            "dim",
        )
        for column in columns
    )
    lines = [Line((Part("  "), *head), -1)]
    for record in records[:most]:
        cells = [column.cell(record, view) for column in columns]
        parts = [
            Part(fitted(cell.text, _wide(view, column), column.right) + "  ", cell.tone)
            for cell, column in zip(cells, columns, strict=True)
        ]
        lines.append(Line((Part("  "), *parts), -1))
    if len(records) > most:
        lines.append(paragraph(view.say("list.shown", n=most, all=len(records)), "dim"))
    return lines


def _wide(view: View, column: Column) -> int:
    return max(column.width, cell_len(view.say(f"column.{column.key}")))


def job_lines(view: View, jobs: Sequence[Record], with_trail: bool = False) -> list[Line]:
    """Jobs, one under the other, with their trails where wanted."""
    lines: list[Line] = []
    for job in jobs:
        lines.append(job_line(view, job))
        if with_trail:
            lines += trail_lines(view, job)
    return lines or [paragraph(view.say("page.none"), "dim")]


def reading_lines(view: View, record: Record) -> list[Line]:
    """The last readings of a record that this console saw."""
    readings = view.readings.get(record["id"], [])
    if not readings:
        return []
    lines = heading(view, "readings", view.say("page.readings_head"))
    for reading in readings:
        word = verdict(reading)
        parts = [
            Part("  "),
            Part(f"{SIGNS[word]} ", word),
            Part(moment(instant(reading, "read_at"), view.now) + "  ", "dim"),
        ]
        parts.append(Part(_measured(view, reading)))
        lines.append(Line(tuple(parts), 4))
    return lines


def _measured(view: View, reading: Record) -> str:
    say = view.say
    stock = mapping(reading, "stock")
    shown = [f"{say('column.clock')} {clock_cell(reading, view).text}"]
    shown += [f"{kind} {text(stock, kind)}" for kind in sorted(stock)]
    for key, path in (("column.waiting", "waiting_invoices"), ("column.uploads", "waiting_uploads")):
        if text(reading, path):
            shown.append(f"{say(key)} {text(reading, path)}")
    if verdict(reading) != "ok":
        shown.append(cause_text(reading, view))
    return "  ".join(shown)
