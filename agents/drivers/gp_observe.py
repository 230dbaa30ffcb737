"""Reading a virtual device in the GP dialect: three calls make one observation, whole or not at all."""

from __future__ import annotations

import time

from agents.drivers import gp_replies as gp
from agents.drivers.gp_calls import DeviceSaid, GpCalls
from agents.drivers.gp_transport import NotUnderstood, Unanswered, Unsent
from agents.instants import text_of
from agents.plain_text import plain
from controlplane.wire.agents import DeviceAddress, Observation

UPLOADS_AT_ONCE = 200


def observe(calls: GpCalls, address: DeviceAddress, upload_cursor: int) -> Observation:
    """What the device says now. A device that cannot be read is an observation too: ``reachable`` is False."""
    read_at = text_of(calls.clock())
    try:
        return _read(calls, address, upload_cursor)
    except (Unsent, Unanswered) as silence:
        message, reachable = f"{silence.code}: {silence.detail}", False
    except NotUnderstood as refusal:
        message, reachable = f"{refusal.code}: {refusal.detail}", True
    except DeviceSaid as said:
        message, reachable = f"{said.code}: {said.message}", True
    return Observation(
        device_no=address.device_no or "",
        tax_server_no=address.tax_server_no,
        read_at=read_at,
        reachable=reachable,
        message=plain(message),
    )


def _read(calls: GpCalls, address: DeviceAddress, upload_cursor: int) -> Observation:
    asked_at, started = calls.clock(), time.monotonic()
    monitor = calls.ask(address, "GP_JKXX", {}, gp.Monitor)
    took = time.monotonic() - started
    # The time before the question: what a changing call has done meanwhile is newer than this reading.
    read_at = text_of(calls.clock())
    segments = calls.ask(address, "GP_LGXXCX", {}, gp.SegmentsReply).LGXX
    uploads: list[gp.Upload] = []
    if upload_cursor < monitor.ZDXH:
        window = {"QSXH": upload_cursor + 1, "ZS": UPLOADS_AT_ONCE}
        uploads = calls.ask(address, "GP_SCJGCX", window, gp.UploadsReply).SCJG
    facts = (upload.facts(read_at) for upload in uploads[:UPLOADS_AT_ONCE])
    return Observation(
        device_no=address.device_no or "",
        tax_server_no=address.tax_server_no,
        read_at=read_at,
        reachable=True,
        clock_offset_seconds=gp.clock_offset(monitor.SBSJ, asked_at, took),
        bureau_online=monitor.JDZT == 0,
        bureau_message=plain(monitor.JDMS),
        offline_since=gp.utc_text(monitor.LXQSSJ) if monitor.LXQSSJ else None,
        offline_count=monitor.LXZS,
        offline_amount=monitor.LXJE,
        last_index=monitor.ZDXH,
        kinds=[kind.facts() for kind in monitor.JKSJ],
        segments=[segment.facts() for segment in segments],
        uploads=[fact for fact in facts if fact is not None],
    )
