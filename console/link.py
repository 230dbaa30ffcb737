"""The only room that knows HTTP: lists, records, acts and the change feed of the control plane."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import quote

import httpx2
import msgspec

from console.records import Record, identity, mapping, pick, rows, text, whole

_CONNECT_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 35.0
_MOST_PAGES: Final = 100
"""Pages of one list that are followed, whatever its cursors say."""
_SILENCE_SECONDS: Final = 40.0
"""A feed says something every 15 s; after this long without a word the line is taken for dead."""


class LinkError(Exception):
    """Something between the console and the control plane did not work."""


class LinkDown(LinkError):
    """No connection, or it broke; ``str()`` is a short reason. Nothing is known about what the server did."""


class LinkProblem(LinkError):
    """The control plane said no, by name (RFC 9457)."""

    def __init__(self, status: int, document: Record) -> None:
        self.status: Final = status
        self.document: Final = document
        self.code: Final = text(document, "code") or f"http_{status}"
        self.message: Final = text(document, "detail") or text(document, "title") or self.code
        self.remedy: Final = text(document, "remedy")
        self.runbook: Final = text(document, "runbook")
        self.allowed: Final = _verbs(pick(document, "allowed"))
        self.errors: Final = tuple(rows(document, "errors"))
        super().__init__(self.message)

    @property
    def signed_out(self) -> bool:
        """True when the token is missing, expired or revoked."""
        return self.status == 401


def _verbs(allowed: Any) -> tuple[str, ...]:
    """Verbs of a list of words, or of objects that may say they are not enabled."""
    found = []
    for entry in allowed if isinstance(allowed, list) else ():
        if isinstance(entry, str):
            found.append(entry)
        elif isinstance(entry, dict) and entry.get("enabled") is not False:
            found.append(text(entry, "verb"))
    return tuple(filter(None, found))


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and decoded JSON body (None when there is none)."""

    status: int
    body: Any


class Transport(Protocol):
    """The seam: one exchange, and one stream of lines. Both raise ``LinkDown``."""

    async def send(self, method: str, path: str, query: Mapping[str, str], body: Record | None) -> Answer:
        """One request and its whole answer, whatever its status."""
        ...

    def lines(self, path: str, query: Mapping[str, str]) -> AsyncGenerator[str, None]:
        """Lines of a streamed answer, an empty one as soon as it is open; ``LinkProblem`` when it is not 200."""
        ...


class HttpTransport:
    """The transport over real sockets. A context manager; the token goes into a header, never into an address."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        limits = httpx2.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)
        encrypted = url.startswith("https:")  # without it no certificates are needed, and loading them takes time
        self._client = httpx2.AsyncClient(
            base_url=url, headers=headers, timeout=limits, trust_env=False, verify=encrypted
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def send(self, method: str, path: str, query: Mapping[str, str], body: Record | None) -> Answer:
        """One request and its whole answer, whatever its status."""
        try:
            answer = await self._client.request(method, path, params=dict(query), json=body)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise LinkDown(_reason(error)) from error
        return Answer(answer.status_code, _decoded(answer.content))

    async def lines(self, path: str, query: Mapping[str, str]) -> AsyncGenerator[str, None]:
        """Lines of a streamed answer, an empty one as soon as it is open; ``LinkProblem`` when it is not 200."""
        patience = httpx2.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS)
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": query["after"]} if "after" in query else {})}
        try:
            async with self._client.stream(
                "GET", path, params=dict(query), headers=headers, timeout=patience
            ) as answer:
                if answer.status_code != 200:
                    raise LinkProblem(answer.status_code, _object(_decoded(await answer.aread())))
                yield ""
                async for line in answer.aiter_lines():
                    yield line
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise LinkDown(_reason(error)) from error


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _decoded(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content) if content else None
    except msgspec.DecodeError:
        return None


def _object(body: Any) -> Record:
    return body if isinstance(body, dict) else {}


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of a list and the cursor of the next ones (None: that was all)."""

    items: list[Record]
    next: str | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """An act that was taken: the job that does it (None when nothing is left to do) and the record as it is now."""

    job: Record | None
    record: Record


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the change feed: record ``id`` of ``noun`` was changed by ``verb``; no noun: only a position."""

    seq: int
    noun: str
    id: str
    verb: str


@dataclass(frozen=True, slots=True)
class Act:
    """What an operator asks for: a verb on one version of one record, with a reason and the verb's own arguments."""

    noun: str
    id: str
    verb: str
    reason: str
    version: int
    args: Record = field(default_factory=dict)


