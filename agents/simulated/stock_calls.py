"""The calls that bring invoice numbers to a device and to its terminals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agents.simulated.calendar import day
from agents.simulated.device import LEAVING, Segment
from agents.simulated.device_memory import returned_row
from agents.simulated.numbers import GRANT_LIMIT, number, parse_number
from agents.simulated.refusals import Refusal
from agents.simulated.tax_server import Ask, Call, Done

GRANTED, WRITTEN, CONFIRMED = range(3)
"""LPZT of a grant."""
REFUSED = 2
"""SLZT of an application that was turned down."""


async def apply(ask: Ask) -> Done:
    """GP_FPSG: ask the bureau for numbers of one kind; the device must be certified and hold the kind."""
    device = ask.on
    if not device.certified():
        raise Refusal("09c001")
    kind = device.kind(ask.text("FPLXDM")).kind
    wish = {"request": ask.text("LSH"), "kind": kind, "count": ask.count("SLSL", GRANT_LIMIT)}
    answer = await ask.server.line.call("POST", f"/devices/{device.device_no}/applications", wish)
    return Done({"SLXH": answer["application_no"]})


async def applications(ask: Ask) -> Done:
    """GP_SLXXCX: what the bureau says of the applications for a kind, the newest last."""
    kind = ask.on.kind(ask.text("FPLXDM")).kind
    found = await ask.server.line.call("GET", f"/devices/{ask.on.device_no}/applications?kind={kind}")
    return Done(
        {
            "SLXX": [
                {
                    "SLXH": one["application_no"],
                    "FPLXDM": one["kind"],
                    "SLSL": one["count"],
                    "SLZT": one["state"],
                    "SLSM": "超过核定数量" if one["state"] == REFUSED else "",
                }
                for one in found["applications"]
            ]
        }
    )


async def cancel(ask: Ask) -> Done:
    """GP_CXSL: cancel an application; the bureau refuses once it has decided."""
    application_no = ask.text("SLXH", 64)
    if not application_no.isalnum():
        raise Refusal("092400", "SLXH")
    path = f"/devices/{ask.on.device_no}/applications/{application_no}/cancel"
    await ask.server.line.call("POST", path, {})
    return Done({"SLXH": application_no})


async def _granted(ask: Ask, kind: str) -> list[dict[str, Any]]:
    path = f"/devices/{ask.on.device_no}/grants?kind={kind}"
    grants: list[dict[str, Any]] = (await ask.server.line.call("GET", path))["grants"]
    return grants


def _state(ask: Ask, grant: dict[str, Any]) -> int:
    if grant["confirmed"]:
        return CONFIRMED
    return WRITTEN if any(segment.grant_no == grant["grant_no"] for segment in ask.on.segments) else GRANTED


async def granted(ask: Ask) -> Done:
    """GP_FPDXCX: grants of a kind, oldest first; of the finished ones only the newest."""
    kind = ask.on.kind(ask.text("FPLXDM")).kind
    return Done(
        {
            "LPXX": [
                {
                    "LPBH": grant["grant_no"],
                    "FPLXDM": kind,
                    "FPDM": grant["code"],
                    "QSHM": number(grant["start_no"]),
                    "ZZHM": number(grant["end_no"]),
                    "FS": grant["end_no"] - grant["start_no"] + 1,
                    "LPZT": _state(ask, grant),
                    "SLXH": grant["application_no"],
                }
                for grant in await _granted(ask, kind)
            ]
        }
    )


async def write_grant(ask: Ask) -> Done:
    """GP_FPWSGPLR: write one granted run to the device, once; 9001 when there is no such grant."""
    device, grant_no = ask.on, ask.text("LPBH")
    for kind in device.facts.kinds:
        grant = next((g for g in await _granted(ask, kind.kind) if g["grant_no"] == grant_no), None)
        if grant is not None:
            break
    else:
        raise Refusal("9001", grant_no)
    start, end = grant["start_no"], grant["end_no"]
    answer = {"FPDM": grant["code"], "QSHM": number(start), "ZZHM": number(end), "LPZT": WRITTEN}
    if _state(ask, grant) != GRANTED:
        return Done({**answer, "LPZT": _state(ask, grant)})
    segment = Segment(device.next_place(), grant_no, kind.kind, grant["code"], start, end, start, "", day(device.now()))
    device.add_segment(segment)
    return Done(answer, [segment.remembered(device.device_no)])


async def confirm_grant(ask: Ask) -> Done:
    """TP_LPQR: tell the bureau that a grant is written; it must be."""
    device, grant_no = ask.on, ask.text("LPBH")
    if not any(segment.grant_no == grant_no for segment in device.segments):
        raise Refusal("200001", "号段未写入设备")
    await ask.server.line.call("POST", f"/devices/{device.device_no}/grants/{grant_no}/confirm", {})
    return Done({"LPZT": CONFIRMED})


async def segments(ask: Ask) -> Done:
    """GP_LGXXCX: all segments on the device."""
    return Done({"LGXX": [segment.shown() for segment in ask.on.segments]})


def _run(ask: Ask) -> tuple[int, int]:
    """First and last number asked for; refuses 09d108 when they are none."""
    start, count = parse_number(ask.text("QSHM")), ask.count("FPFS", 99_999_999)
    if start is None:
        raise Refusal("09d108", ask.text("QSHM"))
    return start, start + count - 1


def _holding(ask: Ask, run: tuple[int, int], places: tuple[str, ...]) -> Segment:
    """The segment on one of these terminals that holds the run, unused; refuses 09d108 when there is none."""
    wanted = (ask.text("FPLXDM"), ask.text("FPDM"))
    for segment in ask.on.segments:
        inside = max(segment.start, segment.next) <= run[0] and run[1] <= segment.end
        if inside and segment.terminal in places and (segment.kind, segment.code) == wanted:
            return segment
    raise Refusal("09d108", ask.text("QSHM"))


def _tail(ask: Ask, run: tuple[int, int], places: tuple[str, ...]) -> Segment:
    """The same, of a run that reaches to the segment's end."""
    segment = _holding(ask, run, places)
    if segment.end != run[1]:
        raise Refusal("09d108", "只能取号段尾部")
    return segment


