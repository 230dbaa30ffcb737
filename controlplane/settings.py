"""Settings of the server: from ``TAXPLANE_*`` variables, each with a default that suits one laptop."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class SettingInvalid(ValueError):
    """A variable has a value that cannot be used; the message names both."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The mail server alerts go through."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 = no mail leaves."""
    username: str = ""
    password: str = field(default="", repr=False)
    sender: str = "taxplane@localhost"
    start_tls: bool = False
    ca_file: str = ""
    """PEM file of the authority that vouches for the mail server; empty: the system's."""
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """What the server needs to know before it starts."""

    database_url: str = "sqlite:///taxplane.db"
    host: str = "127.0.0.1"
    port: int = 8620
    probe_slot_seconds: float = 300.0
    """Length of a line-watch slot (product manual: five minutes)."""
    probe_allow: tuple[str, ...] = ("public",)
    """Networks that probes may reach; ``public`` stands for all public ones."""
    probe_seconds: float = 10.0
    """Longest time one check may take (never more than ten seconds)."""
    vantage: str = "server"
    mail: MailSettings = MailSettings()


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment; ``SettingInvalid`` names a variable that cannot be used."""

    def text(name: str, default: str) -> str:
        path = environment.get(f"TAXPLANE_{name}_FILE")
        if path:
            return Path(path).read_text(encoding="utf-8").strip()
        return environment.get(f"TAXPLANE_{name}", default)

    def number(name: str, default: float) -> float:
        given = text(name, str(default))
        try:
            return float(given)
        except ValueError as fault:
            raise SettingInvalid(f"TAXPLANE_{name}={given!r} is not a number") from fault

    def words(name: str) -> tuple[str, ...]:
        return tuple(word for word in text(name, "").replace(",", " ").split() if word)

    mail = MailSettings(
        host=text("MAIL_HOST", "127.0.0.1"),
        port=int(number("MAIL_PORT", 0)),
        username=text("MAIL_USERNAME", ""),
        password=text("MAIL_PASSWORD", ""),
        sender=text("MAIL_SENDER", "taxplane@localhost"),
        start_tls=text("MAIL_START_TLS", "0") == "1",
        ca_file=text("MAIL_CA_FILE", ""),
        recipients=words("MAIL_RECIPIENTS"),
    )
    return Settings(
        database_url=text("DATABASE_URL", Settings.database_url),
        host=text("HOST", Settings.host),
        port=int(number("PORT", Settings.port)),
        probe_slot_seconds=number("PROBE_SLOT_SECONDS", Settings.probe_slot_seconds),
        probe_allow=words("PROBE_ALLOW") or Settings.probe_allow,
        probe_seconds=number("PROBE_SECONDS", Settings.probe_seconds),
        vantage=text("VANTAGE", Settings.vantage),
        mail=mail,
    )
