"""What the console knows about one noun: its columns, its verdict, its detail page and what hangs on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from console.records import Record
from console.theme import Verdict
from console.widgets.columns import Column, View
from console.widgets.ink import Line


@dataclass(frozen=True, slots=True)
class Relation:
    """Other records that belong to a record: which list, with which filters."""

    noun: str
    filters: tuple[tuple[str, str], ...]


Related = dict[str, list[Record]]
"""Records of a detail page's relations, by noun."""


def _all_well(record: Record) -> Verdict:
    return "ok"


def _no_relations(record: Record) -> Sequence[Relation]:
    return ()


def _no_trouble(record: Record, related: Related) -> Record:
    return {}


def _by_id(record: Record) -> str:
    return str(record["id"])


@dataclass(frozen=True)
class Noun:
    """One noun of the API. ``path`` is its word there and in the change feed."""

    path: str
    aliases: tuple[str, ...]
    """What the command bar takes for it: English, Chinese, pinyin initials."""
    columns: tuple[Column, ...]
    name: Callable[[Record], str]
    page: Callable[[Record, View, Related], list[Line]]
    verdict: Callable[[Record], Verdict] = _all_well
    order: Callable[[Record], Any] = _by_id
    """Sort key of the list as it opens."""
    newest_first: bool = False
    """Turns ``order`` round."""
    depends: Callable[[Record], Sequence[Relation]] = _no_relations
    """What stands or falls with this record: the list behind ``u``."""
    parts: Callable[[Record], Sequence[Relation]] = _no_relations
    """What the detail page shows besides the record."""
    trouble: Callable[[Record, Related], Record] = _no_trouble
    """The cause (code, message, remedy, runbook) whose runbook page stands beside the detail page; empty for none."""
    lookups: tuple[str, ...] = ()
    """Nouns whose records the cells look up by id."""
    impact: bool = False
    """True when the API tells what stops if this stops; shown under the list behind ``u``."""
    has_page: bool = True
    """False when the API gives no single record."""
    watched: frozenset[str] = field(default_factory=frozenset)
    """Nouns whose changes can change facts of these records without a change of their own."""
