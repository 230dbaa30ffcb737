"""What all screens share: the link, the language, the time, and what is known about the session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from console.feed import Standing
from console.history import Readings, Trends
from console.link import Link
from console.messages import Messages
from console.records import Record
from console.settings import Settings
from console.widgets.columns import View


class Desk:
    """One per console session. ``clock`` gives aware UTC times."""

    def __init__(self, settings: Settings, link: Link, clock: Callable[[], datetime]) -> None:
        self.settings = settings
        self.link = link
        self.clock = clock
        self.say = Messages(settings.language)
        self.trends = Trends()
        self.readings = Readings()
        self.principal: Record = {}
        self.standing: Standing = "connecting"
        self.reason = ""
        self.heard_at = clock()
        """When the control plane was last known to answer."""
        self.emergency = ""
        """Text of an emergency stop in force; empty when there is none."""

    def view(self, lookups: dict[str, dict[str, Record]] | None = None) -> View:
        """What cells are drawn with, now."""
        return View(self.say, self.clock(), lookups if lookups is not None else {})

    def turn_language(self) -> None:
        """From Chinese to English and back."""
        self.say = Messages("en" if self.say.language == "zh" else "zh")
