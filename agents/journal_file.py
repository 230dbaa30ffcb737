"""The journal's file: schema, durable settings read back, and which errors of the disk pass by themselves."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from msgspec.json import Decoder

from controlplane.wire.agents import DeviceAddress, Order, Outcome
from controlplane.wire.evidence import IssuedInvoice

# Made here, by the one thread that imports: two threads using a type for the first time crash the interpreter.
ORDER = Decoder(Order)
OUTCOME = Decoder(Outcome)
ISSUED = Decoder(IssuedInvoice)
ADDRESSES = Decoder(list[DeviceAddress])

SCHEMA = """
CREATE TABLE IF NOT EXISTS intents (
    place INTEGER PRIMARY KEY, job_id TEXT NOT NULL UNIQUE, serial TEXT NOT NULL, device TEXT NOT NULL,
    taxpayer_id TEXT NOT NULL, epoch INTEGER NOT NULL, body BLOB NOT NULL, answer BLOB, open INTEGER NOT NULL,
    written_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS open_intents ON intents (place) WHERE open = 1;
CREATE TABLE IF NOT EXISTS outcomes (
    no INTEGER PRIMARY KEY, job_id TEXT NOT NULL, body BLOB NOT NULL, written_at TEXT NOT NULL, delivered_at TEXT
);
CREATE INDEX IF NOT EXISTS outcomes_of_job ON outcomes (job_id);
CREATE INDEX IF NOT EXISTS undelivered ON outcomes (no) WHERE delivered_at IS NULL;
CREATE TABLE IF NOT EXISTS fences (device TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
VERSION = 1
_CHECKED_ON_START = 64 << 20
"""Bytes up to which a file is checked whole before use; a larger one is checked by ``doctor``."""


class JournalBroken(Exception):
    """The file is damaged, unreadable, or not written durably: no device may be touched."""


def connect(path: Path, first: bool = False) -> sqlite3.Connection:
    """A connection for one thread at a time, with the durable settings confirmed; the first also checks the file.

    Raises:
        JournalBroken: damaged file, foreign version, or settings that did not take.
    """
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA cache_size = -512")
        settings = durability(db)
        if settings != ("wal", 2):
            raise JournalBroken(f"journal_mode, synchronous = {settings}")
        if first:
            if path.stat().st_size <= _CHECKED_ON_START and (fault := check(db)):
                raise JournalBroken(fault)
            _migrate(db)
    except (sqlite3.Error, OSError) as error:
        raise JournalBroken(str(error)) from error
    return db


def durability(db: sqlite3.Connection) -> tuple[str, int]:
    """``(journal_mode, synchronous)`` as the connection has them; ``("wal", 2)`` is what is needed."""
    return (
        str(db.execute("PRAGMA journal_mode").fetchone()[0]),
        int(db.execute("PRAGMA synchronous").fetchone()[0]),
    )


def check(db: sqlite3.Connection) -> str:
    """The first fault of the file's structure; empty when there is none."""
    verdict = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    return "" if verdict == "ok" else verdict


def is_shortage(error: Exception) -> bool:
    """Whether the trouble passes by itself (no space, someone else holds the file) and nothing was half done."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY)
    return isinstance(error, OSError) and error.errno == errno.ENOSPC


def _migrate(db: sqlite3.Connection) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, VERSION):
        raise JournalBroken(f"journal version {version}, this program knows {VERSION}")
    if version == 0:
        db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
