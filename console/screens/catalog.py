"""All nouns, and what the command bar takes for each."""

from __future__ import annotations

from typing import Final

from console.desk import Desk
from console.messages import Messages
from console.screens import (
    agents,
    alert_flips,
    alert_rules,
    applications,
    batches,
    board,
    bureau_addresses,
    deliveries,
    grants,
    invoices,
    jobs,
    lines,
    operation_log,
    people,
    red_forms,
    release_matrix,
    releases,
    report_schedules,
    reports,
    seals,
    secure_proxies,
    segments,
    sessions,
    stock,
    stock_alerts,
    stops,
    tax_codes,
    tax_servers,
    taxpayers,
    terminals,
    uploads,
    virtual_devices,
)
from console.screens.listing import ListScreen
from console.screens.moves import GoTo
from console.screens.noun import Noun
from console.widgets.command_bar import Candidate

NOUNS: Final[dict[str, Noun]] = {
    noun.path: noun
    for noun in (
        board.NOUN,
        tax_servers.NOUN,
        virtual_devices.NOUN,
        segments.NOUN,
        stock.NOUN,
        invoices.NOUN,
        uploads.NOUN,
        reports.NOUN,
        report_schedules.NOUN,
        red_forms.NOUN,
        jobs.NOUN,
        agents.NOUN,
        operation_log.NOUN,
        lines.NOUN,
        taxpayers.NOUN,
        terminals.NOUN,
        applications.NOUN,
        grants.NOUN,
        stock_alerts.NOUN,
        batches.NOUN,
        seals.NOUN,
        releases.NOUN,
        release_matrix.NOUN,
        secure_proxies.NOUN,
        alert_rules.NOUN,
        alert_flips.NOUN,
        deliveries.NOUN,
        people.NOUN,
        sessions.NOUN,
        stops.NOUN,
        bureau_addresses.NOUN,
        bureau_addresses.COMPLETENESS,
        tax_codes.VERSIONS,
        tax_codes.CODES,
    )
}
"""Path → noun, in the order of the help page."""

COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "quit": ("quit", "q", "退出", "tc"),
    "help": ("help", "帮助", "bz"),
    "lang": ("lang", "语言", "yy"),
    "theme": ("theme", "配色", "ps"),
}
"""Commands that are no nouns, with their aliases."""


def noun_named(word: str) -> Noun | None:
    """The noun of an alias, exact first, else the only one whose alias begins so."""
    wanted = word.strip().casefold()
    if not wanted:
        return None
    exact = next((noun for noun in NOUNS.values() if wanted in noun.aliases or wanted == noun.path), None)
    if exact:
        return exact
    near = {noun.path: noun for noun in NOUNS.values() if any(alias.startswith(wanted) for alias in noun.aliases)}
    return next(iter(near.values())) if len(near) == 1 else None


def command_named(word: str) -> str | None:
    """The command of an alias."""
    wanted = word.strip().casefold()
    return next((name for name, aliases in COMMANDS.items() if wanted in aliases), None)


def candidates(say: Messages) -> list[Candidate]:
    """Everything the command bar can complete, the first alias of a noun before its others."""
    found = [
        Candidate(alias, say(f"noun.{noun.path}"))
        for place in range(8)
        for noun in NOUNS.values()
        for alias in noun.aliases[place : place + 1]
    ]
    return found + [Candidate(alias, say(f"command.{name}")) for name, aliases in COMMANDS.items() for alias in aliases]


def screen_of(desk: Desk, asked: GoTo) -> ListScreen:
    """The list screen for what was asked for."""
    if asked.noun == board.NOUN.path:
        return board.BoardScreen(desk)
    if asked.noun == agents.NOUN.path:
        return agents.AgentsScreen(desk, agents.NOUN, asked)
    return ListScreen(desk, NOUNS[asked.noun], asked)
