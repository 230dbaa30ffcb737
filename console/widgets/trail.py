"""The trail of a job: what happened to it, step by step."""

from __future__ import annotations

from rich.cells import cell_len

from console.records import Record, instant, rows, text
from console.theme import Tone
from console.times import moment
from console.widgets.columns import View
from console.widgets.ink import Line, Part, fitted

JOB_TONES: dict[str, Tone] = {"refused": "stopped", "unknown": "unknown", "done": "ok"}


def job_line(view: View, job: Record) -> Line:
    """A job in one line: what, how it stands, and what it was told."""
    state = text(job, "state")
    words = " ".join(filter(None, (text(job, "code"), text(job, "message"))))
    return Line(
        (
            Part(f"  {fitted(moment(instant(job, 'created_at'), view.now), 11)} ", "dim"),
            Part(view.say.word("job", text(job, "kind")) + "  ", "strong"),
            Part(view.say.word("state.jobs", state), JOB_TONES.get(state, "plain")),
            Part(f"  {words}" if words else "", "dim"),
        ),
        4,
    )


def trail_lines(view: View, job: Record) -> list[Line]:
    """The steps of a job, oldest first."""
    lines: list[Line] = []
    for step in rows(job, "trail"):
        what = text(step, "what")
        word = view.say.word("step", what)
        shown = word if cell_len(word) > 12 else fitted(word, 12)
        at = fitted(moment(instant(step, "at"), view.now), 11)
        tone: Tone = JOB_TONES.get(what, "plain")
        lines.append(Line((Part(f"    {at} ", "dim"), Part(shown + " ", tone), Part(text(step, "detail"))), 29))
    return lines
