"""The end of every batch: one order of events and of the operation log, whichever server writes."""

from __future__ import annotations

from collections.abc import Callable

from controlplane.operations.operation_log import verify
from controlplane.store import head
from controlplane.store.engine import Ledger
from controlplane.store.statement import Statement
from controlplane.store.transaction import Entry, Event, Transaction

OpenLedger = Callable[..., Ledger]


def change(name: str) -> Callable[[Transaction], None]:
    def operation(tx: Transaction) -> None:
        tx.begin_entry(Entry("p", "张三", "person", "x.change", "x", name, detail={"name": name}))
        tx.raise_event(Event("x", name, "-", "changed", 1))

    return operation


def test_two_servers_write_one_order_without_gaps(open_ledger: OpenLedger) -> None:
    ledgers = [open_ledger(), open_ledger()]
    heard: list[list[int]] = [[], []]
    for number, ledger in enumerate(ledgers):
        ledger.listen(lambda events, number=number: heard[number].extend(event.seq for event in events))
    asked = [ledgers[number % 2].submit(change(f"n{number}")) for number in range(200)]
    for future in asked:
        future.result(30)
    events = ledgers[0].read_now(lambda hand: head.events_since(hand, 0))
    assert [event.seq for event in events] == list(range(1, 201))
    assert {event.record_id for event in events} == {f"n{number}" for number in range(200)}
    assert sorted(heard[0] + heard[1]) == list(range(1, 201)) and heard[0] == sorted(heard[0])
    log = ledgers[1].read_now(lambda hand: list(head.log_rows(hand)))
    assert [row["seq"] for row in log] == list(range(1, 201)) and verify(log) is None
    assert ledgers[0].read_now(head.log_head) == (200, log[-1]["hash"])


def test_what_fails_takes_no_number(founded: Ledger) -> None:
    def fail(tx: Transaction) -> None:
        change("lost")(tx)
        tx.no_entry()
        raise KeyError("lost")

    for number in range(3):
        founded.write_now(change(f"n{number}"))
        assert isinstance(founded.submit(fail).exception(10), KeyError)
    assert founded.read_now(head.position)[1] == 3
    assert founded.read_now(head.log_head)[0] == 3


def test_events_are_read_in_pages(founded: Ledger) -> None:
    for future in [founded.submit(change(f"n{number}")) for number in range(7)]:
        future.result(10)
    pages = [founded.read_now(lambda hand, at=at: head.events_since(hand, at, 3)) for at in (0, 3, 6, 7)]
    assert [[event.seq for event in page] for page in pages] == [[1, 2, 3], [4, 5, 6], [7], []]


def test_a_ledger_is_founded_once(founded: Ledger, open_ledger: OpenLedger) -> None:
    assert open_ledger().read_now(head.position) == founded.read_now(head.position)
    assert founded.read_now(lambda hand: hand.one(Statement("SELECT COUNT(*) AS n FROM ledger_head"))) == {"n": 1}
