"""Operation log (操作日志): who did what, why, and what changed."""

from __future__ import annotations

from console.records import Record, mapping, text, whole
from console.screens.cells import ordered, plain_cell, signed, state_cell, time_cell
from console.screens.noun import Noun, Related
from console.screens.page_lines import fact, fact_if, heading, known
from console.theme import Tone, Verdict
from console.times import stamp
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import Line

_OUTCOMES: dict[str, Tone] = {"allowed": "dim", "refused": "warn"}


def _verdict(record: Record) -> Verdict:
    return "warn" if text(record, "outcome") == "refused" else "ok"


def _actor(record: Record) -> str:
    return text(record, "actor_name") or text(record, "actor")


def _actor_cell(record: Record, view: View) -> Cell:
    return Cell(_actor(record))


def _action(record: Record, view: View) -> Cell:
    code = text(record, "action")
    noun, _, verb = code.rpartition(".")
    word = view.say.word_of("verb", noun, verb)
    return Cell(code if word == verb else f"{word} ({code})", "strong")


COLUMNS = (
    signed(_verdict),
    Column("seq", 7, plain_cell("seq", "dim"), ordered("seq"), right=True, rank=2),
    Column("created", 11, time_cell("at"), ordered("at")),
    Column("actor", 14, _actor_cell, _actor),
    Column("action", 24, _action, ordered("action"), rank=1),
    Column("noun", 16, plain_cell("noun"), ordered("noun"), rank=2),
    Column("outcome", 7, state_cell("outcome", "outcome", _OUTCOMES), ordered("outcome")),
    Column("taxpayer_id", 20, plain_cell("taxpayer_id", "dim"), ordered("taxpayer_id"), rank=4),
    Column("reason", 16, plain_cell("reason"), ordered("reason"), grow=1),
)


def _changes(record: Record, view: View, section: str) -> list[Line]:
    facts = mapping(record, section)
    if not facts:
        return []
    lines = heading(view, section)
    for key in sorted(facts):
        value = facts[key]
        lines.append(_raw(view, key, value if isinstance(value, str) else repr(value)))
    return lines


def _raw(view: View, key: str, value: str) -> Line:
    line = fact(view, "detail", value)
    return Line((line.parts[0]._replace(text=f"  {key}  "), line.parts[1]), line.hang)


def _page(record: Record, view: View, related: Related) -> list[Line]:
    return [
        *known(
            [
                fact(view, "created", stamp(record, "at")),
                fact(view, "actor", f"{_actor(record)}  {text(record, 'actor_kind')}".strip()),
                fact(view, "action", _action(record, view).text, "strong"),
                fact(view, "noun", f"{text(record, 'noun')}  {text(record, 'subject_id')}".strip()),
                fact_if(view, "taxpayer", text(record, "taxpayer_id")),
                fact(view, "reason", text(record, "reason")),
                fact(
                    view,
                    "outcome",
                    view.say.word("outcome", text(record, "outcome")),
                    _OUTCOMES.get(text(record, "outcome"), "plain"),
                ),
                fact_if(view, "request", text(record, "request_id")),
                fact_if(view, "hash", text(record, "hash")),
            ]
        ),
        *_changes(record, view, "detail"),
        *_changes(record, view, "before"),
        *_changes(record, view, "after"),
    ]


NOUN = Noun(
    "operation-log",
    ("log", "operation-log", "操作日志", "日志", "czrz", "rz"),
    COLUMNS,
    lambda record: f"#{text(record, 'seq')}",
    _page,
    _verdict,
    lambda record: whole(record, "seq") or 0,
    newest_first=True,
    has_page=False,
    watched=frozenset({"tax-servers", "virtual-devices", "invoices", "agents", "taxpayers"}),
)
