"""The last net: whatever was overlooked, no control character leaves the program inside a line."""

from __future__ import annotations

import re
from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_ACTS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")


class InertLines(LineFilter):
    """Drops characters that act on a terminal; they have no width, so nothing moves."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same line with nothing in it that acts."""
        if not any(_ACTS.search(segment.text) for segment in segments):
            return segments
        return [Segment(_ACTS.sub("", segment.text), segment.style, segment.control) for segment in segments]
