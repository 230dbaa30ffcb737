"""The probe clock: each slot it asks the server for the slot's work, checks every address, and hands the samples in."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from datetime import UTC, datetime
from typing import Any

import httpx2

from controlplane.settings import Settings
from controlplane.store.times import Clock, utc_text
from controlplane.wire.lines import SAMPLES_PATH, SLOTS_PATH
from probes.reach import Reach
from probes.reading import Reading
from probes.settings import ProbeSettings
from probes.sweep import sweep
from probes.target import Target, parse

log = logging.getLogger("taxplane.probe")


class ProbeClock:
    """One vantage's clock. Several may run: the server gives each slot of a vantage to one of them."""

    def __init__(self, settings: Settings, api: str, token: str, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._holder = f"{socket.gethostname()}.{os.getpid()}"[:64]
        self._client = httpx2.AsyncClient(base_url=api, headers={"Authorization": f"Bearer {token}"}, timeout=15.0)
        self._probes = ProbeSettings(reach=Reach(settings.probe_allow), clock=clock)

    async def run(self) -> None:
        """Work slot after slot, for ever; one that cannot be claimed or handed in is written as missed later."""
        while True:
            slot = self._slot()
            try:
                await self._work(slot)
            except (httpx2.HTTPError, ValueError) as fault:
                log.warning("slot %s not done: %s", slot, fault)
            await asyncio.sleep(self._until_next())

    def _slot(self) -> str:
        period = self._settings.probe_slot_seconds
        begun = self._clock().timestamp() // period * period
        return utc_text(datetime.fromtimestamp(begun, UTC))

    def _until_next(self) -> float:
        period = self._settings.probe_slot_seconds
        return period - self._clock().timestamp() % period + 0.01

    async def _work(self, slot: str) -> None:
        claim = {
            "slot": slot,
            "period": self._settings.probe_slot_seconds,
            "vantage": self._settings.vantage,
            "holder": self._holder,
        }
        claimed = await self._post(SLOTS_PATH, claim)
        if not claimed["claimed"] or not claimed["targets"]:
            return
        watchers: dict[Target, list[str]] = {}
        for one in claimed["targets"]:
            watchers.setdefault(parse(one["target"]), []).append(one["id"])
        ids = {target.url: endpoints for target, endpoints in watchers.items()}
        samples = [
            _sample(endpoint_id, reading)
            async for reading in sweep(watchers, self._probes)
            for endpoint_id in ids[reading.target]
        ]
        await self._post(SAMPLES_PATH, {"slot": slot, "vantage": self._settings.vantage, "samples": samples})

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self._client.post(path, json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def _sample(endpoint_id: str, reading: Reading) -> dict[str, Any]:
    return {
        "endpoint_id": endpoint_id,
        "at": utc_text(reading.started_at),
        "ok": reading.ok,
        "failing_phase": reading.failing_phase or "",
        "reason": reading.reason,
        "duration_ms": reading.duration_ms,
        "phases": dict(reading.phases),
        "address": reading.address or "",
    }
