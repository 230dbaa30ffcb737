"""A process that holds a PostgreSQL server for one test session, and undoes everything when the session is gone.

``python -m tests.keeper start OWNER DIRECTORY BINARIES USER`` and ``… watch OWNER ADMIN_URL PREFIX`` return once the
server answers; a detached copy stays behind until the process OWNER has ended, however it ended.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

_PATIENCE = 60.0
_PR_SET_PDEATHSIG = 1
_OPTIONS = (
    *("-c", "listen_addresses="),
    *("-c", "max_connections=200"),
    # No test cuts the power, so the tests need not wait for the disk.
    *("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"),
)


def main(arguments: list[str]) -> int:
    """Start or only watch; 0 once the server answers, 1 with the server's own words on stderr when it does not."""
    what, owner, *rest = arguments
    ready, tell = os.pipe()
    if os.fork():
        os.close(tell)
        said = os.read(ready, 65536).decode()
        sys.stderr.write("" if said == "ready" else said or "the keeper ended without a word\n")
        return 0 if said == "ready" else 1
    os.close(ready)
    os.setsid()
    _let_go_of_output()
    try:
        undo = _start(Path(rest[0]), Path(rest[1]), rest[2]) if what == "start" else _watch(*rest)
    except (OSError, subprocess.SubprocessError, psycopg.Error) as fault:
        os.write(tell, f"{fault}\n".encode())
        return 1
    os.write(tell, b"ready")
    os.close(tell)
    _wait_for_end(int(owner))
    undo()
    return 0


def _let_go_of_output() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)


def _wait_for_end(owner: int) -> None:
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while True:
        try:
            os.kill(owner, 0)
        except ProcessLookupError:
            return
        time.sleep(0.2)


def _start(directory: Path, binaries: Path, user: str) -> Callable[[], None]:
    """Make a cluster in ``directory`` and start it; its socket is there too."""
    account = pwd.getpwnam(user)
    if os.geteuid() == 0:
        os.chown(directory, account.pw_uid, account.pw_gid)
    identity: dict[str, Any] = {"user": user, "group": account.pw_gid} if os.geteuid() == 0 else {}
    home = {"HOME": str(directory), "PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
    data = directory / "data"
    command = [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]
    made = subprocess.run(command, capture_output=True, text=True, env=home, cwd=directory, **identity)
    if made.returncode:
        raise OSError(f"initdb: {made.stdout}{made.stderr}")
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-k", directory, *_OPTIONS],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=home, cwd=directory,
            preexec_fn=_die_with_keeper, **identity,
        )  # fmt: skip
    _wait_until_it_answers(directory, server)

    def undo() -> None:
        server.send_signal(signal.SIGQUIT)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(directory, ignore_errors=True)

    return undo


def _die_with_keeper() -> None:
    # Runs after the change of user, which would clear it. Where there is no prctl the server outlives a killed keeper.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait_until_it_answers(directory: Path, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            psycopg.connect(f"host={directory} user=postgres dbname=postgres").close()
            return
        except psycopg.OperationalError as fault:
            if server.poll() is not None or time.monotonic() > until:
                server.kill()
                raise OSError(f"{fault}\n{(directory / 'log').read_text()}") from fault
            time.sleep(0.05)


def _watch(admin_url: str, prefix: str) -> Callable[[], None]:
    """A server of somebody else's: at the end only the databases of this session go."""
    psycopg.connect(admin_url).close()

    def undo() -> None:
        with psycopg.connect(admin_url, autocommit=True) as connection:
            found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (prefix,))
            for (name,) in found.fetchall():
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())

    return undo


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
