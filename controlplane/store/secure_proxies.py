"""Secure proxies: how they are reached, how they should be set, and what they reported."""

from __future__ import annotations

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement

THERE = "state <> 'removed'"


class SecureProxyRow(SQLModel, table=True):
    """One secure proxy (安全代理) of a tax server. There is no password: it is set on the machine itself.

    JSON column: reported (``wire.evidence.ProxyFacts`` as last told, empty until then).
    """

    __tablename__ = "secure_proxies"
    __table_args__ = (
        Index("uq_secure_proxies_there", "tax_server_id", unique=True,
              sqlite_where=text(THERE), postgresql_where=text(THERE)),
    )  # fmt: skip
    id: str = Field(primary_key=True)
    tax_server_id: str
    name: str
    host: str
    port: int
    vip_host: str | None = None
    vip_port: int | None = None
    use_platform_key: int
    max_connections: int
    protocol: str
    login_account: str | None = None
    socket_connections: int
    offline_interval_hours: int
    login_kind: int
    log_level: int
    state: str
    running_version: str = ""
    reported: str = "{}"
    read_at: str | None = None
    configured_at: str | None = None
    version: int = 1
    created_at: str
    updated_at: str


_ONE = Statement("SELECT * FROM secure_proxies WHERE id = :id")
_LOCKED = Statement("SELECT * FROM secure_proxies WHERE id = :id", for_update=True)
_OF_SERVER = Statement(f"SELECT * FROM secure_proxies WHERE tax_server_id = :tax_server_id AND {THERE}")


def find(hand: Connection, proxy_id: str, lock: bool = False) -> Row | None:
    """The proxy, its row locked until the end of the batch when ``lock``."""
    return hand.one(_LOCKED if lock else _ONE, {"id": proxy_id})


def of_server(hand: Connection, tax_server_id: str) -> Row | None:
    """The proxy of a tax server."""
    return hand.one(_OF_SERVER, {"tax_server_id": tax_server_id})
