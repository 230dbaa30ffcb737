"""1a, 1b: probes per CPU-second, samples claimed, handed in and stored, against prometheus-blackbox-exporter.

Ours counts the probe process and the server that stores; the peer's counts the exporter alone, which stores nothing.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from controlplane.operations import first_start
from controlplane.store import migrations, times
from controlplane.store.engine import Ledger
from controlplane.store.lines import BureauEndpointRow
from controlplane.store.transaction import Transaction
from tests.bench.furnishing import people
from tests.bench.processes import HOUSE, Server, cpu_seconds, serving
from tests.bench.table import Figures, Row

EXPORTER = "prometheus-blackbox-exporter"
LINES = 1000
AT_ONCE = 32
"""Probes that the exporter is asked for at the same time."""
KINDS = (("1a", "tcp", 0.15), ("1a", "http", 0.15), ("1b", "https", 0.7))
_MODULES = """
modules:
  tcp: {prober: tcp, tcp: {preferred_ip_protocol: ip4}}
  http: {prober: http, http: {preferred_ip_protocol: ip4}}
  https: {prober: http, http: {preferred_ip_protocol: ip4, tls_config: {ca_file: "CA_FILE"}}}
"""


@dataclass(frozen=True)
class Targets:
    """What is probed: a port for each scheme."""

    ports: dict[str, int]
    ca_file: Path

    def urls(self, scheme: str) -> list[str]:
        """So many different targets of a scheme: by address for TCP, by path for the others."""
        port = self.ports[scheme]
        if scheme == "tcp":
            return [f"tcp://127.0.{number // 250}.{number % 250 + 1}:{port}" for number in range(LINES)]
        return [f"{scheme}://127.0.0.1:{port}/{number}" for number in range(LINES)]


def exporter() -> str | None:
    """The peer's command, if it is on this machine; TAXPLANE_BENCH_BLACKBOX names one elsewhere."""
    return os.environ.get("TAXPLANE_BENCH_BLACKBOX") or shutil.which(EXPORTER)


def measure(folder: Path, rounds: int) -> list[Row]:
    """One row a kind: our CPU per stored check over the exporter's per check, rounds interleaved."""
    command = exporter()
    rows = []
    with ExitStack() as stack:
        targets = stack.enter_context(_targets(folder))
        peer = stack.enter_context(_exporter(command, folder, targets)) if command else None
        for number, scheme, goal in KINDS:
            place = folder / scheme
            place.mkdir()
            with _watching(place, targets, scheme) as (prober, server):
                ours, theirs = [], []
                for turn in range(rounds + 1):
                    one = _ours(prober, server)
                    two = _theirs(peer, targets.urls(scheme), scheme) if peer else 0.0
                    if turn:  # the first one warms up
                        ours.append(one)
                        theirs.append(two)
            rows.append(_row(number, scheme, goal, (ours, theirs if peer else [])))
    return rows


def _row(number: str, scheme: str, goal: float, cpu: tuple[list[float], list[float]]) -> Row:
    ours, theirs = (Figures([1 / one for one in side]) if side else None for side in cpu)
    subject = f"line watch, {scheme.upper()}, sample stored: CPU per check"
    told = f"{ours} checks per CPU-second (probe process and server)"
    if theirs is None:
        return Row(number, subject, goal, None, told, f"theirs: {EXPORTER} is not on this machine", at_least=False)
    ratio = theirs.over(ours) if ours else None
    return Row(number, subject, goal, ratio, told, f"theirs: {theirs} (exporter alone)", at_least=False)


def _ours(prober: subprocess.Popen[str], server: Server) -> float:
    """CPU seconds a check, of both processes."""
    assert prober.stdin is not None and prober.stdout is not None
    before = cpu_seconds(prober.pid) + server.cpu_seconds()
    prober.stdin.write("go\n")
    prober.stdin.flush()
    done = int(_line(prober.stdout))
    if done != LINES:
        raise RuntimeError(f"{done} of {LINES} checks were good")
    return (cpu_seconds(prober.pid) + server.cpu_seconds() - before) / done


def _theirs(peer: Server, urls: list[str], module: str) -> float:
    """CPU seconds a check, of the exporter."""
    before = peer.cpu_seconds()

    def ask(some: list[str]) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=30)
        good = 0
        for url in some:
            target = url.removeprefix("tcp://")
            connection.request("GET", f"/probe?{urllib.parse.urlencode({'target': target, 'module': module})}")
            good += b"\nprobe_success 1" in connection.getresponse().read()
        connection.close()
        return good

    with ThreadPoolExecutor(AT_ONCE) as pool:
        good = sum(pool.map(ask, [urls[first::AT_ONCE] for first in range(AT_ONCE)]))
    if good != len(urls):
        raise RuntimeError(f"the exporter found {good} of {len(urls)} good")
    return (peer.cpu_seconds() - before) / good


@contextmanager
def _targets(folder: Path) -> Iterator[Targets]:
    command = [sys.executable, "-m", "tests.bench.peers.probed", str(folder)]
    with _child(command, folder / "probed.log") as process:
        assert process.stdout is not None
        yield Targets(json.loads(_line(process.stdout)), folder / "ca.pem")


@contextmanager
def _exporter(command: str, folder: Path, targets: Targets) -> Iterator[Server]:
    config = folder / "blackbox.yml"
    config.write_text(_MODULES.replace("CA_FILE", str(targets.ca_file)))
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = int(door.getsockname()[1])
    words = [command, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with _child(words, folder / "exporter.log") as process:
        for _ in range(200):
            with socket.socket() as door:
                if door.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield Server(process.pid, port)


@contextmanager
def _watching(folder: Path, targets: Targets, scheme: str) -> Iterator[tuple[subprocess.Popen[str], Server]]:
    """A server whose ledger has the lines, and a probe process that waits for the word."""
    url = f"sqlite:///{folder / 'ledger.db'}"
    migrations.upgrade(url)
    ledger = Ledger(url, times.system_clock)
    try:
        ledger.write_now(first_start.found)
        token = ledger.write_now(lambda tx: people(tx, ("probe",)))["probe"]
        ledger.write_now(lambda tx: _lines(tx, targets.urls(scheme)))
    finally:
        ledger.close()
    run = ["controlplane", "run", "--socket-fd", "{fd}"]
    with serving(run, {"TAXPLANE_DATABASE_URL": url}, folder / "server.log") as server:
        api = f"http://127.0.0.1:{server.port}"
        command = [sys.executable, "-m", "tests.bench.peers.prober", api, str(targets.ca_file)]
        with _child(command, folder / "prober.log", {"TAXPLANE_TOKEN": token}) as prober:
            yield prober, server


def _lines(tx: Transaction, urls: list[str]) -> None:
    stamps = {"created_at": tx.now, "updated_at": tx.now}
    for number, url in enumerate(urls):
        row = BureauEndpointRow(
            id=times.new_id(), region="上海", area_code="3100", service=f"s{number}", target=url, enabled=1, **stamps
        )
        tx.add(row)


@contextmanager
def _child(command: list[str], log: Path, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    with log.open("wb") as words:
        process = subprocess.Popen(
            command, cwd=HOUSE, env={**os.environ, **(environment or {})}, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=words, text=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()


def _line(stream: IO[str]) -> str:
    line = stream.readline()
    if not line:
        raise RuntimeError("a process of the bench ended before its time")
    return line
