"""The probes of a line against real listeners: every way a peer can fail is a reading, never an exception."""

import asyncio
import socket
import time
from datetime import UTC, datetime

import pytest

from probes import clock_offset, dns_lookup, http_get, tcp_connect, tls_handshake
from probes.measurement import Measurement
from probes.reach import Reach
from probes.reading import Reading
from probes.resolver import NameServers
from probes.settings import ProbeSettings
from probes.target import parse
from tests.probes.conftest import OK, answering, clock, listener, name_server, silent, unused_port

ONE = b"HTTP/1.1 200 OK\r\n"


async def look(probe, url, settings, seconds=3.0) -> Reading:
    return await probe(parse(url), settings, time.monotonic() + seconds)


# --- tcp -------------------------------------------------------------------------------------------------------------


async def test_tcp_opens_and_sends_nothing(settings):
    got = []

    async def handler(reader, writer):
        got.append(await reader.read())

    async with listener(handler) as port:
        reading = await look(tcp_connect.probe, f"tcp://127.0.0.1:{port}", settings)
        await asyncio.sleep(0.05)
    assert reading.ok and reading.address == "127.0.0.1" and set(reading.phases) == {"dns", "tcp"}
    assert reading.failing_phase is None and reading.reason == "" and reading.started_at.tzinfo is not None
    assert got == [b""]


async def test_tcp_refused(settings):
    reading = await look(tcp_connect.probe, f"tcp://127.0.0.1:{unused_port()}", settings)
    assert (reading.ok, reading.failing_phase, reading.reason) == (False, "tcp", "refused")
    assert set(reading.phases) == {"dns"}


async def test_tcp_that_never_opens_ends_at_the_deadline(settings):
    # A listener whose backlog is full does not answer any more: a real connect time-out on loopback.
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen(0)
        url = f"tcp://127.0.0.1:{door.getsockname()[1]}"
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(door.getsockname())
        began = time.monotonic()
        reading = await look(tcp_connect.probe, url, settings, 0.3)
        for filler in fillers:
            filler.close()
    assert (reading.failing_phase, reading.reason) == ("tcp", "timeout")
    assert time.monotonic() - began < 0.6


async def test_an_address_that_is_not_allowed_is_never_connected_to(rng):
    met = []

    async def handler(reader, writer):
        met.append(writer)

    async with listener(handler) as port, name_server({"trap.example": ["127.0.0.1"]}) as (_, names):
        reach = Reach(["public"], NameServers([("127.0.0.1", names)], {}, rng))
        settings = ProbeSettings(reach=reach, clock=clock)
        for url in (f"tcp://127.0.0.1:{port}", f"tcp://[::ffff:127.0.0.1]:{port}", f"https://trap.example:{port}/"):
            reading = await look(tcp_connect.probe, url, settings)
            assert (reading.failing_phase, reading.reason, reading.address) == ("reach", "not_allowed", None)
    assert met == []


async def test_names_are_resolved_once_and_connected_to_that_address(rng):
    async with listener(answering(OK)) as port, name_server({"bureau.example": ["127.0.0.1"]}) as (names, names_port):
        reach = Reach(["127.0.0.0/8"], NameServers([("127.0.0.1", names_port)], {}, rng))
        settings = ProbeSettings(reach=reach, clock=clock)
        reading = await look(http_get.probe, f"http://bureau.example:{port}/", settings)
        assert reading.ok and reading.address == "127.0.0.1"
        assert names.asked == ["bureau.example"]
        missing = await look(tcp_connect.probe, "tcp://nobody.example:1", settings)
        assert (missing.failing_phase, missing.reason) == ("dns", "no_such_name")


# --- tls -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def trusting(settings, authority):
    return ProbeSettings(reach=settings.reach, clock=clock, tls=authority.client())


