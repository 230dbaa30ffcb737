"""Reading a log over SFTP against a real SSH server: bounded, shut in its directory, and only from a host we know."""

import contextlib
import os
import socket
import threading
import time

import paramiko
import pytest

from probes.remote_log import Span, probe, read
from probes.settings import ProbeSettings, SshLogin
from probes.target import parse
from tests.probes.conftest import clock

PASSWORD = "correct horse"


class Door(paramiko.ServerInterface):
    def check_auth_password(self, username, password):
        right = (username, password) == ("reader", PASSWORD)
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username):
        return "password"

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED if kind == "session" else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


class OpenFile(paramiko.SFTPHandle):
    def __init__(self, path):
        super().__init__(os.O_RDONLY)
        self.readfile = os.fdopen(os.open(path, os.O_RDONLY), "rb")

    def stat(self):
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))


class Files(paramiko.SFTPServerInterface):
    """The real file system, read only; counts nothing and hides nothing."""

    def lstat(self, path):
        return self._about(os.lstat, path)

    def stat(self, path):
        return self._about(os.stat, path)

    def canonicalize(self, path):
        return os.path.realpath(path)

    def open(self, path, flags, attr):
        try:
            return OpenFile(path)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    @staticmethod
    def _about(look, path):
        try:
            return paramiko.SFTPAttributes.from_stat(look(path))
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)


