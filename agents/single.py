"""One agent process per home: an exclusive lock of the operating system; the only module that differs by platform."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        # A byte far behind the text, so that the process id stays readable for others.
        file.seek(1 << 20)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


class HomeInUse(Exception):
    """Another process works in this home; ``pid`` is what it wrote into the lock file, if anything."""

    def __init__(self, pid: str) -> None:
        super().__init__(pid)
        self.pid = pid


class Single:
    """The lock, held until ``release`` or the end of the process, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            HomeInUse: another living process has it.
        """
        self._file = open(path, "a+b")  # noqa: PTH123, SIM115 - held open on purpose
        try:
            _lock(self._file)
        except OSError:
            self._file.seek(0)
            pid = self._file.read(32).decode("ascii", "replace").strip()
            self._file.close()
            raise HomeInUse(pid) from None
        self._file.seek(0)
        self._file.truncate()
        self._file.write(str(os.getpid()).encode())
        self._file.flush()

    def release(self) -> None:
        """Let the next process in."""
        self._file.close()