def _shown(ask: Ask, changed: list[Segment]) -> Done:
    device = ask.on
    shown = [segment.shown() for segment in device.segments]
    return Done({"LGXX": shown}, [segment.remembered(device.device_no) for segment in changed])


async def distribute(ask: Ask) -> Done:
    """GP_FPFF: give a run of undistributed numbers to a terminal, cutting its segment where needed."""
    terminal = ask.text("KPZDDM")
    if terminal not in ask.on.facts.terminals:
        raise Refusal("200001", f"开票终端不存在 {terminal}")
    run = _run(ask)
    return _shown(ask, _cut(ask, _holding(ask, run, ("",)), run, terminal))


async def reclaim(ask: Ask) -> Done:
    """GP_FPHS: take the unused tail of a terminal's segment back to the device."""
    run = _run(ask)
    return _shown(ask, _cut(ask, _tail(ask, run, (ask.text("KPZDDM"),)), run, ""))


async def give_back(ask: Ask) -> Done:
    """GP_FPTH: give the unused tail of an undistributed segment back to the bureau.

    The run is set aside on disk before the bureau hears of it, so that nobody can use it whatever the line does; a call
    for the same run takes up where the one before was cut off. Refused by the bureau, it is as it was.
    """
    device, run = ask.on, _run(ask)
    segment = _tail(ask, run, ("", LEAVING))
    if segment.terminal != LEAVING:
        changed = _cut(ask, segment, run, LEAVING)
        await ask.server.around.store.memory.write([one.remembered(device.device_no) for one in changed])
        segment = _tail(ask, run, (LEAVING,))
    body = {"grant_no": segment.grant_no, "start_no": number(run[0]), "end_no": number(run[1])}
    try:
        await ask.server.line.call("POST", f"/devices/{device.device_no}/returns", body)
    except Refusal as refusal:
        if refusal.code == "300002":
            segment.terminal = ""
            await ask.server.around.store.memory.write([segment.remembered(device.device_no)])
        raise
    device.segments.remove(segment)
    done = _shown(ask, [])
    gone = ("DELETE FROM segments WHERE device_no = ? AND place = ?", (device.device_no, segment.place))
    return Done(done.answer, [gone, returned_row(device, segment, day(device.now()))])


def _cut(ask: Ask, segment: Segment, run: tuple[int, int], terminal: str) -> list[Segment]:
    """The run leaves its segment for ``terminal``; numbers before and after it stay where they are."""
    device, (start, end), whole_end, before = ask.on, run, segment.end, segment.terminal
    changed = [segment]
    if start > segment.start:
        segment.end = start - 1
        segment = replace(segment, place=device.next_place(), start=start, next=start, end=end, terminal=terminal)
        device.add_segment(segment)
        changed.append(segment)
    else:
        segment.end, segment.terminal = end, terminal
    if whole_end > end:
        rest = replace(segment, place=device.next_place(), start=end + 1, next=end + 1, end=whole_end, terminal=before)
        device.add_segment(rest)
        changed.append(rest)
    return changed


async def current_number(ask: Ask) -> Done:
    """GP_DQFPCX: the number the terminal uses next; 1002 when it has none."""
    device = ask.on
    terminal, kind = ask.text("KPZDDM"), device.kind(ask.text("FPLXDM")).kind
    segment = device.current(kind, terminal)
    left = sum(s.left for s in device.segments if s.kind == kind and s.terminal == terminal)
    return Done({"FPDM": segment.code, "FPHM": number(segment.next), "SYFS": left})


CALLS: dict[str, Call] = {
    "GP_FPSG": Call(apply, changing=True),
    "GP_SLXXCX": Call(applications),
    "GP_CXSL": Call(cancel, changing=True),
    "GP_FPDXCX": Call(granted),
    "GP_FPWSGPLR": Call(write_grant, changing=True),
    "TP_LPQR": Call(confirm_grant, changing=True),
    "GP_LGXXCX": Call(segments),
    "GP_FPFF": Call(distribute, changing=True),
    "GP_FPHS": Call(reclaim, changing=True),
    "GP_FPTH": Call(give_back, changing=True),
    "GP_DQFPCX": Call(current_number),
}
