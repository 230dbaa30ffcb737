"""The one allow-list of networks: which addresses this product may connect to, tested again at each connection.

Everything that leaves for an address an operator typed (probes, mail, webhooks, SSH, SNMP) asks here. An entry of the
list is a network in CIDR form or the word ``public``. An entry opens an inside network only when it lies within it:
neither ``public`` nor ``0.0.0.0/0`` opens loopback, and ``169.254.0.0/16`` does not open the cloud metadata address.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from probes.dns_message import Address
from probes.resolver import LookupFailed, Resolver, SystemResolver

Network = IPv4Network | IPv6Network

PUBLIC = "public"

_INSIDE: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "100.100.100.200/32",  # cloud metadata
        "127.0.0.0/8",
        "168.63.129.16/32",  # cloud metadata behind a public-looking address
        "169.254.0.0/16",
        "169.254.169.254/32",  # cloud metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "::/8",  # unspecified, loopback, v4-mapped, v4-compatible
        "::1/128",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/8",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3ffe::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fd00:ec2::254/128",  # cloud metadata
        "fe00::/7",  # link-local, site-local, and multicast
    )
)
_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")
_LONGEST_NAME = 253


class BadHost(ValueError):
    """Not a host name or address in canonical form: number forms, other scripts, zones, empty labels."""


class NotAllowed(Exception):
    """The allow-list does not open this address."""


def canonical_host(text: str) -> str:
    """The host in its one form: lower-case ASCII name, dotted IPv4, or IPv6 without brackets. Raises BadHost.

    A name whose last label is a number would be read as an address by the system's resolver (``2130706433``, ``127.1``,
    ``0x7f.1``), so it is refused unless it is a plain dotted quad.
    """
    host = text.lower()
    if "%" in host:
        raise BadHost(text)
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    labels = host.split(".")
    named = all(_LABEL.match(label) for label in labels) and len(host) <= _LONGEST_NAME
    if not named or _NUMBER.match(labels[-1]):
        raise BadHost(text)
    return host


class Reach:
    """The allow-list and the resolver behind it. An empty list opens nothing."""

    def __init__(self, allowed: Iterable[str], resolver: Resolver | None = None) -> None:
        """``allowed``: networks or ``public``; raises ValueError for anything else."""
        entries = tuple(allowed)
        self._public = PUBLIC in entries
        self._networks = tuple(ip_network(entry) for entry in entries if entry != PUBLIC)
        self._resolver = resolver or SystemResolver(random.SystemRandom())

    def admits(self, address: Address | str) -> bool:
        """True when the list opens this address, and also the IPv4 address hidden in it, if there is one."""
        address = ip_address(address)
        inner = _hidden(address)
        return self._opened(address) and (inner is None or self._opened(inner))

    def confirm(self, address: Address | str) -> None:
        """Raise NotAllowed unless the address is admitted: the test made again where the connection is made."""
        if not self.admits(address):
            raise NotAllowed(str(address))

    def confirm_host(self, host: str) -> None:
        """The test made when a target is saved: raises BadHost for a bad form, NotAllowed for an address kept shut."""
        host = canonical_host(host)
        try:
            address = ip_address(host)
        except ValueError:
            return
        self.confirm(address)

    async def resolve(self, host: str, deadline: float) -> Address:
        """The address to connect to. Raises BadHost, NotAllowed or LookupFailed.

        One answer that is not admitted refuses the name as a whole: such a mixture is a sign of rebinding.
        """
        host = canonical_host(host)
        try:
            addresses: tuple[Address, ...] = (ip_address(host),)
        except ValueError:
            addresses = await self._resolver.addresses(host, deadline)
        for address in addresses:
            self.confirm(address)
        if not addresses:
            raise LookupFailed("no_such_name")
        return addresses[0]

    def _opened(self, address: Address) -> bool:
        inside = [network for network in _INSIDE if address in network]
        listed = [network for network in self._networks if address in network]
        if not inside:
            return self._public or bool(listed)
        narrowest = max(inside, key=lambda network: network.prefixlen)
        return any(entry.prefixlen >= narrowest.prefixlen for entry in listed)


def _hidden(address: Address) -> IPv4Address | None:
    """The IPv4 address a translator would take out of this IPv6 address."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    embedded = address in _NAT64 or (address in _COMPATIBLE and address > IPv6Address("::ffff"))
    return IPv4Address(int(address) & 0xFFFFFFFF) if embedded else None
