"""The DNS message as bytes: a question out, addresses in; pure, and strict about what it believes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal

A: Literal[1] = 1
CNAME = 5
AAAA: Literal[28] = 28
OPT = 41
QueryType = Literal[1, 28]
"""A or AAAA."""
_PAYLOAD = 1232
"""Largest answer asked for over UDP: fits one unfragmented packet everywhere."""
_MOST_HOPS = 128

Address = IPv4Address | IPv6Address


class BadMessage(ValueError):
    """The bytes are no answer to our question."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A name server's answer: ``code`` 0 no error, 2 server failure, 3 no such name."""

    code: int
    truncated: bool
    addresses: tuple[Address, ...]


def question(identity: int, name: str, kind: QueryType) -> bytes:
    """A recursive query for one name with an EDNS0 size."""
    header = struct.pack(">HHHHHH", identity, 0x0100, 1, 0, 0, 1)
    return header + _asked(name, kind) + b"\0" + struct.pack(">HHIH", OPT, _PAYLOAD, 0, 0)


def answer(data: bytes, identity: int, name: str, kind: QueryType) -> Answer:
    """Read the reply to ``question``; raises BadMessage when it answers something else."""
    try:
        return _answer(data, identity, name, kind)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise BadMessage("broken message") from error


def _asked(name: str, kind: QueryType) -> bytes:
    labels = b"".join(bytes([len(label)]) + label for label in name.encode("ascii").split(b"."))
    return labels + b"\0" + struct.pack(">HH", kind, 1)


def _answer(data: bytes, identity: int, name: str, kind: QueryType) -> Answer:
    number, flags, questions, answers = struct.unpack_from(">HHHH", data)
    if number != identity or not flags & 0x8000 or questions != 1:
        raise BadMessage("not an answer to this question")
    asked_name, offset = _name(data, 12)
    asked_kind, asked_class = struct.unpack_from(">HH", data, offset)
    if asked_name != name.lower() or (asked_kind, asked_class) != (kind, 1):
        raise BadMessage("another question is answered")
    truncated = bool(flags & 0x0200)
    # A truncated message may end inside a record; it is asked for again over TCP.
    addresses = () if truncated else _addresses(data, offset + 4, answers, asked_name)
    return Answer(flags & 0xF, truncated, addresses)


def _addresses(data: bytes, offset: int, count: int, asked: str) -> tuple[Address, ...]:
    owners = {asked}
    found: list[Address] = []
    for _ in range(count):
        owner, offset = _name(data, offset)
        kind, _class, _ttl, length = struct.unpack_from(">HHIH", data, offset)
        offset += 10
        value = data[offset : offset + length]
        if len(value) != length:
            raise BadMessage("record is cut")
        if kind == CNAME and owner in owners:
            owners.add(_name(data, offset)[0])
        if kind in (A, AAAA) and length in (4, 16) and owner in owners:
            found.append(ip_address(value))
        offset += length
    return tuple(found)


def _name(data: bytes, offset: int) -> tuple[str, int]:
    """Name at ``offset`` in lower case, and the offset behind it; compression pointers may only go back."""
    labels: list[str] = []
    after: int | None = None
    for _ in range(_MOST_HOPS):
        length = data[offset]
        if length >= 0xC0:
            pointer = struct.unpack_from(">H", data, offset)[0] & 0x3FFF
            if pointer >= offset:
                raise BadMessage("name points forward")
            after = offset + 2 if after is None else after
            offset = pointer
        elif length == 0:
            return ".".join(labels), offset + 1 if after is None else after
        else:
            labels.append(data[offset + 1 : offset + 1 + length].decode("ascii").lower())
            offset += 1 + length
    raise BadMessage("name is too long")