async def test_tls_reads_the_certificate(trusting, authority):
    async with listener(silent, authority.server(days=90)) as port:
        reading = await look(tls_handshake.probe, f"tls://127.0.0.1:{port}", trusting)
    assert reading.ok and set(reading.phases) == {"dns", "tcp", "tls"}
    assert reading.certificate and (reading.certificate.not_after - clock()).days in (89, 90)
    assert reading.certificate.issuer == "测试根证书 Test Root"


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"days": -1}, "certificate_expired"),
        ({"address": "127.0.0.2"}, "certificate_wrong_name"),
    ],
)
async def test_tls_names_what_is_wrong_and_shows_the_certificate(trusting, authority, made, reason):
    async with listener(silent, authority.server(**made)) as port:
        reading = await look(tls_handshake.probe, f"tls://127.0.0.1:{port}", trusting)
    assert (reading.ok, reading.failing_phase, reading.reason) == (False, "tls", reason)
    assert reading.certificate and reading.certificate.issuer == "测试根证书 Test Root"


async def test_tls_of_an_unknown_authority_is_untrusted(settings, authority):
    async with listener(silent, authority.server()) as port:
        reading = await look(tls_handshake.probe, f"tls://127.0.0.1:{port}", settings)
    assert (reading.failing_phase, reading.reason) == ("tls", "certificate_untrusted")


async def test_tls_towards_a_plain_service(settings):
    async def chatty(reader, writer):
        writer.write(b"220 this is not TLS\r\n")
        await reader.read()

    async with listener(chatty) as port:
        reading = await look(tls_handshake.probe, f"tls://127.0.0.1:{port}", settings)
    assert (reading.failing_phase, reading.reason) == ("tls", "tls_failed")


@pytest.mark.parametrize(("peer", "reason"), [("close", "closed"), ("reset", "reset"), ("silent", "timeout")])
async def test_tls_broken_off_in_the_handshake(settings, peer, reason):
    async def handler(reader, writer):
        await reader.read(64)
        if peer == "reset":
            linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if peer == "silent":
            await asyncio.sleep(1)
        else:
            await reader.read(4096)

    async with listener(handler) as port:
        reading = await look(tls_handshake.probe, f"tls://127.0.0.1:{port}", settings, 0.4)
    assert (reading.failing_phase, reading.reason) == ("tls", reason)


# --- http ------------------------------------------------------------------------------------------------------------


async def test_http_counts_the_body_and_keeps_none_of_it(settings):
    async with listener(answering(OK)) as port:
        reading = await look(http_get.probe, f"http://127.0.0.1:{port}/x?y=1", settings)
    assert reading.ok and set(reading.phases) == {"dns", "tcp", "ttfb"}
    assert dict(reading.facts) == {"status": 200, "bytes": 5}
    assert "hello" not in repr(reading)


async def test_https_has_all_four_phases(trusting, authority):
    async with listener(answering(OK), authority.server()) as port:
        reading = await look(http_get.probe, f"https://127.0.0.1:{port}/", trusting)
    assert reading.ok and list(reading.phases) == ["dns", "tcp", "tls", "ttfb"] and reading.certificate


