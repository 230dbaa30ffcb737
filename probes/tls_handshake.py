"""``tls://host:port``: is the handshake completed with a certificate that holds, until when, and by whom issued?"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import cast

from probes.connection import Connection, Stream, connected
from probes.measurement import Failed, Measurement, measured
from probes.reading import Certificate, Reading, Reason, printable
from probes.settings import ProbeSettings
from probes.target import Target

_VERIFY_REASONS: dict[int, Reason] = {
    9: "certificate_expired",  # not valid yet
    10: "certificate_expired",
    62: "certificate_wrong_name",
    64: "certificate_wrong_name",
}
_LONGEST_ISSUER = 128


async def probe(target: Target, settings: ProbeSettings, deadline: float) -> Reading:
    """Shake hands and let go. Phases dns, tcp, tls; the certificate is read also when it is refused."""
    return await measured(Measurement(target, settings, deadline), _shake)


async def _shake(measurement: Measurement) -> None:
    async with secured(measurement):
        pass


@contextlib.asynccontextmanager
async def secured(measurement: Measurement) -> AsyncIterator[Stream]:
    """Phases ``dns``, ``tcp`` and ``tls``: a verified TLS stream to the target. Sessions are never resumed, so that
    every check sees the certificate."""
    try:
        async with connected(measurement) as connection:
            stream = TlsStream(connection, measurement.settings.tls, measurement.target.host)
            await _shake_hands(measurement, stream)
            yield stream
    except ssl.SSLCertVerificationError as error:
        await _look(measurement)
        reason = _VERIFY_REASONS.get(error.verify_code, "certificate_untrusted")
        raise Failed(reason, "tls") from error


async def _shake_hands(measurement: Measurement, stream: TlsStream) -> None:
    measurement.enter("tls")
    try:
        await stream.handshake()
    except ssl.SSLCertVerificationError:
        raise
    except ssl.SSLError as error:
        raise Failed("tls_failed") from error
    measurement.passed("tls", stream.arrived_at)
    shown = stream.verified_certificate()
    if shown is not None:
        measurement.certificate = shown


async def _look(measurement: Measurement) -> None:
    """Shake hands once more, believing nothing, to tell the operator which certificate was refused."""
    look = Measurement(measurement.target, measurement.settings, measurement.deadline)
    # Half of what is left: whatever happens here, the first failure is still reported.
    with contextlib.suppress(OSError, Failed):
        async with asyncio.timeout(measurement.left / 2), connected(look) as connection:
            stream = TlsStream(connection, measurement.settings.tls_look, measurement.target.host)
            await stream.handshake()
            measurement.certificate = stream.shown_certificate()


class TlsStream:
    """A Stream under TLS over memory buffers, so that stamps stay those of the socket."""

    def __init__(self, connection: Connection, context: ssl.SSLContext, host: str) -> None:
        self._connection = connection
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=host)

    @property
    def arrived_at(self) -> float:
        """See Stream."""
        return self._connection.arrived_at

    async def handshake(self) -> None:
        """Raises ssl.SSLError, or OSError when the connection breaks on the way."""
        while True:
            try:
                self._tls.do_handshake()
                self._flush()
                return
            except ssl.SSLWantReadError:
                self._flush()
                await self._feed("closed")
            except ssl.SSLError:
                self._flush()  # tells the peer why we go
                raise

    def send(self, data: bytes) -> None:
        """See Stream."""
        self._tls.write(data)
        self._flush()

    async def receive(self) -> bytes:
        """See Stream. An end without a TLS farewell counts as an end: many servers do not say it."""
        while True:
            try:
                return self._tls.read(16 * 1024)
            except ssl.SSLWantReadError:
                await self._feed(None)
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            except ssl.SSLError as error:
                raise Failed("tls_failed") from error

    def verified_certificate(self) -> Certificate | None:
        """The peer's certificate after a verified handshake; None where the context verifies nothing."""
        shown = self._tls.getpeercert()
        if not shown:
            return None
        until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
        groups = cast(tuple[tuple[tuple[str, str], ...], ...], shown.get("issuer", ()))
        issuer = dict(pair for group in groups for pair in group)
        name = issuer.get("commonName") or issuer.get("organizationName") or ""
        return Certificate(until, printable(name, _LONGEST_ISSUER))

    def shown_certificate(self) -> Certificate | None:
        """The peer's certificate, verified or not; None where it cannot be read."""
        raw = self._tls.getpeercert(binary_form=True)
        if raw is None:
            return None
        try:
            from cryptography import x509  # slow to load, and needed only for the few that are refused

            shown = x509.load_der_x509_certificate(raw)
            names = {attribute.oid: str(attribute.value) for attribute in shown.issuer}
            name = names.get(x509.NameOID.COMMON_NAME) or names.get(x509.NameOID.ORGANIZATION_NAME) or ""
            return Certificate(shown.not_valid_after_utc, printable(name, _LONGEST_ISSUER))
        except (ImportError, ValueError):
            return None

    def _flush(self) -> None:
        data = self._out.read()
        if data:
            self._connection.send(data)

    async def _feed(self, reason_at_end: Reason | None) -> None:
        data = await self._connection.receive()
        if data:
            self._in.write(data)
        elif reason_at_end is not None:
            raise Failed(reason_at_end)
        else:
            self._in.write_eof()
