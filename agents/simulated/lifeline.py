"""Start and end of a simulated process: its ready line, its signals, and its parent's death."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from types import FrameType

import msgspec

from agents.simulated.http_peer import Listener

_GRACE = 3.0


class Lifeline:
    """Set when the process must end: SIGTERM or SIGINT, or end of stdin when the parent holds the other end of it."""

    def __init__(self, with_stdin: bool = False) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self.status = 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        if with_stdin:
            threading.Thread(target=self._watch_stdin, name="stdin", daemon=True).start()

    async def ended(self) -> int:
        """Wait for the end; the process's exit status."""
        await self._end.wait()
        return self.status

    def fail(self) -> None:
        """End the process with status 1; may be called from any thread."""
        self.status = 1
        self._finish()

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self._finish()

    def _watch_stdin(self) -> None:
        # os.read, not sys.stdin: a thread inside the buffered reader would hold its lock at interpreter exit.
        while os.read(0, 4096):
            pass
        self._finish()

    def _finish(self) -> None:
        threading.Thread(target=_exit_late, name="grace", daemon=True).start()
        self._loop.call_soon_threadsafe(self._end.set)


def _exit_late() -> None:
    # All memory is durable, so a shutdown that hangs may be cut short.
    threading.Event().wait(_GRACE)
    os._exit(1)


def say_ready(**facts: object) -> None:
    """Print the one JSON line that says a process is ready."""
    sys.stdout.write(msgspec.json.encode({"ready": True, "pid": os.getpid(), **facts}).decode() + "\n")
    sys.stdout.flush()


async def open_port(listener: Listener, wanted: int, remembered: int) -> int:
    """Open on the wanted port, else on the one remembered, else on any. Raises OSError if the wanted one is taken."""
    listener.port = wanted or remembered
    try:
        return await listener.open()
    except OSError:
        if wanted:
            raise
    listener.port = 0
    return await listener.open()
