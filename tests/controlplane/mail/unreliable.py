"""A mail server with TLS and a log-in that fails by a seed: it puts off at RCPT or DATA, or drops the line there."""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import Message
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Unreliable:
    """Keeps what it acknowledged, in order; ``failures`` counts how often it failed, by kind."""

    seed: int
    fail_rate: float
    user: str = "watch"
    password: str = "p"
    kept: list[Message] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rngs: dict[str, random.Random] = {}

    def _dice(self, recipient: str) -> random.Random:
        """One for each recipient, so that what befalls a letter does not depend on what else is on its way."""
        return self._rngs.setdefault(recipient, random.Random(f"{self.seed} {recipient}"))

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Takes one in so many; the others are put off or lose their line."""
        assert session.ssl is not None and session.authenticated, "only under TLS, only after a log-in"
        if self._dice(address).random() < self.fail_rate / 2:
            return self._fail(server, address, "rcpt", "450 4.2.0 greylisted")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        """The same once the letter is there."""
        if self._dice(envelope.rcpt_tos[0]).random() < self.fail_rate / 2:
            return self._fail(server, envelope.rcpt_tos[0], "data", "451 4.3.0 try again later")
        assert isinstance(envelope.content, bytes)
        self.kept.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 2.0.0 kept"

    def _fail(self, server: SMTP, recipient: str, where: str, word: str) -> str:
        drops = self._dice(recipient).random() < 0.3
        kind = f"{where} dropped" if drops else where
        self.failures[kind] = self.failures.get(kind, 0) + 1
        if drops and server.transport is not None:
            server.transport.abort()
        return word

    def check(self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
        """The one log-in it knows."""
        wanted = LoginPassword(self.user.encode(), self.password.encode())
        return AuthResult(success=given == wanted, handled=False)

    @contextlib.asynccontextmanager
    async def serving(self, tls: ssl.SSLContext) -> AsyncIterator[int]:
        """Listen on loopback; the port."""
        loop = asyncio.get_running_loop()

        def session() -> SMTP:
            return SMTP(
                self, hostname="localhost", tls_context=tls, require_starttls=True, authenticator=self.check,
                auth_required=True, auth_require_tls=True, loop=loop,
            )  # fmt: skip

        server = await loop.create_server(session, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
