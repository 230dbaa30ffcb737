"""An application for numbers (申领): its states, its verbs, and what the bureau's word makes of it."""

from __future__ import annotations

from typing import Final

from controlplane.domain.acts import Words, acts
from controlplane.domain.lifecycle import machine

MACHINE: Final = machine(
    "application",
    "applied",
    (
        ("applied", "query", "applied"),
        ("applied", "grant", "granted"),
        ("applied", "refuse", "refused"),
        ("applied", "cancel", "cancelled"),
        ("granted", "query", "granted"),
        ("granted", "receive", "received"),
    ),
)
"""It can be cancelled only while the bureau has not decided."""

OPEN: Final = "applied"
"""While one application of a device for a kind stands here, there is no second one."""

JOB_KINDS: Final = {"query": "segment.query", "cancel": "segment.cancel"}
"""Verbs of the record → job kind."""

_NOUN = "applications"

ACTS: Final = acts(_NOUN, "query", "cancel")
"""What may be done with applications; they come into being by ``apply`` on a device."""

WORDS: Final[Words] = {
    "verb": {"query": ("查询申领状态", "query application"), "cancel": ("撤销申领", "cancel application")},
    "field": {"application_no": ("申领受理号", "application number")},
}
"""Words for verbs and fields."""

LABELS: Final = {
    "applied": ("已申领", "applied"),
    "granted": ("已批准", "granted"),
    "refused": ("未批准", "refused"),
    "cancelled": ("已撤销", "cancelled"),
    "received": ("已领用", "received"),
}
"""State → (Chinese, English) as shown."""

_MOVES: Final = {"granted": "grant", "refused": "refuse", "cancelled": "cancel"}


def move_of(state: str, status: str) -> str | None:
    """The move that a bureau's status (waiting, granted, refused, cancelled) makes in a state; None when it makes none.

    A word of the bureau that comes late, after the record went on, changes nothing.
    """
    move = _MOVES.get(status)
    return move if move is not None and MACHINE.may(state, move) else None
