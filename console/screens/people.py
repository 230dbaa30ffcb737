"""People and front ends (人员与接口帐号): list and page."""

from __future__ import annotations

from console.screens.noun import Relation
from console.screens.plainly import Sheet, Show, plain_noun

NOUN = plain_noun(
    "people",
    ("people", "person", "人员", "帐号", "ry", "zh"),
    (
        Show("name", column=18, strong=True, grow=1),
        Show("role", "role", column=10),
        Show("state", "state", column=8),
        Show("account_kind", "account_kind", path="kind", column=8, rank=2),
        Show("regions", "list", column=12, rank=1),
        Show("taxpayers", "list", column=20, rank=2),
        Show("last_sign_in", "time", column=11, rank=1),
        Show("open_sessions", "count", column=8, rank=2),
        Show("must_change_password", "flag"),
        Show("created", "time", path="created_at"),
        Show("id"),
    ),
    {"disabled": "unknown"},
    (
        Sheet(
            "tokens",
            (
                Show("label", column=20, strong=True),
                Show("created", "time", path="created_at", column=11),
                Show("expires_at", "day", column=18),
            ),
        ),
    ),
    depends=lambda record: (Relation("sessions", (("principal_id", record["id"]),)),),
)
