"""An agent between a scripted control plane and a scripted tax server, all on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agents.peers.agent_process import AgentProcess
from tests.agents.peers.control_plane import ControlPlane
from tests.agents.peers.tax_server import TaxServer


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    plane = ControlPlane()
    yield plane
    plane.close()


@pytest.fixture
def tax_server() -> Iterator[TaxServer]:
    server = TaxServer()
    yield server
    server.close()


@pytest.fixture
def agent(tmp_path: Path, plane: ControlPlane) -> Iterator[AgentProcess]:
    agent = AgentProcess(tmp_path / "home", plane.url)
    yield agent
    agent.kill()
