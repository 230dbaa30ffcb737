"""An operator at the console: presses keys, reads the screen, and waits for what should appear."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rich.cells import cell_len
from textual.pilot import Pilot

from console.app import Console
from console.link import HttpTransport
from console.settings import Settings
from tests.console.fleet import NOW
from tests.console.plane import TOKEN, Plane

PATIENCE = 10.0


class Operator:
    """Eyes and hands."""

    def __init__(self, app: Console, pilot: Pilot[Any]) -> None:
        self.app = app
        self.pilot = pilot

    def lines(self) -> list[str]:
        """The screen as it is composed now, one string per line."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    def text(self) -> str:
        """The screen in one string."""
        return "\n".join(self.lines())

    def line_with(self, words: str) -> str:
        """The first line that holds the words."""
        return next(line for line in self.lines() if words in line)

    async def sees(self, *words: str) -> str:
        """Wait until all the words stand on the screen."""
        return await self._until(lambda text: all(word in text for word in words), f"to see {words}")

    async def misses(self, *words: str) -> str:
        """Wait until none of the words stands on the screen."""
        return await self._until(lambda text: not any(word in text for word in words), f"not to see {words}")

    async def _until(self, holds: Any, wanted: str) -> str:
        until = time.monotonic() + PATIENCE
        while True:
            text = self.text()
            if holds(text):
                return text
            assert time.monotonic() < until, f"waited {wanted}:\n{text}"
            await asyncio.sleep(0.01)

    async def press(self, *keys: str) -> None:
        """Press keys one after another."""
        await self.pilot.press(*keys)

    async def types(self, words: str) -> None:
        """Type text into what has the focus."""
        await self.press(*words)

    async def goes(self, command: str, *expected: str) -> None:
        """Type a command after the colon and wait for its screen."""
        await self.press(":")
        await self.types(command)
        await self.press("enter")
        if expected:
            await self.sees(*expected)


@asynccontextmanager
async def console(
    plane: Plane, size: tuple[int, int] = (120, 36), token: str = TOKEN, **settings: Any
) -> AsyncIterator[Operator]:
    """A console in front of the plane; its clock stands at ``fleet.NOW``."""
    app = Console(
        Settings(plane.url, token, **settings), HttpTransport(plane.url, token), lambda: NOW, random.Random(1)
    )
    async with app.run_test(size=size) as pilot:
        yield Operator(app, pilot)
        await asyncio.sleep(0)


def cells(line: str) -> int:
    """Terminal cells of a line."""
    return cell_len(line)
