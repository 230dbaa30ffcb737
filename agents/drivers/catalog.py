"""Which driver speaks to which device kind; a driver is imported when it is first used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from typing import cast

from msgspec import Struct

from agents.drivers.contract import Driver

PATHS = {
    "new_tax_server": "agents.drivers.new_tax_server:NewTaxServer",
}


class Patience(Struct, frozen=True):
    """Seconds: ``connect`` to be accepted, ``read`` for a whole answer."""

    connect: float = 6.0
    read: float = 6.0


class UnknownKind(Exception):
    """No driver for this device kind."""


class Catalog:
    """The drivers of one agent, each made once."""

    def __init__(self, patience: Patience, clock: Callable[[], datetime]) -> None:
        self._patience = patience
        self._clock = clock
        self._drivers: dict[str, Driver] = {}

    def driver(self, device_kind: str) -> Driver:
        """The driver for the kind.

        Raises:
            UnknownKind: there is none.
        """
        driver = self._drivers.get(device_kind)
        if driver is None:
            path = PATHS.get(device_kind)
            if path is None:
                raise UnknownKind(device_kind)
            module, _, name = path.partition(":")
            made = cast(Driver, getattr(import_module(module), name)(self._patience, self._clock))
            driver = self._drivers.setdefault(device_kind, made)
        return driver

    def close(self) -> None:
        """Drop all connections to devices."""
        for driver in self._drivers.values():
            driver.close()
