"""Delivering what waits in the outbox: claimed by a conditional update, tried again with growing pauses, for a day."""

from __future__ import annotations

import logging
from datetime import timedelta

import aiosmtplib
import msgspec

from controlplane.mail.letter import Letter, LetterInvalid, compose
from controlplane.mail.smtp import Permanent, send
from controlplane.settings import MailSettings
from controlplane.store import outbox, times
from controlplane.store.engine import Ledger
from controlplane.store.outbox import OutboxRow
from controlplane.store.statement import Row
from controlplane.store.transaction import Transaction

CHANNEL = "mail"
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(hours=24)

log = logging.getLogger("taxplane.mail")


def post(tx: Transaction, letter: Letter, cause: str) -> None:
    """Put a letter in the outbox, in the transaction of what it tells."""
    payload = msgspec.json.encode({"subject": letter.subject, "text": letter.text}).decode()
    tx.add(
        OutboxRow(
            id=times.new_id(),
            channel=CHANNEL,
            recipient=letter.recipient,
            cause=cause,
            payload=payload,
            next_try_at=tx.now,
            created_at=tx.now,
        )
    )


async def deliver_due(ledger: Ledger, settings: MailSettings) -> None:
    """Try everything whose time has come, one after the other."""
    now = times.utc_text(ledger.clock())
    for row in await ledger.read(lambda hand: outbox.due(hand, CHANNEL, now)):
        await _try(ledger, settings, row)


async def _try(ledger: Ledger, settings: MailSettings, row: Row) -> None:
    pause = min(FIRST_PAUSE * 2 ** min(row["attempts"], 12), LONGEST_PAUSE)
    again = times.utc_text(ledger.clock() + pause)
    if not await ledger.write(lambda tx: outbox.claim(tx, row, again)):
        return
    payload = msgspec.json.decode(row["payload"])
    letter = Letter(row["recipient"], payload["subject"], payload["text"])
    state, error = "sent", ""
    try:
        await send(compose(letter, settings.sender, row["id"]), settings)
    except (LetterInvalid, Permanent) as fault:
        state, error = "given_up", str(fault)
    except (aiosmtplib.SMTPException, OSError) as fault:
        age = ledger.clock() - times.from_text(row["created_at"])
        state, error = ("given_up" if age > GIVE_UP_AFTER else "waiting"), str(fault)
    if error:
        log.warning("mail %s not delivered: %s", row["id"], error)
    sent_at = times.utc_text(ledger.clock()) if state == "sent" else None
    values = {"id": row["id"], "state": state, "last_error": error[:300], "sent_at": sent_at}
    await ledger.write(lambda tx: outbox.conclude(tx, values))
