"""Lines to the bureaus (局端网络): last probe of each, list and page."""

from __future__ import annotations

from console.records import Record, flag, number, rows, text
from console.screens.cells import ordered, plain_cell, signed, state_cell, time_cell
from console.screens.noun import Noun, Related
from console.screens.page_lines import cell_fact, fact, fact_if, heading, known, remedy, table
from console.theme import SEVERITY, SIGNS, Verdict
from console.times import stamp
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import Line

_VERDICTS: dict[str, Verdict] = {
    "ok": "ok",
    "up": "ok",
    "normal": "ok",
    "slow": "warn",
    "warn": "warn",
    "down": "stopped",
    "abnormal": "stopped",
    "stopped": "stopped",
}


def _verdict(record: Record) -> Verdict:
    if flag(record, "enabled") is False:
        return "ok"
    return _VERDICTS.get(text(record, "verdict"), "unknown")


def _address(record: Record) -> str:
    return text(record, "target") or text(record, "address")


def _address_cell(record: Record, view: View) -> Cell:
    return Cell(_address(record), "dim")


def _word(record: Record, view: View) -> Cell:
    if flag(record, "enabled") is False:
        return Cell(view.say.word("line", "disabled"), "dim")
    return Cell(view.say.word("line", text(record, "verdict")), _verdict(record))


def _phase(record: Record, view: View) -> Cell:
    return Cell(view.say.word("phase", text(record, "failing_phase")), "warn")


def _duration(record: Record, view: View) -> Cell:
    took = number(record, "duration_ms")
    return Cell("" if took is None else f"{took:.0f} ms", "dim")


def _history(record: Record, view: View) -> Cell:
    return Cell("".join(SIGNS[_verdict(one)] for one in rows(record, "history")[-12:]), "dim")


COLUMNS = (
    signed(_verdict),
    Column("region", 10, plain_cell("region", "strong"), ordered("region")),
    Column("service", 14, state_cell("service", "service"), ordered("service"), rank=1),
    Column("verdict", 8, _word, ordered("verdict")),
    Column("phase", 12, _phase, ordered("failing_phase"), rank=1),
    Column("duration", 9, _duration, ordered("duration_ms"), right=True),
    Column("read_at", 11, time_cell("at"), ordered("at"), rank=2),
    Column("history", 12, _history, rank=3),
    Column("address", 20, _address_cell, _address, grow=1, rank=2),
)

_PROBES = (
    Column("created", 11, time_cell("at")),
    Column("verdict", 8, _word),
    Column("phase", 12, _phase),
    Column("duration", 9, _duration, right=True),
)


def _page(record: Record, view: View, related: Related) -> list[Line]:
    return [
        *known(
            [
                fact(view, "region", text(record, "region")),
                fact(view, "service", view.say.word("service", text(record, "service"))),
                fact(view, "address", _address(record)),
                cell_fact(view, "verdict", _word(record, view)),
                fact_if(view, "phase", _phase(record, view).text, "warn"),
                fact(view, "duration", _duration(record, view).text),
                fact(view, "read_at", stamp(record, "at")),
            ]
        ),
        *(remedy(view, {"code": "bureau_unreachable"}) if _verdict(record) != "ok" else []),
        *heading(view, "history"),
        *table(view, _PROBES, rows(record, "history")),
    ]


NOUN = Noun(
    "lines",
    ("lines", "line", "局端网络", "网络", "jdwl", "wl"),
    COLUMNS,
    lambda record: " ".join(filter(None, (text(record, "region"), text(record, "service")))),
    _page,
    _verdict,
    lambda record: (
        SEVERITY[_verdict(record)],
        flag(record, "enabled") is False,
        text(record, "region"),
        text(record, "service"),
    ),
    has_page=False,
    trouble=lambda record, related: {} if _verdict(record) == "ok" else {"code": "bureau_unreachable"},
)
