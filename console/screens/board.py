"""The server board (服务器看板): one line per tax server, its virtual devices under it, worst first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from console.desk import Desk
from console.feed import Batch
from console.history import INTERVAL
from console.link import LinkProblem
from console.records import Record, mapping, text, whole
from console.screens import tax_servers, virtual_devices
from console.screens.board_columns import COLUMNS
from console.screens.cells import urgency, verdict
from console.screens.listing import ListScreen
from console.screens.moves import GoTo
from console.screens.noun import Noun, Related
from console.theme import SEVERITY, SIGNS, Verdict
from console.widgets.columns import View
from console.widgets.ink import Line, Part
from console.widgets.sparkline import sparkline

_MOST_DEVICES = 20_000
_SEED = 300
_MINUTE = 60 // INTERVAL
"""Bars of a trend that make a minute."""
_SUMMED = ("issued_today", "waiting_invoices", "waiting_uploads")


def _no_page(record: Record, view: View, related: Related) -> list[Line]:
    return []


NOUN = Noun(
    "board",
    ("board", "看板", "服务器看板", "fwqkb", "kb", "home"),
    COLUMNS,
    virtual_devices.name,
    _no_page,
    verdict,
    urgency,
    watched=frozenset({"invoices", "jobs", "segments"}),
)


def server_row(server: Record, devices: Sequence[Record]) -> Record:
    """A tax server with its devices added up; its health is the worst of its own and theirs."""
    row = {**server, "row": "server", "devices": len(devices)}
    for key in _SUMMED:
        row[key] = sum(whole(device, key) or 0 for device in devices)
    stock: dict[str, int] = {}
    for device in devices:
        for kind in mapping(device, "stock"):
            stock[kind] = stock.get(kind, 0) + (whole(mapping(device, "stock"), kind) or 0)
    row["stock"] = stock
    row["kinds"] = [kind for device in devices for kind in _kinds(device)]
    worst = min((server, *devices), key=lambda one: urgency(one)[:2])
    row["health"] = worst.get("health")
    causes = [text(device, "health.cause") for device in devices if verdict(device) != "ok"]
    row["alike"] = causes.count(text(worst, "health.cause"))
    row["others"] = len(causes) - row["alike"]
    row["own"] = worst is server
    return row


def _kinds(device: Record) -> list[object]:
    kinds = device.get("kinds")
    return kinds if isinstance(kinds, list) else []


class BoardScreen(ListScreen):
    """The screen the console opens with."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("t", "fold", "key.fold")]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, NOUN, GoTo("board"))
        self.servers: dict[str, Record] = {}
        self.folded = False
        self._took = 0.0
        self._reloaded_at = 0.0

    # --- loading

    async def load(self) -> None:
        """Read servers, devices and agents, and where the day's trend begins."""
        self._loading = True
        await self.reload()
        try:
            latest = await self.desk.link.page("invoices", _SEED)
        except LinkProblem:
            return  # not everyone may read invoices; the trend begins now
        self.desk.trends.seed(latest.items, self.desk.clock())
        self.show_rows()

    async def reload(self) -> None:
        """Read the whole board afresh."""
        started = time.monotonic()
        servers, devices, agents = await asyncio.gather(
            self._allowed("tax-servers"),
            self.desk.link.every("virtual-devices", most=_MOST_DEVICES),
            self._allowed("agents"),
        )
        self._took, self._reloaded_at = time.monotonic() - started, time.monotonic()
        self._loading = False
        self.desk.heard_at = self.desk.clock()
        self.servers = {server["id"]: server for server in servers}
        self.lookups["agents"] = {agent["id"]: agent for agent in agents}
        for device in devices:
            self._remember(device)
        self.roll.replace(devices)
        self.show_rows()

    async def _allowed(self, noun: str) -> list[Record]:
        """All records of a noun, or none for someone who may not see them."""
        try:
            return await self.desk.link.every(noun)
        except LinkProblem as problem:
            if problem.status not in (403, 404):
                raise
            return []

    def _remember(self, device: Record) -> None:
        self.desk.trends.observe(device, self.desk.clock())
        self.desk.readings.observe(device)

    def deliver(self, batch: Batch) -> None:
        """One device or server is read by itself; what changes sums is read together, not too often."""
        if batch.resync or self.noun.watched & batch.changed.keys() or "agents" in batch.changed:
            self.reload_soon()
        elif {"tax-servers", "virtual-devices"} & batch.changed.keys():
            self.start(self._refetch_some(batch))

    def reload_gap(self) -> float:
        """A big fleet, which takes long to read, is read less often."""
        return max(super().reload_gap(), 10 * self._took - (time.monotonic() - self._reloaded_at))

    async def _refetch_some(self, batch: Batch) -> None:
        wanted = [
            (noun, record_id)
            for noun in ("tax-servers", "virtual-devices")
            for record_id in batch.changed.get(noun, ())
        ]
        if len(wanted) > 20:
            self.reload_soon()
            return
        found = await asyncio.gather(*(self.desk.link.one(noun, record_id) for noun, record_id in wanted))
        for (noun, record_id), record in zip(wanted, found, strict=True):
            if record.get("id") != record_id:
                continue
            if noun == "tax-servers":
                self.servers[record_id] = record
            else:
                self._remember(record)
                self.roll.put(record)
        self.show_rows()

    # --- drawing

    def arranged(self) -> list[Record]:
        """Servers in order, each with its devices in order; a filter keeps a server for its devices."""
        by_server: dict[str, list[Record]] = {server_id: [] for server_id in self.servers}
        for device in self.roll.records.values():
            by_server.setdefault(text(device, "tax_server_id"), []).append(device)
        narrowed = bool(self.roll.filter.text) or self.roll.faults_only
        shown = {device["id"] for device in self.roll.arranged()} if narrowed else None
        order = {device["id"]: place for place, device in enumerate(self.roll.arranged())}
        groups = [
            (server_row(self.servers.get(server_id) or self._unseen(server_id, devices), devices), devices)
            for server_id, devices in by_server.items()
        ]
        groups.sort(key=lambda group: self.place_of(group[0]), reverse=self.roll.downwards)
        self.table.view.trends = self._trends(groups)
        rows: list[Record] = []
        for server, devices in groups:
            kept = [device for device in devices if shown is None or device["id"] in shown]
            if kept or shown is None or self.roll.shows(server):
                rows.append(server)
                if not self.folded:
                    rows += [{**device, "row": "device"} for device in sorted(kept, key=lambda one: order[one["id"]])]
        return rows

    def place_of(self, server: Record) -> Any:
        """Sort key of a server among the others."""
        sort = COLUMNS[self.roll.column].sort if self.roll.column is not None else None
        return sort(server) if sort else urgency(server)

    def _unseen(self, server_id: str, devices: Sequence[Record]) -> Record:
        """A line for a server that the operator may not see, as far as its devices tell."""
        number = text(devices[0], "tax_server_no") if devices else ""
        name = number or self.desk.say("board.unplaced")
        return {"id": server_id or "-", "name": name, "tax_server_no": number, "health": {"verdict": "ok"}}

    def _trends(self, groups: list[tuple[Record, list[Record]]]) -> dict[str, list[int]]:
        now, trends = self.desk.clock(), self.desk.trends
        found: dict[str, list[int]] = {}
        for server, devices in groups:
            found[server["id"]] = trends.bars([text(device, "device_no") for device in devices], now)
            for device in devices:
                found[device["id"]] = trends.bars([text(device, "device_no")], now)
        return found

    def show_summary(self) -> None:
        """The fleet in one line."""
        say = self.desk.say
        counts = self.roll.tally()
        devices = list(self.roll.records.values())
        if not devices:  # sums of nothing would read as good news
            self.summary.show([], self._scope())
            return
        sums = {key: sum(whole(device, key) or 0 for device in devices) for key in _SUMMED}
        bars = self.desk.trends.bars([text(device, "device_no") for device in devices], self.desk.clock())
        parts = [Part(" ")]
        for word in SEVERITY:
            if counts[word]:
                parts.append(Part(f"{SIGNS[word]} {counts[word]} {say.word('verdict', word)}  ", _tone(word)))
        parts.append(Part(say("board.waiting", n=sums["waiting_invoices"]) + "  ", _zero(sums["waiting_invoices"])))
        parts.append(Part(say("board.uploads", n=sums["waiting_uploads"]) + "  ", "dim"))
        parts.append(Part(say("board.today", n=f"{sums['issued_today']:,}") + "  "))
        parts.append(Part(sparkline(bars, 12) + " ", "accent"))
        parts.append(Part(say("board.rate", n=sum(bars[-_MINUTE - 1 : -1])), "dim"))
        self.summary.show(parts, self._scope())

    # --- keys

    def noun_of(self, record: Record) -> Noun:
        """A row is a tax server or a virtual device."""
        return tax_servers.NOUN if record.get("row") == "server" else virtual_devices.NOUN

    def action_fold(self) -> None:
        """Devices under the servers, or servers alone."""
        self.folded = not self.folded
        self.show_rows()


def _tone(word: Verdict) -> Verdict:
    return word


def _zero(count: int) -> Verdict:
    return "warn" if count else "ok"
