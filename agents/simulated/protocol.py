"""The wire of the new tax server: envelope, dispatch, one changing call at a time, and the memory of serials."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64decode, b64encode
from typing import Any

import msgspec
from msgspec import Struct, field

from agents.simulated import (
    invoice_calls,
    report_calls,
    seal_calls,
    setup_calls,
    stock_calls,
    table_calls,
    void_calls,
)
from agents.simulated.faults import TRANSPORT, strike
from agents.simulated.http_peer import Reply, Request
from agents.simulated.issuing import body_hash
from agents.simulated.memory import Statement
from agents.simulated.refusals import TEXTS, Refusal
from agents.simulated.tax_server import Ask, Call, TaxServer

_ASYNCHRONOUS_AFTER = 2.0
"""Seconds after which a changing call that still waits for the bureau is answered 1000."""
_LATE_KEPT = 1000


CALLS: dict[str, Call] = {
    code: call
    for room in (setup_calls, stock_calls, invoice_calls, report_calls, void_calls, seal_calls, table_calls)
    for code, call in room.CALLS.items()
}
"""Every interface code a tax server knows."""


class _Info(Struct):
    interfaceCode: str = ""
    dataExchangeId: str = ""
    appId: str = ""


class _Data(Struct):
    content: str = ""
    contentKey: str = ""


class _Envelope(Struct):
    globalInfo: _Info = field(default_factory=_Info)
    data: _Data = field(default_factory=_Data)


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_BODY = msgspec.json.Decoder(dict[str, Any])


def open_envelope(raw: bytes) -> tuple[_Info, dict[str, Any] | str]:
    """The head of an envelope, and its inner body or, when that is unreadable, the returnCode (9996, 9997)."""
    try:
        envelope = _ENVELOPE.decode(raw)
    except msgspec.DecodeError:
        return _Info(), "9996"
    content = envelope.data.content.encode()
    try:
        if hashlib.sha256(content).hexdigest() != envelope.data.contentKey:
            return envelope.globalInfo, "9997"
        return envelope.globalInfo, _BODY.decode(b64decode(content, validate=True))
    except (ValueError, msgspec.DecodeError):
        return envelope.globalInfo, "9997"


def seal_envelope(info: _Info, return_code: str, answer: dict[str, Any] | None) -> Reply:
    """The reply's envelope around an answer."""
    content = b64encode(msgspec.json.encode(answer)) if answer is not None else b""
    return Reply.of(
        {
            "globalInfo": {
                "appId": info.appId,
                "interfaceCode": info.interfaceCode,
                "requestCode": "DS",
                "responseCode": "DZFPQZ",
                "dataExchangeId": info.dataExchangeId,
            },
            "returnStateInfo": {
                "returnCode": return_code,
                "returnMessage": "" if return_code == "0000" else "报文错误",
            },
            "data": {"content": content.decode(), "contentKey": hashlib.sha256(content).hexdigest()},
        }
    )


