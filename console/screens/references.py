"""Fields that mean another record: people type its number, the control plane is sent its id."""

from __future__ import annotations

from typing import Final

from console.link import Link, LinkProblem
from console.plain import plain
from console.records import Record, text

Known = dict[str, str]
"""Number people say → what is sent."""

REFERENCES: Final[dict[str, tuple[str, str]]] = {
    "tax_server_id": ("tax-servers", "tax_server_no"),
    "device_id": ("virtual-devices", "device_no"),
    "taxpayer_id": ("taxpayers", "taxpayer_id"),
    "parent_id": ("taxpayers", "taxpayer_id"),
}
"""Field → (noun it means, key of the number people say)."""

_SENT: Final = {"taxpayers": "taxpayer_id"}
"""What stands for a record of a noun where it is not its id."""
_GONE: Final = ("retired", "cancelled")


async def known(link: Link, field: str, asking: str) -> Known:
    """The records a field may mean, those most likely meant first; ``asking`` is the noun whose form it is.

    Empty for a field that means no record, and where one may not read them.
    """
    if field not in REFERENCES:
        return {}
    noun, key = REFERENCES[field]
    try:
        found = await link.every(noun)
    except LinkProblem:
        return {}  # then the id has to be typed
    alive = [record for record in found if text(record, "state") not in _GONE and text(record, key)]
    if asking == "agents":
        alive = [record for record in alive if not text(record, "agent_id")] or alive
    return {plain(text(record, key)): _sent(noun, record) for record in alive}


def _sent(noun: str, record: Record) -> str:
    return text(record, _SENT.get(noun, "id"))
