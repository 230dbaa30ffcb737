"""A letter: one mail to one recipient, with headers that no data can break."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import make_msgid

from controlplane.domain.foreign_text import clean


@dataclass(frozen=True, slots=True)
class Letter:
    """Subject and text of a mail; plain text, Chinese by default."""

    recipient: str
    subject: str
    text: str


def compose(letter: Letter, sender: str, message_id: str) -> EmailMessage:
    """The letter as a message. The same outbox row always gets the same Message-ID, so a receiver can tell a repeat."""
    message = EmailMessage()
    message["Subject"] = clean(letter.subject, "mail")
    message["From"] = Address(addr_spec=sender)
    message["To"] = Address(addr_spec=letter.recipient)
    message["Message-ID"] = make_msgid(idstring=message_id, domain="taxplane.invalid")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(clean(line, "mail") for line in letter.text.split("\n")))
    return message
