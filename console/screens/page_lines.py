"""Lines of a detail page: headings, facts, causes with their remedy and runbook."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from console.records import Record, instant, mapping, text, whole
from console.runbook import page
from console.screens.cells import cause_in_short, cause_text, clock_cell, verdict
from console.theme import SIGNS, Tone
from console.times import moment
from console.widgets.columns import Cell, Column, View, fit
from console.widgets.ink import BLANK, Line, Part, fitted
from console.widgets.trail import job_line, trail_lines

_LABEL = 16
_MARKS = re.compile(r"(\*\*[^*]+\*\*|`[^`]+`)")
_LINKS = re.compile(r"\[([^\]]+)\]\([^)]*\)")


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
    """Why a record stands as it stands: verdict, cause, time left, remedy and rule."""
    word = verdict(record)
    head = (Part(f"{SIGNS[word]} {view.say.word('verdict', word)}", word), Part("  "))
    if word == "ok":
        return [Line((*head, Part(view.say("page.no_problem"), "dim")), 4)]
    left = whole(record, "health.minutes_until_stop")
    return [
        Line((*head, Part(cause_text(record, view), "strong")), 4),
        *known([fact_if(view, "until", view.say.minutes(left), word)]),
        *remedy(view, mapping(record, "health")),
    ]


def trouble(view: View, cause: Record, tone: Tone) -> list[Line]:
    """A waiting reason or refusal and its remedy."""
    return [Line((Part(f"  {view.say.told(cause).message}", tone),), 2), *remedy(view, cause)]


def remedy(view: View, cause: Record) -> list[Line]:
    """What to do, and the code of the rule; the runbook page stands beside it."""
    return known(
        [
            fact_if(view, "remedy", view.say.told(cause).remedy, "accent"),
            fact_if(view, "rule", text(cause, "code") or text(cause, "cause")),
        ]
    )


def runbook_lines(view: View, slug: str) -> list[Line]:
    """The runbook page, its markup turned into tones."""
    if not slug:
        return []
    found = page(slug, view.say.language)
    if not found:
        return [paragraph(view.say("page.no_runbook", slug=slug), "dim")]
    return [_of_markdown(line) for line in found]


def _of_markdown(line: str) -> Line:
    if line.startswith("#"):
        return Line((Part(line.lstrip("# "), "strong"),))
    parts = []
    for piece in _MARKS.split(_LINKS.sub(r"\1", line)):
        if piece.startswith("**"):
            parts.append(Part(piece.strip("*"), "strong"))
        elif piece.startswith("`"):
            parts.append(Part(piece.strip("`"), "accent"))
        elif piece:
            parts.append(Part(piece))
    hang = len(line) - len(line.lstrip("0123456789.- "))
    return Line(tuple(parts), min(hang, 4))


def table(view: View, columns: Sequence[Column], records: Sequence[Record], most: int = 20) -> list[Line]:
    """A small table inside a page, fitted to its width; what is beyond ``most`` records is counted."""
    if not records:
        return [paragraph(view.say("page.none"), "dim")]
    placed = fit(columns, view.width - 2)
    head = [Part(fitted(view.say(f"column.{column.key}"), width, column.right), "dim") for column, width in placed]
    lines = [_row(head)]
    for record in records[:most]:
        cells = [(column.cell(record, view), column, width) for column, width in placed]
        lines.append(
            _row([Part(fitted(cell.words(width), width, column.right), cell.tone) for cell, column, width in cells])
        )
    if len(records) > most:
        lines.append(paragraph(view.say("list.shown", n=most, all=len(records)), "dim"))
    return lines


def _row(parts: Sequence[Part]) -> Line:
    spaced = [Part("  ")]
    for place, part in enumerate(parts):
        spaced += [Part("  "), part] if place else [part]
    return Line(tuple(spaced), -1)


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
        shown.append(cause_in_short(reading, view))
    return "  ".join(shown)