@contextlib.contextmanager
def serving(session):
    """A listener whose every connection runs ``session(connection)`` in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        ends = threading.Event()
        threads = []

        def accept():
            while True:
                try:
                    connection, _ = door.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=session, args=(connection, ends)))
                threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        yield door.getsockname()[1]
        ends.set()
        door.shutdown(socket.SHUT_RDWR)
        acceptor.join()
        for thread in threads:
            thread.join()


@pytest.fixture(scope="module")
def host_key():
    return paramiko.ECDSAKey.generate()


@pytest.fixture
def host(host_key):
    def session(connection, ends):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = paramiko.Transport(connection)
        transport.add_server_key(host_key)
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files)
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            transport.start_server(server=Door())
        while transport.is_active() and not ends.wait(0.01):
            pass
        transport.close()
        transport.join()

    with serving(session) as port:
        yield port


@pytest.fixture
def logs(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "agent.log").write_bytes(b"".join(b"line %06d\n" % number for number in range(20_000)))
    (tmp_path / "secret").write_text("secret")
    (folder / "link.log").symlink_to(tmp_path / "secret")
    (folder / "door").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.log")
    return folder


def known(port, key):
    return f"# hosts\n[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n"


def asking(settings, port, key, logs, **change):
    login = {
        "username": "reader",
        "password": PASSWORD,
        "known_hosts": known(port, key),
        "directories": (str(logs),),
        **change,
    }
    return ProbeSettings(reach=settings.reach, clock=clock, ssh=SshLogin(**login))


def at(port, path):
    return parse(f"sftp://127.0.0.1:{port}{path}")


def soon(seconds=5.0):
    return time.monotonic() + seconds


async def test_a_probe_sees_size_and_time_and_gives_no_text(settings, host, host_key, logs):
    reading = await probe(at(host, logs / "agent.log"), asking(settings, host, host_key, logs), soon())
    assert reading.ok, reading
    assert reading.facts["size"] == (logs / "agent.log").stat().st_size and reading.facts["modified"]
    assert "line 0" not in repr(reading)


@pytest.mark.parametrize(
    ("span", "begin", "end"),
    [(Span(0, 12), 0, 12), (Span(24, 24), 24, 48), (Span(-12, 100), -12, None), (Span(10**9, 5), 10**9, None)],
)
async def test_exactly_the_span_is_read(settings, host, host_key, logs, span, begin, end):
    whole = (logs / "agent.log").read_bytes()
    reading, data = await read(at(host, logs / "agent.log"), asking(settings, host, host_key, logs), soon(), span)
    assert reading.ok and data == whole[begin:end]


async def test_one_call_never_reads_more_than_its_limit(settings, host, host_key, logs):
    with (logs / "huge.log").open("wb") as file:
        file.truncate(12 * 1024 * 1024)
    target = at(host, logs / "huge.log")
    reading, data = await read(target, asking(settings, host, host_key, logs), soon(10), Span(0, 10**12))
    assert reading.ok and len(data) == 10 * 1024 * 1024


@pytest.mark.parametrize(
    ("path", "phase", "reason"),
    [
        ("/etc/passwd", "reach", "not_allowed"),
        ("{logs}-other/a.log", "reach", "not_allowed"),
        ("{logs}/link.log", "read", "not_allowed"),
        ("{logs}/door/secret", "read", "not_allowed"),
        ("{logs}/pipe.log", "read", "not_allowed"),
        ("{logs}/none.log", "read", "not_found"),
    ],
)
async def test_only_plain_files_below_the_directories(settings, host, host_key, logs, path, phase, reason):
    target = at(host, path.format(logs=logs))
    reading, data = await read(target, asking(settings, host, host_key, logs), soon(), Span(0, 100))
    assert (reading.ok, reading.failing_phase, reading.reason, data) == (False, phase, reason, b"")


async def test_a_changed_or_unknown_host_key_stops_before_the_password(settings, host, host_key, logs):
    other = paramiko.ECDSAKey.generate()
    changed = await probe(at(host, logs / "agent.log"), asking(settings, host, other, logs), soon())
    assert (changed.failing_phase, changed.reason) == ("login", "host_key_changed")
    unknown = asking(settings, host, host_key, logs, known_hosts="")
    reading = await probe(at(host, logs / "agent.log"), unknown, soon())
    assert (reading.failing_phase, reading.reason) == ("login", "host_key_unknown")


async def test_a_broken_line_among_the_known_hosts_opens_nothing(settings, host, host_key, logs):
    broken = asking(settings, host, host_key, logs, known_hosts="[127.0.0.1] ssh-ed25519 !!!\n")
    reading = await probe(at(host, logs / "agent.log"), broken, soon())
    assert (reading.failing_phase, reading.reason) == ("login", "host_key_unknown")


async def test_a_wrong_password_is_denied_and_not_shown(settings, host, host_key, logs):
    wrong = asking(settings, host, host_key, logs, password="wrong battery")
    reading = await probe(at(host, logs / "agent.log"), wrong, soon())
    assert (reading.failing_phase, reading.reason) == ("login", "denied")
    assert "battery" not in repr(wrong) and "battery" not in repr(reading)


async def test_without_a_login_nothing_is_connected(settings, logs):
    reading = await probe(at(1, logs / "agent.log"), settings, soon())
    assert (reading.failing_phase, reading.reason) == ("login", "no_credentials")


async def test_a_refused_connection_and_an_inside_host(settings, host_key, logs):
    reading = await probe(at(1, logs / "agent.log"), asking(settings, 1, host_key, logs), soon())
    assert (reading.failing_phase, reading.reason) == ("tcp", "refused")
    inside = parse(f"sftp://10.0.0.1{logs}/agent.log")
    reading = await probe(inside, asking(settings, 1, host_key, logs), soon())
    assert (reading.failing_phase, reading.reason) == ("reach", "not_allowed")


@pytest.mark.parametrize("banner", [b"", b"SSH-2.0-slow\r\n"])
async def test_a_server_that_hangs_ends_at_the_deadline_and_leaves_no_thread(settings, host_key, logs, banner):
    def hang(connection, ends):
        connection.sendall(banner)
        ends.wait()
        connection.close()

    with serving(hang) as port:
        began = time.monotonic()
        reading = await probe(at(port, logs / "agent.log"), asking(settings, port, host_key, logs), soon(0.4))
        assert (reading.ok, reading.failing_phase) == (False, "login")
        assert reading.reason in ("timeout", "bad_answer")
        assert time.monotonic() - began < 1
        for _ in range(100):
            if not [thread for thread in threading.enumerate() if isinstance(thread, paramiko.Transport)]:
                break
            time.sleep(0.02)
        else:
            pytest.fail("the SSH thread outlived its check")
