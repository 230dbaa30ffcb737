"""The allow-list refuses everything that is inside, whatever it is dressed as."""

import time

import pytest

from probes.reach import BadHost, NotAllowed, Reach, canonical_host
from probes.resolver import LookupFailed, NameServers
from tests.probes.conftest import name_server

INSIDE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.31.255.255",
    "192.168.1.1",
    "192.0.0.192",
    "168.63.129.16",
    "100.100.100.200",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "2001::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


class Fixed:
    """A resolver that gives the same addresses to every name."""

    def __init__(self, *addresses: str) -> None:
        from ipaddress import ip_address

        self._addresses = tuple(ip_address(address) for address in addresses)

    async def addresses(self, name, deadline):
        return self._addresses


@pytest.mark.parametrize("address", INSIDE)
@pytest.mark.parametrize("allowed", [["public"], ["0.0.0.0/0", "::/0"], []])
def test_nothing_wide_opens_the_inside(address, allowed):
    assert not Reach(allowed).admits(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.2.4.8", "2400:3200::1"])
def test_public_addresses_need_the_word_or_their_network(address):
    assert Reach(["public"]).admits(address)
    assert Reach(["0.0.0.0/0", "::/0"]).admits(address)
    assert not Reach(["127.0.0.0/8"]).admits(address)


@pytest.mark.parametrize(
    ("entry", "opened", "shut"),
    [
        ("127.0.0.0/8", "127.0.0.1", "10.0.0.1"),
        ("127.0.0.1/32", "127.0.0.1", "127.0.0.2"),
        ("10.20.0.0/16", "10.20.1.1", "10.21.1.1"),
        ("169.254.0.0/16", "169.254.1.1", "169.254.169.254"),
        ("169.254.169.254/32", "169.254.169.254", "169.254.1.1"),
        ("100.64.0.0/10", "100.64.0.1", "100.100.100.200"),
        ("::1/128", "::1", "::2"),
    ],
)
def test_an_entry_within_an_inside_network_opens_just_that(entry, opened, shut):
    reach = Reach(["public", entry])
    assert reach.admits(opened)
    assert not reach.admits(shut)


def test_an_address_hidden_in_another_must_be_allowed_too():
    translating = Reach(["public", "64:ff9b::/96"])
    assert translating.admits("64:ff9b::808:808")
    assert not translating.admits("64:ff9b::7f00:1")
    assert Reach(["64:ff9b::/96", "127.0.0.0/8"]).admits("64:ff9b::7f00:1")


@pytest.mark.parametrize("entry", ["127.0.0.1/8", "everything", "", "10.0.0.0/33"])
def test_a_list_with_a_bad_entry_is_refused(entry):
    with pytest.raises(ValueError):
        Reach([entry])


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "①②⑦.0.0.1", "a b", "", "."]
)
@pytest.mark.parametrize("tail", ["", ".5"])
def test_number_forms_and_other_scripts_are_no_hosts(host, tail):
    with pytest.raises(BadHost):
        canonical_host(host + tail)


async def test_one_bad_answer_refuses_the_name():
    deadline = time.monotonic() + 1
    with pytest.raises(NotAllowed):
        await Reach(["public"], Fixed("8.8.8.8", "127.0.0.1")).resolve("mixed.example", deadline)
    assert str(await Reach(["public"], Fixed("8.8.8.8")).resolve("good.example", deadline)) == "8.8.8.8"


async def test_a_name_that_resolves_inside_is_refused(rng):
    async with name_server({"trap.example": ["127.0.0.1"]}) as (_, port):
        reach = Reach(["public"], NameServers([("127.0.0.1", port)], {}, rng))
        with pytest.raises(NotAllowed):
            await reach.resolve("trap.example", time.monotonic() + 2)
        with pytest.raises(LookupFailed):
            await reach.resolve("nobody.example", time.monotonic() + 2)


def test_the_test_at_saving_looks_at_literal_addresses_only():
    reach = Reach(["public"])
    reach.confirm_host("bureau.example")
    with pytest.raises(NotAllowed):
        reach.confirm_host("[::1]".strip("[]"))
    with pytest.raises(BadHost):
        reach.confirm_host("0x7f.1")
