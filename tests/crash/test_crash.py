"""A seeded slice of the crash runs: processes killed in the middle of things, and the books in order afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crash.__main__ import SPEED
from tests.crash.demo import Demo
from tests.crash.runs import Runs

SEEDS = range(1, 21)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("crash"), SPEED)
    yield demo
    demo.close()


@pytest.mark.timeout(280)
def test_killed_processes_break_no_promise(demo: Demo) -> None:
    runs = Runs(demo)
    verdicts = [runs.run(seed) for seed in SEEDS]
    print(*verdicts, sep="\n")
    assert [(verdict.seed, verdict.broken) for verdict in verdicts if verdict.broken] == []
    kills = [kill for verdict in verdicts for kill in verdict.kills]
    assert sum("agent" in kill.victims for kill in kills) >= 10
    assert sum("server" in kill.victims for kill in kills) >= 10
    assert sum(kill.open_calls > 0 for kill in kills) >= 3
    assert min(kill.unsettled for kill in kills) >= 20
