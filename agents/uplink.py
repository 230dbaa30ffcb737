"""The agent's calls to the control plane; the only file that knows how they travel."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from agents.fault_points import reach
from agents.http_line import Answer, HttpLine, NotSent, NoWholeAnswer
from agents.plain_text import plain
from controlplane.wire.agents import (
    JOIN_PATH,
    LEASE_PATH,
    OUTCOMES_PATH,
    JoinAnswer,
    JoinRequest,
    LeaseAnswer,
    LeaseRequest,
    OutcomeAck,
)

CONNECT_TIMEOUT = 6.0
ANSWER_TIMEOUT = 15.0
"""Seconds the control plane may take beyond what it was asked to wait."""
_ANSWER_LIMIT = 64 << 20

T = TypeVar("T")

# Made here, by the one thread that imports: two threads using a type for the first time crash the interpreter.
_join_answer = msgspec.json.Decoder(JoinAnswer)
_lease_answer = msgspec.json.Decoder(LeaseAnswer)
_ack = msgspec.json.Decoder(OutcomeAck)


class Away(Exception):
    """The control plane did not answer, or answered that it cannot now: ask again later."""


class Revoked(Exception):
    """The control plane does not know this agent (any more): stop working."""


class Rejected(Exception):
    """The control plane will not take this request, now or later (4xx)."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status} {detail}")
        self.status = status
        self.detail = detail


class Uplink:
    """One kept connection to the control plane, for one thread. ``abort`` may be called from another."""

    def __init__(self, url: str, bearer: str = "", ca_file: str = "") -> None:
        """``url`` is the control plane's root. Raises ValueError when it is not http or https."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(url)
        secure = parts.scheme == "https"
        self._address = (parts.hostname, parts.port or (443 if secure else 80))
        self._secured_by = ca_file if secure else None
        self._root = parts.path.rstrip("/")
        self._head = f"Host: {parts.netloc.rpartition('@')[2]}\r\nAccept: application/json\r\n"
        if bearer:
            self._head += f"Authorization: Bearer {bearer}\r\n"
        self._line: HttpLine | None = None
        self._aborted = False

    def join(self, request: JoinRequest) -> JoinAnswer:
        """Exchange a join token for an identity. Raises Away, Revoked (token not accepted) or Rejected."""
        return _decoded(self._post(JOIN_PATH, msgspec.json.encode(request), 0), _join_answer)

    def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """Wait for work up to ``request.wait`` seconds. Raises Away, Revoked, Rejected."""
        return _decoded(self._post(LEASE_PATH, msgspec.json.encode(request), request.wait), _lease_answer)

    def report(self, session: str, outcomes: list[bytes], observations: list[bytes]) -> OutcomeAck:
        """Hand over encoded outcomes and observations. Raises Away, Revoked, Rejected."""
        body = b'{"session":%b,"outcomes":[%b],"observations":[%b]}' % (
            msgspec.json.encode(session),
            b",".join(outcomes),
            b",".join(observations),
        )
        return _decoded(self._post(OUTCOMES_PATH, body, 0, "agent.report_sent"), _ack)

    def health(self) -> tuple[int, str]:
        """Status and ``Date`` of the control plane's health page. Raises Away."""
        try:
            answer = self._exchange("GET", "/healthz", b"", 0)
        except (NotSent, NoWholeAnswer) as error:
            raise Away(plain(str(error), 200)) from error
        return answer.status, answer.header(b"date").decode("ascii", "replace")

    def abort(self) -> None:
        """End a call in progress; later calls fail. May be called from any thread."""
        self._aborted = True
        if (line := self._line) is not None:
            line.wake()

    def close(self) -> None:
        """Drop the connection."""
        if self._line is not None:
            self._line.close()
            self._line = None

    # --- one exchange --------------------------------------------------------------------------------

    def _post(self, path: str, body: bytes, wait: int, sent_point: str = "") -> bytes:
        """A request that may be repeated: a kept connection found dead is replaced once."""
        fresh = self._line is None
        try:
            answer = self._exchange("POST", path, body, wait, sent_point)
        except (NotSent, NoWholeAnswer) as error:
            if fresh or error.code == "timeout" or self._aborted:
                raise Away(plain(str(error), 200)) from error
            return self._post(path, body, wait, sent_point)
        if answer.status in (200, 201):
            return answer.body
        detail = plain(answer.body[:300].decode("utf-8", "replace"))
        if answer.status == 401:
            raise Revoked(detail)
        if answer.status >= 500 or answer.status in (408, 425, 429):
            raise Away(f"{answer.status} {detail}")
        raise Rejected(answer.status, detail)

    def _exchange(self, method: str, path: str, body: bytes, wait: int, sent_point: str = "") -> Answer:
        head = (
            f"{method} {self._root}{path} HTTP/1.1\r\n{self._head}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        answer: Answer | None = None
        try:
            if self._aborted:
                raise NotSent("aborted", self._address)
            if self._line is None:
                self._line = HttpLine(self._address, CONNECT_TIMEOUT, self._secured_by)
            self._line.send(head.encode() + body, ANSWER_TIMEOUT)
            if sent_point:
                reach(sent_point)
            answer = self._line.receive(wait + ANSWER_TIMEOUT, _ANSWER_LIMIT)
            return answer
        finally:
            if answer is None or not answer.keep:
                self.close()


def _decoded(content: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Away(f"unreadable answer: {plain(str(error))}") from error