class Link:
    """The control plane as the console sees it. All calls raise ``LinkDown`` or ``LinkProblem``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def _ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Record | None = None
    ) -> Record:
        answer = await self._transport.send(method, path, query or {}, body)
        if answer.status >= 300:
            raise LinkProblem(answer.status, _object(answer.body))
        if not isinstance(answer.body, dict):
            raise LinkDown("unreadable answer")
        return answer.body

    async def sign_in(self, username: str, password: str) -> str:
        """A token for this user."""
        session = await self._ask("POST", "/v1/sessions", body={"username": username, "password": password})
        return text(session, "token")

    async def change_password(self, current: str, new: str) -> str:
        """Change one's own password; the token of the new session. All that was open before is over."""
        session = await self._ask("POST", "/v1/me/password", body={"current": current, "new": new})
        return text(session, "token")

    async def me(self) -> Record:
        """Who the token speaks for."""
        return await self._ask("GET", "/v1/me")

    async def page(
        self, noun: str, limit: int, filters: Mapping[str, str] | None = None, cursor: str | None = None
    ) -> Page:
        """One page of a list, at most ``limit`` (≤ 1,000) records. Records without an id get one of their keys.

        A list that does not know a filter ignores it, so filters are applied here once more: a page may hold less.
        """
        query = {**(filters or {}), "limit": str(limit), **({"cursor": cursor} if cursor else {})}
        body = await self._ask("GET", f"/v1/{noun}", query)
        items = [item for item in rows(body, "items") if _fits(item, filters or {})]
        for item in items:
            item["id"] = identity(item)
        return Page(items, text(body, "next") or None)

    async def every(self, noun: str, filters: Mapping[str, str] | None = None, most: int = 5000) -> list[Record]:
        """All records of a list up to ``most``, following its cursors."""
        found: list[Record] = []
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            page = await self.page(noun, min(1000, most - len(found)), filters, cursor)
            found += page.items
            cursor = page.next
            if cursor is None or len(found) >= most:
                break
        return found

    async def one(self, noun: str, record_id: str) -> Record:
        """One record with its details."""
        return await self._ask("GET", f"/v1/{noun}/{quote(record_id, safe='')}")

    async def impact(self, noun: str, record_id: str) -> Record:
        """What stops if this record stops: taxpayers, devices, terminals, what waits, what went through today."""
        return await self._ask("GET", f"/v1/{noun}/{quote(record_id, safe='')}/impact")

    async def act(self, act: Act) -> Accepted:
        """Ask for an act; a ``LinkProblem`` of status 409 names the verbs allowed now."""
        path = f"/v1/{act.noun}/{quote(act.id, safe='')}/{quote(act.verb, safe='')}"
        body = await self._ask("POST", path, body={**act.args, "reason": act.reason, "version": act.version})
        return Accepted(mapping(body, "job") or None, mapping(body, "record") if "record" in body else body)

    async def collect(self, noun: str, verb: str, body: Record) -> Record:
        """Do an act on a list (register, import, …); the new record, or what the act answers."""
        path = f"/v1/{noun}" if verb == "register" else f"/v1/{noun}/{quote(verb, safe='')}"
        return await self._ask("POST", path, body=body)

    async def join_token(self, host_id: str, name: str) -> Record:
        """A one-use token with which a new agent joins: token and expires_at."""
        return await self._ask("POST", "/v1/agents/tokens", body={"host_id": host_id, "name": name})

    async def changes(self, after: int | None) -> AsyncGenerator[Change | None, None]:
        """The change feed from behind ``after`` (None: from now on). None in between is a sign of life."""
        query = {} if after is None else {"after": str(after)}
        data: list[str] = []
        seq: int | None = None
        async with aclosing(self._transport.lines("/v1/events", query)) as lines:
            async for line in lines:
                name, _, value = line.partition(":")
                if name == "data":
                    data.append(value)
                elif name == "id":
                    seq = int(value) if value.strip().isdecimal() and len(value) < 20 else seq
                elif line or not data:
                    yield None
                else:
                    yield _change("\n".join(data), seq)
                    data = []


def _fits(item: Record, filters: Mapping[str, str]) -> bool:
    return all(key not in item or text(item, key) == value for key, value in filters.items())


def _change(data: str, position: int | None) -> Change | None:
    body = _object(_decoded(data.encode("utf-8", "replace")))
    seq = whole(body, "seq")
    seq = position if seq is None else seq
    return None if seq is None else Change(seq, text(body, "noun"), text(body, "id"), text(body, "verb"))
