"""What happens by the clock: placing what waits, renewing certificates, reporting and clearing, sending mail.

APScheduler is only this process's clock.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from controlplane.domain.issuing_rules import IssuingRules
from controlplane.mail.outbox import deliver_due
from controlplane.operations import applications, certificates, line_slots, placement, report_clock, stock_alerts
from controlplane.operations.reports import When
from controlplane.settings import MailSettings
from controlplane.store import invoices, jobs
from controlplane.store.engine import Ledger
from controlplane.store.times import utc_text

SWEEP_SECONDS = 5.0
MAIL_SECONDS = 2.0
WATCH_SECONDS = 5.0
CERTIFICATES_SECONDS = 30.0
STOCK_SECONDS = 5.0
STOCK_LATE = 60.0
SWEEP_LATE = 30.0
CERTIFICATES_LATE = 600.0
REPORTS_OPEN_SECONDS = 5.0
REPORTS_SECONDS = 2.0
REPORTS_LATE = 120.0
MAIL_LATE = 1800.0
"""Seconds after which work that has not finished is a fault. A mail server that hangs holds up letters for as long as a
go of tries may last, and nothing else."""

log = logging.getLogger("taxplane.timetable")


class Timetable:
    """The periodic work of one server process; several processes may run it side by side."""

    def __init__(self, ledger: Ledger, rules: IssuingRules, mail: MailSettings) -> None:
        self._ledger = ledger
        self._rules = rules
        self._mail = mail
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._done: dict[str, tuple[float, float]] = {}

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._every("sweep", (SWEEP_SECONDS, SWEEP_LATE), self._sweep)
        self._every("line watch", (WATCH_SECONDS, SWEEP_LATE), self._watch)
        self._every("certificates", (CERTIFICATES_SECONDS, CERTIFICATES_LATE), self.look_after_certificates)
        self._every("reports open", (REPORTS_OPEN_SECONDS, REPORTS_LATE), self._open_reports)
        self._every("reports", (REPORTS_SECONDS, REPORTS_LATE), self._step_reports)
        if self._mail.port:
            self._every("mail", (MAIL_SECONDS, MAIL_LATE), self._deliver)
        self._every("stock", (STOCK_SECONDS, STOCK_LATE), self._look_at_stock)
        self._scheduler.start()

    def stop(self) -> None:
        """End; work under way is not waited for, it is safe to repeat."""
        self._scheduler.shutdown(wait=False)

    def faults(self) -> list[str]:
        """Names of work that has not finished for long."""
        now = time.monotonic()
        return [name for name, (at, late) in self._done.items() if now - at > late]

    def _every(self, name: str, rhythm: tuple[float, float], work: Callable[[], Awaitable[None]]) -> None:
        seconds, late = rhythm
        self._done[name] = (time.monotonic(), late)

        async def run() -> None:
            try:
                await work()
            except Exception:
                log.exception("%s failed", name)
                return
            self._done[name] = (time.monotonic(), late)

        self._scheduler.add_job(run, "interval", seconds=seconds, coalesce=True, max_instances=1, id=name)

    async def _sweep(self) -> None:
        for device_id in await self._ledger.read(jobs.devices_with_issues):
            await self._ledger.write(partial(placement.look_after, device_id=device_id, rules=self._rules))
        for taxpayer_id in await self._ledger.read(invoices.unplaced_taxpayers):
            await self._ledger.write(partial(placement.place_waiting, taxpayer_id=taxpayer_id, rules=self._rules))

    async def _watch(self) -> None:
        now = utc_text(self._ledger.clock())
        if await self._ledger.read(lambda hand: line_slots.is_behind(hand, now)):
            while await self._ledger.write(line_slots.keep_up):
                pass

    async def look_after_certificates(self) -> None:
        """Open the renewals that are due and tell the steps before the end, once among all servers."""
        wanting = partial(certificates.wanting, now=self._ledger.clock(), rules=self._rules)
        for due in await self._ledger.read(wanting):
            await self._ledger.write(partial(certificates.look_after, due=due, rules=self._rules))

    async def _open_reports(self) -> None:
        when = When(self._ledger.clock(), self._rules)
        for device_id in await self._ledger.read(partial(report_clock.to_open, when=when)):
            await self._ledger.write(partial(report_clock.open_due, device_id=device_id, rules=self._rules))

    async def _step_reports(self) -> None:
        when = When(self._ledger.clock(), self._rules)
        for report_id in await self._ledger.read(partial(report_clock.to_step, when=when)):
            await self._ledger.write(partial(report_clock.step, report_id=report_id, rules=self._rules))

    async def _look_at_stock(self) -> None:
        now = utc_text(self._ledger.clock())
        for device_id, kind in await self._ledger.read(lambda hand: applications.unconfirmed(hand, now)):
            await self._ledger.write(partial(applications.reconcile, device_id=device_id, kind=kind))
        if await self._ledger.read(stock_alerts.flips):
            await self._ledger.write(partial(stock_alerts.sweep, rules=self._rules))

    async def _deliver(self) -> None:
        await deliver_due(self._ledger, self._mail)
