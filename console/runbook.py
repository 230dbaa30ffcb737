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
    """Lines of ``<slug>.zh-CN.md`` or ``<slug>.md``; empty when there is no such page.

    The slug comes from data: anything but a plain lower-case name opens nothing.
    """
    if not _SLUG.match(slug) or len(slug) > 64:
        return []
    names = (f"{slug}.zh-CN.md", f"{slug}.md") if language == "zh" else (f"{slug}.en.md", f"{slug}.md")
    for name in names:
        try:
            return (folder / name).read_text("utf-8")[:_LONGEST].splitlines()
        except (OSError, UnicodeDecodeError):
            continue
    return []
