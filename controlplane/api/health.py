"""``/healthz``, ``/readyz`` and ``/metrics``: is the process alive, can it serve, and how much it does."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controlplane.api.hot import reply
from controlplane.api.services import services_of
from controlplane.store.engine import LedgerUnavailable
from controlplane.store.head import position, touch

READY_WITHIN = 2.0


async def healthz(_request: Request) -> Response:
    """200 as long as the process answers."""
    return reply({"status": "ok"})


async def readyz(request: Request) -> Response:
    """200 when the ledger can be read and written and the clock's work is under way; else 503 naming what is not."""
    services = services_of(request)
    faults = [*request.app.state.timetable.faults()]
    try:
        instance_id, seq = await services.ledger.read(position)
        await services.ledger.write(touch)
    except LedgerUnavailable:
        return reply({"status": "not ready", "faults": ["ledger", *faults]}, 503)
    if faults:
        return reply({"status": "not ready", "faults": faults}, 503)
    return reply({"status": "ready", "instance_id": instance_id, "ledger_seq": seq})


class Metrics:
    """Counters of this process, with bounded labels and no tax numbers."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "taxplane_requests", "Requests by route and status", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "taxplane_request_seconds", "Seconds a request took", ["route"], registry=self.registry
        )
        self.events = Gauge("taxplane_feed_position", "Number of the last event passed on", registry=self.registry)

    def note(self, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self.requests.labels(route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """The metrics in OpenMetrics' older text form."""
        return generate_latest(self.registry)


async def metrics(request: Request) -> Response:
    """Metrics of this process."""
    found: Metrics = request.app.state.metrics
    found.events.set(services_of(request).hub.seq)
    return Response(found.text(), media_type=CONTENT_TYPE_LATEST)


class Measure:
    """Outermost layer: counts requests and gives each answer its plain security headers."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and note what became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff")]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = scope.get("route")
            self._metrics.note(getattr(route, "path", "-"), status, time.perf_counter() - started)
