"""Our side of the probe bench: the line watch against a real server, one slot for each line read on stdin.

``python -m tests.bench.peers.prober API CA_FILE``; the token is in TAXPLANE_TOKEN. Prints how many checks each took.
"""

from __future__ import annotations

import os
import ssl
import sys
from typing import Any

import httpx2

from controlplane.domain.line_watch import slot_at
from controlplane.probe_clock import LineWatch
from controlplane.settings import Settings
from controlplane.store.times import system_clock, utc_text
from probes.loop import run
from probes.reach import Reach
from probes.settings import ProbeSettings


async def _work(api: str, ca_file: str) -> None:
    token = os.environ["TAXPLANE_TOKEN"]
    client = httpx2.AsyncClient(base_url=api, headers={"Authorization": f"Bearer {token}"}, timeout=60.0)
    probes = ProbeSettings(
        reach=Reach(["127.0.0.0/8"]), clock=system_clock, tls=ssl.create_default_context(cafile=ca_file)
    )
    taken = 0

    async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        nonlocal taken
        answer = (await client.post(path, json=body)).raise_for_status().json()
        taken += sum(bool(sample["ok"]) for sample in body.get("samples", ()))
        return dict(answer)

    for number, _ in enumerate(sys.stdin):
        # A vantage for each slot: the bench does not wait five minutes for the next one.
        watch = LineWatch(Settings(vantage=f"bench{number}"), post, probes)
        await watch.work(utc_text(slot_at(system_clock(), Settings.probe_slot_seconds)))
        print(taken, flush=True)
        taken = 0


if __name__ == "__main__":
    run(_work(sys.argv[1], sys.argv[2]))
