"""The probe clock: each slot it asks the server for the slot's work, checks every address, and hands the samples in.

Beside the slots it makes the checks that people ask for. All it needs of the server is one call: post a body, get an
answer.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any

import httpx2

from controlplane.domain.line_watch import slot_at
from controlplane.settings import Settings
from controlplane.store.times import Clock, utc_text
from controlplane.wire.lines import CHECKS_PATH, MOST_SAMPLES, SAMPLES_PATH, SLOTS_PATH, TAKE_PATH
from probes.reach import Reach
from probes.reading import Reading
from probes.settings import ProbeSettings
from probes.sweep import sweep
from probes.target import BadTarget, Target, parse

log = logging.getLogger("taxplane.probe")
Post = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""Posts a body to a path of the server and gives its answer; ConnectionError when there is none that may come later,
ValueError when the server will not have it."""

TAKE_WAIT = 20.0
AGAIN_SECONDS = 1.0


class LineWatch:
    """What one vantage does, slot by slot and check by check."""

    def __init__(self, settings: Settings, post: Post, probes: ProbeSettings) -> None:
        self._settings = settings
        self._post = post
        self._probes = probes
        self._who = {"vantage": settings.vantage, "holder": f"{socket.gethostname()}.{os.getpid()}"[:64]}

    async def work(self, slot: str) -> bool:
        """Do one slot; False when it is somebody else's, or over."""
        claim = {"slot": slot, "period": self._settings.probe_slot_seconds, **self._who}
        claimed = await self._post(SLOTS_PATH, claim)
        if not claimed["claimed"]:
            return False
        samples = [_sample(line_id, reading) async for line_id, reading in self._seen(claimed["targets"])]
        starts = range(0, max(1, len(samples)), MOST_SAMPLES)
        for start in starts:
            some = samples[start : start + MOST_SAMPLES]
            report = {"slot": slot, "samples": some, "final": start == starts[-1], **self._who}
            await self._post(SAMPLES_PATH, report)
        return True

    async def check(self, wait: float = 0.0) -> int:
        """Make the checks that are wanted by hand, waiting for some; each is handed in when it is done. How many."""
        wanted = (await self._post(TAKE_PATH, {"wait": wait, **self._who}))["checks"]
        async for check_id, reading in self._seen(wanted):
            report = {"check_id": check_id, "sample": _sample("-", reading), **self._who}
            await self._post(CHECKS_PATH, report)
        return len(wanted)

    async def _seen(self, wanted: Iterable[dict[str, str]]) -> AsyncIterator[tuple[str, Reading]]:
        """Readings with the id each was wanted under; an address that stands twice is checked once."""
        ids: dict[Target, list[str]] = {}
        for one in wanted:
            try:
                ids.setdefault(parse(one["target"]), []).append(one["id"])
            except BadTarget as fault:
                log.warning("address %s cannot be checked: %s", one["id"], fault)
        named = {target.url: found for target, found in ids.items()}
        async for reading in sweep(ids, self._probes, seconds=self._settings.probe_seconds):
            for one_id in named[reading.target]:
                yield one_id, reading


def _sample(line_id: str, reading: Reading) -> dict[str, Any]:
    return {
        "endpoint_id": line_id,
        "at": utc_text(reading.started_at),
        "ok": reading.ok,
        "failing_phase": reading.failing_phase or "",
        "reason": reading.reason,
        "duration_ms": reading.duration_ms,
        "phases": dict(reading.phases),
        "address": reading.address or "",
        "certificate_not_after": utc_text(reading.certificate.not_after) if reading.certificate else None,
    }


class ProbeClock:
    """One vantage's clock. Several may run: the server gives each slot of a vantage to one of them."""

    def __init__(self, settings: Settings, api: str, token: str, clock: Clock) -> None:
        self._period = settings.probe_slot_seconds
        self._clock = clock
        self._client = httpx2.AsyncClient(base_url=api, headers={"Authorization": f"Bearer {token}"}, timeout=30.0)
        probes = ProbeSettings(reach=Reach(settings.probe_allow), clock=clock)
        self._watch = LineWatch(settings, self._post, probes)
        self._patient = LineWatch(settings, self._post_in_time, probes)

    async def run(self) -> None:
        """Work slot after slot and check after check, for ever."""
        async with self._client, asyncio.TaskGroup() as both:
            both.create_task(self._slots())
            both.create_task(self._checks())

    async def _slots(self) -> None:
        """What cannot be claimed or handed in by the end of its slot is written as missed by the server."""
        while True:
            slot = utc_text(slot_at(self._clock(), self._period))
            try:
                await self._patient.work(slot)
            except (ConnectionError, ValueError) as fault:
                log.warning("slot %s not done: %s", slot, fault)
            await asyncio.sleep(self._until_next())

    async def _checks(self) -> None:
        while True:
            try:
                await self._watch.check(TAKE_WAIT)
            except (ConnectionError, ValueError) as fault:
                log.warning("checks by hand not made: %s", fault)
                await asyncio.sleep(AGAIN_SECONDS)

    def _until_next(self) -> float:
        now = self._clock()
        following = slot_at(now, self._period) + timedelta(seconds=self._period)
        return max(0.0, (following - now).total_seconds()) + 0.01

    async def _post_in_time(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The same, tried again until the slot is over: a server that starts anew shall not cost a slot."""
        ends = slot_at(self._clock(), self._period) + timedelta(seconds=self._period)
        while True:
            try:
                return await self._post(path, body)
            except ConnectionError as fault:
                if self._clock() + timedelta(seconds=AGAIN_SECONDS) >= ends:
                    raise
                log.warning("the server cannot be asked: %s", fault)
                await asyncio.sleep(AGAIN_SECONDS)

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = await self._client.post(path, json=body)
        except httpx2.TransportError as fault:
            raise ConnectionError(str(fault) or type(fault).__name__) from fault
        if answer.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR:
            raise ConnectionError(f"{answer.status_code} from {path}")
        if answer.is_error:
            raise ValueError(f"{answer.status_code} from {path}: {answer.text[:200]}")
        found: dict[str, Any] = answer.json()
        return found
