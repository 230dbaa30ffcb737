"""Clock and chance come in by argument; errors are caught by name; nothing is mocked or skipped."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.house import tree

SOURCE = tree.modules(*tree.PACKAGES)

CLOCK_SEAMS = {
    "agents/instants.py",
    "agents/simulated/calendar.py",
    "agents/simulated/mail_catcher.py",
    "console/app.py",
    "console/demo.py",
    "controlplane/store/times.py",
    "probes/__main__.py",
}
"""Where a process's real clock is made; everything else is given it."""

CHANCE_SEAMS = {
    "agents/__main__.py",
    "agents/simulated/faults.py",
    "agents/simulated/mail_catcher.py",
    "console/app.py",
    "console/demo.py",
    "probes/__main__.py",
    "probes/dns_lookup.py",
    "probes/reach.py",
}
"""Where a source of chance is made (by seed, or the system's); everything else is given it."""

LOOPS = {
    "agents/delivery.py",
    "agents/host.py",
    "console/screens/worker.py",
    "controlplane/store/engine.py",
    "controlplane/timetable.py",
}
"""The loops that outlive any error of what they call: agent host, timetable, TUI worker, and the ledger's writer."""

CLOCK = re.compile(r"\btime\.time\(|\bdatetime\.(now|today|utcnow)\(|\bdate\.today\(")
CHANCE = re.compile(r"\brandom\.(Random|SystemRandom|random|choice|randint|uniform|shuffle|sample|expovariate)\(")


def _using(pattern: re.Pattern[str]) -> set[str]:
    return {tree.name(path) for path in SOURCE if pattern.search(path.read_text(encoding="utf-8"))}


def test_the_wall_clock_is_read_only_where_a_program_is_put_together() -> None:
    assert _using(CLOCK) - CLOCK_SEAMS == set()


def test_chance_is_made_only_where_a_program_is_put_together() -> None:
    assert _using(CHANCE) - CHANCE_SEAMS == set()


def _is_broad(handler: ast.ExceptHandler) -> bool:
    if any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler)):
        return False
    return handler.type is None or (
        isinstance(handler.type, ast.Name) and handler.type.id in ("Exception", "BaseException")
    )


def test_only_the_loops_catch_everything() -> None:
    broad = {
        tree.name(path)
        for path in SOURCE
        for node in ast.walk(tree.tree(path))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node)
    }
    assert broad - LOOPS == set()


UNWANTED = {
    "a postponed duty": re.compile(r"\b(TODO|FIXME|XXX)\b"),
    "a skipped test": re.compile(r"\bpytest\." + r"(skip|xfail|mark\.(skip|skipif|xfail))\b"),
    "a mock": re.compile(r"\b(unittest\.mock|Magic" + r"Mock|mocker\b|create_autospec)"),
    "an ignored type without its code": re.compile(r"#\s*type:\s*ignore(?!\[)"),
}


@pytest.mark.parametrize("what", UNWANTED)
def test_nothing_is_put_off_or_looked_away_from(what: str) -> None:
    own = Path(__file__)
    assert [
        f"{tree.name(path)}:{number}"
        for path in tree.modules(*tree.PACKAGES, "tests")
        if path != own
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if UNWANTED[what].search(line)
    ] == []