class Protocol:
    """Answers the calls that come to one tax server."""

    def __init__(self, server: TaxServer) -> None:
        self.server = server
        self._late: dict[str, asyncio.Task[dict[str, Any]]] = {}

    async def handle(self, request: Request) -> Reply | None:
        """One HTTP request, under the faults of the server and of the device it names."""
        info, body = open_envelope(request.body)
        if (request.method, request.path) != ("POST", "/gp"):
            return Reply.of({}, 404)
        if isinstance(body, str):
            return seal_envelope(info, body, None)
        targets = (str(body.get("XNSBH", "")), self.server.tax_server_no)
        fault = self.server.around.faults.take(targets, info.interfaceCode, TRANSPORT)

        async def execute() -> Reply:
            return seal_envelope(info, "0000", await self._answer(info.interfaceCode, body))

        return await strike(fault, execute)

    async def _answer(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            if name == "GP_YBJGCX":
                return await self._late_answer(body)
            call = CALLS.get(name)
            if call is None:
                raise Refusal("2000")
            ask = self._ask(call, body)
            if call.changing:
                return await self._change(name, call, ask)
            await self._dawdle(name, ask)
            return {"CODE": "0000", "MSG": TEXTS["0000"], **(await call.work(ask)).answer}
        except Refusal as refusal:
            return {"CODE": refusal.code, "MSG": refusal.message}

    def _ask(self, call: Call, body: dict[str, Any]) -> Ask:
        device_no = body.get("XNSBH")
        if not device_no and call.for_server:
            return Ask(self.server, None, body)
        if not device_no:
            raise Refusal("092400", "XNSBH")
        device = self.server.devices.get(str(device_no))
        if device is None:
            raise Refusal("200003", str(device_no))
        if device.facts.cancelled_at and not call.changing:
            raise Refusal("200005", str(device_no))
        return Ask(self.server, device, body)

    async def _dawdle(self, name: str, ask: Ask) -> None:
        slow = self.server.around.faults.take((ask.owner, self.server.tax_server_no), name, ("slow",))
        if slow is not None:
            await asyncio.sleep(slow.wait())

    async def _change(self, name: str, call: Call, ask: Ask) -> dict[str, Any]:
        """A call that changes something: once per serial, one at a time per device."""
        serial = ask.text("LSH", 32)
        worker = ask.device or self.server
        if worker.working_on == serial:
            raise Refusal("0001" if name == "GP_FPKJ" else "1000")
        digest = body_hash(ask.body)
        if (first := self._first_answer(name, ask, digest)) is not None:
            return first
        if ask.device is not None and ask.device.facts.cancelled_at:
            raise Refusal("200005", ask.owner)
        if ask.device is not None and self.server.upgrading:
            raise Refusal("7503", "税控服务器正在升级")
        if worker.working_on or self.server.around.faults.take((ask.owner, self.server.tax_server_no), name, ("busy",)):
            raise Refusal("7503")
        worker.working_on = serial
        if name == "GP_FPKJ":
            return await self._perform(name, call, ask, digest)
        task = asyncio.get_running_loop().create_task(self._performed(name, call, ask, digest))
        self._keep_late(serial, task)
        done, _ = await asyncio.wait({task}, timeout=_ASYNCHRONOUS_AFTER)
        if not done:
            raise Refusal("1000")
        self._late.pop(serial, None)
        return task.result()

    def _first_answer(self, name: str, ask: Ask, digest: str) -> dict[str, Any] | None:
        """The answer this serial got before; refuses 9990 when it came with another call or body."""
        serial, store = ask.text("LSH", 32), self.server.around.store
        if ask.device is not None and (record := store.invoice(ask.owner, serial)) is not None:
            if (name, digest) != ("GP_FPKJ", record.payload_hash):
                raise Refusal("9990")
            return {"CODE": "0000", "MSG": TEXTS["0000"], **record.shown()}
        if (known := store.answer(ask.owner, serial)) is None:
            return None
        if known[:2] != (name, digest):
            raise Refusal("9990")
        answer: dict[str, Any] = msgspec.json.decode(known[2])
        return answer

    async def _perform(self, name: str, call: Call, ask: Ask, digest: str) -> dict[str, Any]:
        worker = ask.device or self.server
        try:
            await self._dawdle(name, ask)
            done = await call.work(ask)
            answer = {"CODE": "0000", "MSG": TEXTS["0000"], **done.answer}
            kept = [] if name == "GP_FPKJ" else [self._remembered(name, ask, digest, answer)]
            await self.server.around.store.memory.write([*done.statements, *kept], done.lines)
            if name == "GP_FPKJ":
                invoice_calls.signed(ask, done)
            return answer
        finally:
            worker.working_on = ""

    async def _performed(self, name: str, call: Call, ask: Ask, digest: str) -> dict[str, Any]:
        try:
            return await self._perform(name, call, ask, digest)
        except Refusal as refusal:
            return {"CODE": refusal.code, "MSG": refusal.message}

    def _remembered(self, name: str, ask: Ask, digest: str, answer: dict[str, Any]) -> Statement:
        row = (ask.owner, ask.text("LSH"), self.server.tax_server_no, name, digest, msgspec.json.encode(answer))
        return "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?)", row

    def _keep_late(self, serial: str, task: asyncio.Task[dict[str, Any]]) -> None:
        self._late[serial] = task
        if len(self._late) > _LATE_KEPT:
            self._late = {kept: other for kept, other in self._late.items() if not other.done()}

    async def _late_answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """GP_YBJGCX: the reply of a call that was answered 1000, or 1000 again."""
        serial = str(body.get("LSH", ""))
        task = self._late.get(serial)
        if task is not None:
            if not task.done():
                raise Refusal("1000")
            return task.result()
        answer = self.server.around.store.answer_anywhere(self.server.tax_server_no, serial)
        if answer is None:
            return self._issued_under(serial, body.get("XNSBH"))
        known: dict[str, Any] = msgspec.json.decode(answer)
        return known

    def _issued_under(self, serial: str, device_no: str | None) -> dict[str, Any]:
        for device in self.server.devices.values():
            if device_no and device.device_no != device_no:
                continue
            if device.working_on == serial:
                raise Refusal("1000")
            if (record := self.server.around.store.invoice(device.device_no, serial)) is not None:
                return {"CODE": "0000", "MSG": TEXTS["0000"], **record.shown()}
        raise Refusal("9001")
