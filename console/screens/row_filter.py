"""The filter language of the ``/`` bar: a substring, ``!`` for the rows without it, ``~`` for a regular expression."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class RowFilter:
    """A parsed filter. ``wrong`` says that the regular expression is not complete; such a filter lets all rows pass."""

    text: str
    matches: Callable[[str], bool]
    wrong: bool = False


def _all(haystack: str) -> bool:
    return True


def parse(typed: str) -> RowFilter:
    """The filter for what was typed; case does not matter. Haystacks must be casefolded."""
    text = typed.strip()[:_LONGEST]
    inverse = text.startswith("!")
    body = text[1:] if inverse else text
    if body.startswith("~"):
        try:
            found = re.compile(body[1:], re.IGNORECASE).search
        except (re.error, OverflowError):
            return RowFilter(text, _all, True)
        hit: Callable[[str], bool] = lambda haystack: found(haystack) is not None  # noqa: E731
    else:
        needle = body.casefold()
        hit = lambda haystack: needle in haystack  # noqa: E731
    if body in ("", "~"):
        return RowFilter("", _all)
    return RowFilter(text, (lambda haystack: not hit(haystack)) if inverse else hit)
