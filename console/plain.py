"""The gate for foreign text in the console: whatever comes from data passes here on its way to the screen."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from controlplane.domain.foreign_text import clean

LONGEST: Final = 4096
"""Characters of one text that are kept; no cell, title or message needs more."""

_QUARRELS: Final = re.compile("[\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]")
"""Flag halves and skin tones: terminals disagree on how wide they are next to others."""
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Variation selectors: they change the width of the character before them in some terminals only."""


def plain(value: object) -> str:
    """The value as one line of text that cannot act on a terminal and is as wide as it is counted.

    The rule of what is dangerous lives in ``domain.foreign_text``; here only what would break columns is added.
    Doing it twice changes nothing. Show the result with markup off.
    """
    text = value if isinstance(value, str) else _spelled(value)
    if text.isascii() and text.isprintable() and len(text) <= LONGEST:
        return text
    return _inert(text)


def _spelled(value: object) -> str:
    if value is None:
        return ""
    try:
        return str(value)
    except ValueError:  # an integer of more than 4,300 digits has no decimal text in Python
        return "\ufffd"


@lru_cache(maxsize=8192)
def _inert(text: str) -> str:
    shown = _QUARRELS.sub("\ufffd", clean(_SELECTORS.sub("", text), "terminal", LONGEST))
    return shown.replace("\xa0", " ")