@pytest.mark.parametrize(
    "answer",
    [
        ONE + b"\r\nuntil the end",
        ONE + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_http_takes_every_sound_answer_and_follows_nothing(settings, answer):
    async with listener(answering(answer)) as port:
        reading = await look(http_get.probe, f"http://127.0.0.1:{port}/", settings)
    assert reading.ok, reading
    assert "169.254" not in repr(reading)


@pytest.mark.parametrize(
    ("answer", "phase", "reason"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "ttfb", "server_error"),
        (b"", "ttfb", "closed"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "ttfb", "bad_answer"),
        (ONE + b"Broken\r\n\r\n", "ttfb", "bad_answer"),
        (ONE + b"X: " + b"a" * 20_000, "ttfb", "bad_answer"),
        (ONE + b"Content-Length: minus\r\n\r\n", "body", "bad_answer"),
        (ONE + b"Content-Le", "body", "closed"),
        (ONE + b"Content-Length: 500\r\n\r\nhalf", "body", "closed"),
        (ONE + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", "body", "closed"),
    ],
)
async def test_http_names_where_it_broke(settings, answer, phase, reason):
    async with listener(answering(answer)) as port:
        reading = await look(http_get.probe, f"http://127.0.0.1:{port}/", settings)
    assert (reading.ok, reading.failing_phase, reading.reason) == (False, phase, reason)


async def test_http_reads_no_more_than_its_limit(trusting, authority):
    sent = 0

    async def endless(reader, writer):
        nonlocal sent
        writer.write(ONE + b"\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()
            sent += 65_536

    for scheme, tls in (("http", None), ("https", authority.server())):
        async with listener(endless, tls) as port:
            reading = await look(http_get.probe, f"{scheme}://127.0.0.1:{port}/", trusting)
        assert reading.ok and reading.facts["bytes"] == 32 * 1024
        assert reading.duration_ms < 2000


async def test_http_one_byte_at_a_time_ends_at_the_deadline(settings):
    async def drip(reader, writer):
        for letter in ONE * 100:
            writer.write(bytes([letter]))
            await writer.drain()
            await asyncio.sleep(0.02)

    async with listener(drip) as port:
        began = time.monotonic()
        reading = await look(http_get.probe, f"http://127.0.0.1:{port}/", settings, 0.3)
    assert (reading.failing_phase, reading.reason) == ("ttfb", "timeout")
    assert time.monotonic() - began < 0.7


async def test_a_deadline_beyond_ten_seconds_is_cut_to_ten(settings):
    measurement = Measurement(parse("tcp://127.0.0.1:1"), settings, time.monotonic() + 3600)
    assert 9 < measurement.left <= 10


# --- clock, dns ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date", "offset"), [(b"Sun, 22 Nov 2026 09:10:00 GMT", 600.5), (b"Sun, 22 Nov 2026 08:59:59 GMT", -0.5)]
)
async def test_clock_offset_is_theirs_minus_ours(settings, date, offset):
    fixed = ProbeSettings(reach=settings.reach, clock=lambda: datetime(2026, 11, 22, 9, 0, tzinfo=UTC))
    async with listener(answering(ONE + b"Date: " + date + b"\r\nContent-Length: 0\r\n\r\n")) as port:
        reading = await look(clock_offset.probe, f"clock+http://127.0.0.1:{port}/", fixed)
    assert reading.ok
    assert abs(reading.facts["offset_seconds"] - offset) < 0.2
    assert 0.5 <= reading.facts["uncertainty_seconds"] < 0.7


@pytest.mark.parametrize(
    "date", [b"", b"Date: soon\r\n", b"Date: Sun, 99 Nov 2026 09:10:00 GMT\r\n", b"Date: 1e999\r\n"]
)
async def test_clock_offset_without_a_date_is_a_bad_answer(settings, date):
    async with listener(answering(ONE + date + b"Content-Length: 0\r\n\r\n")) as port:
        reading = await look(clock_offset.probe, f"clock+http://127.0.0.1:{port}/", settings)
    assert (reading.ok, reading.reason) == (False, "bad_answer")


async def test_dns_asks_a_named_server(settings):
    async with name_server({"bureau.example": ["192.0.2.1", "192.0.2.2"]}) as (_, port):
        reading = await look(dns_lookup.probe, f"dns://127.0.0.1:{port}/bureau.example", settings)
        assert reading.ok and reading.facts["addresses"] == "192.0.2.1 192.0.2.2"
        reading = await look(dns_lookup.probe, f"dns://127.0.0.1:{port}/nobody.example", settings)
        assert (reading.failing_phase, reading.reason) == ("dns", "no_such_name")
        reading = await look(dns_lookup.probe, f"dns://127.0.0.1:{port}/127.1", settings)
        assert (reading.failing_phase, reading.reason) == ("reach", "not_allowed")
