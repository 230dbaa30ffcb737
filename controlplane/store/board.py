"""Sums for the board: stock, waiting and issued invoices per device, in one query each."""

from __future__ import annotations

from collections.abc import Sequence

from controlplane.store.statement import Connection, Row, Statement


def _among(ids: Sequence[str]) -> tuple[str, dict[str, str]]:
    names = [f"id{number}" for number in range(len(ids))]
    return ", ".join(f":{name}" for name in names), dict(zip(names, ids, strict=True))


def stock(hand: Connection, device_ids: Sequence[str]) -> list[Row]:
    """Per device and kind: numbers left and reserved over its terminals."""
    return _sum(
        hand,
        device_ids,
        "SELECT device_id, kind, SUM(remaining) AS remaining, SUM(reserved) AS reserved FROM stock "
        "WHERE device_id IN ({}) GROUP BY device_id, kind",
    )


def undistributed(hand: Connection, device_ids: Sequence[str]) -> list[Row]:
    """Devices that hold numbers no terminal has."""
    return _sum(
        hand,
        device_ids,
        "SELECT DISTINCT device_id FROM segments WHERE state = 'on_device' AND device_id IN ({})",
    )


def waiting(hand: Connection, device_ids: Sequence[str]) -> list[Row]:
    """Per device: invoices that wait for it."""
    return _sum(
        hand,
        device_ids,
        "SELECT device_id, COUNT(*) AS n FROM invoices WHERE state = 'waiting' AND device_id IN ({}) "
        "GROUP BY device_id",
    )


def to_upload(hand: Connection, device_ids: Sequence[str]) -> list[Row]:
    """Per device: issued invoices whose upload is still to come; one whose signature was rejected waits for none."""
    return _sum(
        hand,
        device_ids,
        "SELECT device_id, COUNT(*) AS n FROM invoices WHERE state = 'issued' AND upload_status <> 'uploaded' "
        "AND upload_status <> 'signature_rejected' AND device_id IN ({}) GROUP BY device_id",
    )


def issued(hand: Connection, device_ids: Sequence[str], day: str) -> list[Row]:
    """Per device and kind: invoices issued on a day of the device's zone, and their total in fen."""
    names, parameters = _among(device_ids)
    if not device_ids:
        return []
    statement = Statement(
        "SELECT device_id, kind, COUNT(*) AS n, SUM(gross_fen) AS gross_fen FROM invoice_facts "
        f"WHERE day = :day AND device_id IN ({names}) GROUP BY device_id, kind"
    )
    return hand.rows(statement, {**parameters, "day": day})


def open_jobs(hand: Connection, device_ids: Sequence[str]) -> list[Row]:
    """Per subject: its open exclusive job."""
    return _sum(
        hand,
        device_ids,
        "SELECT subject_id, id, kind, state FROM jobs WHERE exclusive IS NOT NULL "
        "AND state IN ('queued', 'leased', 'unknown') AND subject_id IN ({})",
    )


def numbers_left(hand: Connection, device_ids: Sequence[str]) -> list[Row]:
    """Per device: numbers that are left on it, distributed or not."""
    return _sum(
        hand,
        device_ids,
        "SELECT device_id, SUM(end_no - next_no + 1) AS n FROM segments WHERE device_id IN ({}) GROUP BY device_id",
    )


def last_days(hand: Connection, device_ids: Sequence[str]) -> list[Row]:
    """Per device: the day (of the device's zone) of its newest invoice, None without any."""
    return _sum(
        hand,
        device_ids,
        "SELECT d.id AS device_id, (SELECT MAX(f.day) FROM invoice_facts f WHERE f.device_id = d.id) AS day "
        "FROM devices d WHERE d.id IN ({})",
    )


def lane_jobs(hand: Connection, device_ids: Sequence[str]) -> list[Row]:
    """Per device: open jobs in its lane."""
    return _sum(
        hand,
        device_ids,
        "SELECT target_id AS device_id, COUNT(*) AS n FROM jobs WHERE state IN ('queued', 'leased', 'unknown') "
        "AND target_id IN ({}) GROUP BY target_id",
    )


def newest_jobs(hand: Connection, subject_ids: Sequence[str]) -> list[Row]:
    """Per subject: its newest job."""
    return _sum(
        hand,
        subject_ids,
        "SELECT j.subject_id, j.kind, j.state, j.code, j.message, j.settled_at FROM jobs j WHERE j.id IN "
        "(SELECT MAX(id) FROM jobs WHERE subject_id IN ({}) GROUP BY subject_id)",
    )


def _sum(hand: Connection, ids: Sequence[str], text: str) -> list[Row]:
    if not ids:
        return []
    names, parameters = _among(ids)
    return hand.rows(Statement(text.format(names)), parameters)
