"""Tax servers and what was last read from them."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class TaxServerRow(SQLModel, table=True):
    """One tax server (税控服务器); ``state`` is a word of ``domain.tax_server``."""

    __tablename__ = "tax_servers"
    id: str = Field(primary_key=True)
    tax_server_no: str = Field(unique=True)
    name: str
    region: str
    host: str
    port: int
    state: str
    quota_total: int = 0
    quota_left: int = 0
    kernel_version: str = ""
    clock_offset_seconds: float | None = None
    certificate_stage: str = "none"
    """A word of ``domain.certificate``; the dates say when each stage was reached."""
    certificate_status: str = ""
    certificate_issued_at: str | None = None
    certificate_not_after: str | None = None
    temporary_at: str | None = None
    formal_requested_at: str | None = None
    formal_synced_at: str | None = None
    vendor: str = ""
    model: str = ""
    crypto_certificate_no: str = ""
    crypto_model: str = ""
    tax_authority_code: str = ""
    tax_authority_name: str = ""
    read_at: str | None = None
    version: int = 1
    created_at: str
    updated_at: str


_ONE = Statement("SELECT * FROM tax_servers WHERE id = :id")
_BY_NUMBER = Statement("SELECT * FROM tax_servers WHERE tax_server_no = :tax_server_no")
_LOCKED = Statement("SELECT * FROM tax_servers WHERE id = :id", for_update=True)

_DATED = Statement(
    "SELECT id, state, version, certificate_stage, certificate_issued_at, certificate_not_after FROM tax_servers "
    "WHERE certificate_not_after IS NOT NULL AND state <> 'retired' ORDER BY id"
)


def find(hand: Connection, server_id: str, lock: bool = False) -> Row | None:
    """The tax server, its row locked until the end of the batch when ``lock``."""
    return hand.one(_LOCKED if lock else _ONE, {"id": server_id})


def by_number(hand: Connection, tax_server_no: str) -> Row | None:
    """The tax server with this number."""
    return hand.one(_BY_NUMBER, {"tax_server_no": tax_server_no})


def with_certificates(hand: Connection) -> list[Row]:
    """Tax servers that have a certificate, with its dates."""
    return hand.rows(_DATED)


def read(hand: Connection, server_id: str, values: Row) -> None:
    """Write columns of a reading; the version stays."""
    columns = ", ".join(f"{name} = :{name}" for name in values)
    hand.run(Statement(f"UPDATE tax_servers SET {columns} WHERE id = :id"), {**values, "id": server_id})
