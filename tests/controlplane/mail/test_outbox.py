"""Delivery through a real SMTP server: retries with growing pauses, one bad recipient, and when it gives up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from agents.simulated.mail_catcher import MailCatcher, MailOptions
from controlplane.mail.letter import Letter
from controlplane.mail.outbox import deliver_due, post
from controlplane.settings import MailSettings
from controlplane.store import outbox
from controlplane.store.engine import Ledger
from controlplane.store.statement import Row, Statement
from controlplane.store.times import from_text
from tests.controlplane.operations.scene import Clock

Catch = Callable[..., Any]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(database_url: str, clock: Clock) -> Iterator[Ledger]:
    ledger = Ledger(database_url, clock)
    yield ledger
    ledger.close()


@pytest.fixture
async def catch(tmp_path: Path) -> AsyncIterator[Catch]:
    """Opens mail catchers that keep letters in ``tmp_path``; returns the port."""
    opened: list[MailCatcher] = []

    async def open_one(**options: Any) -> int:
        catcher = MailCatcher(MailOptions(folder=tmp_path, **options))
        opened.append(catcher)
        return int((await catcher.open())["port"])

    yield open_one
    for catcher in opened:
        catcher.close()


def kept(folder: Path) -> list[Any]:
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(folder.glob("*.eml"))]


def put(ledger: Ledger, *recipients: str, subject: str = "告警") -> None:
    for recipient in recipients:
        ledger.write_now(lambda tx, one=recipient: post(tx, Letter(one, subject, "正文"), "test"))


def rows(ledger: Ledger) -> list[Row]:
    return ledger.read_now(lambda hand: hand.rows(Statement("SELECT * FROM outbox ORDER BY id")))


def states(ledger: Ledger) -> list[tuple[str, int]]:
    return [(row["state"], row["attempts"]) for row in rows(ledger)]


async def test_letters_arrive_once(ledger: Ledger, catch: Catch, tmp_path: Path) -> None:
    settings = MailSettings(port=await catch())
    put(ledger, "a@example.com", "b@example.com")
    for _ in range(3):
        await deliver_due(ledger, settings)
    assert sorted(letter["To"] for letter in kept(tmp_path)) == ["a@example.com", "b@example.com"]
    assert [letter["Subject"] for letter in kept(tmp_path)] == ["告警", "告警"]
    assert states(ledger) == [("sent", 1), ("sent", 1)] and all(row["sent_at"] for row in rows(ledger))


@pytest.fixture
async def locked(catch: Catch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], MailSettings]:
    """A server that demands TLS and a log-in; returns the settings to reach it with a password (the right one: p)."""
    port = await catch(starttls=True, user="u", password="p")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / ".certificate.pem"))

    def settings(password: str) -> MailSettings:
        return MailSettings(host="localhost", port=port, username="u", password=password, start_tls=True)

    return settings


Locked = Callable[[str], MailSettings]


async def test_it_signs_in_over_tls(ledger: Ledger, locked: Locked, tmp_path: Path) -> None:
    put(ledger, "a@example.com")
    await deliver_due(ledger, locked("p"))
    assert states(ledger) == [("sent", 1)] and len(kept(tmp_path)) == 1


async def test_a_certificate_nobody_vouches_for_is_no_line(ledger: Ledger, catch: Catch, tmp_path: Path) -> None:
    port = await catch(starttls=True, user="u", password="p")
    put(ledger, "a@example.com")
    await deliver_due(ledger, MailSettings(host="localhost", port=port, username="u", password="p", start_tls=True))
    assert states(ledger) == [("deferred", 1)] and kept(tmp_path) == []
    assert "certificate" in rows(ledger)[0]["last_error"].lower()


async def test_a_log_in_that_was_revoked_is_tried_again(ledger: Ledger, locked: Locked, clock: Clock) -> None:
    put(ledger, "a@example.com")
    await deliver_due(ledger, locked("old"))
    assert states(ledger) == [("deferred", 1)] and "535" in rows(ledger)[0]["last_error"]
    clock.forward(seconds=10)
    await deliver_due(ledger, locked("p"))
    assert states(ledger) == [("sent", 2)]


async def test_pauses_grow_and_after_a_day_it_gives_up(ledger: Ledger, catch: Catch, clock: Clock) -> None:
    settings = MailSettings(port=await catch(fail_rate=1.0))
    put(ledger, "a@example.com")
    begun, pauses = clock(), []
    while (row := rows(ledger)[0])["state"] in ("queued", "deferred"):
        await deliver_due(ledger, settings)
        await deliver_due(ledger, settings)
        row = rows(ledger)[0]
        pauses.append((from_text(row["next_try_at"]) - clock()).total_seconds())
        clock.moment = from_text(row["next_try_at"])
        assert "451" in row["last_error"]
    assert pauses[:8] == [10, 20, 40, 80, 160, 320, 640, 900] and set(pauses[7:]) == {900}
    assert row["state"] == "given_up" and row["attempts"] == len(pauses)
    assert 24 <= (clock() - begun).total_seconds() / 3600 < 25


async def test_it_comes_through_in_the_end(ledger: Ledger, catch: Catch, clock: Clock, tmp_path: Path) -> None:
    settings = MailSettings(port=await catch(fail_rate=0.6, seed=4))
    put(ledger, *(f"r{number}@example.com" for number in range(6)))
    for _ in range(40):
        await deliver_due(ledger, settings)
        clock.forward(minutes=15)
    assert {state for state, _ in states(ledger)} == {"sent"}
    assert sorted(letter["To"] for letter in kept(tmp_path)) == [f"r{number}@example.com" for number in range(6)]


async def test_no_server_is_no_end(ledger: Ledger, unused_tcp_port: int) -> None:
    put(ledger, "a@example.com")
    await deliver_due(ledger, MailSettings(port=unused_tcp_port))
    assert states(ledger) == [("deferred", 1)]


class Choosy:
    """Refuses some recipients for ever, some for now."""

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("never"):
            return "550 5.1.1 no such user"
        if address.startswith("later"):
            return "450 4.2.1 mailbox busy"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        return "554 5.6.0 never" if b"poison" in (envelope.content or b"") else "250 OK"


@pytest.fixture
async def choosy() -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Choosy(), hostname="localhost", loop=loop), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_one_bad_recipient_does_not_stop_the_others(ledger: Ledger, choosy: int, clock: Clock) -> None:
    put(ledger, "never@example.com", "not an address", "", "a@b\r\nBcc: c@d", "later@example.com", "good@example.com")
    put(ledger, "good2@example.com", subject="poison")
    put(ledger, "good3@example.com")
    await deliver_due(ledger, MailSettings(port=choosy))
    assert [state for state, _ in states(ledger)] == [
        "given_up", "given_up", "given_up", "given_up", "deferred", "sent", "given_up", "sent",
    ]  # fmt: skip
    assert "550" in rows(ledger)[0]["last_error"] and "554" in rows(ledger)[6]["last_error"]
    for _ in range(2):
        clock.forward(hours=1)
        await deliver_due(ledger, MailSettings(port=choosy))
    assert [attempts for _, attempts in states(ledger)] == [1, 1, 1, 1, 3, 1, 1, 1], "what is over is not tried again"


async def test_two_servers_send_a_letter_once(ledger: Ledger, catch: Catch, clock: Clock, tmp_path: Path) -> None:
    settings = MailSettings(port=await catch())
    put(ledger, *(f"r{number}@example.com" for number in range(8)))
    other = Ledger(ledger.url, clock)
    await asyncio.gather(*(deliver_due(one, settings) for one in (ledger, other, ledger, other)))
    other.close()
    assert sorted(letter["To"] for letter in kept(tmp_path)) == [f"r{number}@example.com" for number in range(8)]
    assert states(ledger) == [("sent", 1)] * 8


async def test_a_try_that_was_cut_short_is_made_again(ledger: Ledger, clock: Clock, catch: Catch) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    put(ledger, "a@example.com")
    trying = asyncio.create_task(deliver_due(ledger, MailSettings(port=server.sockets[0].getsockname()[1])))
    while states(ledger) != [("queued", 1)]:
        await asyncio.sleep(0.01)
    trying.cancel()
    await asyncio.gather(trying, return_exceptions=True)
    server.close()
    settings = MailSettings(port=await catch())
    clock.forward(seconds=80)
    await deliver_due(ledger, settings)
    assert states(ledger) == [("queued", 1)], "whoever tried may still be at it"
    clock.forward(seconds=10)
    await deliver_due(ledger, settings)
    assert states(ledger) == [("sent", 2)], rows(ledger)


async def test_the_password_is_in_no_error_and_no_repr(ledger: Ledger, locked: Locked) -> None:
    put(ledger, "a@example.com")
    await deliver_due(ledger, locked("canary-4711"))
    assert states(ledger) == [("deferred", 1)]
    assert "canary-4711" not in str(rows(ledger)) + repr(locked("canary-4711"))


class Forgetful:
    """Takes the first letter and drops the line before it says so."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.ids.append(str(message_from_bytes(envelope.content or b"")["Message-ID"]))  # type: ignore[arg-type]
        if len(self.ids) == 1:
            assert server.transport is not None
            server.transport.abort()
        return "250 OK"


