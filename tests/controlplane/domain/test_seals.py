"""Seals, releases and secure proxies: tables against copies by hand, the ladder of versions, the freeze, warnings."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from controlplane import data
from controlplane.domain import release, seal, secure_proxy
from controlplane.domain.lifecycle import Machine
from controlplane.domain.refusals import Refusal
from controlplane.domain.release import Release

BY_HAND: dict[str, tuple[Machine, str, dict[str, str]]] = {
    "seal": (
        seal.MACHINE,
        "not_applied",
        {
            "not_applied": "fetch_key=key_fetched abandon=abandoned",
            "key_fetched": "apply=applied abandon=abandoned",
            "applied": "download=downloaded decline=key_fetched abandon=abandoned",
            "downloaded": "upload=uploaded abandon=abandoned",
            "uploaded": "test=in_use abandon=abandoned",
            "in_use": "test=in_use request_replacement=in_use request_revocation=in_use withdraw_request=in_use"
            " approve=in_use replace=replaced revoke=revoked",
            "replaced": "",
            "revoked": "",
            "abandoned": "",
        },
    ),
    "secure_proxy": (
        secure_proxy.MACHINE,
        "registered",
        {
            "registered": "change=registered read=registered configure=configured remove=removed",
            "configured": "change=configured read=configured configure=configured remove=removed",
            "removed": "",
        },
    ),
}
PAIRS = [
    (noun, state, move)
    for noun, (machine, _, table) in BY_HAND.items()
    for state in table
    for move in sorted(machine.moves)
]


@pytest.mark.parametrize("noun", BY_HAND)
def test_states_and_beginning(noun: str) -> None:
    machine, initial, table = BY_HAND[noun]
    assert machine.initial == initial and machine.states == table.keys()
    labels = {"seal": seal.LABELS, "secure_proxy": secure_proxy.LABELS}[noun]
    assert machine.states == labels.keys()


@pytest.mark.parametrize(("noun", "state", "move"), PAIRS)
def test_every_pair_of_state_and_move(noun: str, state: str, move: str) -> None:
    machine, _, table = BY_HAND[noun]
    written = dict(pair.split("=") for pair in table[state].split())
    if move in written:
        assert machine.after(state, move) == written[move]
    else:
        with pytest.raises(Refusal) as caught:
            machine.after(state, move)
        assert caught.value.code == "move_not_allowed"


def test_every_act_of_the_room_has_a_word_and_every_job_a_verb() -> None:
    for module in (seal, secure_proxy, release):
        verbs = {spec.verb for spec in module.ACTS}
        assert verbs - {"register"} <= module.WORDS["verb"].keys()
        assert module.JOB_KINDS.keys() <= verbs
        for spec in module.ACTS:
            for field in spec.fields:
                known = module.WORDS["field"].keys() | {"tax_server_id", "name", "host", "port"}
                assert field.name in known, field.name
                assert set(field.choices) <= module.WORDS.get("choice", {}).keys()


# --- releases

TODAY = date(2026, 11, 22)
OLD = Release("1.0", date(2026, 1, 5), date(2026, 2, 1))


def later(days: int | None, version: str = "1.1", released: date = date(2026, 9, 1)) -> Release:
    return Release(version, released, None if days is None else TODAY + timedelta(days=days))


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        ([OLD], ("current", None)),
        ([OLD, later(None)], ("update_available", None)),
        ([OLD, later(0)], ("update_available", None)),
        ([OLD, later(1)], ("scheduled", 1)),
        ([OLD, later(40)], ("scheduled", 40)),
        ([OLD, later(-1)], ("overdue", 1)),
        ([OLD, later(-30)], ("overdue", 30)),
        ([OLD, later(-3), later(20, "1.2", date(2026, 10, 1))], ("overdue", 3)),
        ([OLD, later(None), later(20, "1.2", date(2026, 10, 1))], ("update_available", None)),
    ],
)
def test_where_a_version_stands(published: list[Release], expected: tuple[str, int | None]) -> None:
    found = release.standing("1.0", published[::-1], TODAY)
    assert (found.status, found.days) == expected
    assert found.newest == max(published, key=lambda one: one.released_on).version


@pytest.mark.parametrize("running", ["", "9.9"])
def test_a_version_nobody_published_is_unknown(running: str) -> None:
    assert release.standing(running, [OLD], TODAY).status == "unknown"
    assert release.standing(running, [], TODAY) == release.Standing("unknown")


def test_older_than_what_runs() -> None:
    published = [OLD, later(3)]
    assert release.is_older(OLD, "1.1", published) and not release.is_older(later(3), "1.0", published)
    assert not release.is_older(OLD, "9.9", published), "what is not published cannot be compared"


@pytest.mark.parametrize(
    ("day", "due"),
    [
        ("2026-11-10", None), ("2026-11-11", "2026-11-16"), ("2026-11-16", "2026-11-16"), ("2026-11-17", None),
        ("2026-10-20", None), ("2026-10-21", "2026-10-26"), ("2026-12-15", "2026-12-15"),
    ],
)  # fmt: skip
def test_the_freeze_goes_by_the_filing_calendar(day: str, due: str | None) -> None:
    expected = date.fromisoformat(due) if due else None
    assert data.freezes().until(date.fromisoformat(day)) == expected


def test_freeze_and_seal_rules_are_dated() -> None:
    assert data.freezes().until(date(2015, 12, 15)) is None, "before the first row nothing is frozen"
    with pytest.raises(LookupError):
        data.seal_rules().on(date(2015, 12, 31))
    rules = data.seal_rules().on(TODAY)
    assert (rules.approval_minutes, rules.ladder) == (10, (1, 7, 30, 60))


# --- proxies

WANTED: dict[str, Any] = {
    "max_connections": 8, "socket_connections": 4, "offline_interval_hours": 2, "log_level": 1,
    "use_platform_key": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"connections": 7}, []),
        ({"connections": 8}, ["proxy_connections_full"]),
        ({"running": False}, ["proxy_stopped"]),
        ({"log_level": 3}, ["proxy_differs"]),
        ({"max_connections": 2, "connections": 2}, ["proxy_connections_full", "proxy_differs"]),
    ],
)
def test_what_of_a_proxy_warns(changes: dict[str, Any], codes: list[str]) -> None:
    reported = {**WANTED, "running": True, "connections": 1, "areas": 2, "version": "P1", **changes}
    assert [found.code for found in secure_proxy.warnings(WANTED, reported)] == codes


def test_a_proxy_that_reported_nothing_warns_of_nothing() -> None:
    assert secure_proxy.warnings(WANTED, {}) == () and secure_proxy.differing(WANTED, {}) == ()
    assert not any("password" in field.name or "pin" in field.name for spec in secure_proxy.ACTS for field in spec.fields)


# --- masks


@pytest.mark.parametrize(
    ("name", "shown"), [("王小明", "王**"), ("李", "李"), ("", "")]
)
def test_a_masked_name(name: str, shown: str) -> None:
    assert seal.masked_name(name) == shown


@pytest.mark.parametrize(
    ("number", "shown"), [("13812345678", "138******78"), ("44010119900101123X", "440*************3X"), ("", "")]
)
def test_a_masked_number(number: str, shown: str) -> None:
    assert seal.masked_number(number) == shown and len(shown) == len(number)
