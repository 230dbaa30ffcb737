"""The stage that tests of the verbs stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from controlplane.store.engine import Ledger
from tests.controlplane.operations.scene import Agent, Clock, Scene


@pytest.fixture
def clock() -> Clock:
    """Stands still until it is moved."""
    return Clock()


@pytest.fixture
def scene(database_url: str, clock: Clock) -> Iterator[Scene]:
    """A founded ledger on a database of this test's own, by the test's clock."""
    ledger = Ledger(database_url, clock)
    yield Scene(ledger)
    ledger.close()


@pytest.fixture
def agent(scene: Scene) -> Agent:
    """A joined agent."""
    return Agent(scene)
