"""Who may import whom: the contracts are kept, would notice if they were not, and hold at run time too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import tree

BINARIES = Path(sys.executable).parent
SERVER_SIDE = {"fastapi", "starlette", "uvicorn", "sqlmodel", "sqlalchemy", "alembic"}
NOT_FOR_AGENTS = SERVER_SIDE | {"pydantic", "textual", "httpx2", "openpyxl"}

PLANTS = [
    ("agents/host.py", "import fastapi"),
    ("agents/drivers/gp_calls.py", "import controlplane.wire.records"),
    ("agents/workbench.py", "from controlplane.store import engine"),
    ("agents/drivers/contract.py", "from agents import workbench"),
    ("agents/simulated/bureau.py", "from agents import journal"),
    ("agents/host.py", "from agents.simulated import bureau"),
    ("console/link.py", "import sqlmodel"),
    ("console/feed.py", "import textual"),
    ("console/screens/cells.py", "import httpx2"),
    ("console/widgets/ink.py", "from console import app"),
    ("controlplane/domain/money.py", "import msgspec"),
    ("controlplane/wire/agents.py", "from controlplane.store import engine"),
    ("controlplane/store/jobs.py", "from controlplane.operations import jobs"),
    ("controlplane/operations/jobs.py", "import sqlalchemy"),
    ("probes/target.py", "import inventory.asset"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The five packages and their contracts, for planting things in."""
    place = tmp_path_factory.mktemp("house")
    for package in tree.PACKAGES:
        shutil.copytree(tree.HOUSE / package, place / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(tree.HOUSE / "pyproject.toml", place)
    (place / "README.md").touch()
    (place / "tests").mkdir()
    shutil.copy(tree.HOUSE / "tests" / "lint.sh", place / "tests")
    return place


def _contracts(place: Path) -> subprocess.CompletedProcess[str]:
    command = [BINARIES / "lint-imports", "--cache-dir", place / ".cache"]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"})


def test_the_contracts_are_kept(copy: Path) -> None:
    done = _contracts(copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("file", "line"), PLANTS, ids=lambda word: word)
def test_a_planted_import_is_found(copy: Path, file: str, line: str) -> None:
    with _planted(copy / file, line):
        done = _contracts(copy)
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout


def test_a_planted_import_fails_the_lint_command(copy: Path) -> None:
    with _planted(copy / "agents" / "host.py", "import fastapi"):
        command = ["sh", "tests/lint.sh"]
        environment = os.environ | {"VENV": str(BINARIES.parent)}
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert "An agent is a small program BROKEN" in done.stdout


class _planted:
    """A module with one line more, for a while."""

    def __init__(self, path: Path, line: str) -> None:
        self._path, self._text, self._line = path, path.read_text(encoding="utf-8"), line

    def __enter__(self) -> None:
        self._path.write_text(f"{self._text}\n{self._line}\n", encoding="utf-8")

    def __exit__(self, *_: object) -> None:
        self._path.write_text(self._text, encoding="utf-8")


def _loaded_by(statement: str) -> set[str]:
    script = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, cwd=tree.HOUSE, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["agents.host", "agents.__main__", "agents.doctor"])
def test_an_agent_loads_no_server_side_package(module: str) -> None:
    assert _loaded_by(f"import {module}") & NOT_FOR_AGENTS == set()


def test_every_driver_loads_no_server_side_package() -> None:
    names = [path.stem for path in (tree.HOUSE / "agents" / "drivers").glob("*.py")]
    imports = ", ".join(f"agents.drivers.{name}" for name in names if name != "__init__")
    assert _loaded_by(f"import {imports}") & NOT_FOR_AGENTS == set()


def test_the_consoles_link_loads_neither_server_nor_screens() -> None:
    assert _loaded_by("import console.link") & (SERVER_SIDE | {"textual"}) == set()


def test_the_simulated_bureau_loads_nothing_of_the_control_plane() -> None:
    script = "from agents.simulated import __main__, bureau_house, server_room"
    assert _loaded_by(script) & {"controlplane", "console", "probes", "inventory"} == set()


def test_our_generic_names_are_ours() -> None:
    for package in tree.PACKAGES:
        command = [sys.executable, "-c", f"import {package}; print({package}.__file__)"]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True)
        assert Path(done.stdout.strip()) == tree.HOUSE / package / "__init__.py"
