"""A valid request for every route that writes, and who may send it: one module per room, gathered here."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.controlplane.api.house import House

Valid = tuple[str, Any, str]
"""URL, body (bytes: a workbook, sent as it is), role of the caller."""
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Maker = Callable[["House", int], Valid]
"""Makes a request that is accepted now; the number is fresh at every call."""
OPERATORS = {"admin", "operator"}


def _gathered(name: str) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for info in pkgutil.iter_modules(__path__):
        room = importlib.import_module(f"{__name__}.{info.name}")
        twice = found.keys() & getattr(room, name, {}).keys()
        assert not twice, (info.name, twice)
        found |= getattr(room, name, {})
    return found


def valid() -> dict[str, Maker]:
    """Path in the OpenAPI → a maker of a request it accepts (``VALID`` of each room)."""
    return _gathered("VALID")


def allowed() -> dict[tuple[str, str], set[str]]:
    """(method, path) → roles that may call it (``ALLOWED`` of each room): a hand-written copy of the permissions."""
    return _gathered("ALLOWED")


def _rooms() -> list[Any]:
    return [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]


def lists() -> set[str]:
    """Lists (paths below ``/v1``) that rooms fill themselves (``LISTS`` of each room)."""
    return {name for room in _rooms() for name in getattr(room, "LISTS", ())}


def fill(house: House) -> None:
    """At least three rows in each of these lists (``fill`` of each room)."""
    for room in _rooms():
        getattr(room, "fill", lambda house: None)(house)
