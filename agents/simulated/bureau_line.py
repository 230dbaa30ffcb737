"""A tax server's line to the bureau: calls over it, whether it is up, and since when it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from agents.simulated.http_peer import Peer, PeerSilent, PeerUnreachable
from agents.simulated.refusals import Refusal

_WATCH = 2.0
"""Seconds between two looks at an idle line, at speed 1."""


class BureauLine:
    """Down when a connection is refused or the bureau does not tell the time, up when it answers anything.

    One call without an answer is that call's trouble, not the line's. ``on_change`` is told of the first result and of
    each turn.
    """

    def __init__(self, url: str, speed: float, on_change: Callable[[], None]) -> None:
        self._peer = Peer(url)
        self._interval = max(0.2, _WATCH / speed)
        self._on_change = on_change
        self._up = asyncio.Event()
        self._up.set()
        self.message = ""
        self._told: bool | None = None

    @property
    def up(self) -> bool:
        """Whether the bureau answered last time."""
        return self._up.is_set()

    async def wait_up(self) -> None:
        """Wait until the bureau can be reached."""
        await self._up.wait()

    async def exchange(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One call, repeatable by nature: (status, answer). Refuses 300001 when the bureau gave no answer."""
        try:
            status, value = await self._peer.call(method, path, body)
        except PeerUnreachable as error:
            self._turn("无法连接税局")
            raise Refusal("300001") from error
        except PeerSilent as error:
            raise Refusal("300001", "税局无应答") from error
        self._turn("")
        return status, value

    async def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One call whose answer must be good; refuses 300002 with the bureau's text otherwise."""
        status, value = await self.exchange(method, path, body)
        if status != 200:
            raise Refusal("300002", str(value.get("message", status)))
        answer: dict[str, Any] = value
        return answer

    async def time(self, within: float) -> str:
        """The bureau's time ``yyyyMMddHHmmss``, empty when it is not to be had within so many seconds."""
        try:
            async with asyncio.timeout(within):
                return str((await self.call("GET", "/clock"))["now"])
        except (Refusal, TimeoutError):
            return ""

    async def watch(self) -> None:
        """Look at the line for ever."""
        while True:
            try:
                await self.call("GET", "/clock")
            except Refusal as refusal:
                self._turn(refusal.message)
            await asyncio.sleep(self._interval)

    def _turn(self, message: str) -> None:
        self.message = message
        if message:
            self._up.clear()
        else:
            self._up.set()
        if self.up != self._told:
            self._told = self.up
            self._on_change()

    def close(self) -> None:
        """Drop the connections."""
        self._peer.close()
