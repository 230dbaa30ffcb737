"""Delivering what waits in the outbox: claimed for a while by one process, tried again with growing pauses, for a day.

A claim ends by itself after LOST_AFTER, longer than any try may take: two processes never both send, and after a crash
in mid-send the letter goes out at most once more, under the same Message-ID.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import aiosmtplib
import msgspec

from controlplane.domain import delivery
from controlplane.domain.foreign_text import clean
from controlplane.mail.letter import Letter, LetterInvalid, compose
from controlplane.mail.smtp import Permanent, send
from controlplane.settings import MailSettings
from controlplane.store import outbox, times
from controlplane.store.engine import Ledger
from controlplane.store.outbox import OutboxRow
from controlplane.store.statement import Row
from controlplane.store.transaction import Transaction

CHANNEL = "mail"
TRY_SECONDS = 60.0
"""Longest time one try may take, whatever the mail server does."""
LOST_AFTER = timedelta(seconds=90)
AT_ONCE = 4
"""Letters on their way at the same time: a server that hangs on one shall not hold up all."""

log = logging.getLogger("taxplane.mail")


def post(tx: Transaction, letter: Letter, cause: str) -> str:
    """Put a letter in the outbox, in the transaction of what it tells; its id."""
    payload = msgspec.json.encode({"subject": letter.subject, "text": letter.text}).decode()
    row = OutboxRow(
        id=times.new_id(),
        channel=CHANNEL,
        recipient=letter.recipient,
        cause=cause,
        payload=payload,
        next_try_at=tx.now,
        created_at=tx.now,
    )
    tx.add(row)
    return row.id


async def deliver_due(ledger: Ledger, settings: MailSettings) -> None:
    """Try everything whose time has come, a few at a time."""
    now = times.utc_text(ledger.clock())
    waiting = iter(await ledger.read(lambda hand: outbox.due(hand, CHANNEL, now)))

    async def work() -> None:
        for row in waiting:
            await _try(ledger, settings, row)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


async def _try(ledger: Ledger, settings: MailSettings, row: Row) -> None:
    lost_at = times.utc_text(ledger.clock() + LOST_AFTER)
    if not await ledger.write(lambda tx: outbox.claim(tx, row, lost_at)):
        return
    payload = msgspec.json.decode(row["payload"])
    letter = Letter(row["recipient"], payload["subject"], payload["text"])
    move, error = "accept", ""
    try:
        async with asyncio.timeout(TRY_SECONDS):
            await send(compose(letter, settings.sender, row["id"]), settings)
    except (LetterInvalid, Permanent) as fault:
        move, error = "give_up", str(fault)
    except (aiosmtplib.SMTPException, OSError) as fault:
        age = ledger.clock() - times.from_text(row["created_at"])
        move, error = ("give_up" if age > delivery.GIVE_UP_AFTER else "put_off"), str(fault) or type(fault).__name__
    if error:
        log.warning("mail %s not delivered: %s", row["id"], clean(error, "log", 300))
    attempts = row["attempts"] + 1
    now = ledger.clock()
    values = {
        "id": row["id"],
        "attempts": attempts,
        "state": delivery.MACHINE.after(row["state"], move),
        "last_error": clean(error, "log", 300),
        "sent_at": times.utc_text(now) if move == "accept" else None,
        "next_try_at": times.utc_text(now + delivery.pause(attempts)),
    }
    await ledger.write(lambda tx: outbox.conclude(tx, values))
