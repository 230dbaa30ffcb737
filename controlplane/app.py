"""The application: the one place that puts ledger, hub, rules, timetable and routes together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.routing import Route

from controlplane import data
from controlplane.api import (
    agent_line,
    agents,
    alert_flips,
    alert_rules,
    applications,
    batches,
    bureau_addresses,
    deliveries,
    feed,
    fleet,
    health,
    invoice_acts,
    invoices,
    lines,
    people,
    problem,
    red_forms,
    releases,
    reports,
    seals,
    secure_proxies,
    sessions,
    stock_alerts,
    stops,
    tax_codes,
    tax_servers,
    taxpayers,
    uploads,
    virtual_devices,
    work,
)
from controlplane.api.access import Memory
from controlplane.api.guard import Guard
from controlplane.api.hub import Hub
from controlplane.api.openapi import describe
from controlplane.api.services import Services
from controlplane.domain.tax_code import CodeBook
from controlplane.operations import tax_code_views
from controlplane.settings import Settings
from controlplane.store.engine import Ledger
from controlplane.store.times import Clock, system_clock
from controlplane.timetable import Timetable
from controlplane.wire import agents as agent_wire
from probes.reach import Reach

HOT = (
    Route("/v1/invoices", invoices.request_invoice, methods=["POST"]),
    Route("/v1/invoices/check", invoices.check_invoice, methods=["POST"]),
    Route(agent_wire.JOIN_PATH, agent_line.join, methods=["POST"]),
    Route(agent_wire.LEASE_PATH, agent_line.lease, methods=["POST"]),
    Route(agent_wire.OUTCOMES_PATH, agent_line.outcomes, methods=["POST"]),
    Route("/v1/events", feed.events, methods=["GET"]),
    Route("/healthz", health.healthz, methods=["GET"]),
    Route("/readyz", health.readyz, methods=["GET"]),
    Route("/metrics", health.metrics, methods=["GET"]),
)
"""Routes with plain Starlette endpoints; the rest are FastAPI's."""
ROOMS = (
    bureau_addresses,
    sessions,
    taxpayers,
    tax_servers,
    virtual_devices,
    fleet,
    work,
    invoices,
    agents,
    lines,
    applications,
    stock_alerts,
    seals,
    releases,
    secure_proxies,
    batches,
    alert_rules,
    alert_flips,
    deliveries,
    people,
    stops,
    reports,
    uploads,
    tax_codes,
    invoice_acts,
    red_forms,
)
"""The modules of management routes."""
FURTHER = (
    reports.schedule_routes,
    tax_codes.code_routes,
    sessions.acting,
    applications.grants,
    stock_alerts.tree,
)
"""Second routers of some of them."""
_NO_TELEMETRY = {"tracing": False, "metrics": False, "logs": False}
"""Our own metrics are at /metrics; looking for OpenTelemetry would cost each request 30 µs."""


def build(settings: Settings, clock: Clock = system_clock) -> FastAPI:
    """The application over the ledger that ``settings`` names; the schema must be up to date."""
    # Each application has a book of codes of its own, which takes in the versions its ledger puts in force.
    rules = replace(data.issuing_rules(), codes=CodeBook(data.tax_codes()))
    guard = Guard()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        ledger = Ledger(settings.database_url, clock)
        hub = Hub(ledger)
        hub.start()
        ledger.read_now(lambda hand: tax_code_views.refresh(hand, rules.codes))
        keeping = asyncio.create_task(tax_codes.keep_book(ledger, hub, rules.codes))
        timetable = Timetable(ledger, rules, settings.mail)
        timetable.start()
        app.state.services = Services(ledger, hub, rules, clock, Reach(settings.probe_allow))
        app.state.timetable = timetable
        guarding = asyncio.create_task(guard.run(ledger))
        try:
            yield
        finally:
            guarding.cancel()
            keeping.cancel()
            await guard.settle(ledger, everything=True)
            timetable.stop()
            hub.stop()
            ledger.close()

    metrics = health.Metrics()
    app: FastAPI = FastAPIOffline(
        title="taxplane",
        version="1",
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=_NO_TELEMETRY,
    )
    app.state.memory = Memory()
    app.state.guard = guard
    app.state.agents_seen = {}
    app.state.metrics = metrics
    app.state.settings = settings
    app.add_middleware(health.Measure, metrics=metrics)
    problem.install(app)
    app.router.routes.extend(HOT)
    for room in ROOMS:
        app.include_router(room.routes)
    for further in FURTHER:
        app.include_router(further)
    describe(app)
    return app
