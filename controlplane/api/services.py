"""What every route needs, put together once by the application."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from controlplane.api.hub import Hub
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.principal import Principal
from controlplane.operations.acts import Viewer
from controlplane.store.engine import Ledger
from controlplane.store.times import Clock, utc_text
from probes.reach import Reach


@dataclass(slots=True)
class Services:
    """The ledger, the hub of the change feed, the rules in force, and the clock."""

    ledger: Ledger
    hub: Hub
    rules: IssuingRules
    clock: Clock
    reach: Reach
    """Which addresses may be probed."""

    def now(self) -> str:
        """The current time as it stands in tables."""
        return utc_text(self.clock())


def viewer_of(connection: HTTPConnection, caller: Principal) -> Viewer:
    """What views of records depend on besides the record, for one request."""
    services = services_of(connection)
    return Viewer(caller, services.clock(), services.rules)


def services_of(connection: HTTPConnection) -> Services:
    """The services of the application a request came to."""
    found = connection.app.state.services
    assert isinstance(found, Services)
    return found
