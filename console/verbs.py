"""What each verb needs from the operator: read from the registry of acts, ordered for a menu."""

from __future__ import annotations

from typing import Final

from console.messages import Messages
from controlplane.domain.acts import ActSpec, Field
from controlplane.domain.registry import ACTS, acts_of

__all__ = ["ALWAYS", "Field", "collection_verbs", "rank", "verb", "wrong"]

_ORDER: Final = ("read", "calibrate", "synchronise", "apply", "receive", "distribute", "add_terminal", "resume")

ALWAYS: Final[dict[str, tuple[str, ...]]] = {"agents": ("bind", "revoke")}
"""Verbs of nouns whose records do not list what is allowed."""


def verb(noun: str, name: str) -> ActSpec:
    """What this verb needs; a verb nobody wrote down needs a reason only."""
    return ACTS.get((noun, name)) or ActSpec(noun, name)


def collection_verbs(noun: str) -> tuple[ActSpec, ...]:
    """What may be done with the list of a noun."""
    return acts_of(noun, "collection")


def rank(noun: str, name: str) -> tuple[bool, int]:
    """Sort key of a menu: what is done every day first, what is dangerous last."""
    return verb(noun, name).dangerous, _ORDER.index(name) if name in _ORDER else len(_ORDER)


def wrong(field: Field, say: Messages) -> str:
    """What the field must look like."""
    return say(f"shape.{field.shape}", least=field.least, most=field.most, choices=" / ".join(field.choices))
