"""The pages of one list: the first, the next, and those already seen read again."""

from __future__ import annotations

from typing import Final

from console.link import Link, LinkError
from console.records import Record

FIRST_PAGE: Final = 200
PAGE: Final = 1000
MOST_REREAD: Final = 2000
"""Rows of a long list that are read again; the ones behind come fresh by the feed."""
_PAGES_FOR_A_SCOPE: Final = 10
"""A scope that the server cannot apply is looked for in so many pages."""


class Pages:
    """Follows the cursors of a list; ``cursor`` is None when there is nothing behind what was read."""

    def __init__(self, link: Link, noun: str, filters: dict[str, str]) -> None:
        self._link = link
        self._noun = noun
        self._filters = filters
        self.cursor: str | None = None

    async def first(self) -> list[Record]:
        """The first page; of a scoped list as many as it takes to find something."""
        return await self._read(FIRST_PAGE, FIRST_PAGE)

    async def more(self) -> list[Record]:
        """The next page; nothing when there is none, or when somebody is already reading it."""
        cursor, self.cursor = self.cursor, None
        if cursor is None:
            return []
        try:
            page = await self._link.page(self._noun, PAGE, self._filters, cursor)
        except LinkError:
            self.cursor = cursor
            raise
        self.cursor = page.next
        return page.items

    async def again(self, have: int) -> list[Record]:
        """About as many records as are already known, from the beginning; of a long list only its head."""
        kept = self.cursor
        found = await self._read(min(max(FIRST_PAGE, have), MOST_REREAD), PAGE)
        if have > MOST_REREAD:
            self.cursor = kept
        return found

    async def _read(self, want: int, size: int) -> list[Record]:
        found: list[Record] = []
        cursor: str | None = None
        for _ in range(_PAGES_FOR_A_SCOPE):
            page = await self._link.page(self._noun, min(size, want - len(found)), self._filters, cursor)
            found += page.items
            cursor = page.next
            if cursor is None or len(found) >= want:
                break
        self.cursor = cursor
        return found
