"""Text on the screen: every part passes the gate for foreign text, and widths are counted in terminal cells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from console.plain import plain
from console.theme import Palette, Tone


class Part(NamedTuple):
    """A run of text in one tone."""

    text: str
    tone: Tone = "plain"


class Line(NamedTuple):
    """A logical line; folded, its further lines are indented by ``hang`` cells; below 0 it is cut off."""

    parts: tuple[Part, ...] = ()
    hang: int = 0


BLANK: Final = Line()


def clip(text: str, width: int) -> str:
    """The inert text in at most ``width`` cells, with an ellipsis where something was cut."""
    shown = plain(text)
    if cell_len(shown) <= width:
        return shown
    return set_cell_size(shown, width - 1).rstrip() + "…" if width > 0 else ""


def fitted(text: str, width: int, right: bool = False) -> str:
    """The inert text in exactly ``width`` cells, to the left or to the right."""
    shown = clip(text, width)
    space = " " * (width - cell_len(shown))
    return space + shown if right else shown + space


def drawn(parts: Iterable[Part], width: int, palette: Palette, ground: Style) -> Strip:
    """One screen line of exactly ``width`` cells on a ground."""
    segments: list[Segment] = []
    left = width
    for part in parts:
        if left <= 0:
            break
        whole = plain(part.text)
        shown = clip(whole, left)
        segments.append(Segment(shown, _on(ground, palette.tones[part.tone])))
        left -= cell_len(shown)
        if shown != whole:  # behind an ellipsis nothing more is drawn
            break
    if left > 0:
        segments.append(Segment(" " * left, _on(ground, palette.tones["plain"])))
    return Strip(segments, width)


def _on(ground: Style, style: Style) -> Style:
    """The style on a ground, unless it brings its own."""
    return style if style.bgcolor else style + ground


def wrapped(line: Line, width: int) -> list[tuple[Part, ...]]:
    """The line folded to ``width`` cells; breaks at blanks, and anywhere between wide characters."""
    if line.hang < 0:
        return [line.parts]
    hang = min(line.hang, max(0, width - 8))
    lines: list[list[Part]] = [[]]
    used = 0
    for part in line.parts:
        for piece in _pieces(plain(part.text), max(1, width - hang)):
            size = cell_len(piece)
            if used + size > width and used > (hang if len(lines) > 1 else 0):
                lines.append([Part(" " * hang)] if hang else [])
                used = hang
                if piece == " ":
                    continue
            lines[-1].append(Part(piece, part.tone))
            used += size
    return [tuple(_joined(parts)) for parts in lines]


def _pieces(text: str, most: int) -> list[str]:
    """Words, blanks and single wide characters; no piece is wider than ``most`` cells."""
    pieces: list[str] = []
    word = ""
    size = 0
    for char in text:
        wide = cell_len(char)
        if char == " " or wide > 1 or size + wide > most:
            if word:
                pieces.append(word)
            word, size = "", 0
        if char == " " or wide > 1:
            pieces.append(char)
        else:
            word, size = word + char, size + wide
    return [*pieces, word] if word else pieces


def _joined(parts: list[Part]) -> list[Part]:
    joined: list[Part] = []
    for part in parts:
        if joined and joined[-1].tone == part.tone:
            joined[-1] = Part(joined[-1].text + part.text, part.tone)
        else:
            joined.append(part)
    return joined
