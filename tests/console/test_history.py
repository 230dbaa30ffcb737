"""What the console remembers."""

from datetime import timedelta

from console.history import BARS, INTERVAL, READINGS, Readings, Trends
from tests.console.fleet import DRIFT, NOW, device, invoice


def later(intervals: int) -> timedelta:
    return timedelta(seconds=intervals * INTERVAL)


def test_what_a_reading_adds_is_what_was_issued() -> None:
    trends = Trends()
    number = device(1, 1)["device_no"]
    trends.observe(device(1, 1, issued_today=10), NOW)
    trends.observe(device(1, 1, issued_today=13), NOW + later(1))
    trends.observe(device(1, 1, issued_today=14), NOW + later(1))
    trends.observe(device(1, 1, issued_today=2), NOW + later(3))
    trends.observe(device(1, 1, issued_today=4), NOW + later(3))
    assert trends.bars([number], NOW + later(3)) == [0, 4, 0, 2]
    assert trends.bars(["another"], NOW + later(1)) == [0, 0]


def test_it_forgets_what_is_old() -> None:
    trends = Trends()
    for step in range(3 * BARS):
        trends.observe(device(1, 1, issued_today=step), NOW + later(step))
    bars = trends.bars([device(1, 1)["device_no"]], NOW + later(3 * BARS - 1))
    assert bars == [1] * BARS


def test_invoices_before_the_console_was_opened_count() -> None:
    trends = Trends()
    trends.seed([invoice(1), invoice(60), invoice(61), invoice(10**7), {"issued_at": "x"}], NOW)
    assert trends.bars(["499900000001"], NOW) == [2, 0, 1]
    assert Trends().bars(["1"], NOW) == []


def test_readings_are_kept_when_they_differ() -> None:
    readings = Readings()
    readings.observe(device(1, 1))
    readings.observe(device(1, 1))
    readings.observe(device(1, 1, health=DRIFT))
    assert [reading["health"]["verdict"] for reading in readings.of("device-1")] == ["warn", "ok"]
    for count in range(20):
        readings.observe(device(1, 1, waiting_uploads=count))
    assert len(readings.of("device-1")) == READINGS
    assert readings.of("device-2") == []
