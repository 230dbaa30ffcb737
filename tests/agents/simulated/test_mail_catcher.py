"""The mail catcher with STARTTLS, log-in and letters put off."""

from __future__ import annotations

import smtplib
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.agents.simulated.practice import await_ready, end

Start = Callable[..., int]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[bytes]] = []

    def launch(*options: str) -> int:
        command = [sys.executable, "-m", "agents.simulated", "mail", "--dir", str(tmp_path), "--die-with-stdin"]
        process, facts = await_ready([*command, *options])
        running.append(process)
        return int(facts["port"])

    yield launch
    for process in running:
        end(process)


def letter(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "a@example.com", "b@example.com"
    message.set_content("正文\n.第二行\n")
    return message


def kept(folder: Path) -> list[Any]:
    return [message_from_bytes(p.read_bytes(), policy=policy.default) for p in sorted(folder.glob("*.eml"))]


def test_letters_are_kept_whole_and_in_order(start: Start, tmp_path: Path):
    port = start()
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for n in range(3):
            smtp.send_message(letter(f"第{n}封"), to_addrs=["b@example.com", "c@example.com"])
    assert [m["Subject"] for m in kept(tmp_path)] == ["第0封", "第1封", "第2封"]
    first = kept(tmp_path)[0]
    assert first["X-Envelope-To"] == "b@example.com, c@example.com"
    assert first.get_content().replace("\r\n", "\n") == "正文\n.第二行\n"
    assert list(tmp_path.glob(".*.tmp")) == []


def test_numbering_goes_on_after_a_restart(start: Start, tmp_path: Path):
    for n in range(2):
        with smtplib.SMTP("127.0.0.1", start()) as smtp:
            smtp.send_message(letter(str(n)))
    assert [m["Subject"] for m in kept(tmp_path)] == ["0", "1"]


def test_log_in_and_encryption_are_demanded_when_set(start: Start, tmp_path: Path):
    port = start("--starttls", "--user", "u", "--password", "p")
    context = ssl.create_default_context(cafile=str(tmp_path / ".certificate.pem"))
    with smtplib.SMTP("localhost", port) as smtp:
        with pytest.raises(smtplib.SMTPSenderRefused):
            smtp.send_message(letter("no"))
        smtp.starttls(context=context)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login("u", "wrong")
        smtp.login("u", "p")
        smtp.send_message(letter("yes"))
    assert [m["Subject"] for m in kept(tmp_path)] == ["yes"]


def test_a_share_of_letters_is_put_off_by_seed(start: Start, tmp_path: Path):
    def fates(seed: str) -> list[bool]:
        found = []
        with smtplib.SMTP("127.0.0.1", start("--fail-rate", "0.5", "--seed", seed)) as smtp:
            for n in range(20):
                try:
                    smtp.send_message(letter(str(n)))
                    found.append(True)
                except smtplib.SMTPDataError as error:
                    assert error.smtp_code == 451
                    found.append(False)
        return found

    first = fates("5")
    assert first == fates("5") and len(set(first)) == 2 and first != fates("6")
