"""``taxplane-agent doctor``: one page on whether this agent and its devices are well; it only reads."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from email.utils import parsedate_to_datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from agents import identity, journal_file, settings
from agents.drivers.catalog import Catalog, Patience, UnknownKind
from agents.enrolment import version
from agents.identity import Identity
from agents.instants import now_utc
from agents.phrases import say
from agents.single import HomeInUse, Single
from agents.uplink import Away, Rejected, Revoked, Uplink
from controlplane.wire.agents import DeviceAddress

_CLOCK_WARNS = 300.0
_DISK_WARNS_MIB = 256
_PATIENCE = Patience(connect=3.0, read=3.0)


class Finding(Struct, frozen=True):
    """One line of the page. ``code`` names what was looked at, for programs; ``label`` and ``words`` are for people."""

    code: str
    label: str
    well: bool
    words: str


def main(home: Path, as_json: bool) -> int:
    """Print the page; 0 when all is well, else 1."""
    findings = examine(home)
    troubles = sum(not finding.well for finding in findings)
    if as_json:
        print(msgspec.json.encode({"well": not troubles, "findings": findings}).decode())
    else:
        lines = (f"  {'✓' if finding.well else '✗'} {finding.label}  {finding.words}" for finding in findings)
        verdict = say("doctor.trouble", n=troubles) if troubles else say("doctor.well")
        print("\n".join((say("doctor.title"), *lines, verdict)))
    return 1 if troubles else 0


def examine(home: Path) -> list[Finding]:
    """All findings, in the order of the page."""
    findings = [_process(home)]
    journal = _Journal(home / "journal.db")
    try:
        who = identity.load(home)
    except identity.NotJoined:
        findings.append(_finding("identity", False, say("doctor.not_joined")))
    else:
        findings.append(_finding("identity", True, f"{who.name} {who.agent_id} @ {who.host_id}"))
        findings += _control_plane(who, journal.fact("session"), _ca_file(home))
    findings += journal.findings()
    findings += _devices(journal.fact("serves"))
    findings.append(_disk(home))
    words = f"taxplane {version()}, Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"
    return [*findings, _finding("version", True, words)]


def _finding(code: str, well: bool, words: str) -> Finding:
    return Finding(code, say(f"doctor.{code}"), well, words)


def _process(home: Path) -> Finding:
    words = say("doctor.not_running")
    if (home / "agent.lock").exists():
        try:
            Single(home / "agent.lock").release()
        except HomeInUse as held:
            words = say("doctor.is_running", pid=held.pid)
    return _finding("running", True, words)


def _control_plane(who: Identity, session: str | None, ca_file: str) -> list[Finding]:
    line = Uplink(who.url, who.bearer, ca_file)
    try:
        asked_at = now_utc()
        status, date = line.health()
        took = now_utc() - asked_at
        words, well = say("doctor.reached"), status == 200
        if session is not None:
            # An empty report in the name of the present session: changes nothing, and shows whether we are known.
            line.report(session, [], [])
            words = say("doctor.accepted")
    except Revoked:
        return [_finding("control_plane", False, say("doctor.revoked"))]
    except (Away, Rejected) as error:
        return [_finding("control_plane", False, say("doctor.not_reached", why=error))]
    finally:
        line.close()
    findings = [_finding("control_plane", well, f"{who.url} {words}")]
    if date:
        # The header holds whole seconds: its middle is taken.
        ahead = (asked_at + took / 2 - parsedate_to_datetime(date)).total_seconds() - 0.5
        findings.append(_finding("clock", abs(ahead) < _CLOCK_WARNS, say("doctor.seconds", n=ahead)))
    return findings


class _Journal:
    """The journal read beside a running agent."""

    def __init__(self, path: Path) -> None:
        self._fault = ""
        self._db: sqlite3.Connection | None = None
        try:
            if not path.exists():
                raise sqlite3.OperationalError(str(path))
            self._db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
            self._db.execute("PRAGMA synchronous = FULL")
            settings_found = journal_file.durability(self._db)
            self._fault = journal_file.check(self._db) or ("" if settings_found == ("wal", 2) else str(settings_found))
        except sqlite3.Error as error:
            self._fault = str(error)

    def fact(self, name: str) -> str | None:
        """A fact the agent kept, if the file can tell."""
        row = self._row("SELECT value FROM facts WHERE name = ?", name)
        return str(row[0]) if row else None

    def findings(self) -> list[Finding]:
        """Soundness, open intents, undelivered outcomes."""
        if self._fault:
            return [_finding("journal", False, say("doctor.fault", why=self._fault))]
        found = [_finding("journal", True, say("doctor.durable"))]
        for code, where in (
            ("open_intents", "FROM intents WHERE open = 1"),
            ("undelivered", "FROM outcomes WHERE delivered_at IS NULL"),
        ):
            row = self._row(f"SELECT count(*) {where}")
            found.append(_finding(code, True, say("doctor.count", n=row[0] if row else "?")))
        return found

    def _row(self, sql: str, *parameters: str) -> tuple[object, ...] | None:
        if self._db is None or self._fault:
            return None
        try:
            row: tuple[object, ...] | None = self._db.execute(sql, parameters).fetchone()
        except sqlite3.Error as error:
            self._fault = str(error)
            return None
        return row


def _devices(serves: str | None) -> list[Finding]:
    addresses = journal_file.ADDRESSES.decode(serves) if serves else []
    addresses = [address for address in addresses if address.device_no is not None]
    if not addresses:
        return [_finding("devices", True, say("doctor.none_served"))]
    catalog = Catalog(_PATIENCE, now_utc)
    findings = [_device(catalog, address) for address in addresses]
    catalog.close()
    return findings


def _device(catalog: Catalog, address: DeviceAddress) -> Finding:
    label = say("doctor.device", no=address.device_no)
    try:
        seen = catalog.driver(address.device_kind).observe(address, 0)
    except UnknownKind as unknown:
        return Finding("device", label, False, say("order.no_driver", kind=unknown))
    if not seen.reachable or seen.clock_offset_seconds is None:
        return Finding("device", label, False, say("doctor.not_reached", why=seen.message))
    offset = seen.clock_offset_seconds
    online = bool(seen.bureau_online)
    key = "doctor.line_up" if online else "doctor.line_down"
    words = say(key, n=offset, why=seen.bureau_message)
    return Finding("device", label, online and abs(offset) < _CLOCK_WARNS, words)


def _disk(home: Path) -> Finding:
    place = home if home.exists() else Path(home.anchor or ".")
    free = shutil.disk_usage(place).free >> 20
    return _finding("disk", free >= _DISK_WARNS_MIB, say("doctor.free", n=free))


def _ca_file(home: Path) -> str:
    try:
        return settings.load(home, os.environ).ca_file
    except ValueError:
        return ""
