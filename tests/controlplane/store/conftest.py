"""A founded ledger, and a second one on the same database."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from controlplane.operations import first_start
from controlplane.store.engine import Ledger
from controlplane.store.times import system_clock


@pytest.fixture
def open_ledger(database_url: str) -> Iterator[Callable[..., Ledger]]:
    """Opens one more ledger on this test's founded database."""
    opened: list[Ledger] = []

    def open_one(patience: float = 5.0) -> Ledger:
        ledger = Ledger(database_url, system_clock, patience)
        opened.append(ledger)
        ledger.write_now(first_start.found)
        return ledger

    yield open_one
    for ledger in opened:
        ledger.close()


@pytest.fixture
def founded(open_ledger: Callable[..., Ledger]) -> Ledger:
    """The ledger, founded."""
    return open_ledger()
