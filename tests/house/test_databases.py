"""The ledger's schema on both databases, and the server that the tests start for themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from alembic import command

from controlplane.store import migrations
from controlplane.store.engine import Ledger
from controlplane.store.statement import Statement
from tests import servers


def test_models_and_migrations_say_the_same(database_url: str) -> None:
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


@pytest.mark.parametrize("find", [servers._debian_binaries, servers._wheel_binaries])
def test_a_killed_session_leaves_no_server(find, monkeypatch: pytest.MonkeyPatch) -> None:
    binaries = find()
    if not binaries:
        assert find is servers._debian_binaries, "the wheel is in requirements-dev.lock"
        return
    session = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    monkeypatch.setattr(servers, "owner", lambda: session.pid)
    url = servers._start(binaries[0])
    directory = Path(url.partition("host=")[2])
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    postmaster = int((directory / "data" / "postmaster.pid").read_text().split()[0])
    session.kill()
    session.wait()
    _wait_until(lambda: not directory.exists())
    with pytest.raises(ProcessLookupError):
        os.kill(postmaster, 0)


def test_a_killed_keeper_takes_its_server_along() -> None:
    url = servers._start((servers._debian_binaries() or servers._wheel_binaries())[0])
    directory = Path(url.partition("host=")[2])
    postmaster = int((directory / "data" / "postmaster.pid").read_text().split()[0])
    keeper = int(Path(f"/proc/{postmaster}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(keeper, signal.SIGKILL)
    _wait_until(lambda: not Path(f"/proc/{postmaster}").exists())
    subprocess.run(["rm", "-rf", directory], check=True)


def test_a_server_of_somebody_else_is_left_as_it_was(
    postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    monkeypatch.setattr(servers, "owner", lambda: session.pid)
    monkeypatch.setenv("TEST_DATABASE_URL", postgresql_url)
    server, template = servers.postgresql_template(tmp_path)
    copy = server.create(template)
    assert {"invoices", "jobs"} <= _tables(server.address(copy))
    session.kill()
    session.wait()
    _wait_until(lambda: not _databases(postgresql_url, server.prefix))


def _databases(url: str, prefix: str) -> list[tuple[str]]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (prefix,))
        return found.fetchall()


def test_without_any_server_the_tests_fail_and_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr(servers, "_DEBIAN", Path("/nowhere"))
    monkeypatch.setattr(servers, "_WHEEL", "no_such_package")
    with pytest.raises(RuntimeError, match="set TEST_DATABASE_URL"):
        servers._running_server()


def _wait_until(done, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until
        time.sleep(0.05)
