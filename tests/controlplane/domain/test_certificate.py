"""Certificates: when they are renewed, the steps before their end, and the status that counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from controlplane import data
from controlplane.domain import certificate
from controlplane.domain.certificate import Life, renewal_due_at, status_at, step_at
from controlplane.domain.health import ServerFacts, server_health
from controlplane.domain.readiness import DeviceFacts, device_blocks

RULES = data.issuing_rules()
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
END = NOW + timedelta(days=300)


def rule() -> certificate.CertificateRule:
    found = certificate.rule_at(RULES.certificates, NOW)
    assert found is not None
    return found


def test_the_shipped_rule() -> None:
    assert (rule().renewal_part * 3, rule().ladder_days) == (2, (60, 30, 7, 1))
    assert certificate.rule_at(RULES.certificates, datetime(2015, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(("days", "due"), [(300, 200), (3, 2), (1826, 1826 * 2 / 3)])
def test_renewal_is_due_at_two_thirds_of_life(days: int, due: float) -> None:
    life = Life(NOW, NOW + timedelta(days=days))
    assert abs(renewal_due_at(life, rule()) - (NOW + timedelta(days=due))) < timedelta(seconds=1)


@pytest.mark.parametrize("issued_at", [None, END, END + timedelta(days=1)])
def test_a_certificate_of_unknown_age_is_renewed_at_the_first_step(issued_at: datetime | None) -> None:
    assert renewal_due_at(Life(issued_at, END), rule()) == END - timedelta(days=60)


@pytest.mark.parametrize(
    ("left", "step"),
    [
        (timedelta(days=60, seconds=1), None),
        (timedelta(days=60), 60),
        (timedelta(days=30, seconds=1), 60),
        (timedelta(days=30), 30),
        (timedelta(days=7), 7),
        (timedelta(days=1, seconds=1), 7),
        (timedelta(days=1), 1),
        (timedelta(seconds=1), 1),
        (timedelta(0), 0),
        (timedelta(days=-9), 0),
    ],
)
def test_steps_of_the_ladder(left: timedelta, step: int | None) -> None:
    assert step_at(NOW + left, NOW, rule()) == step


@pytest.mark.parametrize(
    ("told", "end", "status"),
    [
        ("00", END, "00"), ("", END, "00"), ("00", NOW, "03"), ("03", END, "00"), ("", None, ""),
        ("01", END, "01"), ("01", NOW, "01"), ("02", END, "02"), ("02", NOW, "02"),
    ],
)  # fmt: skip
def test_the_status_that_counts_now(told: str, end: datetime | None, status: str) -> None:
    assert status_at(told, end, NOW) == status


def verdict(**changes: object) -> tuple[str, str]:
    facts = ServerFacts(state="certified", read_at=NOW, **changes)  # type: ignore[arg-type]
    found = server_health(facts, NOW, RULES)
    return found.verdict, found.cause


def test_health_of_a_server_warns_when_renewal_is_due_and_stops_on_a_bad_status() -> None:
    young = {"certificate_issued_at": NOW - timedelta(days=100), "certificate_not_after": END}
    assert verdict(**young) == ("ok", "certificate_expired")
    old = {**young, "certificate_issued_at": NOW - timedelta(days=601)}
    assert verdict(**old) == ("warn", "certificate_renewal_due")
    assert verdict(**young, certificate_status="01") == ("stopped", "certificate_suspended")
    assert verdict(**young, certificate_status="02") == ("stopped", "certificate_revoked")
    assert verdict(certificate_not_after=NOW + timedelta(days=59)) == ("warn", "certificate_expired")


@pytest.mark.parametrize(("status", "stops"), [("00", False), ("", False), ("01", True), ("02", True)])
def test_no_device_signs_under_a_servers_suspended_or_revoked_certificate(status: str, stops: bool) -> None:
    facts = DeviceFacts("d", "ready", read_at=NOW, server_certificate_status=status)
    codes = [one.code for one in device_blocks(facts, "026", 1, NOW, RULES)]
    assert codes == (["server_certificate_stopped"] if stops else [])
