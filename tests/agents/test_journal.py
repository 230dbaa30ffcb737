"""The agent's journal: durable, shared by many threads, honest about damage."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from agents.journal import Journal
from agents.journal_file import JournalBroken, connect, durability
from agents.journal_writes import Recorded
from controlplane.wire.agents import Order, Outcome
from controlplane.wire.evidence import IssuedInvoice, Nothing
from tests.agents.orders import order
from tests.agents.peers.tax_server import TaxServer


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(tmp_path: Path, clock: Clock) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.db", clock, lambda fault: None)
    yield journal
    journal.close()


def done(asked: Order, result: str = "done") -> Outcome:
    return Outcome(
        job_id=asked.job_id,
        taxpayer_id=asked.taxpayer_id,
        epoch=asked.epoch,
        result=result,  # type: ignore[arg-type]
        at="2026-11-22T09:00:00.000Z",
        evidence=Nothing(),
    )


def conclude(journal: Journal, outcome: Outcome) -> Recorded:
    kept: list[Recorded] = []
    journal.conclude(outcome, kept.append)
    journal.flush()
    return kept[0]


def test_settings_are_durable_on_every_connection(tmp_path: Path) -> None:
    for _ in range(2):
        db = connect(tmp_path / "journal.db", first=True)
        assert durability(db) == ("wal", 2)
        db.close()


def test_intent_is_open_until_concluded(journal: Journal, tax_server: TaxServer) -> None:
    asked = order(tax_server)
    journal.intend(asked, "d")
    assert [intent.order for intent in journal.open_intents()] == [asked]
    recorded = conclude(journal, done(asked))
    assert journal.open_intents() == [] and journal.undelivered() == [recorded]
    assert msgspec.json.decode(recorded.body, type=Outcome) == done(asked)
    assert journal.recorded(asked.job_id) == recorded
    journal.delivered([recorded.no])
    journal.flush()
    assert journal.undelivered() == []


def test_a_job_begun_again_is_one_intent(journal: Journal, tax_server: TaxServer) -> None:
    asked = order(tax_server)
    journal.intend(asked, "d")
    first = conclude(journal, done(asked, "unreachable"))
    journal.intend(msgspec.structs.replace(asked, epoch=2), "d")
    assert [intent.order.epoch for intent in journal.open_intents()] == [2]
    second = conclude(journal, done(asked))
    assert [row.no for row in journal.undelivered()] == [first.no, second.no]


def test_many_threads_share_syncs(tmp_path: Path, clock: Clock, tax_server: TaxServer) -> None:
    journal = Journal(tmp_path / "journal.db", clock, lambda fault: None)
    orders = [order(tax_server) for _ in range(200)]

    def work(mine: list[Order]) -> None:
        for asked in mine:
            journal.intend(asked, "d")

    threads = [threading.Thread(target=work, args=(orders[n::10],)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {intent.order.job_id for intent in journal.open_intents()} == {asked.job_id for asked in orders}
    journal.close()


def test_fence_only_rises_and_is_kept(tmp_path: Path, clock: Clock, tax_server: TaxServer) -> None:
    journal = Journal(tmp_path / "journal.db", clock, lambda fault: None)
    assert journal.fence("d", 3) and journal.fence("d", 7) and journal.fence("d", 7)
    assert not journal.fence("d", 6) and journal.fence("other", 1)
    journal.intend(order(tax_server, epoch=7), "d")
    journal.close()
    again = Journal(tmp_path / "journal.db", clock, lambda fault: None)
    assert not again.fence("d", 6) and again.fence("other", 0)
    again.close()


def test_a_device_word_not_confirmed_is_kept(journal: Journal, tax_server: TaxServer) -> None:
    asked = order(tax_server)
    journal.intend(asked, "d")
    names = IssuedInvoice.__struct_fields__
    answer = IssuedInvoice(**{name: 1 if name == "index" else name for name in names})  # type: ignore[arg-type]
    journal.note_answer(asked.job_id, answer)
    journal.flush()
    assert [intent.answer for intent in journal.open_intents()] == [answer]


def test_prune_takes_only_old_and_delivered(journal: Journal, clock: Clock, tax_server: TaxServer) -> None:
    old, unheard, young = order(tax_server), order(tax_server), order(tax_server)
    still_open = order(tax_server)
    for asked in (old, unheard, still_open):
        journal.intend(asked, "d")
    journal.delivered([conclude(journal, done(old)).no])
    conclude(journal, done(unheard))
    clock.now += timedelta(days=10)
    journal.intend(young, "d")
    journal.delivered([conclude(journal, done(young)).no])
    journal.prune(7)
    journal.flush()
    assert [journal.recorded(asked.job_id) is None for asked in (old, unheard, young)] == [True, False, False]
    assert [intent.order.job_id for intent in journal.open_intents()] == [still_open.job_id]


def test_facts(journal: Journal) -> None:
    assert journal.fact("ledger_seq") is None
    journal.remember("ledger_seq", "5")
    journal.remember("ledger_seq", "6")
    journal.flush()
    assert journal.fact("ledger_seq") == "6"


@pytest.mark.parametrize("damage", ["text", "middle", "version"])
def test_a_damaged_file_is_refused(tmp_path: Path, clock: Clock, tax_server: TaxServer, damage: str) -> None:
    path = tmp_path / "journal.db"
    journal = Journal(path, clock, lambda fault: None)
    for _ in range(50):
        journal.intend(order(tax_server), "d")
    journal.close()
    if damage == "text":
        path.write_bytes(b"this is no journal" * 100)
    elif damage == "middle":
        content = bytearray(path.read_bytes())
        content[4096 * 2 : 4096 * 4] = b"\xff" * 4096 * 2
        path.write_bytes(bytes(content))
    else:
        db = sqlite3.connect(path)
        db.execute("PRAGMA user_version = 99")
        db.close()
    with pytest.raises(JournalBroken):
        Journal(path, clock, lambda fault: None)


def test_a_failing_disk_ends_the_journal(tmp_path: Path) -> None:
    """A write the disk refuses: the waiting intent fails, everything after it fails, and the owner is told once."""
    script = textwrap.dedent(
        f"""
        import resource, signal
        from pathlib import Path
        from agents.instants import now_utc
        from agents.journal import Journal
        from agents.journal_file import JournalBroken
        from tests.agents.orders import order

        class Server:
            port = 1

        told = []
        journal = Journal(Path({str(tmp_path / "journal.db")!r}), now_utc, told.append)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
        written = 0
        for _ in range(100):
            try:
                journal.intend(order(Server()), "d")
                written += 1
            except JournalBroken:
                break
        try:
            journal.intend(order(Server()), "d")
        except JournalBroken:
            print("refused", 0 < written < 100, len(told))
        """
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert answer.stdout == "refused True 1\n", answer.stderr
