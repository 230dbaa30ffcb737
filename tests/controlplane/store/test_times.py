"""Times as text and keys in their order of making."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest

from controlplane.store.times import from_text, new_id, utc_text


def test_times_are_fixed_width_and_sort_as_moments() -> None:
    begin = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    steps = (0, 0.0004, 0.001, 0.9996, 1, 59.999, 60, 86_400, 31_536_000)
    moments = [begin + timedelta(seconds=seconds) for seconds in steps]
    texts = [utc_text(moment) for moment in moments]
    assert {len(text) for text in texts} == {24} and texts == sorted(texts)
    assert texts[0] == texts[1] == "2026-11-22T03:00:00.000Z"
    assert [from_text(text) for text in texts] == [
        moment.replace(microsecond=moment.microsecond // 1000 * 1000) for moment in moments
    ]


def test_another_zone_is_the_same_moment() -> None:
    shanghai = timezone(timedelta(hours=8))
    assert utc_text(datetime(2026, 11, 23, 0, 30, tzinfo=shanghai)) == "2026-11-22T16:30:00.000Z"
    assert from_text("2026-11-22T16:30:00.000Z").tzinfo is not None


def test_keys_sort_in_the_order_they_were_made() -> None:
    made = [new_id() for _ in range(5000)]
    assert made == sorted(made) and len(set(made)) == len(made)


def test_keys_are_uuids_of_version_7_and_hold_the_time() -> None:
    before = datetime.now(UTC)
    key = uuid.UUID(new_id())
    assert key.version == 7 and key.variant == uuid.RFC_4122
    made_at = datetime.fromtimestamp((key.int >> 80) / 1000, UTC)
    assert abs(made_at - before) < timedelta(seconds=1)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00.000Z"])
def test_what_is_no_time_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(ValueError):
        from_text(text)
