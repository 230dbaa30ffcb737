"""Two machines in one: two network namespaces and a cable; loopback addresses where that is forbidden."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from tests.journeys.demo_process import HOUSE, die_with_us
from tests.journeys.front_door import PATIENCE, Connect, plain_connection

_CLONE_NEWNET = 0x40000000
_NETWORK = "10.213.77"


def namespaces_allowed() -> bool:
    """Whether this user may make network namespaces here, with the programs at hand."""
    try:
        return not subprocess.run(["unshare", "--net", "ip", "link", "show", "lo"], capture_output=True).returncode
    except OSError:
        return False


class Machine:
    """One side. ``address`` is where the other one reaches it; ``inside`` prefixes commands that run on it."""

    def __init__(self, address: str, namespace: str = "") -> None:
        """``namespace``: path of its network namespace, empty for the one we are in."""
        self.address, self._namespace = address, namespace
        self.inside = ["nsenter", f"--net={namespace}"] if namespace else []
        self._running: list[subprocess.Popen[bytes]] = []

    def start(
        self, command: list[str], log: Path, environment: Mapping[str, str] | None = None, out: int | None = None
    ) -> subprocess.Popen[bytes]:
        """A program of ours (``python -m …``) on this machine, until its end or the test's."""
        with log.open("ab") as words:
            process = subprocess.Popen(
                [*self.inside, sys.executable, "-m", *command], stdin=subprocess.DEVNULL, stdout=out or words,
                stderr=words, cwd=HOUSE, env={**os.environ, **(environment or {})}, preexec_fn=die_with_us,
            )  # fmt: skip
        self._running.append(process)
        return process

    def run(self, command: list[str], environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """A program of ours on this machine, to its end."""
        return subprocess.run(
            [*self.inside, sys.executable, "-m", *command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            cwd=HOUSE, env={**os.environ, **(environment or {})}, timeout=60, preexec_fn=die_with_us,
        )  # fmt: skip

    def connect(self) -> Connect:
        """Makes HTTP connections that start from this machine."""
        if not self._namespace:
            return plain_connection
        return lambda host, port: _From(self._namespace, host, port)

    def stop(self) -> None:
        """End what runs here, last started first."""
        for process in reversed(self._running):
            process.terminate()
        until = time.monotonic() + 10
        for process in self._running:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


class _From(http.client.HTTPConnection):
    """A connection whose socket was made in another network namespace, where it stays."""

    def __init__(self, namespace: str, host: str, port: int) -> None:
        super().__init__(host, port, timeout=PATIENCE)
        self._namespace = namespace

    def connect(self) -> None:
        made: list[socket.socket | OSError] = []

        def make() -> None:
            # Only this thread moves over, and it ends here.
            place = os.open(self._namespace, os.O_RDONLY)
            try:
                if ctypes.CDLL(None, use_errno=True).setns(place, _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
                made.append(socket.create_connection((self.host, self.port), PATIENCE))
            except OSError as fault:
                made.append(fault)
            finally:
                os.close(place)

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if isinstance(made[0], OSError):
            raise made[0]
        self.sock = made[0]


@contextlib.contextmanager
def two_machines() -> Iterator[tuple[Machine, Machine]]:
    """Head office and branch. Nothing is left of them afterwards, however this process ends."""
    if not namespaces_allowed():
        print("\n*** NO NETWORK NAMESPACES HERE: the two machines are two loopback addresses ***")
        far = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
        pair = (Machine(far), Machine("127.0.0.1"))
        try:
            yield pair
        finally:
            for machine in pair:
                machine.stop()
        return
    with contextlib.ExitStack() as stack:
        holders = [stack.enter_context(_holder()) for _ in range(2)]
        cable = f"tp{uuid.uuid4().hex[:8]}"
        places = [f"/proc/{holder.pid}/ns/net" for holder in holders]
        # The cable's ends never lie in our own namespace: made in the first one, one end moved to the second.
        first, second = (["nsenter", f"--net={place}", "ip"] for place in places)
        _do([*first, "link", "add", f"{cable}a", "type", "veth", "peer", "name", f"{cable}b"])
        _do([*first, "link", "set", f"{cable}b", "netns", str(holders[1].pid)])
        for number, (command, end) in enumerate(((first, "a"), (second, "b")), 1):
            _do([*command, "address", "add", f"{_NETWORK}.{number}/24", "dev", f"{cable}{end}"])
            _do([*command, "link", "set", f"{cable}{end}", "up"])
            _do([*command, "link", "set", "lo", "up"])
        machines = [Machine(f"{_NETWORK}.{number}", place) for number, place in enumerate(places, 1)]
        try:
            yield machines[0], machines[1]
        finally:
            for machine in machines:
                machine.stop()


@contextlib.contextmanager
def _holder() -> Iterator[subprocess.Popen[bytes]]:
    """A process that keeps a namespace alive as long as our end of its stdin is open."""
    command = ["unshare", "--net", "sh", "-c", "echo there; exec cat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None and holder.stdout is not None
        assert holder.stdout.readline() == b"there\n"
        yield holder
        holder.stdin.close()


def _do(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.returncode, (command, done.stderr)


def first_line(stream: IO[bytes] | None) -> bytes:
    """The line a process prints when it is ready."""
    assert stream is not None
    line = stream.readline()
    assert line, "it ended before it was ready"
    return line
