"""Names are looked up with retries of our own, believe only the right answer, and leave no thread behind."""

import asyncio
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import dns_message
from probes.resolver import LookupFailed, NameServers, SystemNames, SystemResolver
from tests.probes.conftest import name_server


def asking(port, rng, seconds=3.0):
    names = NameServers([("127.0.0.1", port)], {}, rng)
    return lambda name: names.addresses(name, time.monotonic() + seconds)


async def test_ipv4_first_and_ipv6_where_there_is_nothing_else(rng):
    async with name_server({"two.example": ["192.0.2.7", "2001:db8::7"], "six.example": ["2001:db8::6"]}) as (_, port):
        ask = asking(port, rng)
        assert [str(address) for address in await ask("Two.Example")] == ["192.0.2.7"]
        assert [str(address) for address in await ask("six.example")] == ["2001:db8::6"]


async def test_no_such_name_and_a_broken_server_are_told_apart(rng):
    async with name_server({}) as (names, port):
        with pytest.raises(LookupFailed) as caught:
            await asking(port, rng)("nobody.example")
        assert caught.value.reason == "no_such_name"
        names.code = 2
        with pytest.raises(LookupFailed) as caught:
            await asking(port, rng)("nobody.example")
        assert caught.value.reason == "name_server_failed"


async def test_a_lost_datagram_is_asked_again(rng):
    async with name_server({"a.example": ["192.0.2.7"]}) as (names, port):
        names.deaf = 1
        began = time.monotonic()
        assert await asking(port, rng)("a.example")
        assert time.monotonic() - began < 1


async def test_the_second_server_helps_out(rng):
    async with name_server({"a.example": ["192.0.2.7"]}) as (names, port), name_server({}) as (dead, dead_port):
        dead.deaf = 99
        servers = NameServers([("127.0.0.1", dead_port), ("127.0.0.1", port)], {}, rng)
        assert await servers.addresses("a.example", time.monotonic() + 3)
        assert names.asked == ["a.example"]


async def test_a_server_without_a_route_is_passed_over(rng):
    nowhere = ("255.255.255.255", 53)
    async with name_server({"a.example": ["192.0.2.7"]}) as (_, port):
        names = NameServers([nowhere, ("127.0.0.1", port)], {}, rng)
        assert await names.addresses("a.example", time.monotonic() + 3)
    with pytest.raises(LookupFailed) as caught:
        await NameServers([nowhere], {}, rng).addresses("a.example", time.monotonic() + 3)
    assert caught.value.reason == "name_server_failed"


async def test_silence_ends_at_the_deadline_without_a_thread(rng):
    async with name_server({}) as (names, port):
        names.deaf = 99
        threads = threading.active_count()
        began = time.monotonic()
        with pytest.raises(LookupFailed) as caught:
            await asking(port, rng, 0.3)("a.example")
        assert caught.value.reason == "timeout"
        assert time.monotonic() - began < 0.6
        assert threading.active_count() == threads


async def test_an_answer_to_another_question_is_not_believed(rng):
    async with name_server({"a.example": ["192.0.2.7"]}) as (names, port):
        names.wrong_identity = True
        with pytest.raises(LookupFailed) as caught:
            await asking(port, rng, 0.3)("a.example")
        assert caught.value.reason == "timeout"


async def test_a_hundred_answers_come_by_tcp(rng):
    many = [f"192.0.2.{number}" for number in range(100)]
    async with name_server({"many.example": many}) as (names, port):
        names.truncate = True
        assert len(await asking(port, rng)("many.example")) == 100


async def test_the_host_files_are_read_again_when_they_change(tmp_path, rng):
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost # ours\n::1 localhost\nbroken line\n192.0.2.1 tax.example tax\n")
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    names = SystemResolver(rng, tmp_path)
    assert [str(address) for address in await names.addresses("LOCALHOST", time.monotonic())] == ["127.0.0.1"]
    await asyncio.sleep(0.01)
    hosts.write_text("192.0.2.9 localhost\n")
    assert [str(address) for address in await names.addresses("localhost", time.monotonic())] == ["192.0.2.9"]


async def test_without_a_resolver_file_the_system_is_asked(tmp_path, rng):
    assert [
        str(address) for address in await SystemResolver(rng, tmp_path).addresses("localhost", time.monotonic() + 5)
    ]
    with pytest.raises(LookupFailed):
        await SystemNames().addresses("nobody.invalid", time.monotonic() + 5)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data):
    head = dns_message.question(7, "a.example", dns_message.A)
    for message in (data, b"\x00\x07\x81\x80\x00\x01\x00\x05" + data, head[:2] + b"\x81\x80" + head[4:] + data):
        try:
            found = dns_message.answer(message, 7, "a.example", dns_message.A)
        except dns_message.BadMessage:
            continue
        assert isinstance(found.addresses, tuple)


def test_a_name_that_points_at_itself_is_refused():
    message = b"\x00\x07\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + b"\xc0\x0c" + b"\x00\x01\x00\x01"
    with pytest.raises(dns_message.BadMessage):
        dns_message.answer(message, 7, "a.example", dns_message.A)
