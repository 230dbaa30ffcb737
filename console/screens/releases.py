"""Releases (版本): list and page."""

from __future__ import annotations

from console.records import text
from console.screens.plainly import Show, plain_noun

NOUN = plain_noun(
    "releases",
    ("releases", "release", "版本", "bb"),
    (
        Show("product", "product", column=14),
        Show("release_version", column=14, strong=True),
        Show("released_on", column=11),
        Show("effective_on", "day", column=18, rank=1),
        Show("notes", column=30, grow=1, rank=1),
        Show("id"),
    ),
    name=lambda record: text(record, "release_version"),
    order=lambda record: (text(record, "product"), text(record, "released_on")),
    newest_first=True,
)
