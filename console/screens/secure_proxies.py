"""Secure proxies (安全代理): list and page."""

from __future__ import annotations

from console.records import rows
from console.screens.plainly import Show, plain_noun

NOUN = plain_noun(
    "secure-proxies",
    ("proxies", "secure-proxies", "安全代理", "aqdl"),
    (
        Show("name", column=18, strong=True, grow=1),
        Show("state", "state", column=8),
        Show("host", column=16, rank=1),
        Show("port", "count", column=6, rank=1),
        Show("connections", "count", column=6),
        Show("max_connections", "count", column=6),
        Show("proxy_version", path="reported.version", column=10, rank=2),
        Show("vip_host"),
        Show("vip_port"),
        Show("protocol"),
        Show("login_account"),
        Show("use_platform_key", "flag"),
        Show("socket_connections", "count"),
        Show("offline_interval_hours", "count"),
        Show("log_level", "count"),
        Show("differing", "list"),
        Show("tax_server_id"),
        Show("id"),
    ),
    verdict=lambda record: "warn" if rows(record, "warnings") or record.get("differing") else "ok",
    trouble=lambda record, related: next(iter(rows(record, "warnings")), {}),
)
