"""A letter: one mail to one recipient, with headers that no data can break."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage

from controlplane.domain.foreign_text import clean


class LetterInvalid(Exception):
    """The letter's recipient is no mail address."""


@dataclass(frozen=True, slots=True)
class Letter:
    """Subject and text of a mail; plain text, Chinese by default."""

    recipient: str
    subject: str
    text: str


def compose(letter: Letter, sender: str, message_id: str) -> EmailMessage:
    """The letter as a message; LetterInvalid for a recipient that is no address.

    The same outbox row always gets the same Message-ID, so a receiver can tell a repeat.
    """
    message = EmailMessage()
    message["Subject"] = clean(letter.subject, "mail")
    message["From"] = _address(sender)
    message["To"] = _address(letter.recipient)
    message["Message-ID"] = f"<{message_id}@taxplane.invalid>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(clean(line, "mail") for line in letter.text.split("\n")), cte="base64")
    return message


_LABEL = r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?"
_MAILBOX = re.compile(rf"[!#-'*+/-9=?A-Z^-~.-]{{1,64}}@{_LABEL}(?:\.{_LABEL}){{0,30}}")
"""One plain ASCII address: no display name, no quotes, no list, no spaces."""


def is_address(spec: str) -> bool:
    """True for an address that a letter can be sent to."""
    if len(spec) > 254 or not _MAILBOX.fullmatch(spec):
        return False
    try:
        _address(spec)
    except LetterInvalid:
        return False
    return True


def _address(spec: str) -> Address:
    try:
        return Address(addr_spec=spec)
    except (MessageError, ValueError, IndexError) as fault:
        raise LetterInvalid(f"{clean(spec, 'log', 80)!r} is no mail address") from fault
