"""Where screens ask the app to go."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from console.records import Record


@dataclass
class GoTo(Message):
    """Show the list of a noun: with filters of the API named by ``scope``, and with a text in the filter bar."""

    noun: str
    filters: tuple[tuple[str, str], ...] = ()
    scope: str = ""
    search: str = ""


@dataclass
class Open(Message):
    """Show one record."""

    noun: str
    record: Record


@dataclass
class Command(Message):
    """Run what was typed after the colon."""

    text: str
