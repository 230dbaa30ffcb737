"""One-line bars: status, banners and hints."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.strip import Strip
from textual.widget import Widget

from console.plain import plain
from console.theme import palette
from console.widgets.ink import BLANK, Line, Part, drawn, wrapped


class Bar(Widget):
    """One line of text with a left and a right half; the left half gives way."""

    DEFAULT_CSS = """
    Bar { height: 1; width: 1fr; }
    """

    def __init__(self, id: str | None = None, raised: bool = False) -> None:
        super().__init__(id=id)
        self._left: Sequence[Part] = ()
        self._right: Sequence[Part] = ()
        self._raised = raised

    @property
    def text(self) -> str:
        """What is shown, left half first."""
        return "".join(part.text for part in (*self._left, *self._right))

    def show(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Show these halves; draws only when something changed."""
        if (list(left), list(right)) != (list(self._left), list(self._right)):
            self._left, self._right = left, right
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The one line."""
        width = self.size.width
        colours = palette(self.app.theme)
        ground = colours.bar if self._raised else colours.ground
        tail = drawn(self._right, _cells(self._right, width), colours, ground)
        head = drawn(self._left, width - tail.cell_length, colours, ground)
        return Strip([*head, *tail], width)


class Banner(Widget):
    """A line that is there only while it has something to say."""

    DEFAULT_CSS = """
    Banner { height: auto; width: 1fr; display: none; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._line = BLANK

    @property
    def text(self) -> str:
        """What is shown; empty when nothing is."""
        return "".join(part.text for part in self._line.parts)

    def say(self, *parts: Part) -> None:
        """Say this; without parts the banner goes away."""
        if parts == self._line.parts:
            return
        self._line = Line(parts)
        self.display = bool(parts)
        self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As many lines as the text needs."""
        return len(wrapped(self._line, max(1, width)))

    def render_line(self, y: int) -> Strip:
        """One folded line, on the ground of its first part."""
        colours = palette(self.app.theme)
        folded = wrapped(self._line, max(1, self.size.width))
        parts = folded[y] if y < len(folded) else ()
        own = colours.tones[self._line.parts[0].tone] if self._line.parts else colours.bar
        return drawn(parts, self.size.width, colours, own if own.bgcolor else colours.bar)


def _cells(parts: Sequence[Part], most: int) -> int:
    return min(most, sum(cell_len(plain(part.text)) for part in parts))
