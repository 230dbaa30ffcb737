"""The GP envelope over HTTP/1.1: one call, one answer, and whether anything was sent when there is none."""

from __future__ import annotations

import base64
import binascii
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import msgspec
from msgspec import Struct

from agents.digest import sha256_hex
from agents.drivers.catalog import Patience
from agents.fault_points import reach
from agents.http_line import Answer, HttpLine, NotSent, NoWholeAnswer
from agents.plain_text import plain

DEVICE_ZONE = timezone(timedelta(hours=8))
"""Asia/Shanghai; it knows no daylight saving time."""

Site = tuple[str, int]
"""Host and port of one tax server."""

_SENT = {"GP_HZSJCB": "clr.report_sent", "GP_JKHC": "clr.zero_sent"}
_ANSWERED = {"GP_HZSJCB": "clr.report_ok", "GP_JKHC": "clr.zero_ok"}
"""Fault points of calls that have some of their own."""
_ANSWER_LIMIT = 8 << 20


class Unsent(Exception):
    """No byte of the request left this host: nothing happened."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = plain(detail, 300)


class Unanswered(Exception):
    """The request was sent, at least in part, and no whole and undamaged answer came back."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = plain(detail, 300)


class NotUnderstood(Exception):
    """The device could read the envelope or the body not at all: a definite no."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = plain(detail, 300)


class _Global(Struct, frozen=True):
    interfaceCode: str = ""


class _State(Struct, frozen=True):
    returnCode: str
    returnMessage: str = ""


class _Data(Struct, frozen=True):
    content: str = ""
    contentKey: str = ""


class _Envelope(Struct):
    returnStateInfo: _State
    globalInfo: _Global = _Global()
    data: _Data = _Data()


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


class GpTransport:
    """Calls to tax servers. Connections are kept per site and used by any thread, each by one at a time."""

    def __init__(self, patience: Patience, clock: Callable[[], datetime]) -> None:
        self._patience = patience
        self._clock = clock
        self._idle: dict[Site, list[HttpLine]] = {}
        # Starts at the time of day, so that the exchange ids of two runs on one day differ.
        now = clock()
        self._count = itertools.count((now.hour * 3600 + now.minute * 60 + now.second) * 10_000)

    def ask(self, site: Site, code: str, body: bytes) -> bytes:
        """A call that changes nothing; repeated once when a kept connection turns out to be dead.

        Raises:
            Unsent, Unanswered, NotUnderstood: see there.
        """
        request = self._request(site, code, body)
        try:
            return self._exchange(site, code, request, changing=False)
        except _DeadOnArrival:
            self._forget(site)
            return self._exchange(site, code, request, changing=False)

    def change(self, site: Site, code: str, body: bytes) -> bytes:
        """A call that may change something: never sent twice. Raises as ``ask`` does."""
        return self._exchange(site, code, self._request(site, code, body), changing=True)

    def close(self) -> None:
        """Drop the kept connections."""
        for site in list(self._idle):
            self._forget(site)

    # --- one exchange --------------------------------------------------------------------------------

    def _exchange(self, site: Site, code: str, request: bytes, changing: bool) -> bytes:
        line, kept = self._sent(site, request)
        answer: Answer | None = None
        try:
            if changing:
                reach("agent.sign_sent")
                reach(_SENT.get(code, ""))
            answer = line.receive(self._patience.read, _ANSWER_LIMIT)
            if changing:
                reach("agent.sign_ret")
                reach(_ANSWERED.get(code, ""))
        except NoWholeAnswer as nothing:
            if kept and not changing and nothing.code == "closed":
                raise _DeadOnArrival from nothing
            raise Unanswered(nothing.code, nothing.detail) from nothing
        finally:
            if answer is not None and answer.keep:
                self._idle.setdefault(site, []).append(line)
            else:
                line.close()
        return _opened(answer, code)

    def _sent(self, site: Site, request: bytes) -> tuple[HttpLine, bool]:
        """A connection on which the request has gone out, and whether it was used before."""
        line, kept = self._line(site)
        try:
            try:
                line.send(request, self._patience.read)
            except NotSent:
                if not kept:
                    raise
                line.close()
                line, kept = self._connect(site), False
                line.send(request, self._patience.read)
        except NotSent as error:
            line.close()
            raise Unsent(error.code, error.detail) from error
        except NoWholeAnswer as error:
            line.close()
            raise Unanswered("half_sent", error.detail) from error
        return line, kept

    def _line(self, site: Site) -> tuple[HttpLine, bool]:
        """A connection to the site and whether it was used before."""
        idle = self._idle.get(site)
        while idle:
            try:
                line = idle.pop()
            except IndexError:  # another thread was faster
                break
            if line.fresh():
                return line, True
            line.close()
        return self._connect(site), False

    def _connect(self, site: Site) -> HttpLine:
        reach("agent.dev_open")
        try:
            return HttpLine(site, self._patience.connect)
        except NotSent as error:
            raise Unsent(error.code, error.detail) from error

    def _forget(self, site: Site) -> None:
        idle = self._idle.get(site)
        while idle:
            try:
                idle.pop().close()
            except IndexError:  # another thread took the last one
                return

    def _request(self, site: Site, code: str, body: bytes) -> bytes:
        now = self._clock().astimezone(DEVICE_ZONE)
        content = base64.b64encode(body)
        envelope = (
            f'{{"globalInfo":{{"appId":"taxplane","interfaceCode":"{code}","requestCode":"DZFPQZ","responseCode":"DS",'
            f'"requestTime":"{now:%Y-%m-%d %H:%M:%S}",'
            f'"dataExchangeId":"DZFPQZ{code}{now:%Y%m%d}{next(self._count) % 1_000_000_000:09d}"}},'
            f'"returnStateInfo":{{"returnCode":"","returnMessage":""}},"data":{{"content":"{content.decode()}",'
            f'"contentKey":"{sha256_hex(content)}"}}}}'
        ).encode()
        head = (
            f"POST /gp HTTP/1.1\r\nHost: {site[0]}:{site[1]}\r\nContent-Type: application/json; charset=utf-8\r\n"
            f"Content-Length: {len(envelope)}\r\n\r\n"
        )
        return head.encode() + envelope


class _DeadOnArrival(Exception):
    """A kept connection was closed by the peer before it said anything."""


def _opened(answer: Answer, code: str) -> bytes:
    """The body inside an answer's envelope, once everything about it is right."""
    if answer.status != 200:
        raise Unanswered("http", f"status {answer.status}")
    try:
        envelope = _decode_envelope(answer.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unanswered("damaged", f"{error}: {answer.body[:120].decode('utf-8', 'replace')}") from error
    state = envelope.returnStateInfo
    if state.returnCode in ("9996", "9997"):
        raise NotUnderstood(state.returnCode, state.returnMessage)
    if state.returnCode != "0000":
        raise Unanswered(state.returnCode or "damaged", state.returnMessage)
    if envelope.globalInfo.interfaceCode not in ("", code):
        raise Unanswered("foreign_answer", f"asked {code}, answered {envelope.globalInfo.interfaceCode}")
    content = envelope.data.content.encode()
    if sha256_hex(content) != envelope.data.contentKey.lower():
        raise Unanswered("damaged", "contentKey does not match")
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error as error:
        raise Unanswered("damaged", str(error)) from error
