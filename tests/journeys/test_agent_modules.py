"""The agent stays light: what the living process has loaded after a hundred invoices."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.journeys.asking import ask
from tests.journeys.books import Books
from tests.journeys.demo_process import Demo
from tests.journeys.front_door import Door
from tests.journeys.test_issue import send_all

INVOICES = 100
FORBIDDEN = {
    *("fastapi", "starlette", "uvicorn", "sqlmodel", "sqlalchemy", "pydantic", "pydantic_core", "textual"),
    *("httpx2", "httpcore2", "alembic", "apscheduler"),
}


@pytest.fixture(scope="module")
def worked(demo: Demo, front_end: Door, books: Books) -> int:
    """The agent's process id, once it has issued a hundred invoices."""
    pid = int(demo.control().get("/pids")["agent"])
    answers = send_all(front_end, [ask(demo.taxpayer_id, f"weight-{n:03d}") for n in range(INVOICES)])
    assert {answer.status for answer in answers.values()} == {200}
    books.uploaded(answers, 60)
    assert int(demo.control().get("/pids")["agent"]) == pid
    return pid


def imported(log: str) -> set[str]:
    """Top-level names of all modules a process told of as it imported them."""
    return {found.partition(".")[0] for found in re.findall(r"^import time: +\d+ \| +\d+ \| +(\S+)$", log, re.M)}


def test_its_own_account_of_every_import_names_nothing_heavy(worked: int, demo: Demo) -> None:
    """The interpreter itself writes a line for each import, early or late, into the log of the process."""
    names = imported(demo.log("agent"))
    assert {"agents", "controlplane", "msgspec", "sqlite3"} <= names
    assert not names & FORBIDDEN
    assert {"fastapi", "sqlmodel", "pydantic"} <= imported(demo.log("server")), "the account is worth nothing"


def test_no_heavy_library_is_mapped_into_it(worked: int, demo: Demo) -> None:
    """The kernel's account: extension modules in the memory of the living process (Linux)."""
    if sys.platform != "linux":
        return
    mine, servers = extensions(worked), extensions(int(demo.control().get("/pids")["server"]))
    assert "msgspec" in mine and not mine & FORBIDDEN, mine
    assert {"pydantic_core", "sqlalchemy"} <= servers, "the account is worth nothing"


def extensions(pid: int) -> set[str]:
    """Distributions whose extension modules a process has in memory."""
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    return set(re.findall(r"/site-packages/([^/\s]+)/\S+\.so", maps))
