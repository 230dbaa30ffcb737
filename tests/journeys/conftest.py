"""One real demo for all journeys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.asking import simple
from tests.journeys.books import Books
from tests.journeys.demo_process import Demo, prepared
from tests.journeys.desk import Desk
from tests.journeys.front_door import Answer, Door

SPEED = 4
"""Uploads and readings are so much quicker than in practice; time-outs, leases and dates are not."""
IMPORTS_TOLD = {"PYTHONPROFILEIMPORTTIME": "1"}
"""Every process of the demo logs each module as it is imported, to the end of its life."""


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Demo, Answer]]:
    """The demo, and what it answered to an invoice posted the moment its ready line was read."""
    folder = tmp_path_factory.mktemp("journeys") / "data"
    with prepared(folder, "--speed", str(SPEED), environment=IMPORTS_TOLD) as demo:
        demo.start()
        first = demo.door().ask("POST", "/v1/invoices", simple(demo.taxpayer_id, "first"), wait=10)
        yield demo, first


@pytest.fixture(scope="session")
def demo(started: tuple[Demo, Answer]) -> Demo:
    return started[0]


@pytest.fixture(scope="session")
def books(demo: Demo) -> Books:
    return Books(demo)


@pytest.fixture(scope="session")
def desk(demo: Demo) -> Desk:
    return demo.desk()


@pytest.fixture(scope="session")
def front_end(demo: Demo) -> Door:
    return demo.door()
