"""The SMTP line: one message, one try."""

from __future__ import annotations

from email.message import EmailMessage

import aiosmtplib

from controlplane.settings import MailSettings

TIMEOUT = 20.0


class Permanent(Exception):
    """The server will not take this message, now or later."""


async def send(message: EmailMessage, settings: MailSettings) -> None:
    """Hand a message to the mail server. ``Permanent`` for a 5xx answer; any other failure may be tried again."""
    try:
        await aiosmtplib.send(
            message,
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=settings.password or None,
            start_tls=settings.start_tls,
            cert_bundle=settings.ca_file or None,
            timeout=TIMEOUT,
        )
    except aiosmtplib.SMTPRecipientsRefused as fault:
        codes = [refused.code for refused in fault.recipients]
        raise Permanent(str(fault)) if all(code >= 500 for code in codes) else fault from fault
    except aiosmtplib.SMTPResponseException as fault:
        if fault.code >= 500 and not isinstance(fault, aiosmtplib.SMTPAuthenticationError):
            raise Permanent(f"{fault.code} {fault.message}") from fault
        raise
