"""What a probe is given besides its target: the allow-list, the clock, shared TLS contexts and credentials."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from probes.reach import Reach

Clock = Callable[[], datetime]
"""Answers the time now as an aware UTC datetime."""

DEFAULT_COMMUNITIES = frozenset({"public", "private"})


@dataclass(frozen=True, slots=True)
class SnmpUser:
    """An SNMPv3 user: authentication by HMAC-SHA-256, privacy by AES-128."""

    name: str
    auth_key: str = field(repr=False)
    privacy_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SnmpCommunity:
    """An SNMPv2c community. The well-known ones are refused unless ``allow_default`` says otherwise."""

    community: str = field(repr=False)
    allow_default: bool = False

    @property
    def refused(self) -> bool:
        """True for a community every scanner tries first."""
        return self.community.lower() in DEFAULT_COMMUNITIES and not self.allow_default


@dataclass(frozen=True, slots=True, kw_only=True)
class SshLogin:
    """How to read logs of a host: who logs in, which host keys are known, below which directories to read."""

    username: str
    known_hosts: str
    """Lines in OpenSSH's form; ``[host]:port`` for a port other than 22."""
    directories: tuple[str, ...]
    """Absolute directories; nothing outside them is ever opened."""
    password: str | None = field(default=None, repr=False)
    key_file: Path | None = None


@dataclass(frozen=True, slots=True)
class HostWatch:
    """What to look at on our own host besides processor and memory."""

    disks: tuple[str, ...] = ()
    processes: tuple[int | str, ...] = ()
    """Process ids, or names as the operating system shows them."""


def unverified_context() -> ssl.SSLContext:
    """A context that takes any certificate: used only to read the one that was refused, never for data."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSettings:
    """Shared by all checks of a process; a TLS context per check would cost more than the check."""

    reach: Reach
    clock: Clock
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)
    tls_look: ssl.SSLContext = field(default_factory=unverified_context, repr=False)
    snmp: SnmpUser | SnmpCommunity | None = None
    ssh: SshLogin | None = None
    host: HostWatch = HostWatch()
