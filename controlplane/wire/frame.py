"""The base of all messages between agents and the control plane, and the words they share."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[A-Za-z0-9._:-]+\Z")]
Secret = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Result = Literal["done", "refused", "unreachable", "unknown"]


class Frame(Struct, forbid_unknown_fields=True, kw_only=True):
    """Base of all messages: unknown fields are refused."""
