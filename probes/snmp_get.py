"""``snmp://host/oid,oid``: values of a device by SNMPv3, or v2c with a community that not every scanner knows."""

from __future__ import annotations

import asyncio
from typing import Any

from pysnmp.hlapi.v3arch.asyncio import (
    USM_AUTH_HMAC192_SHA256,
    USM_PRIV_CFB128_AES,
    CommunityData,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    Udp6TransportTarget,
    UdpTransportTarget,
    UsmUserData,
    get_cmd,
)
from pysnmp.proto import errind
from pysnmp.proto.rfc1902 import Counter32, Counter64, Gauge32, Integer32, TimeTicks
from pysnmp.proto.rfc1905 import NoSuchInstance, NoSuchObject

from probes.connection import looked_up
from probes.measurement import Failed, Measurement, measured
from probes.reading import Reading, printable
from probes.settings import ProbeSettings, SnmpCommunity, SnmpUser
from probes.target import Target

_PATIENCE = 1.5
"""Seconds until a lost datagram is sent again."""
_LONGEST_VALUE = 256
_NUMBERS = (Integer32, Counter32, Counter64, Gauge32, TimeTicks)


async def probe(target: Target, settings: ProbeSettings, deadline: float) -> Reading:
    """Facts: one per OID that the device has, numbers as int, all else as printable text. Phases dns, ttfb.

    The library computes for tens of milliseconds a call, which would falsify the stamps of every other check, so it
    works in a thread with a loop of its own; it ends there by itself at the deadline.
    """
    return await measured(Measurement(target, settings, deadline), _get)


async def _get(measurement: Measurement) -> None:
    login = measurement.settings.snmp
    if login is None:
        raise Failed("no_credentials", "login")
    if isinstance(login, SnmpCommunity) and login.refused:
        raise Failed("not_allowed", "login")
    address = await looked_up(measurement, measurement.target.host)
    measurement.enter("ttfb")
    measurement.facts.update(await asyncio.to_thread(asyncio.run, _ask(measurement, login, address)))
    measurement.passed("ttfb")


async def _ask(measurement: Measurement, login: SnmpUser | SnmpCommunity, address: str) -> dict[str, str | int | float]:
    oids = measurement.target.path[1:].split(",")
    engine = SnmpEngine()
    try:
        door = await _door(measurement, address)
        asked = [ObjectType(ObjectIdentity(oid)) for oid in oids]
        async with asyncio.timeout(measurement.left):
            problem, status, _, rows = await get_cmd(
                engine, _credentials(login), door, ContextData(), *asked, lookupMib=False
            )
    finally:
        engine.close_dispatcher()
    if problem is not None:
        timed_out = isinstance(problem, errind.RequestTimedOut)
        raise Failed("timeout" if timed_out else "denied", "ttfb" if timed_out else "login")
    if status:
        raise Failed("bad_answer", "read")
    facts: dict[str, str | int | float] = {
        str(name): _value(value) for name, value in rows if not isinstance(value, NoSuchObject | NoSuchInstance)
    }
    if not facts:
        raise Failed("not_found", "read")
    return facts


async def _door(measurement: Measurement, address: str) -> Any:
    """The way to one peer that hears nobody else: the library would take a right request id from any address."""
    peer = (address, measurement.target.port)
    kind = Udp6TransportTarget if ":" in address else UdpTransportTarget
    door = await kind.create(peer, timeout=_PATIENCE, retries=int(measurement.left / _PATIENCE))

    def open_to_peer() -> Any:
        transport = kind.open_client_mode(door)
        hear = transport.datagram_received

        def from_peer(datagram: bytes, sender: Any) -> None:
            if tuple(sender[:2]) == peer:
                hear(datagram, sender)

        transport.datagram_received = from_peer
        return transport

    door.open_client_mode = open_to_peer
    return door


def _credentials(login: SnmpUser | SnmpCommunity) -> Any:
    if isinstance(login, SnmpCommunity):
        return CommunityData(login.community, mpModel=1)
    return UsmUserData(
        login.name,
        login.auth_key,
        login.privacy_key,
        authProtocol=USM_AUTH_HMAC192_SHA256,
        privProtocol=USM_PRIV_CFB128_AES,
    )


def _value(value: Any) -> str | int:
    return int(value) if isinstance(value, _NUMBERS) else printable(value.prettyPrint(), _LONGEST_VALUE)
