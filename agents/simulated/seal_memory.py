"""What a simulated tax server remembers of its seals and its secure proxy. Private keys are here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from msgspec import Struct

from agents.simulated.memory import Memory, Statement

SCHEMA = """
CREATE TABLE IF NOT EXISTS seals (
    tax_server_no TEXT NOT NULL, key_index TEXT NOT NULL, area TEXT NOT NULL, private_key BLOB NOT NULL,
    application_no TEXT NOT NULL, step INTEGER NOT NULL, not_after TEXT NOT NULL,
    PRIMARY KEY (tax_server_no, key_index)
) STRICT;
CREATE TABLE IF NOT EXISTS proxies (tax_server_no TEXT PRIMARY KEY, facts BLOB NOT NULL) STRICT;
"""

KEYED, APPLIED, DOWNLOADED, UPLOADED = range(4)
"""How far a seal has come on the server."""


@dataclass
class KeptSeal:
    """One seal on a tax server; ``private_key`` is the key's 32 bytes."""

    tax_server_no: str
    key_index: str
    area: str
    private_key: bytes
    application_no: str = ""
    step: int = KEYED
    not_after: str = ""

    def row(self) -> Statement:
        """The statement that stores it."""
        values = (self.tax_server_no, self.key_index, self.area, self.private_key)
        return (
            "INSERT OR REPLACE INTO seals VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*values, self.application_no, self.step, self.not_after),
        )


class ProxyFacts(Struct):
    """The secure proxy beside a tax server; ``areas`` maps area and address to nothing else than that they came."""

    version: str = "AQDL-SIM-2.0.0"
    max_connections: int = 16
    socket_connections: int = 4
    offline_interval_hours: int = 24
    log_level: int = 1
    use_platform_key: bool = False
    areas: list[tuple[str, str]] = []

    def row(self, tax_server_no: str) -> Statement:
        """The statement that stores it."""
        return "INSERT OR REPLACE INTO proxies VALUES (?, ?)", (tax_server_no, msgspec.json.encode(self))


def seals(memory: Memory, tax_server_no: str) -> list[KeptSeal]:
    """All seals of a tax server, in the order their keys were made."""
    rows = memory.read("SELECT * FROM seals WHERE tax_server_no = ? ORDER BY key_index", (tax_server_no,))
    return [KeptSeal(*row) for row in rows]


def proxy(memory: Memory, tax_server_no: str) -> ProxyFacts:
    """The proxy of a tax server; as it came from the factory when nobody configured it."""
    rows = memory.read("SELECT facts FROM proxies WHERE tax_server_no = ?", (tax_server_no,))
    return msgspec.json.decode(rows[0][0], type=ProxyFacts) if rows else ProxyFacts()
