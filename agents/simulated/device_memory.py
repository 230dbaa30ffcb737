"""What tax servers and their virtual devices remember, and the questions asked of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from agents.simulated import journal_files
from agents.simulated.device import Device, DeviceFacts, Segment
from agents.simulated.issuing import Record
from agents.simulated.memory import Memory, Statement
from agents.simulated.numbers import fen

NOT_UPLOADED, UPLOADED, FAILED, ON_ITS_WAY, REJECTED = range(5)
"""SCZT of an invoice."""

SCHEMA = (
    journal_files.SCHEMA
    + """
CREATE TABLE IF NOT EXISTS places (name TEXT PRIMARY KEY, port INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS servers (tax_server_no TEXT PRIMARY KEY, facts BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS devices (
    device_no TEXT PRIMARY KEY, tax_server_no TEXT NOT NULL, facts BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS segments (
    device_no TEXT NOT NULL, place INTEGER NOT NULL, grant_no TEXT NOT NULL, kind TEXT NOT NULL, code TEXT NOT NULL,
    start_no INTEGER NOT NULL, end_no INTEGER NOT NULL, next_no INTEGER NOT NULL, terminal_code TEXT NOT NULL,
    received_on TEXT NOT NULL, PRIMARY KEY (device_no, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS returned (
    device_no TEXT NOT NULL, kind TEXT NOT NULL, count INTEGER NOT NULL, received_on TEXT NOT NULL,
    returned_on TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS answers (
    owner TEXT NOT NULL, lsh TEXT NOT NULL, tax_server_no TEXT NOT NULL, call TEXT NOT NULL, body_hash TEXT NOT NULL,
    answer BLOB NOT NULL, PRIMARY KEY (owner, lsh)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answers_by_lsh ON answers (tax_server_no, lsh);
CREATE TABLE IF NOT EXISTS invoices (
    device_no TEXT NOT NULL, position INTEGER NOT NULL, lsh TEXT NOT NULL, body_hash TEXT NOT NULL, code TEXT NOT NULL,
    no TEXT NOT NULL, gross_fen INTEGER NOT NULL, issued_on TEXT NOT NULL, line_end INTEGER NOT NULL,
    state INTEGER NOT NULL, acceptance_no TEXT NOT NULL, receipt_no TEXT NOT NULL, settled_at TEXT NOT NULL,
    message TEXT NOT NULL, PRIMARY KEY (device_no, position), UNIQUE (device_no, lsh), UNIQUE (code, no)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS invoices_waiting ON invoices (device_no, position) WHERE state IN (0, 3);
"""
)

_RECORD = "SELECT l.text FROM invoices i JOIN lines l ON l.device_no = i.device_no AND l.end_offset = i.line_end WHERE "


class ServerFacts(Struct):
    """What a tax server remembers of itself."""

    area: str
    commissioned_at: str = ""
    not_after: str = ""
    authority_code: str = ""
    authority_name: str = ""
    clock_offset: float = 0.0
    kernel_version: str = ""
    """Empty: as it came from the factory."""
    issued_at: str = ""
    stage: int = 0
    """ZSJD: 0 no certificate, 1 temporary, 2 formal requested, 3 formal."""
    requested_at: str = ""
    synced_at: str = ""


@dataclass(frozen=True)
class Waiting:
    """An invoice that the bureau has not yet answered for."""

    position: int
    acceptance_no: str
    gross_fen: int
    record: Record


class DeviceMemory:
    """What is asked of one process's memory; rows to be stored are made by the functions below."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def server(self, tax_server_no: str) -> ServerFacts | None:
        """A tax server's facts."""
        rows = self.memory.read("SELECT facts FROM servers WHERE tax_server_no = ?", (tax_server_no,))
        return msgspec.json.decode(rows[0][0], type=ServerFacts) if rows else None

    def devices(self, tax_server_no: str, clock: Callable[[], datetime]) -> list[Device]:
        """All virtual devices of a tax server, as they were when last stored."""
        rows = self.memory.read("SELECT device_no, facts FROM devices WHERE tax_server_no = ?", (tax_server_no,))
        found = []
        for device_no, facts in rows:
            device = Device(device_no, tax_server_no, msgspec.json.decode(facts, type=DeviceFacts), clock)
            self._fill(device)
            found.append(device)
        return found

    def _fill(self, device: Device) -> None:
        key = (device.device_no,)
        for row in self.memory.read("SELECT * FROM segments WHERE device_no = ? ORDER BY place", key):
            device.segments.append(Segment(*row[1:]))
        device.last_index = self.memory.read(
            "SELECT coalesce(max(position), 0) FROM invoices WHERE device_no = ?", key
        )[0][0]
        device.waiting_count, device.waiting_fen = self.memory.read(
            "SELECT count(*), coalesce(sum(max(0, gross_fen)), 0) FROM invoices"
            " WHERE device_no = ? AND state IN (0, 3)",
            key,
        )[0]

    def returned(self, device_no: str, kind: str) -> list[tuple[int, str, str]]:
        """(count, received on, returned on) of each run of a kind that went back to the bureau; days yyyyMMdd."""
        sql = "SELECT count, received_on, returned_on FROM returned WHERE device_no = ? AND kind = ?"
        return self.memory.read(sql, (device_no, kind))

    def answer(self, owner: str, lsh: str) -> tuple[str, str, bytes] | None:
        """(call, body hash, answer) of a changing call that was done, invoices apart."""
        rows = self.memory.read("SELECT call, body_hash, answer FROM answers WHERE owner = ? AND lsh = ?", (owner, lsh))
        return rows[0] if rows else None

    def answer_anywhere(self, tax_server_no: str, lsh: str) -> bytes | None:
        """The answer under a serial, whichever device of the server it was for."""
        rows = self.memory.read("SELECT answer FROM answers WHERE tax_server_no = ? AND lsh = ?", (tax_server_no, lsh))
        return bytes(rows[0][0]) if rows else None

    def invoice(self, device_no: str, lsh: str) -> Record | None:
        """The invoice made under a serial."""
        rows = self.memory.read(_RECORD + "i.device_no = ? AND i.lsh = ?", (device_no, lsh))
        return msgspec.json.decode(rows[0][0], type=Record) if rows else None

    def invoices(self, device_no: str, first: int, count: int) -> list[Record]:
        """The journal from a position on."""
        rows = self.memory.read(
            _RECORD + "i.device_no = ? AND i.position >= ? ORDER BY i.position LIMIT ?", (device_no, first, count)
        )
        return [msgspec.json.decode(text, type=Record) for (text,) in rows]

    def uploads(self, device_no: str, first: int, count: int) -> list[dict[str, Any]]:
        """Upload results as GP_SCJGCX tells them, from a journal position on."""
        rows = self.memory.read(
            "SELECT position, lsh, code, no, state, receipt_no, settled_at, message FROM invoices"
            " WHERE device_no = ? AND position >= ? ORDER BY position LIMIT ?",
            (device_no, first, count),
        )
        names = ("XH", "LSH", "FPDM", "FPHM", "SCZT", "SLXLH", "SCSJ", "SCMS")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def waiting(self, device_no: str, limit: int) -> list[Waiting]:
        """The next batch to upload, oldest first: what one acceptance number covers, or what has none yet."""
        sql = (
            "SELECT i.position, i.acceptance_no, i.gross_fen, l.text FROM invoices i"
            " JOIN lines l ON l.device_no = i.device_no AND l.end_offset = i.line_end"
            " WHERE i.device_no = ? AND i.state IN (0, 3) AND i.acceptance_no = ? ORDER BY i.position LIMIT ?"
        )
        head = self.memory.read(
            "SELECT acceptance_no FROM invoices WHERE device_no = ? AND state IN (0, 3) ORDER BY position LIMIT 1",
            (device_no,),
        )
        if not head:
            return []
        rows = self.memory.read(sql, (device_no, head[0][0], -1 if head[0][0] else limit))
        return [Waiting(at, number, fen_, msgspec.json.decode(text, type=Record)) for at, number, fen_, text in rows]

    def oldest_waiting(self, device_no: str) -> str:
        """Device date (yyyyMMdd) of the oldest invoice not yet uploaded, empty when there is none."""
        rows = self.memory.read(
            "SELECT issued_on FROM invoices WHERE device_no = ? AND state IN (0, 3) ORDER BY position LIMIT 1",
            (device_no,),
        )
        return rows[0][0] if rows else ""

    def waiting_of(self, device_no: str, codes: Collection[str]) -> int:
        """How many invoices of these codes the bureau has not accepted, those voided apart."""
        rows = self.memory.read(
            "SELECT i.code, count(*) FROM invoices i WHERE i.device_no = ? AND i.state <> ? AND NOT EXISTS"
            " (SELECT 1 FROM voids v WHERE v.device_no = i.device_no AND v.position = i.position) GROUP BY i.code",
            (device_no, UPLOADED),
        )
        return sum(count for code, count in rows if code in codes)

    def issued_between(self, device_no: str, first: str, last: str) -> list[Record]:
        """The journal's invoices by device date (yyyyMMdd), both days included."""
        rows = self.memory.read(
            _RECORD + "i.device_no = ? AND i.issued_on BETWEEN ? AND ? ORDER BY i.position", (device_no, first, last)
        )
        return [msgspec.json.decode(text, type=Record) for (text,) in rows]

    def used_until(self, device_no: str, last: str) -> dict[str, int]:
        """Code → numbers used up to and including a device date."""
        rows = self.memory.read(
            "SELECT code, count(*) FROM invoices WHERE device_no = ? AND issued_on <= ? GROUP BY code",
            (device_no, last),
        )
        return dict(rows)

    def ports(self) -> dict[str, int]:
        """The port each listener had last time, by name."""
        return dict(self.memory.read("SELECT name, port FROM places"))


def port_row(name: str, port: int) -> Statement:
    """Remember a listener's port."""
    return "INSERT OR REPLACE INTO places VALUES (?, ?)", (name, port)


def server_row(tax_server_no: str, facts: ServerFacts) -> Statement:
    """Remember a tax server."""
    return "INSERT OR REPLACE INTO servers VALUES (?, ?)", (tax_server_no, msgspec.json.encode(facts))


def device_row(device: Device) -> Statement:
    """Remember a device, its segments and invoices apart."""
    row = (device.device_no, device.tax_server_no, msgspec.json.encode(device.facts))
    return "INSERT OR REPLACE INTO devices VALUES (?, ?, ?)", row


def returned_row(device: Device, segment: Segment, returned_on: str) -> Statement:
    """Remember that an unused run went back."""
    row = (device.device_no, segment.kind, segment.left, segment.received_on, returned_on)
    return "INSERT INTO returned VALUES (?, ?, ?, ?, ?)", row


def invoice_row(record: Record, line_end: int) -> Statement:
    """Remember a new invoice; its journal line ends at ``line_end``."""
    row = (
        *(record.device_no, record.index, record.serial, record.payload_hash, record.invoice_code, record.invoice_no),
        *(fen(record.gross_total), record.issued_at[:10].replace("-", ""), line_end, NOT_UPLOADED),
    )
    return "INSERT INTO invoices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', '', '')", row


def sent_row(device_no: str, position: int, acceptance_no: str) -> Statement:
    """Remember under which acceptance number an invoice went out; an empty one takes it back."""
    return (
        "UPDATE invoices SET state = ?, acceptance_no = ? WHERE device_no = ? AND position = ?",
        (ON_ITS_WAY if acceptance_no else NOT_UPLOADED, acceptance_no, device_no, position),
    )


def settled_row(device_no: str, position: int, result: tuple[int, str, str, str]) -> Statement:
    """Remember what the bureau said: (SCZT, receipt number, at, message)."""
    return (
        "UPDATE invoices SET state = ?, receipt_no = ?, settled_at = ?, message = ?"
        " WHERE device_no = ? AND position = ?",
        (*result, device_no, position),
    )
