"""Places for virtual devices on a tax server: what is free by our books and by the server's own word."""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.domain import tax_server
from controlplane.domain.refusals import refuse
from controlplane.store import devices, tax_servers
from controlplane.store import jobs as job_store
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Places:
    """Places of one tax server. The server may hold devices that are not on record here, so both words count."""

    total: int
    left: int
    """As the server told last; each commissioning since then is taken off."""
    registered: int
    uncommissioned: int
    """Registered here and not yet on the server: they will take places of ``left``."""

    @property
    def free(self) -> int:
        """How many more devices may be registered."""
        return max(0, min(self.total - self.registered, self.left - self.uncommissioned))


def places(hand: Connection, server: Row) -> Places:
    """The places of a tax server's row. To take one, hold the row's lock: racers then queue."""
    registered, uncommissioned = devices.taken(hand, server["id"])
    return Places(server["quota_total"], server["quota_left"], registered, uncommissioned)


def check_commissioning(tx: Transaction, device: Row) -> None:
    """May the device be commissioned now? The server must be in service and have a place nobody is getting."""
    server = tax_servers.find(tx, device["tax_server_id"], lock=True)
    assert server is not None
    if server["state"] not in tax_server.SERVING:
        raise refuse("server_stopped", device_no=device["name"], state=server["state"])
    if server["quota_left"] <= job_store.commissioning(tx, server["id"]):
        raise refuse("quota_used_up")
