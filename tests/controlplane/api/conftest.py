"""A server with a small fleet behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from controlplane.store.engine import Ledger
from controlplane.store.times import system_clock
from tests.controlplane.api.serving import Serving, people, token_of
from tests.controlplane.operations.paper_devices import Paper
from tests.controlplane.operations.scene import Agent, Clock, Scene


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Stage:
    """The server, the ledger behind it, who may call, and two taxpayers with a ready device each."""

    server: Serving
    scene: Scene
    clock: Clock
    agent: Agent
    owners: tuple[str, str]
    papers: tuple[Paper, Paper]
    tokens: dict[str, str]

    def get(self, path: str, who: str | None = "admin", **more: Any) -> httpx2.Response:
        """A request with the token of a role."""
        return self.server.get(path, self.tokens[who] if who else None, **more)

    def post(self, path: str, who: str | None = "admin", **more: Any) -> httpx2.Response:
        """A request with the token of a role."""
        return self.server.post(path, self.tokens[who] if who else None, **more)

    def front_end(self, which: int) -> str:
        """The name of the front end that sees only one of the taxpayers."""
        return f"front_end of {self.owners[which]}"

    def device_id(self, which: int) -> str:
        return self.scene.id_of(self.papers[which])


@pytest.fixture
def stage(database_url: str, clock: Clock) -> Iterator[Stage]:
    """Everything, on a database of this test's own."""
    founding = Ledger(database_url, system_clock)
    Scene(founding)
    founding.close()
    server = Serving(database_url, clock)
    scene = Scene(server.ledger)
    agent = Agent(scene)
    owners = scene.taxpayer(1), scene.taxpayer(2)
    server_id = scene.server(agent)
    papers = scene.ready(agent, owners[0], server_id), scene.ready(agent, owners[1], server_id)
    tokens = people(scene, *owners) | {"agent": token_of(agent)}
    yield Stage(server, scene, clock, agent, owners, papers, tokens)
    server.close()
