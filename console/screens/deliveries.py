"""Letters and what became of them (邮件投递): list and page."""

from __future__ import annotations

from console.screens.plainly import Show, plain_noun

NOUN = plain_noun(
    "deliveries",
    ("mail", "deliveries", "邮件", "投递", "yjtd"),
    (
        Show("created", "time", path="created_at", column=11),
        Show("state", "delivery", column=10),
        Show("recipient", column=26, strong=True),
        Show("subject", column=30, grow=1, rank=1),
        Show("attempts", "count", column=5, rank=1),
        Show("next_try_at", "time", column=11, rank=2),
        Show("sent_at", "time", column=11, rank=2),
        Show("last_error"),
        Show("mail_cause", path="cause"),
        Show("channel"),
        Show("id"),
    ),
    {"deferred": "warn", "given_up": "stopped"},
    order=lambda record: str(record.get("id", "")),
    newest_first=True,
    has_page=False,
)