async def test_a_letter_taken_without_a_word_is_sent_once_more_under_the_same_id(ledger: Ledger, clock: Clock) -> None:
    peer, loop = Forgetful(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(peer, hostname="localhost", loop=loop), "127.0.0.1", 0)
    settings = MailSettings(port=server.sockets[0].getsockname()[1])
    put(ledger, "a@example.com")
    for _ in range(4):
        await deliver_due(ledger, settings)
        clock.forward(minutes=1)
    server.close()
    assert len(peer.ids) == 2 and len(set(peer.ids)) == 1
    assert states(ledger) == [("sent", 2)]


async def test_who_wakes_up_after_its_claim_was_lost_concludes_nothing(ledger: Ledger, clock: Clock) -> None:
    put(ledger, "a@example.com")
    (row,) = rows(ledger)
    for attempts in (0, 1):
        taken = row | {"attempts": attempts}
        assert ledger.write_now(lambda tx, taken=taken: outbox.claim(tx, taken, "2026-11-22T04:00:00.000Z"))
    late = {"id": row["id"], "attempts": 1, "state": "given_up", "last_error": "late", "sent_at": None,
            "next_try_at": row["next_try_at"]}  # fmt: skip
    assert not ledger.write_now(lambda tx: outbox.conclude(tx, late))
    assert ledger.write_now(lambda tx: outbox.conclude(tx, late | {"attempts": 2, "state": "sent"}))
    assert states(ledger) == [("sent", 2)]
