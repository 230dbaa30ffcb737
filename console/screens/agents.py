"""Agents (代理): list and page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from console.records import Record, rows, text
from console.screens.cells import beat_cell, ordered, plain_cell, signed, time_cell
from console.screens.join_form import JoinForm
from console.screens.listing import ListScreen
from console.screens.noun import Noun, Related, Relation
from console.screens.page_lines import cell_fact, fact, heading, paragraph, remedy
from console.theme import SEVERITY, Verdict
from console.times import stamp
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import BLANK, Line

_BEATS: dict[str, Verdict] = {"online": "ok", "late": "warn", "lost": "unknown"}


def verdict(record: Record) -> Verdict:
    """A lost agent leaves its devices unknown, which is not the same as down; a revoked one is meant to be silent."""
    if text(record, "state") == "revoked":
        return "ok"
    return _BEATS.get(text(record, "heartbeat"), "unknown")


def _serves(record: Record) -> list[str]:
    """Tax servers first, each once; devices stand for themselves only where no tax server holds them."""
    servers = {text(one, "tax_server_no") for one in rows(record, "serves")} - {""}
    alone = {text(one, "device_no") for one in rows(record, "serves") if not text(one, "tax_server_no")} - {""}
    return [*sorted(servers), *sorted(alone)]


def _devices(record: Record) -> int:
    return sum(bool(text(one, "device_no")) for one in rows(record, "serves"))


COLUMNS = (
    signed(verdict),
    Column("name", 16, plain_cell("name", "strong"), ordered("name"), grow=1),
    Column("host", 20, plain_cell("host_id", "dim"), ordered("host_id"), rank=2),
    Column("heartbeat", 9, beat_cell, ordered("heartbeat")),
    Column("last_seen", 11, time_cell("last_seen"), ordered("last_seen"), rank=1),
    Column("version", 10, plain_cell("agent_version", "dim"), ordered("agent_version"), rank=3),
    Column("serves", 20, lambda record, view: Cell(" ".join(_serves(record))), grow=2, rank=1),
)


def _page(record: Record, view: View, related: Related) -> list[Line]:
    word = verdict(record)
    lost = [paragraph(view.say.word("cause", "agent_lost"), word), *remedy(view, {"code": "agent_lost"})]
    return [
        *(lost if word in ("warn", "unknown") else []),
        BLANK,
        fact(view, "name", text(record, "name")),
        fact(view, "host_id", text(record, "host_id")),
        cell_fact(view, "heartbeat", beat_cell(record, view)),
        fact(view, "last_seen", stamp(record, "last_seen")),
        fact(view, "version", text(record, "agent_version")),
        fact(view, "created", stamp(record, "created_at")),
        fact(view, "id", text(record, "id")),
        *heading(view, "serves", view.say("list.devices", n=_devices(record))),
        *([paragraph(name) for name in _serves(record)] or [paragraph(view.say("page.none"), "dim")]),
    ]


def _depends(record: Record) -> Sequence[Relation]:
    by_agent = (("agent_id", record["id"]),)
    return (Relation("tax-servers", by_agent), Relation("jobs", by_agent))


NOUN = Noun(
    "agents",
    ("agents", "agent", "代理", "dl", "ag"),
    COLUMNS,
    lambda record: text(record, "name"),
    _page,
    verdict,
    lambda record: (SEVERITY[verdict(record)], text(record, "name")),
    depends=_depends,
    trouble=lambda record, related: {} if verdict(record) == "ok" else {"code": "agent_lost"},
)


class AgentsScreen(ListScreen):
    """The list of agents, from which a new one is let in."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("n", "join", "key.join")]

    def action_join(self) -> None:
        """Make a join token."""
        if self.desk.settings.read_only:
            self.notice(self.desk.say("act.read_only"), "warn")
        else:
            self.app.push_screen(JoinForm(self.desk))
