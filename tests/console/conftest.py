"""The plane most console tests look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.console.fleet import standard
from tests.console.plane import Plane


@pytest.fixture
def plane() -> Iterator[Plane]:
    """The standard fleet behind real sockets."""
    plane = standard()
    plane.start()
    yield plane
    plane.stop()
