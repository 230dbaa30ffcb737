"""One bureau and one devices process per test file; tests bring their own devices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.agents.simulated.practice import Practice, Wire


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    practice = Practice(tmp_path_factory.mktemp("practice"))
    practice.server_ready()
    yield practice
    practice.close()


@pytest.fixture
def wire(practice: Practice) -> Wire:
    return practice.wire()


@pytest.fixture
def device_no(practice: Practice, wire: Wire) -> Iterator[str]:
    number = practice.device_ready(wire)
    yield number
    practice.faults(number)
