"""The calls that issue an invoice and read the device's journal."""

from __future__ import annotations

import asyncio

import msgspec

from agents.simulated.device_memory import invoice_row
from agents.simulated.issuing import check, check_upload_day, sign
from agents.simulated.numbers import fen
from agents.simulated.refusals import Refusal
from agents.simulated.tax_server import Ask, Call, Done
from agents.simulated.void_calls import check_red

_MOST = 200
"""Invoices in one reading of the journal."""


async def issue(ask: Ask) -> Done:
    """GP_FPKJ: check, take the time a device takes, then sign the terminal's next number."""
    device, around = ask.on, ask.server.around
    targets = (device.device_no, device.tax_server_no)
    if around.faults.take(targets, "GP_FPKJ", ("refuse_before_sign",)):
        raise Refusal("9998")
    if around.faults.take(targets, "GP_FPKJ", ("stock_spent",)):
        raise Refusal("1002")
    segment = check(device, ask.body)
    await check_red(ask)
    if device.waiting_count:
        check_upload_day(device, segment.kind, around.store.oldest_waiting(device.device_no))
    await asyncio.sleep(around.latency / around.speed)
    record = sign(device, segment, ask.body)
    end, remembered, line = around.journals.place(device.device_no, msgspec.json.encode(record))
    used = (
        "UPDATE segments SET next_no = ? WHERE device_no = ? AND place = ?",
        (segment.next + 1, device.device_no, segment.place),
    )
    return Done(record.shown(), [remembered, invoice_row(record, end), used], [line])


def signed(ask: Ask, done: Done) -> None:
    """Once an invoice is stored: count its number as used, and upload it."""
    device = ask.on
    segment = device.current(done.answer["FPLXDM"], done.answer["KPZDDM"])
    segment.next += 1
    device.last_index = done.answer["XH"]
    device.waiting_count += 1
    device.waiting_fen += max(0, fen(done.answer["JSHJ"]) or 0)
    ask.server.uploads.wake(device)


async def read_journal(ask: Ask) -> Done:
    """GP_FPCX: one invoice by its serial (0001 at work, 9001 never executed), or the journal from a position on."""
    device = ask.on
    if not ask.body.get("LSH"):
        records = ask.server.around.store.invoices(device.device_no, ask.count("QSXH", 10**9), ask.count("ZS", _MOST))
        return Done({"FPXX": [record.shown() for record in records]})
    serial = ask.text("LSH", 32)
    if device.working_on == serial:
        raise Refusal("0001")
    record = ask.server.around.store.invoice(device.device_no, serial)
    if record is None:
        raise Refusal("9001")
    return Done(record.shown())


async def upload_results(ask: Ask) -> Done:
    """GP_SCJGCX: what became of the uploads, from a journal position on."""
    store = ask.server.around.store
    first, count = ask.count("QSXH", 10**9), ask.count("ZS", _MOST)
    return Done({"SCJG": store.uploads(ask.on.device_no, first, count)})


CALLS: dict[str, Call] = {
    "GP_FPKJ": Call(issue, changing=True),
    "GP_FPCX": Call(read_journal),
    "GP_SCJGCX": Call(upload_results),
}
