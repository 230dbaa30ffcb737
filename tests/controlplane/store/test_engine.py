"""The one writer: savepoints in a batch, one commit for all, and what happens when the database is not to be had."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
import sqlalchemy

from controlplane.operations import first_start
from controlplane.store.engine import READERS, AlreadyThere, Ledger, LedgerUnavailable, build_engine
from controlplane.store.segments import InvoiceCodeRow
from controlplane.store.statement import Connection, Statement
from controlplane.store.times import system_clock
from controlplane.store.transaction import Entry, Event, Transaction

CODES = Statement("SELECT invoice_code FROM invoice_codes ORDER BY invoice_code")
OpenLedger = Callable[..., Ledger]


def keep(code: str) -> Callable[[Transaction], str]:
    """An operation that adds a row, an entry and an event."""

    def operation(tx: Transaction) -> str:
        tx.begin_entry(Entry("p", "p", "person", "codes.keep", "codes", code))
        tx.add(InvoiceCodeRow(invoice_code=code))
        tx.raise_event(Event("codes", code, "-", "kept"))
        return code

    return operation


def spoil(code: str, fault: Exception) -> Callable[[Transaction], str]:
    """An operation that does the same and then fails."""

    def operation(tx: Transaction) -> str:
        keep(code)(tx)
        raise fault

    return operation


def codes(ledger: Ledger) -> list[str]:
    return [row["invoice_code"] for row in ledger.read_now(lambda hand: hand.rows(CODES))]


@contextmanager
def busy_writer(ledger: Ledger) -> Any:
    """While this holds, the writer is in the middle of an operation, and what is queued becomes one batch."""
    begun, go_on = threading.Event(), threading.Event()

    def hold(_tx: Transaction) -> None:
        begun.set()
        assert go_on.wait(10)

    held = ledger.submit(hold)
    assert begun.wait(10)
    try:
        yield
    finally:
        go_on.set()
        held.result(10)


def test_one_failing_operation_leaves_its_neighbours_alone(founded: Ledger) -> None:
    commits: list[list[str]] = []
    founded.listen(lambda events: commits.append([event.record_id for event in events]))
    with busy_writer(founded):
        futures: list[Future[str]] = []
        for number in range(9):
            operation = keep(f"code-{number}") if number % 3 else spoil(f"code-{number}", ValueError(str(number)))
            futures.append(founded.submit(operation))
    faults = [future.exception(10) for future in futures]
    assert [str(fault) if fault else None for fault in faults] == ["0", None, None, "3", None, None, "6", None, None]
    kept = ["code-1", "code-2", "code-4", "code-5", "code-7", "code-8"]
    assert codes(founded) == kept
    assert commits == [[], kept], "the holding operation, and one commit for all others"


def test_what_was_refused_is_in_the_log_and_nowhere_else(founded: Ledger) -> None:
    with pytest.raises(ValueError, match="no") as caught:
        founded.write_now(spoil("code", ValueError("no")))
    assert caught.value.__notes__
    log = founded.read_now(lambda hand: hand.rows(Statement("SELECT outcome, detail FROM operation_log")))
    assert log == [{"outcome": "refused", "detail": '{"code":"ValueError"}'}]
    assert founded.read_now(lambda hand: hand.rows(Statement("SELECT * FROM events"))) == []


def test_nothing_of_a_batch_is_seen_before_its_end(founded: Ledger) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def last(_tx: Transaction) -> None:
        begun.set()
        assert go_on.wait(10)

    with busy_writer(founded):
        first, second = founded.submit(keep("code")), founded.submit(last)
    assert begun.wait(10)
    assert codes(founded) == [] and not first.done()
    go_on.set()
    second.result(10)
    assert codes(founded) == ["code"] == [first.result(10)]


def test_a_key_that_is_taken_is_told_as_such(founded: Ledger) -> None:
    founded.write_now(keep("code"))
    with busy_writer(founded):
        futures = [founded.submit(keep(code)) for code in ("a", "code", "b")]
    assert isinstance(futures[1].exception(10), AlreadyThere)
    assert codes(founded) == ["a", "b", "code"]


def test_who_gives_up_waiting_does_not_stop_the_writer(founded: Ledger) -> None:
    with busy_writer(founded):
        gone, there = founded.submit(keep("gone")), founded.submit(keep("there"))
        assert gone.cancel()
    assert there.result(10) == "there"
    assert codes(founded) == ["there"]
    assert founded.write_now(keep("later")) == "later"


def test_a_listener_that_fails_does_not_stop_the_writer(founded: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_events: list[Event]) -> None:
        raise RuntimeError("deaf")

    founded.listen(fail)
    with caplog.at_level(logging.ERROR):
        assert founded.write_now(keep("a")) == "a"
    assert founded.write_now(keep("b")) == "b"
    assert codes(founded) == ["a", "b"]


def test_a_defect_at_the_end_of_a_batch_does_not_stop_the_writer(founded: Ledger) -> None:
    def unwritable(tx: Transaction) -> None:
        tx.begin_entry(Entry("p", "p", "person", "x", "x", detail={"what": object()}))

    with pytest.raises(TypeError):
        founded.write_now(unwritable)
    assert founded.write_now(keep("later")) == "later"


@pytest.mark.parametrize("writer", [True, False])
def test_every_sqlite_connection_is_durable(sqlite_url: str, writer: bool) -> None:
    engine = build_engine(sqlite_url, writer=writer)
    connections = [engine.connect() for _ in range(1 if writer else READERS)]
    for connection in connections:
        said = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "query_only", "busy_timeout")
        }
        assert said == {
            "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "query_only": int(not writer),
            "busy_timeout": 5000,
        }  # fmt: skip
        connection.close()
    engine.dispose()


def test_a_new_connection_after_trouble_is_durable_too(sqlite_url: str) -> None:
    ledger = Ledger(sqlite_url, system_clock, 0.2)
    ledger.write_now(first_start.found)
    with lock_of(ledger):
        assert isinstance(ledger.submit(keep("lost")).exception(10), LedgerUnavailable)
    synchronous = Statement("PRAGMA synchronous")
    assert ledger.write_now(lambda tx: tx.one(synchronous)) == {"synchronous": 2}
    ledger.close()


def test_readers_cannot_write(founded: Ledger) -> None:
    insert = Statement("INSERT INTO invoice_codes (invoice_code) VALUES ('x')")
    with pytest.raises(LedgerUnavailable) as caught:
        founded.read_now(lambda hand: hand.run(insert))
    assert "read" in str(caught.value.__cause__)
    assert codes(founded) == []


def test_a_reader_sees_one_moment(founded: Ledger) -> None:
    def look_twice(hand: Connection) -> tuple[int, int]:
        before = len(hand.rows(CODES))
        founded.write_now(keep("between"))
        return before, len(hand.rows(CODES))

    assert founded.read_now(look_twice) == (0, 0)
    assert codes(founded) == ["between"]


# --- a database that is not to be had


def lock_of(ledger: Ledger) -> AbstractContextManager[None]:
    """Somebody else holds what every batch must write."""

    @contextmanager
    def held() -> Any:
        engine = sqlalchemy.create_engine(ledger.url, poolclass=sqlalchemy.pool.NullPool)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            begin = "BEGIN IMMEDIATE" if ledger.dialect == "sqlite" else "BEGIN"
            connection.exec_driver_sql(begin)
            connection.exec_driver_sql("UPDATE ledger_head SET id = id")
            yield
            connection.exec_driver_sql("ROLLBACK")

    return held()


def test_a_locked_database_is_waited_for(founded: Ledger) -> None:
    with lock_of(founded):
        future = founded.submit(keep("patient"))
        time.sleep(0.3)
        assert not future.done() and codes(founded) == []
    assert future.result(10) == "patient"


def test_a_database_locked_for_long_is_told_and_forgotten(open_ledger: OpenLedger) -> None:
    ledger = open_ledger(patience=0.3)
    begun = time.monotonic()
    with lock_of(ledger):
        futures = [ledger.submit(keep(f"code-{number}")) for number in range(5)]
        assert {type(future.exception(10)) for future in futures} == {LedgerUnavailable}
        assert time.monotonic() - begun < 4
        assert codes(ledger) == []
    assert ledger.write_now(keep("after")) == "after"
    assert codes(ledger) == ["after"]
    log = ledger.read_now(lambda hand: hand.rows(Statement("SELECT seq FROM operation_log")))
    assert [row["seq"] for row in log] == [1], "what was not done left no gap"


def test_cut_connections_are_replaced(postgresql_url: str) -> None:
    ledger = Ledger(postgresql_url, system_clock)
    ledger.write_now(first_start.found)
    cut = Statement("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                    "AND datname = current_database()")  # fmt: skip
    for number in range(3):
        ledger.read_now(lambda hand: hand.rows(cut))
        assert ledger.write_now(keep(f"code-{number}")) == f"code-{number}"
        ledger.write_now(lambda tx: tx.rows(cut))
        assert len(codes(ledger)) == number + 1
    ledger.close()


def test_a_database_that_refuses_everyone_is_told_and_comes_back(postgresql_url: str) -> None:
    ledger = Ledger(postgresql_url, system_clock, 0.3)
    ledger.write_now(first_start.found)
    name = sqlalchemy.make_url(postgresql_url).database
    keeper = sqlalchemy.make_url(postgresql_url).set(database="postgres")
    admin = sqlalchemy.create_engine(keeper, poolclass=sqlalchemy.pool.NullPool)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        with pytest.raises(LedgerUnavailable):
            ledger.write_now(keep("lost"))
        with pytest.raises(LedgerUnavailable):
            codes(ledger)
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert ledger.write_now(keep("found")) == "found"
    assert codes(ledger) == ["found"]
    ledger.close()
