"""``sftp://host/path``: a bounded piece of one log file over SFTP; no shell, no command, no agent, known hosts only."""

from __future__ import annotations

import asyncio
import contextlib
import posixpath
import socket
import stat
from dataclasses import dataclass

import paramiko
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

from probes.connection import looked_up
from probes.measurement import Failed, Measurement, measured
from probes.reach import NotAllowed
from probes.reading import Reading
from probes.settings import ProbeSettings, SshLogin
from probes.target import Target

MOST_LOG_BYTES = 10 * 1024 * 1024
"""Most that one call reads."""
LONGEST_READ = 30.0
"""Seconds one call may take."""
_TASTE = 4 * 1024
"""What a probe reads to see that the file can be read."""
_CHUNK = 32 * 1024


@dataclass(frozen=True, slots=True)
class Span:
    """Which bytes to read: ``length`` from ``start`` on; a negative start counts from the end of the file."""

    start: int
    length: int


async def probe(target: Target, settings: ProbeSettings, deadline: float) -> Reading:
    """Facts ``size`` and ``modified`` (seconds since 1970) of a file that could be opened and read. Phases dns, tcp."""
    reading, _ = await read(target, settings, deadline, Span(-_TASTE, _TASTE))
    return reading


async def read(target: Target, settings: ProbeSettings, deadline: float, span: Span) -> tuple[Reading, bytes]:
    """The bytes of ``span`` as they are on the host (clean them before showing), at most MOST_LOG_BYTES; empty when the
    reading failed."""
    found: list[bytes] = []

    async def steps(measurement: Measurement) -> None:
        found.append(await _read(measurement, span))

    reading = await measured(Measurement(target, settings, deadline, LONGEST_READ), steps)
    return reading, found[0] if reading.ok else b""


async def _read(measurement: Measurement, span: Span) -> bytes:
    login, path = measurement.settings.ssh, measurement.target.path
    if login is None:
        raise Failed("no_credentials", "login")
    if not _below(path, login.directories):
        raise Failed("not_allowed", "reach")
    address = await looked_up(measurement, measurement.target.host)
    measurement.enter("tcp")
    door = await _connect(measurement, address)
    try:
        return await asyncio.to_thread(_session, measurement, login, door, span)
    finally:
        # Also when the deadline passes: a closed socket is what ends the worker thread.
        with contextlib.suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)
        door.close()


def _below(path: str, directories: tuple[str, ...]) -> bool:
    return any(path.startswith(directory.rstrip("/") + "/") for directory in directories)


async def _connect(measurement: Measurement, address: str) -> socket.socket:
    door = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    door.setblocking(False)
    door.setsockopt(
        socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
    )  # every read is a small question that waits for its answer
    try:
        await asyncio.get_running_loop().sock_connect(door, (address, measurement.target.port))
        measurement.settings.reach.confirm(door.getpeername()[0])
    except NotAllowed as error:
        door.close()
        raise Failed("not_allowed", "reach") from error
    except BaseException:
        door.close()
        raise
    measurement.passed("tcp")
    return door


def _session(measurement: Measurement, login: SshLogin, door: socket.socket, span: Span) -> bytes:
    """The blocking part, in a worker thread."""
    measurement.enter("login")
    with paramiko.SSHClient() as client:
        try:
            _log_in(client, measurement, login, door)
        except paramiko.BadHostKeyException as error:
            raise Failed("host_key_changed") from error
        except paramiko.AuthenticationException as error:
            raise Failed("denied") from error
        except paramiko.SSHException as error:
            unknown = "not found in known_hosts" in str(error)
            raise Failed("host_key_unknown" if unknown else "bad_answer") from error
        measurement.enter("read")
        try:
            return _read_file(client, measurement, span)
        except FileNotFoundError as error:
            raise Failed("not_found") from error
        except PermissionError as error:
            raise Failed("denied") from error
        except (paramiko.SSHException, EOFError) as error:
            raise Failed("bad_answer") from error


def _log_in(client: paramiko.SSHClient, measurement: Measurement, login: SshLogin, door: socket.socket) -> None:
    target = measurement.target
    client.get_host_keys().update(_known_keys(login.known_hosts))
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    client.connect(
        target.host,
        target.port,
        login.username,
        login.password,
        key_filename=str(login.key_file) if login.key_file else None,
        sock=door,
        allow_agent=False,
        look_for_keys=False,
        timeout=measurement.left,
        banner_timeout=measurement.left,
        auth_timeout=measurement.left,
        channel_timeout=measurement.left,
    )


def _known_keys(text: str) -> paramiko.HostKeys:
    """The known hosts as the library keeps them; a line it cannot read means that this host is not known."""
    keys = paramiko.HostKeys()
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        try:
            entry = HostKeyEntry.from_line(line)
        except (paramiko.SSHException, InvalidHostKey, ValueError, IndexError) as error:
            raise Failed("host_key_unknown") from error
        if entry is not None and entry.key is not None:
            for name in entry.hostnames or ():
                keys.add(name, entry.key.get_name(), entry.key)
    return keys


def _read_file(client: paramiko.SSHClient, measurement: Measurement, span: Span) -> bytes:
    path = measurement.target.path
    with client.open_sftp() as sftp:
        channel = sftp.get_channel()
        if channel is not None:
            channel.settimeout(measurement.left)
        # SFTP cannot be told not to follow links, so the path must be its own real path, and a plain file.
        if sftp.normalize(path) != posixpath.normpath(path) or not stat.S_ISREG(sftp.lstat(path).st_mode or 0):
            raise Failed("not_allowed")
        with sftp.open(path, "rb") as file:
            facts = file.stat()
            size = facts.st_size or 0
            measurement.facts["size"] = size
            measurement.facts["modified"] = facts.st_mtime or 0
            file.seek(max(0, size + span.start) if span.start < 0 else span.start)
            return _read_span(file, min(span.length, MOST_LOG_BYTES))


def _read_span(file: paramiko.SFTPFile, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        piece = file.read(min(_CHUNK, length - len(data)))
        if not piece:
            break
        data += piece
    return bytes(data[:length])
