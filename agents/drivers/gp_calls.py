"""GP calls with typed bodies: a reply is either what was asked for or says why not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from agents.drivers import gp_replies as gp
from agents.drivers.catalog import Patience
from agents.drivers.contract import Attempt
from agents.drivers.gp_transport import GpTransport, Unanswered
from agents.plain_text import plain
from controlplane.wire.agents import DeviceAddress

R = TypeVar("R", bound=gp.Reply)

# All are made here, by the one thread that imports: two threads using a type for the first time crash the interpreter.
# Not strict: some devices write counts and flags as text.
_replies: list[type[gp.Reply]] = [gp.Reply, *gp.Reply.__subclasses__()]
_decoders: dict[type[gp.Reply], msgspec.json.Decoder[Any]] = {
    reply: msgspec.json.Decoder(reply, strict=False) for reply in _replies
}


class DeviceSaid(Exception):
    """A reply whose CODE is not 0000."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = plain(code, 64)
        self.message = plain(message, 300)


class GpCalls:
    """Calls to any tax server; raises the transport's errors and ``DeviceSaid``."""

    def __init__(self, patience: Patience, clock: Callable[[], datetime]) -> None:
        self._transport = GpTransport(patience, clock)
        self.clock = clock

    def ask(self, address: DeviceAddress, code: str, body: dict[str, Any], reply: type[R]) -> R:
        """A call that changes nothing."""
        encoded = msgspec.json.encode(_addressed(address, body))
        return _read(self._transport.ask((address.host, address.port), code, encoded), reply)

    def change(self, attempt: Attempt, code: str, body: dict[str, Any], reply: type[R]) -> R:
        """A call that changes something: the intent is on disk before it, and it is sent once."""
        address = attempt.order.address
        encoded = msgspec.json.encode(_addressed(address, body))
        attempt.intend()
        result = _read(self._transport.change((address.host, address.port), code, encoded), reply)
        attempt.touched = True
        return result

    def ask_after_change(self, address: DeviceAddress, code: str, reply: type[R]) -> R:
        """A reading that completes a change already made: a refusal here refuses nothing."""
        try:
            return self.ask(address, code, {}, reply)
        except DeviceSaid as said:
            raise Unanswered(said.code, said.message) from said

    def close(self) -> None:
        """Drop the kept connections."""
        self._transport.close()


def _addressed(address: DeviceAddress, body: dict[str, Any]) -> dict[str, Any]:
    return body if address.device_no is None else {"XNSBH": address.device_no, **body}


def _read(body: bytes, reply: type[R]) -> R:
    try:
        result: R = _decoders[reply].decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _undecodable(body, error) from error
    if result.CODE != gp.OK:
        if result.CODE in gp.INDEFINITE:
            raise Unanswered(result.CODE, result.MSG)
        raise DeviceSaid(result.CODE, result.MSG)
    return result


def _undecodable(body: bytes, error: Exception) -> Exception:
    """A refusal whose other fields do not fit is still a refusal; anything else is damage."""
    try:
        bare: gp.Reply = _decoders[gp.Reply].decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Unanswered("damaged", f"{error}: {body[:120].decode('utf-8', 'replace')}")
    if bare.CODE == gp.OK or bare.CODE in gp.INDEFINITE:
        return Unanswered("damaged", str(error))
    return DeviceSaid(bare.CODE, bare.MSG)
