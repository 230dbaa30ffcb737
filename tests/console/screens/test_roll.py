"""The records of a list in memory."""

from typing import Any

from console.desk import Desk
from console.link import HttpTransport, Link
from console.screens import invoices, virtual_devices
from console.screens.roll import Roll
from console.settings import Settings
from tests.console.fleet import DRIFT, EMPTY, NOW, device, invoice


def roll_of(noun: Any) -> Roll:
    desk = Desk(Settings(), Link(HttpTransport("http://127.0.0.1:9", "")), lambda: NOW)
    return Roll(noun, desk.view)


ALL = {column.key for column in virtual_devices.NOUN.columns}


def ids(roll: Roll) -> list[str]:
    return [record["id"] for record in roll.arranged()]


def test_worst_first_then_by_number() -> None:
    roll = roll_of(virtual_devices.NOUN)
    roll.replace([device(4, 1), device(1, 1), device(2, 1, health=DRIFT), device(3, 1, health=EMPTY)])
    assert ids(roll) == ["device-3", "device-2", "device-1", "device-4"]
    roll.faults_only = True
    assert ids(roll) == ["device-3", "device-2"]


def test_newest_first() -> None:
    roll = roll_of(invoices.NOUN)
    roll.replace([invoice(3), invoice(1), invoice(2)])
    assert ids(roll) == ["invoice-000001", "invoice-000002", "invoice-000003"]
    roll.downwards = True
    assert ids(roll)[0] == "invoice-000003"


def test_sorting_goes_through_the_columns_and_back() -> None:
    roll = roll_of(virtual_devices.NOUN)
    roll.replace([device(2, 1, issued_today=5), device(1, 1, issued_today=9)])
    seen = []
    while True:
        roll.sort_next(ALL)
        if roll.sorted_by is None:
            break
        seen.append(roll.sorted_by[0])
        if seen[-1] == "issued":
            assert ids(roll) == ["device-2", "device-1"]
            roll.downwards = True
            assert ids(roll) == ["device-1", "device-2"]
    assert seen[:2] == ["sign", "device_no"] and len(seen) == len(set(seen)) > 8


def test_a_change_that_moves_nothing_is_known() -> None:
    roll = roll_of(virtual_devices.NOUN)
    roll.replace([device(1, 1), device(2, 1)])
    assert roll.put(device(1, 1, issued_today=999))
    assert not roll.put(device(1, 1, health=EMPTY))
    assert not roll.put(device(7, 1))
    roll.search("499900000002")
    assert not roll.put(device(1, 1, health=EMPTY))


def test_the_filter_searches_what_is_shown_in_words() -> None:
    roll = roll_of(virtual_devices.NOUN)
    roll.replace([device(1, 1), device(2, 1, state="suspended")])
    roll.search("已停用")
    assert ids(roll) == ["device-2"]
    roll.put(device(2, 1))
    assert ids(roll) == []


def test_fields_of_any_type_can_be_sorted_by() -> None:
    odd: list[Any] = [None, 5, "x", {"a": 1}, [1], True, 1e400, -1, 10**30]
    roll = roll_of(virtual_devices.NOUN)
    roll.replace(
        device(place, 1, device_no=value, issued_today=value, stock=value, health=value, clock_offset_seconds=value)
        for place, value in enumerate(odd)
    )
    for _ in range(20):
        assert len(roll.arranged()) == len(odd)
        roll.sort_next(ALL)
