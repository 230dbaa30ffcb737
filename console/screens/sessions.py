"""Sessions and tokens (会话与令牌): list and page."""

from __future__ import annotations

from console.screens.plainly import Show, plain_noun

NOUN = plain_noun(
    "sessions",
    ("sessions", "会话", "hh"),
    (
        Show("name", path="principal_name", column=18, strong=True, grow=1),
        Show("session_kind", "session_kind", path="kind", column=8),
        Show("state", "state", column=8),
        Show("label", column=14, rank=2),
        Show("created", "time", path="created_at", column=11),
        Show("expires_at", "time", column=11, rank=1),
        Show("current", "flag", column=6, rank=1),
        Show("id"),
    ),
    newest_first=True,
    order=lambda record: str(record.get("created_at", "")),
    has_page=False,
)
