"""The ledger's engine: one writer thread, one synced commit per batch, each operation in its own savepoint."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy.engine import Engine

from controlplane.store.head import append
from controlplane.store.statement import Connection
from controlplane.store.stops import Stale
from controlplane.store.times import Clock
from controlplane.store.transaction import Event, Transaction

T = TypeVar("T")
Operation = Callable[[Transaction], T]
BATCH = 256
READERS = 8
RETRIES = 5
PATIENCE = 5.0
"""Seconds to wait for a database that others keep locked."""

log = logging.getLogger("taxplane.store")


class LedgerUnavailable(Exception):
    """The database cannot be used now (locked, full, gone); nothing of the operation is kept."""


class AlreadyThere(Exception):
    """A record with the same key came into the ledger a moment ago; nothing of the operation is kept."""

    code = "already_exists"


def build_engine(url: str, *, writer: bool, patience: float = PATIENCE) -> Engine:
    """An SQLAlchemy engine for ``url`` on which transactions are begun by hand.

    SQLite gets WAL and synchronous=FULL on every connection; its readers cannot write.
    """
    size, milliseconds = 1 if writer else READERS, int(patience * 1000)
    if not url.startswith("sqlite"):
        return sqlalchemy.create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            connect_args={"connect_timeout": max(2, int(patience)), "options": f"-c lock_timeout={milliseconds}"},
            pool_size=size,
            max_overflow=0,
        )
    engine = sqlalchemy.create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        connect_args={"check_same_thread": False, "timeout": patience},
        poolclass=sqlalchemy.pool.QueuePool,
        pool_size=size,
        max_overflow=0,
    )

    @sqlalchemy.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={milliseconds}"):
            connection.execute(f"PRAGMA {pragma}")
        if not writer:
            connection.execute("PRAGMA query_only=ON")

    return engine


class _Task:
    """One queued operation and the place where its answer goes."""

    __slots__ = ("answer", "operation", "value")

    def __init__(self, operation: Operation[Any]) -> None:
        self.operation = operation
        self.answer: Future[Any] = Future()
        self.value: Any = None


class Ledger:
    """Reads on many connections, writes on one.

    ``write`` takes a function of a :class:`Transaction`. All functions that are queued run in one database transaction,
    each in a savepoint; after the synced commit every waiter is woken. A function may run more than once (deadlock,
    lost connection), so it must have no effect but through its transaction.
    """

    def __init__(self, url: str, clock: Clock, patience: float = PATIENCE) -> None:
        self.url = url
        self.clock = clock
        self._patience = patience
        self._writer_engine = build_engine(url, writer=True, patience=patience)
        self._reader_engine = build_engine(url, writer=False, patience=patience)
        self.dialect = self._writer_engine.dialect.name
        self._queue: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._listeners: list[Callable[[list[Event]], None]] = []
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def listen(self, listener: Callable[[list[Event]], None]) -> None:
        """Call ``listener`` in the writer thread with the events of each commit, in order."""
        self._listeners.append(listener)

    def submit(self, operation: Operation[T]) -> Future[T]:
        """Queue ``operation``; the future holds its value once it is durable, or the error it raised."""
        task = _Task(operation)
        self._queue.put(task)
        return task.answer

    async def write(self, operation: Operation[T]) -> T:
        """Run ``operation`` in the next batch and wait until it is durable."""
        return await asyncio.wrap_future(self.submit(operation))

    def write_now(self, operation: Operation[T]) -> T:
        """The same for callers without an event loop."""
        return self.submit(operation).result()

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run ``query`` on a reader connection in a worker thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, query)

    def read_now(self, query: Callable[[Connection], T]) -> T:
        """Run ``query`` on a reader connection in this thread; one consistent snapshot.

        A connection that was lost is replaced and the query run again; LedgerUnavailable when that does not help.
        """
        try:
            return self._read(query)
        except LedgerUnavailable:
            return self._read(query)

    def _read(self, query: Callable[[Connection], T]) -> T:
        begin = "BEGIN" if self.dialect == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        try:
            with self._reader_engine.connect() as connection, _driver_errors(self._reader_engine):
                cursor = _cursor(connection)
                cursor.execute(begin)
                try:
                    return query(Connection(cursor, self.dialect))
                finally:
                    cursor.execute("ROLLBACK")
        except sqlalchemy.exc.DBAPIError as fault:
            self._reader_engine.dispose()
            log.warning("read failed: %s", fault.orig)
            raise LedgerUnavailable("the ledger cannot be read now") from fault

    def driver_url(self) -> str:
        """The database's address as libpq wants it (PostgreSQL only)."""
        return self._reader_engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def close(self) -> None:
        """Finish what is queued and let go of the database."""
        self._queue.put(None)
        self._thread.join(timeout=10)
        self._readers.shutdown(wait=True)
        self._writer_engine.dispose()
        self._reader_engine.dispose()

    # --- the writer thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (task := self._queue.get()) is not None:
            batch = [task]
            stop = False
            while len(batch) < BATCH and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    stop = True
                    break
                batch.append(following)
            # Who has gone away meanwhile gets nothing done; who is still there cannot go away from here on.
            self._commit_with_retries([task for task in batch if task.answer.set_running_or_notify_cancel()])
            if stop:
                return

    def _commit_with_retries(self, batch: list[_Task]) -> None:
        until = time.monotonic() + self._patience
        for attempt in range(RETRIES):
            try:
                events = self._commit(batch)
            except Stale:
                log.info("batch of %d done again: an emergency stop came or went meanwhile", len(batch))
                continue
            except sqlalchemy.exc.DBAPIError as fault:
                self._writer_engine.dispose()
                log.warning("batch of %d not committed (try %d): %s", len(batch), attempt + 1, fault.orig)
                if time.monotonic() >= until:
                    break
                time.sleep(0.02 * 2**attempt)
                continue
            except Exception as defect:
                # A defect of ours at the end of a batch must not take the only writer with it.
                log.exception("batch of %d not committed", len(batch))
                for task in batch:
                    task.answer.set_exception(defect)
                return
            self._answer(batch, events)
            return
        for task in batch:
            task.answer.set_exception(LedgerUnavailable("the ledger cannot be written now"))

    def _commit(self, batch: list[_Task]) -> list[Event]:
        with self._writer_engine.connect() as connection, _driver_errors(self._writer_engine):
            cursor = _cursor(connection)
            cursor.execute("BEGIN IMMEDIATE" if self.dialect == "sqlite" else "BEGIN")
            try:
                hand = Connection(cursor, self.dialect)
                transactions = [self._one(hand, cursor, task) for task in batch]
                events = append(hand, transactions)
                cursor.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(Exception):
                    cursor.execute("ROLLBACK")
                raise
            return events

    def _one(self, hand: Connection, cursor: Any, task: _Task) -> Transaction:
        transaction, known = Transaction(hand, self.clock()), dict(hand.memo)
        cursor.execute("SAVEPOINT operation")
        try:
            task.value = task.operation(transaction)
        except (self._engine_errors(), Stale):
            raise
        except Exception as refusal:
            cursor.execute("ROLLBACK TO SAVEPOINT operation")
            if isinstance(refusal, self._writer_engine.dialect.loaded_dbapi.IntegrityError):
                log.warning("an operation met a record that is there already: %s", refusal)
                refusal = AlreadyThere(str(refusal))
            transaction.forget(refusal)
            hand.memo.clear()
            hand.memo.update(known)
            task.value = refusal
        cursor.execute("RELEASE SAVEPOINT operation")
        return transaction

    def _engine_errors(self) -> type[Exception]:
        return self._writer_engine.dialect.loaded_dbapi.OperationalError

    def _answer(self, batch: list[_Task], events: list[Event]) -> None:
        for listener in self._listeners:
            try:
                listener(events)
            except Exception:
                log.exception("a listener of the ledger failed")
        for task in batch:
            if isinstance(task.value, Exception):
                task.answer.set_exception(task.value)
            else:
                task.answer.set_result(task.value)


def _cursor(connection: sqlalchemy.engine.Connection) -> Any:
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver.cursor()


@contextlib.contextmanager
def _driver_errors(engine: Engine) -> Iterator[None]:
    """Turn the driver's own errors into SQLAlchemy's, so that one name covers both databases."""
    dbapi = engine.dialect.loaded_dbapi
    try:
        yield
    except dbapi.Error as fault:
        raise sqlalchemy.exc.DBAPIError("batch", {}, fault) from fault
