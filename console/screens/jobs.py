"""Jobs (作业): list, and a page with the trail."""

from __future__ import annotations

from collections.abc import Sequence

from console.records import Record, text
from console.screens.cells import amount_cell, ordered, plain_cell, signed, state_cell, time_cell
from console.screens.noun import Noun, Related, Relation
from console.screens.page_lines import cell_fact, fact, fact_if, heading, known, paragraph, remedy
from console.theme import SIGNS, Tone, Verdict
from console.times import stamp
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import BLANK, Line, Part
from console.widgets.trail import JOB_TONES, job_line, trail_lines

_VERDICTS: dict[str, Verdict] = {
    "queued": "ok",
    "leased": "ok",
    "done": "ok",
    "refused": "stopped",
    "unknown": "unknown",
}
_SUBJECTS = ("invoices", "virtual-devices", "tax-servers", "reports")
_STATES: dict[str, Tone] = {**JOB_TONES, "done": "dim", "leased": "accent"}


def verdict(record: Record) -> Verdict:
    """Refused has stopped; an outcome nobody knows is unknown; the rest is on its way."""
    return _VERDICTS.get(text(record, "state"), "unknown")


def _subject(record: Record) -> str:
    return text(record, "device_no") or text(record, "tax_server_no")


COLUMNS = (
    signed(verdict),
    Column("created", 11, time_cell("created_at"), ordered("created_at"), rank=1),
    Column("job", 16, state_cell("job", "kind"), ordered("kind")),
    Column("state", 8, state_cell("state.jobs", "state", _STATES), ordered("state")),
    Column("device_or_server", 14, lambda record, view: Cell(_subject(record), "strong"), _subject),
    Column("taxpayer_id", 20, plain_cell("taxpayer_id", "dim"), ordered("taxpayer_id"), rank=4),
    Column("attempts", 5, amount_cell("attempts", 1), ordered("attempts"), right=True, rank=2),
    Column("settled", 11, time_cell("settled_at"), ordered("settled_at"), rank=3),
    Column("message", 16, lambda record, view: Cell(_told(record, view), verdict(record)), ordered("code"), grow=1),
)


def _told(record: Record, view: View) -> str:
    if verdict(record) == "ok":
        return ""
    return view.say.told(record).message or text(record, "code")


def _trouble(record: Record, related: Related) -> Record:
    if verdict(record) == "ok":
        return {}
    return record if text(record, "code") else {"code": "outcome_unknown"}


def _page(record: Record, view: View, related: Related) -> list[Line]:
    word = verdict(record)
    trouble = remedy(view, _trouble(record, related)) if word != "ok" else []
    return [
        Line((Part(f"{SIGNS[word]}", word), *job_line(view, record).parts), 4),
        *trouble,
        BLANK,
        *known(
            [
                cell_fact(view, "state", state_cell("state.jobs")(record, view)),
                fact(view, "device", _subject(record)),
                fact_if(view, "taxpayer", text(record, "taxpayer_id")),
                fact(view, "agent", text(record, "agent_name") or text(record, "agent_id")),
                fact(view, "attempts", text(record, "attempts")),
                fact(view, "epoch", text(record, "epoch")),
                fact(view, "created", stamp(record, "created_at")),
                fact(view, "leased", stamp(record, "leased_at")),
                fact(view, "settled", stamp(record, "settled_at")),
                fact_if(view, "code", text(record, "code")),
                fact_if(view, "message", text(record, "message")),
                fact(view, "id", text(record, "id")),
            ]
        ),
        *heading(view, "trail"),
        *(trail_lines(view, record) or [paragraph(view.say("page.none"), "dim")]),
    ]


def _depends(record: Record) -> Sequence[Relation]:
    noun = text(record, "subject_noun") or text(record, "subject_type")
    return (Relation(noun, (("id", text(record, "subject_id")),)),) if noun in _SUBJECTS else ()


NOUN = Noun(
    "jobs",
    ("jobs", "job", "作业", "任务", "zy", "rw"),
    COLUMNS,
    lambda record: " ".join(filter(None, (text(record, "kind"), _subject(record)))),
    _page,
    verdict,
    lambda record: text(record, "created_at") + str(record["id"]),
    newest_first=True,
    depends=_depends,
    trouble=_trouble,
)
