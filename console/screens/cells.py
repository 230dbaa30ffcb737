"""Makers of cells and facts: from one field of a record to what an operator reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from console.records import Record, day, instant, mapping, number, pick, rows, text, whole
from console.theme import SEVERITY, SIGNS, Tone, Verdict
from console.times import ZONE, moment
from console.widgets.columns import Cell, Column, View

CLOCK_WARNS: Final = 300
CLOCK_STOPS: Final = 1800
"""Seconds of clock offset at which a device warns and at which it may not sign."""

STOCK_LOW: Final = 100
"""Numbers left below which stock is shown as low."""

FAR: Final = 10**9

Maker = Callable[[Record, View], Cell]


def verdict(record: Record) -> Verdict:
    """The verdict of a record's health; unknown when it has none."""
    word = text(record, "health.verdict")
    return word if word in SEVERITY else "unknown"


def trouble_of(record: Record) -> Record:
    """The cause in a record's health; empty when all is well."""
    return {} if verdict(record) == "ok" else mapping(record, "health")


def urgency(record: Record) -> tuple[int, int, str]:
    """Sort key, worst first: verdict, minutes until something stops, number; what is well keeps its place."""
    word, minutes = verdict(record), whole(record, "health.minutes_until_stop")
    number = text(record, "device_no") or text(record, "tax_server_no")
    return SEVERITY[word], FAR if minutes is None or word == "ok" else minutes, number


def signed(judge: Callable[[Record], Verdict]) -> Column:
    """The first column of every table: the sign of the record's verdict."""

    def cell(record: Record, view: View) -> Cell:
        word = judge(record)
        return Cell(SIGNS[word], word)

    return Column("sign", 1, cell, lambda record: SEVERITY[judge(record)])


def plain_cell(path: str, tone: Tone = "plain") -> Maker:
    """The field as text."""
    return lambda record, view: Cell(text(record, path), tone)


def amount_cell(path: str, warn_above: int | None = None) -> Maker:
    """An integer; zero is quiet, more than ``warn_above`` is not."""

    def cell(record: Record, view: View) -> Cell:
        value = whole(record, path)
        if value is None:
            return Cell("?" if pick(record, path) is not None else "", "dim")
        if warn_above is not None and value > warn_above:
            return Cell(f"{value:,}", "warn")
        return Cell(f"{value:,}", "dim" if value == 0 else "plain")

    return cell


def state_cell(group: str, path: str = "state", tones: dict[str, Tone] | None = None) -> Maker:
    """A state in words."""

    def cell(record: Record, view: View) -> Cell:
        code = text(record, path)
        return Cell(view.say.word(group, code), (tones or {}).get(code, "plain"))

    return cell


def time_cell(path: str) -> Maker:
    """A time as short as it can be told apart: today's by the clock, others by the date."""
    return lambda record, view: Cell(moment(instant(record, path), view.now), "dim")


def clock_cell(record: Record, view: View) -> Cell:
    """Clock offset in seconds with its sign, in the tone of the clock rule."""
    offset = number(record, "clock_offset_seconds")
    if offset is None:
        return Cell("", "dim")
    size = abs(offset)
    tone: Tone = "stopped" if size > CLOCK_STOPS else "warn" if size > CLOCK_WARNS else "dim"
    shown = "0s" if size < 0.5 else f"{offset:+.0f}s" if size < 1000 else f"{offset / 60:+.0f}m"
    return Cell(shown if size < 600_000 else "!", tone)


def days_left(record: Record, path: str, view: View) -> int | None:
    """Whole days until a day or time; None when not known."""
    until = day(record, path)
    return None if until is None else (until - view.now.astimezone(ZONE).date()).days


def certificate_cell(record: Record, view: View) -> Cell:
    """Days the certificate still serves."""
    return _days(days_left(record, "certificate_not_after", view), 60, 0)


def nearest_deadline(record: Record, view: View) -> int | None:
    """Days to the nearest issue deadline of any kind; None when none is known."""
    found = [days_left(kind, "issue_deadline", view) for kind in rows(record, "kinds")]
    return min((days for days in found if days is not None), default=None)


def deadline_cell(record: Record, view: View) -> Cell:
    """Days to the nearest issue deadline."""
    return _days(nearest_deadline(record, view), 3, -1)


def _days(days: int | None, warn_below: int, stop_at: int) -> Cell:
    if days is None:
        return Cell("", "dim")
    tone: Tone = "stopped" if days <= stop_at else "warn" if days < warn_below else "dim"
    return Cell(f"{days}d" if abs(days) < 1000 else f"{days // 365}y", tone)


def stock_cell(kind: str) -> Maker:
    """Numbers left of one kind."""

    def cell(record: Record, view: View) -> Cell:
        stock = mapping(record, "stock")
        if kind not in stock:
            return Cell("", "dim")
        left = whole(stock, kind)
        if left is None:
            return Cell("?", "unknown")
        tone: Tone = "stopped" if left <= 0 else "warn" if left < STOCK_LOW else "plain"
        return Cell(f"{left:,}" if left < 10_000 else f"{left / 1000:.0f}k", tone)

    return cell


def cause_cell(record: Record, view: View) -> Cell:
    """The limiting cause of a record's health in words; quiet when all is well."""
    word = verdict(record)
    if word == "ok":
        return Cell("", "dim")
    return Cell(cause_text(record, view), word, cause_in_short(record, view))


def cause_in_short(record: Record, view: View) -> str:
    """The limiting cause in a few words, for narrow columns."""
    cause = text(record, "health.cause") or text(record, "health.code")
    short = view.say.word("cause", cause)
    return cause_text(record, view) if short == cause else short


def cause_text(record: Record, view: View) -> str:
    """The limiting cause, or the verdict when no cause is given."""
    told = view.say.told(mapping(record, "health"))
    return told.message or view.say.word("verdict", verdict(record))


def until_cell(record: Record, view: View) -> Cell:
    """Time until issuing stops."""
    minutes = whole(record, "health.minutes_until_stop")
    if minutes is None or verdict(record) == "ok":
        return Cell("", "dim")
    return Cell(view.say.minutes_in_short(minutes), verdict(record))


def heartbeat_cell(record: Record, view: View) -> Cell:
    """The heartbeat of the agent that serves this record (``agent_id``), in words."""
    agent = view.lookups.get("agents", {}).get(text(record, "agent_id"))
    if agent is None:
        return Cell("", "dim")
    return beat_cell(agent, view)


_BEATS: Final[dict[str, Tone]] = {"online": "dim", "late": "warn", "lost": "unknown"}


def beat_cell(agent: Record, view: View) -> Cell:
    """An agent's own heartbeat in words; a revoked agent says so."""
    if text(agent, "state") == "revoked":
        return Cell(view.say.word("state.agents", "revoked"), "dim")
    code = text(agent, "heartbeat")
    return Cell(view.say.word("heartbeat", code), _BEATS.get(code, "unknown"))


def cell_of_kind(record: Record, view: View) -> Cell:
    """Invoice kind: code and short name."""
    code = text(record, "kind")
    name = view.say.word("kind", code)
    return Cell(code if name == code else f"{code} {name}")


def ordered(path: str) -> Callable[[Record], Any]:
    """Sort key of a field of any type: absent first, numbers before text."""

    def key(record: Record) -> tuple[int, float, str]:
        value = number(record, path)
        if value is not None:
            return 1, value, ""
        word = text(record, path)
        return (2, 0.0, word) if word else (0, 0.0, "")

    return key
