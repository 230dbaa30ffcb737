"""A scrolling page of text lines, folded to the width of the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console.theme import palette
from console.widgets.ink import Line, Part, drawn, wrapped

_MARGIN = Part(" ")


class Pane(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows lines; keeps its place when they are replaced."""

    DEFAULT_CSS = """
    Pane { height: 1fr; width: 1fr; scrollbar-size-vertical: 1; scrollbar-gutter: stable; overflow-x: hidden; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "by(-1)", "key.up", show=False),
        Binding("down,j", "by(1)", "key.down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "key.page_up", show=False),
        Binding("pagedown,ctrl+f,space", "page(1)", "key.page_down", show=False),
        Binding("home,g", "edge(-1)", "key.top", show=False),
        Binding("end,G", "edge(1)", "key.bottom", show=False),
    ]

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()
        self._folded: list[tuple[Part, ...]] = []

    @property
    def text(self) -> str:
        """Everything on the page as it is folded, scrolled away or not."""
        return "\n".join("".join(part.text for part in parts) for parts in self._folded)

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Show these lines."""
        self._lines = lines
        self._fold()

    def on_resize(self) -> None:
        """Fold to the new width."""
        self._fold()

    def action_by(self, step: int) -> None:
        """One line up or down."""
        self.scroll_to(y=self.scroll_offset.y + step, animate=False)

    def action_page(self, step: int) -> None:
        """One screenful up or down."""
        self.scroll_to(y=self.scroll_offset.y + step * max(1, self.size.height - 1), animate=False)

    def action_edge(self, step: int) -> None:
        """To the beginning or the end."""
        self.scroll_to(y=0 if step < 0 else self.virtual_size.height, animate=False)

    def render_line(self, y: int) -> Strip:
        """One folded line."""
        colours = palette(self.app.theme)
        place = self.scroll_offset.y + y
        parts = self._folded[place] if place < len(self._folded) else ()
        return drawn((_MARGIN, *parts), self.scrollable_content_region.width, colours, colours.ground)

    def _fold(self) -> None:
        width = self.scrollable_content_region.width - 1
        self._folded = [folded for line in self._lines for folded in wrapped(line, width)] if width > 0 else []
        self.virtual_size = Size(width + 1, len(self._folded))
        self.refresh()
