"""The facts of our own host, and how readings look as records."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime

from probes.host_facts import probe
from probes.reading import Certificate, Reading, printable
from probes.report import lines_of
from probes.settings import HostWatch, ProbeSettings
from probes.target import parse
from tests.probes.conftest import clock


async def read(settings, **watch):
    given = ProbeSettings(reach=settings.reach, clock=clock, host=HostWatch(**watch))
    return await probe(parse("host://local"), given, time.monotonic() + 5)


async def test_processor_memory_disk_and_uptime(settings, tmp_path):
    reading = await read(settings, disks=(str(tmp_path),))
    facts = reading.facts
    assert reading.ok
    assert 0 <= facts["cpu_percent"] <= 100 and 0 < facts["memory_percent"] < 100 and facts["memory_free_bytes"] > 0
    assert facts[f"disk_free_bytes:{tmp_path}"] > 0 and 0 <= facts[f"disk_percent:{tmp_path}"] <= 100
    assert facts["up_seconds"] > 0


async def test_living_dead_and_zombie_processes(settings):
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    for _ in range(200):
        if (await read(settings, processes=(child.pid,))).facts[f"alive:{child.pid}"] == 0:
            break
    reading = await read(settings, processes=(os.getpid(), child.pid, "no-such-program"))
    child.wait()
    assert reading.ok
    assert reading.facts[f"alive:{os.getpid()}"] == 1
    assert reading.facts[f"alive:{child.pid}"] == 0
    assert reading.facts["alive:no-such-program"] == 0


async def test_a_disk_that_is_not_there_is_a_failed_reading(settings):
    reading = await read(settings, disks=("/no/such/disk",))
    assert (reading.ok, reading.reason) == (False, "not_found")


def test_a_record_is_plain_values_with_utc_times():
    began = datetime(2026, 11, 22, 9, 0, 0, 123456, UTC)
    certificate = Certificate(datetime(2027, 1, 1, tzinfo=UTC), "Root")
    reading = Reading(
        target="tls://a.example",
        started_at=began,
        duration_ms=1.23456,
        ok=True,
        phases={"dns": 0.5},
        certificate=certificate,
    )
    record = reading.as_record()
    assert record["started_at"] == "2026-11-22T09:00:00.123Z" and record["duration_ms"] == 1.235
    assert record["certificate"] == {"not_after": "2027-01-01T00:00:00.000Z", "issuer": "Root"}
    assert "40 天" in "\n".join(lines_of(reading, "zh", datetime(2026, 11, 22, tzinfo=UTC)))


def test_foreign_text_cannot_move_the_terminal():
    hostile = "a\x1b[2J\r\n\u202e\u2028\x9b税"
    assert printable(hostile, 99) == "a\ufffd[2J" + "\ufffd" * 5 + "税"
    assert len(printable("x" * 1000, 128)) == 128
