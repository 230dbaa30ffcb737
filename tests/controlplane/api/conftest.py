"""The real application on a real socket, over a ledger with a small fleet in it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from controlplane.app import build
from controlplane.settings import Settings
from controlplane.store.engine import Ledger
from tests.controlplane.api.house import House
from tests.controlplane.operations.scene import Agent, Clock, Scene


@contextlib.contextmanager
def serving(database_url: str, clock: Clock) -> Iterator[str]:
    """The application's URL while it serves."""
    app = build(Settings(database_url=database_url), clock)
    config = uvicorn.Config(app, port=0, log_level="warning", ws="none", lifespan="on", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < until, "the application did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        app.state.services.hub.stop()
        server.should_exit = True
        thread.join(15)


@pytest.fixture
def clock() -> Clock:
    """Stands still until it is moved."""
    return Clock()


@pytest.fixture
def house(database_url: str, clock: Clock) -> Iterator[House]:
    """A served application, callers of every role, and a fleet with one ready device."""
    ledger = Ledger(database_url, clock)
    scene = Scene(ledger)
    with serving(database_url, clock) as url:
        yield House(url, scene, Agent(scene))
    ledger.close()
