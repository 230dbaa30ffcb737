"""The tax class code table (税收分类编码): its versions with how far each has come, and the codes in force."""

from __future__ import annotations

from collections.abc import Sequence

from console.records import Record, flag, text
from console.screens.noun import Relation
from console.screens.plainly import Show, plain_noun
from console.theme import Verdict


def _jobs(record: Record) -> Sequence[Relation]:
    return (Relation("jobs", (("subject_id", record["id"]),)),)


def _usable(record: Record) -> Verdict:
    return "unknown" if flag(record, "usable") is False else "ok"


VERSIONS = plain_noun(
    "code-versions",
    ("code-versions", "versions", "编码版本", "bmbb"),
    (
        Show("table_version", column=10, strong=True),
        Show("state", "state", column=12),
        Show("progress", "progress", column=24),
        Show("current", "flag", path="current", column=6, rank=1),
        Show("valid_from", column=10, rank=1),
        Show("published_on", column=10, rank=2),
        Show("requested_by", column=12, rank=3),
        Show("created", "time", path="created_at", column=11, rank=2),
        Show("wanted"),
        Show("message", column=12, grow=1, rank=2),
        Show("digest"),
        Show("tax_server_id"),
        Show("id"),
    ),
    {"stopped": "warn", "complete": "warn", "rolled_back": "unknown"},
    name=lambda record: text(record, "table_version") or text(record, "id"),
    order=lambda record: text(record, "id"),
    newest_first=True,
    depends=_jobs,
    watched=frozenset({"jobs"}),
)

CODES = plain_noun(
    "tax-codes",
    ("codes", "tax-codes", "税收编码", "编码", "ssbm", "bm"),
    (
        Show("tax_code", path="code", column=19, strong=True),
        Show("short_name", column=12, rank=1),
        Show("name", column=20, grow=1),
        Show("rates", "list", column=10),
        Show("usable", "flag", column=6, rank=1),
        Show("sum_only", "flag", column=6, rank=2),
        Show("valid_from", column=10, rank=3),
        Show("valid_to", column=10, rank=3),
        Show("table_version", path="version", column=10, rank=3),
        Show("note"),
    ),
    verdict=_usable,
    order=lambda record: text(record, "code"),
    has_page=False,
    watched=frozenset({"code-versions"}),
)
