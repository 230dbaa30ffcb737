"""The one place where text from outside is made inert before a terminal, a log, a mail or a sheet shows it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

Mode = Literal["terminal", "log", "mail", "sheet"]

_INERT_CLASS = (
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: escape sequences begin here
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u3164\uffa0"  # soft hyphen, joiners and fillers without a picture
    "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2"  # number signs that enclose what follows
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # zero width, line separators, bidi controls
    "\ud800-\udfff"  # lone surrogates
    "\ufff9-\ufffb\ufffe\uffff"  # annotations, non-characters
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_HAZARD = re.compile(f"[{_INERT_CLASS}]")
_LINE_BREAKS = re.compile("[\t\n\x0b\x0c\r\x85\u2028\u2029]+")
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MARKS_IN_A_ROW = 4


def clean(text: str, mode: Mode, limit: int = 0) -> str:
    """The text with nothing left that acts: what would, is spelled out (``\\x1b``, ``\\u202e``).

    ``terminal``  one line; floods of combining marks are cut. Markup is not touched: show the result without markup.
    ``log``       one line; backslashes are doubled, so that what is spelled out can be told from what was written.
    ``mail``      one line; line breaks and tabs become one space.
    ``sheet``     line feeds and tabs stay (a cell may hold them); the writer makes every cell a text cell.

    ``limit`` > 0 cuts the result to that many characters, the last of them an ellipsis. Never fails for any ``str``.
    """
    if mode == "log":
        text = text.replace("\\", "\\\\")
    if mode == "mail":
        text = _LINE_BREAKS.sub(" ", text)
    text = _HAZARD.sub(_kept_or_spelled if mode == "sheet" else _spelled, text)
    if mode == "terminal" and not text.isascii():
        text = _without_floods(text)
    if limit > 0 and len(text) > limit:
        text = text[: limit - 1] + "…"
    return text


def first_hazard(text: str) -> tuple[int, str] | None:
    """(position from 1, ``U+001B``) of the first character that must not stand in a name, or None."""
    found = _HAZARD.search(text)
    return (found.start() + 1, codepoint(found.group())) if found else None


def codepoint(character: str) -> str:
    """``U+001B``: how refusals name a character without showing it."""
    return f"U+{ord(character):04X}"


def _spelled(found: re.Match[str]) -> str:
    character = found.group()
    if character in _SHORT:
        return _SHORT[character]
    value = ord(character)
    if value <= 0xFF:
        return f"\\x{value:02x}"
    return f"\\u{value:04x}" if value <= 0xFFFF else f"\\U{value:08x}"


def _kept_or_spelled(found: re.Match[str]) -> str:
    return found.group() if found.group() in "\t\n" else _spelled(found)


def _without_floods(text: str) -> str:
    out: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= _MARKS_IN_A_ROW:
            out.append(character)
    return "".join(out)
