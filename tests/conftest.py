"""What every test may ask for: an empty, migrated ledger on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.store.engine import Ledger
from controlplane.store.times import system_clock
from tests import servers


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared by all workers of the session."""
    return servers.session_folder(tmp_path_factory.getbasetemp())


@pytest.fixture
def sqlite_url(session_folder: Path, tmp_path: Path) -> str:
    """A migrated SQLite file of this test's own."""
    copy = tmp_path / "ledger.db"
    shutil.copy(servers.sqlite_template(session_folder), copy)
    return f"sqlite:///{copy}"


@pytest.fixture
def postgresql_url(session_folder: Path) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    given = os.environ.get("TEST_DATABASE_URL", "")
    server, template = servers.postgresql_template(session_folder, servers.session_owner(), given)
    name = server.create(template)
    yield server.address(name)
    server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test's own; the test runs once on each kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """The ledger on a migrated database of this test's own, with the real clock."""
    ledger = Ledger(database_url, system_clock)
    yield ledger
    ledger.close()


WHOLE_PRODUCT = ("journeys", "crash", "bench")
"""Folders whose tests run every process of the product: one worker takes them all, one after the other."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what needs the whole machine out of each other's way."""
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in WHOLE_PRODUCT:
            item.add_marker(pytest.mark.xdist_group("the whole product"))
