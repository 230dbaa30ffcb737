"""The real application on a real socket, with people, front ends and an agent that can call it."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI

from controlplane.app import build
from controlplane.operations import principals, secrets
from controlplane.settings import MailSettings, Settings
from controlplane.store.engine import Ledger
from controlplane.store.transaction import Transaction
from tests.controlplane.operations.scene import Agent, Clock, Scene

ROLES = ("admin", "operator", "auditor", "front_end", "probe")
PASSWORD = "correct horse battery staple"


class Serving:
    """A server in a thread of its own, until ``close``."""

    def __init__(self, url: str, clock: Clock, recipients: tuple[str, ...] = ()) -> None:
        self.app: FastAPI = build(Settings(database_url=url, mail=MailSettings(recipients=recipients)), clock)
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(self.app, log_level="critical", ws="none", server_header=False,
                                timeout_graceful_shutdown=1)  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        until = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < until and self._thread.is_alive(), "the server did not start"
            time.sleep(0.005)
        self.client = httpx2.Client(base_url=self.url, timeout=40.0, trust_env=False)

    @property
    def ledger(self) -> Ledger:
        """The server's own ledger."""
        found = self.app.state.services.ledger
        assert isinstance(found, Ledger)
        return found

    def call(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx2.Response:
        """One request; ``json`` and ``content`` bodies are sent as application/json."""
        headers = dict(more.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if "content" in more:
            headers.setdefault("Content-Type", "application/json")
        return self.client.request(method, path, headers=headers, **more)

    def get(self, path: str, token: str | None = None, **more: Any) -> httpx2.Response:
        return self.call("GET", path, token, **more)

    def post(self, path: str, token: str | None = None, **more: Any) -> httpx2.Response:
        return self.call("POST", path, token, **more)

    def close(self) -> None:
        self.client.close()
        self.app.state.services.hub.stop()
        self._server.should_exit = True
        self._thread.join(15)
        self._socket.close()
        assert not self._thread.is_alive()


def token_of(agent: Agent) -> str:
    """What the agent calls with."""
    return f"{agent.id}.{agent.secret}"


def people(scene: Scene, *owners: str) -> dict[str, str]:
    """A token per role; and one per taxpayer of a front end that sees only it, under ``front_end of <taxpayer_id>``."""
    tokens: dict[str, str] = {}

    def create(tx: Transaction) -> None:
        for role in ROLES:
            tokens[role] = secrets.new_secret()
            row = principals.create(tx, role, role, PASSWORD if role == "operator" else None)
            principals.give_token(tx, row["id"], tokens[role], None)
        for owner in owners:
            tokens[f"front_end of {owner}"] = secrets.new_secret()
            row = principals.create(tx, f"front end of {owner}", "front_end", None, [owner])
            principals.give_token(tx, row["id"], tokens[f"front_end of {owner}"], None)

    scene.ledger.write_now(create)
    return tokens
