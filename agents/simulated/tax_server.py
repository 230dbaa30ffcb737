"""One tax server: what it is, the virtual devices on it, and its clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from agents.simulated import calendar, device_memory
from agents.simulated.bureau_line import BureauLine
from agents.simulated.device import Device, DeviceFacts
from agents.simulated.device_memory import ServerFacts
from agents.simulated.faults import Fault
from agents.simulated.memory import Line, Statement
from agents.simulated.refusals import Refusal
from agents.simulated.scenario import TaxServerPlace
from agents.simulated.surroundings import Surroundings
from agents.simulated.uploads import Uploads

KERNEL_VERSION = "SKFWQ-SIM-1.0.0"


class TaxServer:
    """State of one tax server, loaded from memory. ``working_on``: serial of its own changing call under way."""

    def __init__(self, place: TaxServerPlace, around: Surroundings) -> None:
        self.tax_server_no = place.tax_server_no
        self.quota = place.quota
        self.around = around
        self.facts = around.store.server(self.tax_server_no) or ServerFacts(area=place.region)
        self.devices = {device.device_no: device for device in around.store.devices(self.tax_server_no, around.clock)}
        self.working_on = ""
        self.upgrading = False
        self.line = BureauLine(around.bureau_url, around.speed, self._line_turned)
        self.uploads = Uploads(around, self.line)
        self._watch: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Take up the uploads left over and watch the line."""
        self._watch = asyncio.get_running_loop().create_task(self.line.watch())
        for device in self.devices.values():
            if device.waiting_count:
                self.uploads.wake(device)

    def close(self) -> None:
        """Stop the background work."""
        if self._watch is not None:
            self._watch.cancel()
        self.uploads.close()
        self.line.close()

    def _line_turned(self) -> None:
        for device in self.devices.values():
            self.uploads.tell(device, device.trouble if self.line.up else "")

    def now(self) -> datetime:
        """The server's own time."""
        return self.around.clock().astimezone(calendar.CHINA) + timedelta(seconds=self.facts.clock_offset)

    def row(self) -> Statement:
        """The statement that stores the server's facts."""
        return device_memory.server_row(self.tax_server_no, self.facts)

    def add_device(self, device_no: str, facts: DeviceFacts) -> Device:
        """A new virtual device."""
        device = Device(device_no, self.tax_server_no, facts, self.around.clock)
        self.devices[device_no] = device
        return device

    @property
    def kernel_version(self) -> str:
        """The version that runs."""
        return self.facts.kernel_version or KERNEL_VERSION

    def places_left(self) -> int:
        """Virtual devices it can still take; a cancelled one has given its place back."""
        taken = sum(1 for device in self.devices.values() if not device.facts.cancelled_at)
        return max(0, self.quota - taken)

    def drift(self, target: str, faults: list[Fault]) -> Statement:
        """Set the clock of the server or of one device as far off as the faults say; without any, right again."""
        seconds = sum(fault.seconds or 0.0 for fault in faults if fault.kind == "clock_drift")
        if target == self.tax_server_no:
            self.facts.clock_offset = seconds
            return self.row()
        device = self.devices[target]
        device.facts.clock_offset = seconds
        return device_memory.device_row(device)

    def next_deadlines(self) -> list[Statement]:
        """As the tax hall does: give each device whose deadline is passed the next one."""
        today = calendar.today(self.around.clock())
        period = calendar.open_period(today)
        changed = []
        for device in self.devices.values():
            for kind in device.facts.kinds:
                if kind.issue_deadline < calendar.day(today):
                    kind.issue_deadline = calendar.day(period.deadline)
                    kind.report_from, kind.report_to = calendar.day(period.first), calendar.day(period.last)
                    kind.last_report_date = kind.report_from
                    kind.upload_deadline_day = period.deadline.day
                    changed.append(device)
        return [device_memory.device_row(device) for device in changed]

    def shown(self) -> dict[str, Any]:
        """For whoever watches the simulation."""
        return {
            "tax_server_no": self.tax_server_no,
            "line_up": self.line.up,
            "line_message": self.line.message,
            "clock_offset": self.facts.clock_offset,
            "working_on": self.working_on,
            "devices": [
                {
                    "device_no": device.device_no,
                    "taxpayer_id": device.facts.taxpayer_id,
                    "certified": device.certified(),
                    "cancelled": bool(device.facts.cancelled_at),
                    "last_index": device.last_index,
                    "waiting_uploads": device.waiting_count,
                    "offline_since": device.facts.offline_since,
                    "trouble": device.trouble,
                    "clock_offset": device.facts.clock_offset,
                    "working_on": device.working_on,
                    "segments": [segment.shown() for segment in device.segments],
                }
                for device in self.devices.values()
            ],
        }


@dataclass(frozen=True)
class Ask:
    """One call: the server it came to, the device it names (None: the server itself), and its body."""

    server: TaxServer
    device: Device | None
    body: dict[str, Any]

    @property
    def on(self) -> Device:
        """The device named; refuses 092400 when none is."""
        if self.device is None:
            raise Refusal("092400", "XNSBH")
        return self.device

    @property
    def owner(self) -> str:
        """Number of the device, or of the server when the call is for itself."""
        return self.device.device_no if self.device else self.server.tax_server_no

    def text(self, name: str, longest: int = 200) -> str:
        """A field that must be there; refuses 092400 naming it."""
        value = self.body.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= longest:
            raise Refusal("092400", name)
        return value

    def count(self, name: str, most: int) -> int:
        """A whole number from 1 to ``most``, as number or text; refuses 092400 naming it."""
        text = str(self.body.get(name, ""))
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most):
            raise Refusal("092400", name)
        return int(text)


@dataclass(frozen=True)
class Done:
    """What a call answers and, if it changes something, what is to be remembered with it."""

    answer: dict[str, Any]
    statements: list[Statement] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class Call:
    """One interface code: its work, whether it changes something, and whether it may be for the server itself."""

    work: Callable[[Ask], Awaitable[Done]]
    changing: bool = False
    for_server: bool = False
