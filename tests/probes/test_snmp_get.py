"""SNMP against a real responder with v2c and v3, and against peers that answer wrongly over raw UDP."""

import asyncio
import contextlib
import time

import pytest
from pyasn1.codec.ber import decoder, encoder
from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.proto.api import v2c

from probes.settings import ProbeSettings, SnmpCommunity, SnmpUser
from probes.snmp_get import probe
from probes.target import parse
from tests.probes.conftest import clock

NAME, UPTIME, MISSING = "1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.99.0"
GOOD_USER = SnmpUser("watcher", "auth-key-12345", "privacy-key-12345")


@contextlib.asynccontextmanager
async def responder():
    """A real SNMP engine that answers community ``tax-ops`` and user ``watcher`` from the system group."""
    agent = engine.SnmpEngine()
    transport = udp.UdpAsyncioTransport().open_server_mode(("127.0.0.1", 0))
    config.add_transport(agent, udp.DOMAIN_NAME, transport)
    config.add_v1_system(agent, "area", "tax-ops")
    config.add_v3_user(
        agent,
        GOOD_USER.name,
        config.USM_AUTH_HMAC192_SHA256,
        GOOD_USER.auth_key,
        config.USM_PRIV_CFB128_AES,
        GOOD_USER.privacy_key,
    )
    config.add_vacm_user(agent, 2, "area", "noAuthNoPriv", (1, 3, 6))
    config.add_vacm_user(agent, 3, GOOD_USER.name, "authPriv", (1, 3, 6))
    cmdrsp.GetCommandResponder(agent, context.SnmpContext(agent))
    await transport._lport
    try:
        yield transport.transport.get_extra_info("sockname")[1]
    finally:
        agent.close_dispatcher()
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def raw_peer(reply):
    """Answers each datagram with whatever ``reply(transport, data, sender)`` sends."""

    class Peer(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, addr):
            reply(self.transport, data, addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Peer, local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


def answer_to(data: bytes, *, shift: int = 0, value=None) -> bytes:
    """A sound v2c answer to a question, but for what the test changes."""
    message, _ = decoder.decode(data, asn1Spec=v2c.Message())
    question = v2c.apiMessage.get_pdu(message)
    reply = v2c.apiMessage.get_response(message)
    pdu = v2c.apiMessage.get_pdu(reply)
    v2c.apiPDU.set_request_id(pdu, int(v2c.apiPDU.get_request_id(question)) + shift)
    v2c.apiPDU.set_varbinds(pdu, [(v2c.ObjectIdentifier(NAME), value or v2c.OctetString("host-1"))])
    return encoder.encode(reply)


async def ask(port, settings, login, *oids, seconds=4.0):
    given = ProbeSettings(reach=settings.reach, clock=clock, snmp=login)
    return await probe(parse(f"snmp://127.0.0.1:{port}/{','.join(oids)}"), given, time.monotonic() + seconds)


@pytest.mark.parametrize("login", [GOOD_USER, SnmpCommunity("tax-ops")])
async def test_values_are_read_by_v3_and_v2c(settings, login):
    async with responder() as port:
        reading = await ask(port, settings, login, UPTIME, NAME, MISSING)
    assert reading.ok, reading
    assert isinstance(reading.facts[UPTIME], int) and isinstance(reading.facts[NAME], str)
    assert MISSING not in reading.facts


async def test_a_device_without_the_value_is_not_found(settings):
    async with responder() as port:
        reading = await ask(port, settings, SnmpCommunity("tax-ops"), MISSING)
    assert (reading.ok, reading.reason) == (False, "not_found")


@pytest.mark.parametrize(
    "login",
    [
        SnmpUser("watcher", "wrong-key-12345", "privacy-key-12345"),
        SnmpUser("stranger", "auth-key-12345", "privacy-key-12345"),
    ],
)
async def test_wrong_credentials_are_denied(settings, login):
    async with responder() as port:
        reading = await ask(port, settings, login, NAME)
    assert (reading.ok, reading.failing_phase, reading.reason) == (False, "login", "denied")


@pytest.mark.parametrize("community", ["public", "private", "Public"])
async def test_the_communities_every_scanner_knows_are_refused(settings, community):
    heard = []
    async with raw_peer(lambda transport, data, sender: heard.append(data)) as port:
        reading = await ask(port, settings, SnmpCommunity(community), NAME)
    assert (reading.failing_phase, reading.reason) == ("login", "not_allowed")
    assert heard == []
    assert not SnmpCommunity(community, allow_default=True).refused


async def test_without_credentials_nothing_is_sent(settings):
    reading = await ask(1, settings, None, NAME)
    assert (reading.failing_phase, reading.reason) == ("login", "no_credentials")


async def test_secrets_are_not_shown(settings):
    shown = repr(ProbeSettings(reach=settings.reach, clock=clock, snmp=GOOD_USER)) + repr(SnmpCommunity("tax-ops"))
    assert "key-12345" not in shown and "tax-ops" not in shown


async def test_silence_ends_at_the_deadline(settings):
    began = time.monotonic()
    async with raw_peer(lambda *_: None) as port:
        reading = await ask(port, settings, SnmpCommunity("tax-ops"), NAME, seconds=0.8)
    assert (reading.ok, reading.reason) == (False, "timeout")
    assert time.monotonic() - began < 1.5


async def test_an_answer_to_another_request_is_not_believed(settings):
    def reply(transport, data, sender):
        transport.sendto(answer_to(data, shift=1), sender)

    async with raw_peer(reply) as port:
        reading = await ask(port, settings, SnmpCommunity("tax-ops"), NAME, seconds=0.8)
    assert (reading.ok, reading.reason) == (False, "timeout")


async def test_an_answer_from_another_address_is_not_believed(settings):
    async with raw_peer(lambda *_: None) as _:
        liar, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
        )

        def reply(transport, data, sender):
            liar.sendto(answer_to(data), sender)

        async with raw_peer(reply) as port:
            reading = await ask(port, settings, SnmpCommunity("tax-ops"), NAME, seconds=0.8)
        liar.close()
    assert (reading.ok, reading.reason) == (False, "timeout")


async def test_an_answer_from_the_right_address_is_believed_and_cleaned_and_cut(settings):
    def reply(transport, data, sender):
        transport.sendto(answer_to(data, value=v2c.OctetString("\x1b]52;c;eA==\x07" + "x" * 5000)), sender)

    async with raw_peer(reply) as port:
        reading = await ask(port, settings, SnmpCommunity("tax-ops"), NAME)
    value = reading.facts[NAME]
    assert reading.ok and len(value) <= 256 and value.isprintable()


async def test_garbage_is_dropped(settings):
    async with raw_peer(lambda transport, data, sender: transport.sendto(b"\x30\xff garbage", sender)) as port:
        reading = await ask(port, settings, SnmpCommunity("tax-ops"), NAME, seconds=0.8)
    assert not reading.ok and reading.reason in ("timeout", "bad_answer")
