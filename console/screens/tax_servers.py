"""Tax servers (税控服务器): list and page."""

from __future__ import annotations

from collections.abc import Sequence

from console.records import Record, flag, pick, text, whole
from console.screens.cells import (
    cause_cell,
    certificate_cell,
    clock_cell,
    heartbeat_cell,
    ordered,
    plain_cell,
    signed,
    state_cell,
    time_cell,
    trouble_of,
    until_cell,
    urgency,
    verdict,
)
from console.screens.noun import Noun, Related, Relation
from console.screens.page_lines import cell_fact, fact, fact_if, heading, health, job_lines, known, reading_lines, table
from console.screens.virtual_devices import COLUMNS as DEVICE_COLUMNS
from console.screens.virtual_devices import name as device_name
from console.times import stamp
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import BLANK, Line, Part


def _name(record: Record) -> str:
    return text(record, "name") or text(record, "tax_server_no")


def _host(record: Record, view: View) -> Cell:
    return Cell(_address(record), "dim")


def _address(record: Record) -> str:
    return ":".join(filter(None, (text(record, "host"), text(record, "port"))))


def _quota(record: Record, view: View) -> Cell:
    left, total = whole(record, "quota_left"), whole(record, "quota_total")
    if left is None or total is None:
        return Cell("", "dim")
    return Cell(f"{left}/{total}", "warn" if left <= 0 < total else "plain")


COLUMNS = (
    signed(verdict),
    Column("server", 14, plain_cell("tax_server_no", "strong"), ordered("tax_server_no")),
    Column("name", 16, plain_cell("name"), ordered("name"), grow=1, rank=4),
    Column("region", 8, plain_cell("region"), ordered("region"), rank=3),
    Column("state", 14, state_cell("state.tax-servers"), ordered("state"), rank=1),
    Column("quota", 9, _quota, ordered("quota_left"), right=True, rank=3),
    Column("clock", 7, clock_cell, ordered("clock_offset_seconds"), right=True, rank=2),
    Column("certificate", 4, certificate_cell, ordered("certificate_not_after"), right=True, rank=2),
    Column("agent", 8, heartbeat_cell, ordered("agent_id"), rank=2),
    Column("read_at", 11, time_cell("read_at"), ordered("read_at"), rank=6),
    Column("until", 5, until_cell, ordered("health.minutes_until_stop"), right=True, rank=1),
    Column("cause", 18, cause_cell, urgency, grow=2),
)


def _devices(record: Record) -> Sequence[Relation]:
    return (Relation("virtual-devices", (("tax_server_id", record["id"]),)),)


def _depends(record: Record) -> Sequence[Relation]:
    return (*_devices(record), Relation("jobs", (("subject_id", record["id"]),)))


def _trouble(record: Record, related: Related) -> Record:
    devices = related.get("virtual-devices", [])
    return trouble_of(min((record, *devices), key=urgency))


def _worst_device(view: View, record: Record, devices: list[Record]) -> list[Line]:
    """Why the board shows a server in trouble that is well itself."""
    if verdict(record) != "ok" or not devices or verdict(devices[0]) == "ok":
        return []
    lines = health(view, devices[0])
    device = Part(f"{view.say('noun.virtual-devices')} {device_name(devices[0])}  ", "strong")
    return [BLANK, Line((device, *lines[0].parts), 4), *lines[1:]]


def _page(record: Record, view: View, related: Related) -> list[Line]:
    devices = sorted(related.get("virtual-devices", []), key=urgency)
    return [
        *health(view, record),
        *_worst_device(view, record, devices),
        *heading(view, "devices", str(len(devices)) if devices else ""),
        *table(view, DEVICE_COLUMNS, devices, 40),
        *heading(view, "facts"),
        *known(
            [
                fact(view, "server", text(record, "tax_server_no")),
                fact(view, "name", text(record, "name")),
                fact(view, "region", text(record, "region")),
                cell_fact(view, "state", state_cell("state.tax-servers")(record, view)),
                fact(view, "host", _address(record)),
                cell_fact(view, "agent", heartbeat_cell(record, view)),
                cell_fact(view, "clock", clock_cell(record, view)),
                cell_fact(view, "quota", _quota(record, view)),
                fact(view, "kernel", text(record, "kernel_version")),
                fact(view, "read_at", stamp(record, "read_at")),
                fact(view, "id", text(record, "id")),
            ]
        ),
        *heading(view, "certificate"),
        *_certificate(record, view),
        *(job_lines(view, [job]) if isinstance(job := pick(record, "open_job"), dict) else []),
        *reading_lines(view, record),
    ]


def _certificate(record: Record, view: View) -> list[Line]:
    """Stage, status, dates, and from when it is to be renewed."""
    due = flag(record, "certificate.renewal_due") is True
    due_at = stamp(record, "certificate.renewal_due_at")
    stage = state_cell("certificate_stage", "certificate_stage")
    status = state_cell("certificate_status", "certificate.status")
    return known(
        [
            cell_fact(view, "certificate_stage", stage(record, view)),
            cell_fact(view, "certificate_status", status(record, view)),
            fact_if(view, "certificate_issued", stamp(record, "certificate_issued_at")),
            cell_fact(view, "certificate", _until(record, view)),
            fact_if(view, "renewal_due", due_at, "warn" if due else "plain"),
        ]
    )


def _until(record: Record, view: View) -> Cell:
    days = certificate_cell(record, view)
    until = stamp(record, "certificate_not_after")
    return Cell(f"{until}  ({days.text})" if until and days.text else until, days.tone)


NOUN = Noun(
    "tax-servers",
    ("servers", "server", "税控服务器", "服务器", "skfwq", "fwq", "sv"),
    COLUMNS,
    _name,
    _page,
    verdict,
    urgency,
    depends=_depends,
    parts=_devices,
    trouble=_trouble,
    lookups=("agents",),
    impact=True,
    watched=frozenset({"agents"}),
)
