"""A control plane in miniature on a loopback socket: records, acts and the change feed, scripted by the test."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

Record = dict[str, Any]
TOKEN = "token-of-the-operator"


class Plane:
    """Records by noun; everything a test changes with ``put`` goes out on the feed."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Record]] = {}
        self.acts: list[tuple[str, Record]] = []
        self.asked: list[str] = []
        self.events: list[Record] = []
        self.first_afters: list[str | None] = []
        self.answer: Callable[[str, Record], Response] | None = None
        """What an act is answered; the default takes it and opens a job."""
        self.me: Record = {"name": "小李", "role": "operator"}
        self.impacts: dict[str, Record] = {}
        """What stops if a record stops, by its id."""
        self._cuts = 0
        self._bells: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.port = 0
        """Known once it was started; a restart listens on the same one."""
        self._socket: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # --- the script

    def put(self, noun: str, record: Record, verb: str = "changed") -> None:
        """Add or replace a record and tell the feed."""
        self.records.setdefault(noun, {})[record["id"]] = record
        self.tell(noun, record["id"], verb)

    def tell(self, noun: str, record_id: str, verb: str) -> None:
        seq = len(self.events) + 1
        self.events.append({"seq": seq, "noun": noun, "id": record_id, "verb": verb, "version": 1})
        self._ring()

    def _ring(self) -> None:
        for loop, bell in list(self._bells):
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(bell.set)

    def fill(self, noun: str, records: list[Record]) -> None:
        """Records that were there before anyone looked."""
        self.records[noun] = {record.get("id", str(place)): record for place, record in enumerate(records)}

    def cut_feeds(self) -> None:
        """Break every open feed."""
        self._cuts += 1
        self._ring()

    # --- running

    def start(self) -> None:
        """Listen, on the port of the last time if there was one."""
        self._socket = _listening(self.port)
        self.port = self._socket.getsockname()[1]
        config = uvicorn.Config(
            self._app(), log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        while not self._server.started:
            threading.Event().wait(0.005)

    def stop(self) -> None:
        if self._server and self._thread:
            self.cut_feeds()
            self._server.should_exit = True
            self._thread.join(5)
        if self._socket:
            self._socket.close()

    # --- routes

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/me", self._me),
                Route("/v1/events", self._events),
                Route("/v1/sessions", self._session, methods=["POST"]),
                Route("/v1/agents/tokens", self._join_token, methods=["POST"]),
                Route("/v1/{noun}", self._list),
                Route("/v1/{noun}", self._collect, methods=["POST"]),
                Route("/v1/{noun}/{verb}", self._collect, methods=["POST"]),
                Route("/v1/releases/matrix", self._matrix),
                Route("/v1/bureau-addresses/completeness", self._matrix),
                Route("/v1/{noun}/{record_id}", self._one),
                Route("/v1/{noun}/{record_id}/impact", self._impact),
                Route("/v1/{noun}/{record_id}/{verb}", self._act, methods=["POST"]),
            ]
        )

    def _refused(self, request: Request) -> Response | None:
        self.asked.append(request.url.path)
        if request.headers.get("authorization") == f"Bearer {TOKEN}":
            return None
        return problem(401, "not_signed_in", "请登录")

    async def _me(self, request: Request) -> Response:
        return self._refused(request) or JSONResponse(self.me)

    async def _session(self, request: Request) -> Response:
        body = await request.json()
        if body["password"] != "right":
            return problem(401, "sign_in_failed", "用户名或口令不对")
        return JSONResponse({"token": TOKEN, "principal": self.me}, 201)

    async def _join_token(self, request: Request) -> Response:
        self.acts.append((request.url.path, await request.json()))
        return JSONResponse({"token": "join-1234567890abcdef", "expires_at": "2026-11-22T18:00:00.000Z"}, 201)

    async def _list(self, request: Request) -> Response:
        return self._listed(request, request.path_params["noun"])

    async def _matrix(self, request: Request) -> Response:
        return self._listed(request, request.url.path.removeprefix("/v1/"))

    async def _impact(self, request: Request) -> Response:
        found = self.impacts.get(request.path_params["record_id"])
        return self._refused(request) or (as_json(found) if found else problem(404, "not_found", "没有这条记录"))

    def _listed(self, request: Request, noun: str) -> Response:
        refused = self._refused(request)
        if refused:
            return refused
        items = list(self.records.get(noun, {}).values())
        start, limit = int(request.query_params.get("cursor", 0)), int(request.query_params.get("limit", 100))
        end = start + limit
        return as_json({"items": items[start:end], "next": str(end) if end < len(items) else None})

    async def _one(self, request: Request) -> Response:
        refused = self._refused(request)
        record = self.records.get(request.path_params["noun"], {}).get(request.path_params["record_id"])
        if refused or record is None:
            return refused or problem(404, "not_found", "没有这条记录")
        return as_json(record)

    async def _collect(self, request: Request) -> Response:
        body = await request.json()
        self.acts.append((request.url.path, body))
        noun, verb = request.path_params["noun"], request.path_params.get("verb", "register")
        if self.answer:
            return self.answer(verb, body)
        record = {"id": f"{noun}-{len(self.acts)}", "version": 1, **body}
        self.put(noun, record, verb)
        return as_json(record, 201)

    async def _act(self, request: Request) -> Response:
        body = await request.json()
        self.acts.append((request.url.path, body))
        noun, record_id, verb = (request.path_params[key] for key in ("noun", "record_id", "verb"))
        if self.answer:
            return self.answer(verb, body)
        record = self.records[noun][record_id]
        job = {"id": "job-1", "version": 1, "kind": f"device.{verb}", "state": "queued", "trail": []}
        self.put("jobs", job, "queued")
        record = {**record, "version": record["version"] + 1, "open_job": {"id": "job-1", "kind": job["kind"]}}
        self.put(noun, record, verb)
        return as_json({"job": job, "record": record}, 202)

    async def _events(self, request: Request) -> Response:
        refused = self._refused(request)
        if refused:
            return refused
        given = request.query_params.get("after")
        self.first_afters.append(given)
        after = int(given) if given is not None else len(self.events)
        return StreamingResponse(self._stream(after), media_type="text/event-stream")

    async def _stream(self, after: int) -> AsyncIterator[bytes]:
        bell, cuts = asyncio.Event(), self._cuts
        entry = (asyncio.get_running_loop(), bell)
        self._bells.append(entry)
        try:
            yield b": connected\n\n"
            while cuts == self._cuts:
                for event in self.events[after:]:
                    after = event["seq"]
                    yield f"id: {after}\nevent: change\ndata: {json.dumps(event)}\n\n".encode()
                await bell.wait()
                bell.clear()
        finally:
            self._bells.remove(entry)


def _listening(port: int) -> socket.socket:
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind(("127.0.0.1", port))
    return found


def as_json(body: Any, status: int = 200) -> Response:
    """JSON in ASCII: lone surrogates and controls travel as escapes."""
    return Response(json.dumps(body), status, media_type="application/json")


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    document = {"type": f"urn:{code}", "title": code, "status": status, "detail": detail, "code": code, **more}
    return Response(json.dumps(document), status, media_type="application/problem+json")
