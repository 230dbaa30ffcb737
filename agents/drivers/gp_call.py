"""One changing call, one reading call of the GP dialect: code, body, and the evidence made from the reply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from agents.drivers import gp_replies as gp
from agents.drivers.gp_calls import GpCalls
from agents.drivers.gp_transport import Unanswered
from controlplane.wire.agents import DeviceAddress, Order
from controlplane.wire.evidence import Evidence


class Call(Struct, frozen=True):
    """One interface code with what goes in and what comes out."""

    code: str
    evidence: Callable[[GpCalls, Order, gp.Change], Evidence]
    body: Callable[[Any], dict[str, Any]] = lambda work: {}
    good_news: str = gp.OK
    """A further CODE that means done."""


def given(text: str, name: str) -> str:
    """A field a reply must have; a reply without it is damaged, which is no answer."""
    if not text:
        raise Unanswered("damaged", f"reply without {name}")
    return text


Reading = Callable[[GpCalls, DeviceAddress, Any], Evidence]
"""A reading call: may simply be asked again."""
