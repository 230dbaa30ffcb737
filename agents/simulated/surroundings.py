"""What all tax servers of one process share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from agents.simulated.device_memory import DeviceMemory
from agents.simulated.faults import Faults
from agents.simulated.journal_files import JournalFiles


@dataclass(frozen=True)
class Surroundings:
    """``latency``: seconds a sign takes at speed 1; ``clock``: true time in UTC."""

    store: DeviceMemory
    journals: JournalFiles
    faults: Faults
    clock: Callable[[], datetime]
    bureau_url: str
    latency: float
    speed: float
