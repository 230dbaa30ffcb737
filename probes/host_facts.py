"""``host://local``: processor, memory, disks and processes of the machine we run on."""

from __future__ import annotations

import asyncio

import psutil

from probes.measurement import Failed, Measurement, measured
from probes.reading import Reading
from probes.settings import HostWatch, ProbeSettings
from probes.target import Target

_WATCHED_SECONDS = 0.1
"""How long the processor is watched."""


async def probe(target: Target, settings: ProbeSettings, deadline: float) -> Reading:
    """Facts ``cpu_percent``, ``memory_percent``, ``memory_free_bytes`` and ``up_seconds``; per disk
    ``disk_free_bytes:<path>`` and ``disk_percent:<path>``; per process ``alive:<id or name>`` 0 or 1: a dead
    process is a fact, not a failure."""
    return await measured(Measurement(target, settings, deadline), _read)


async def _read(measurement: Measurement) -> None:
    measurement.enter("read")
    try:
        facts = await asyncio.to_thread(read_facts, measurement.settings.host)
    except FileNotFoundError as error:
        raise Failed("not_found") from error
    now = measurement.settings.clock().timestamp()
    measurement.facts.update(facts, up_seconds=round(now - psutil.boot_time()))


def read_facts(watch: HostWatch) -> dict[str, str | int | float]:
    """The facts named above but for the up-time; blocks for a tenth of a second. Raises OSError for a bad disk path."""
    memory = psutil.virtual_memory()
    facts: dict[str, str | int | float] = {
        "cpu_percent": psutil.cpu_percent(interval=_WATCHED_SECONDS),
        "memory_percent": memory.percent,
        "memory_free_bytes": memory.available,
    }
    for path in watch.disks:
        usage = psutil.disk_usage(path)
        facts[f"disk_free_bytes:{path}"] = usage.free
        facts[f"disk_percent:{path}"] = usage.percent
    names = _names() if any(isinstance(process, str) for process in watch.processes) else set()
    for process in watch.processes:
        alive = _alive(process) if isinstance(process, int) else process in names
        facts[f"alive:{process}"] = int(alive)
    return facts


def _names() -> set[str]:
    return {str(process.info["name"]) for process in psutil.process_iter(["name"])}


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
