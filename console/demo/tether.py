"""Run a module as a program that ends when its parent does: stdin is a pipe whose other end only the parent holds."""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading

GRACE_SECONDS = 6.0


def _watch() -> None:
    # os.read, not sys.stdin: a thread inside the buffered reader would hold its lock at interpreter exit.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE_SECONDS)
    os._exit(1)


def main() -> None:
    """``python -m console.demo.tether MODULE [ARG …]``."""
    threading.Thread(target=_watch, name="tether", daemon=True).start()
    module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
