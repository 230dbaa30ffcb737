"""What is still on a virtual device and keeps it from being cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from controlplane.domain.dated import day_of
from controlplane.domain.refusals import Refusal, refuse
from controlplane.store import board
from controlplane.store.statement import Connection, Row
from controlplane.wire.evidence import KindFacts


@dataclass(frozen=True, slots=True)
class Left:
    """Counts of what is left; a device on which all are 0 may be cancelled."""

    numbers: int = 0
    uploads: int = 0
    periods: int = 0
    """Kinds whose open period may hold invoices: something was issued since it began."""
    waiting: int = 0
    jobs: int = 0

    def refusal(self, device: Row) -> Refusal | None:
        """``things_left`` with every count; None when nothing is left."""
        counts = {"numbers": self.numbers, "uploads": self.uploads, "periods": self.periods}
        counts |= {"waiting": self.waiting, "jobs": self.jobs}
        if not any(counts.values()):
            return None
        return refuse("things_left", device_no=device["device_no"] or device["name"], **counts)


def of_devices(hand: Connection, rows: Sequence[Row]) -> dict[str, Left]:
    """What is left on each of these devices."""
    ids = [row["id"] for row in rows]
    numbers, uploads, waiting, jobs = (
        {row["device_id"]: int(row["n"]) for row in query(hand, ids)}
        for query in (board.numbers_left, board.to_upload, board.waiting, board.lane_jobs)
    )
    days = {row["device_id"]: row["day"] for row in board.last_days(hand, ids)}
    return {
        row["id"]: Left(
            numbers.get(row["id"], 0),
            uploads.get(row["id"], 0),
            _unreported(row["kinds"], days.get(row["id"])),
            waiting.get(row["id"], 0),
            jobs.get(row["id"], 0),
        )
        for row in rows
    }


def of_device(hand: Connection, row: Row) -> Left:
    """What is left on one device."""
    return of_devices(hand, [row])[row["id"]]


def _unreported(kinds: str, last_day: str | None) -> int:
    """Kinds whose period, as the device tells it, began no later than its newest invoice (``YYYY-MM-DD``)."""
    if not last_day:
        return 0
    newest = day_of(last_day)
    periods = msgspec.json.decode(kinds, type=list[KindFacts])
    return sum(1 for kind in periods if not kind.report_from or day_of(kind.report_from) <= newest)
