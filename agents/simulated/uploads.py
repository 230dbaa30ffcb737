"""Uploads as a device does them by itself: oldest first, two calls, write-back, at the pace the bureau sets."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from agents.simulated import device_memory
from agents.simulated.bureau_line import BureauLine
from agents.simulated.calendar import CHINA, stamp
from agents.simulated.device import Device, Pacing
from agents.simulated.device_memory import Waiting
from agents.simulated.faults import TRANSPORT
from agents.simulated.memory import Line, Statement
from agents.simulated.refusals import Refusal
from agents.simulated.surroundings import Surroundings

_STATES = {
    "accepted": (device_memory.UPLOADED, "uploaded"),
    "failed": (device_memory.FAILED, "upload_failed"),
    "signature_rejected": (device_memory.REJECTED, "signature_rejected"),
}
_PATIENCE = 3
"""Times the bureau may not find an acceptance number before the batch is sent again."""
_LEAST_PAUSE = 0.02


class Uploads:
    """The uploads of one tax server: one worker per device that has something to send."""

    def __init__(self, around: Surroundings, line: BureauLine) -> None:
        self._around = around
        self._line = line
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._not_found: dict[str, int] = {}

    def wake(self, device: Device) -> None:
        """Something waits on this device."""
        if device.device_no not in self._workers:
            self._workers[device.device_no] = asyncio.get_running_loop().create_task(self._work(device))

    def close(self) -> None:
        """Stop; what was under way is taken up again at the next start."""
        for worker in self._workers.values():
            worker.cancel()

    async def _work(self, device: Device) -> None:
        try:
            while True:
                await self._line.wait_up()
                batch = self._around.store.waiting(device.device_no, max(1, device.facts.pacing.sczs))
                if not batch:
                    return
                try:
                    await self._round(device, batch)
                    self.tell(device, "")
                except Refusal as refusal:
                    self.tell(device, refusal.message if self._line.up else "")
                    await self._pause(device)
        finally:
            del self._workers[device.device_no]

    def tell(self, device: Device, trouble: str) -> None:
        """Keep since when a device is offline: while the line is down or its own uploads fail."""
        device.trouble = trouble
        offline = bool(trouble) or not self._line.up
        if offline == bool(device.facts.offline_since):
            return
        device.facts.offline_since = stamp(self._around.clock()) if offline else ""
        self._around.store.memory.write([device_memory.device_row(device)])

    async def _pause(self, device: Device) -> None:
        await asyncio.sleep(max(_LEAST_PAUSE, device.facts.pacing.scsjjg / self._around.speed))

    async def _round(self, device: Device, batch: list[Waiting]) -> None:
        acceptance_no = batch[0].acceptance_no or await self._submit(device, batch)
        await self._pause(device)
        status, answer = await self._exchange(device, "RESULT", "GET", f"/uploads/{acceptance_no}")
        if status == 404 or self._faulty(device, "not_found", "RESULT"):
            missing = self._not_found[device.device_no] = self._not_found.get(device.device_no, 0) + 1
            if missing >= _PATIENCE:
                await self._forget(device, batch)
            return
        if status != 200:
            raise Refusal("300002", str(answer.get("message", status)))
        self._not_found.pop(device.device_no, None)
        if self._faulty(device, "lost_write_back", "RESULT"):
            await self._forget(device, batch)
            return
        await self._write_back(device, batch, answer["results"])

    def _faulty(self, device: Device, kind: str, call: str) -> bool:
        targets = (device.device_no, device.tax_server_no)
        return self._around.faults.take(targets, call, (kind,)) is not None

    async def _submit(self, device: Device, batch: list[Waiting]) -> str:
        invoices = [waiting.record.submitted() for waiting in batch]
        for invoice in invoices:
            if self._faulty(device, "signature_rejected", "SUBMIT"):
                invoice["signature"] = invoice["signature"][::-1]
        path = f"/devices/{device.device_no}/uploads"
        status, answer = await self._exchange(device, "SUBMIT", "POST", path, {"invoices": invoices})
        if status != 200:
            raise Refusal("300002", str(answer.get("message", status)))
        acceptance_no = str(answer["acceptance_no"])
        rows = [device_memory.sent_row(device.device_no, waiting.position, acceptance_no) for waiting in batch]
        pacing = msgspec.convert(answer["pacing"], Pacing)
        if pacing != device.facts.pacing:
            device.facts.pacing = pacing
            rows.append(device_memory.device_row(device))
        await self._around.store.memory.write(rows)
        return acceptance_no

    async def _exchange(self, device: Device, call: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One call to the bureau, under the faults that name SUBMIT or RESULT."""
        targets = (device.device_no, device.tax_server_no)
        fault = self._around.faults.take(targets, call, TRANSPORT | {"slow"}, named=True)
        if fault and fault.kind in ("down", "sent_not_executed"):
            raise Refusal("300001")
        if fault and fault.kind == "slow":
            await asyncio.sleep(fault.wait())
        answer = await self._line.exchange(method, path, body)
        if fault and fault.kind != "slow":
            await asyncio.sleep(fault.wait())
            raise Refusal("300001", "税局无应答")
        return answer

    async def _forget(self, device: Device, batch: list[Waiting]) -> None:
        """Back to not uploaded: the batch is sent again, which the bureau takes as the same."""
        self._not_found.pop(device.device_no, None)
        await self._around.store.memory.write(
            [device_memory.sent_row(device.device_no, waiting.position, "") for waiting in batch]
        )

    async def _write_back(self, device: Device, batch: list[Waiting], results: list[dict[str, str]]) -> None:
        told = {(result["invoice_code"], result["invoice_no"]): result for result in results}
        now = stamp(self._around.clock().astimezone(CHINA))
        statements: list[Statement] = []
        lines: list[Line] = []
        settled = []
        for waiting in batch:
            result = told.get((waiting.record.invoice_code, waiting.record.invoice_no))
            if result is None:
                continue
            settled.append(waiting)
            state, event = _STATES[result["state"]]
            outcome = (state, result["receipt_no"], result["received_at"] or now, result["message"])
            statements.append(device_memory.settled_row(device.device_no, waiting.position, outcome))
            _end, remembered, line = self._around.journals.place(device.device_no, _event(event, waiting, outcome))
            statements.append(remembered)
            lines.append(line)
        await self._around.store.memory.write(statements, lines)
        device.waiting_count -= len(settled)
        device.waiting_fen -= sum(max(0, waiting.gross_fen) for waiting in settled)


def _event(event: str, waiting: Waiting, outcome: tuple[int, str, str, str]) -> bytes:
    record = waiting.record
    return msgspec.json.encode(
        {
            "event": event,
            "index": record.index,
            "device_no": record.device_no,
            "serial": record.serial,
            "invoice_code": record.invoice_code,
            "invoice_no": record.invoice_no,
            "receipt_no": outcome[1],
            "at": outcome[2],
            "message": outcome[3],
        }
    )
