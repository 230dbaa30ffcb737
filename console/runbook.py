"""Runbook pages, shown beside the trouble they are about."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from console.settings import Language

PAGES: Final = Path(__file__).resolve().parent.parent / "runbooks"

_SLUG: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){0,8}\Z")
_LONGEST: Final = 64 * 1024


def page(slug: str, language: Language, folder: Path = PAGES) -> list[str]:
    """The lines of ``<slug>.md`` in one language; empty when there is no such page.

    A page holds its title in both languages, then the Chinese part, a rule, and the English part. The slug comes from
    data: anything but a plain lower-case name opens nothing.
    """
    if not _SLUG.match(slug) or len(slug) > 64:
        return []
    try:
        lines = (folder / f"{slug}.md").read_text("utf-8")[:_LONGEST].splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    rule = lines.index("---") if "---" in lines else len(lines)
    part = lines[:rule] if language == "zh" or rule == len(lines) else [*lines[:1], "", *lines[rule + 1 :]]
    while part and not part[-1].strip():
        part.pop()
    return part
