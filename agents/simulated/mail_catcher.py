"""A mail server that keeps what it is sent: each letter a complete .eml file under its final name."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(frozen=True)
class MailOptions:
    """``user``: log-in demanded when given; ``fail_rate``: share of letters put off with 451, by ``seed``."""

    folder: Path
    port: int = 0
    starttls: bool = False
    user: str = ""
    password: str = ""
    fail_rate: float = 0.0
    seed: int = 1


class _Keeper:
    """Stores accepted letters, or puts them off."""

    def __init__(self, options: MailOptions) -> None:
        self._options = options
        self._rng = random.Random(options.seed)
        options.folder.mkdir(parents=True, exist_ok=True)
        self._count = sum(1 for _ in options.folder.glob("*.eml"))

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self._rng.random() < self._options.fail_rate:
            return "451 4.3.0 try again later"
        self._count += 1
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        head = f"X-Envelope-From: {envelope.mail_from}\r\nX-Envelope-To: {', '.join(envelope.rcpt_tos)}\r\n"
        _store(
            self._options.folder,
            f"{self._count:06d}-{hashlib.sha256(content).hexdigest()[:12]}",
            head.encode() + content,
        )
        return "250 2.0.0 kept"


def _store(folder: Path, name: str, content: bytes) -> None:
    aside = folder / f".{name}.tmp"
    with aside.open("wb") as letter:
        letter.write(content)
        letter.flush()
        os.fsync(letter.fileno())
    aside.replace(folder / f"{name}.eml")


class MailCatcher:
    """The listening server, on loopback."""

    def __init__(self, options: MailOptions) -> None:
        self._options = options
        self._keeper = _Keeper(options)
        self._tls = _self_made_context(options.folder) if options.starttls else None
        self._server: asyncio.Server | None = None

    async def open(self) -> dict[str, Any]:
        """Listen; the facts of the ready line. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, "127.0.0.1", self._options.port)
        port = self._server.sockets[0].getsockname()[1]
        return {"process": "mail", "host": "127.0.0.1", "port": port, "dir": str(self._options.folder)}

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    def _session(self) -> SMTP:
        return SMTP(
            self._keeper,
            hostname="localhost",
            tls_context=self._tls,
            require_starttls=False,
            authenticator=self._check if self._options.user else None,
            auth_required=bool(self._options.user),
            auth_require_tls=self._options.starttls,
            loop=asyncio.get_running_loop(),
        )

    def _check(self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        wanted = LoginPassword(self._options.user.encode(), self._options.password.encode())
        # Not handled: the server itself then answers 235 or 535.
        return AuthResult(success=isinstance(data, LoginPassword) and data == wanted, handled=False)


def _self_made_context(folder: Path) -> ssl.SSLContext:
    """A TLS context with a certificate made on the spot, kept as ``.certificate.pem`` beside the letters."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    path = folder / ".certificate.pem"
    private = folder / ".key.pem"
    path.write_bytes(pem)
    plain = serialization.NoEncryption()
    private.touch(mode=0o600)
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, private)
    return context
