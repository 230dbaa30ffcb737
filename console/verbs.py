"""What each verb needs from the operator: its arguments with their checks, and whether it is dangerous."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from console.messages import Messages

_NAME: Final = re.compile(r"[A-Za-z0-9._:-]+\Z")
_KIND: Final = re.compile(r"[0-9]{3}\Z")
_NUMBER: Final = re.compile(r"[0-9]{8,12}\Z")


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument. ``shape`` is kind, count, number, code or text; ``most`` bounds counts and lengths."""

    name: str
    shape: str
    most: int = 64

    def value(self, typed: str) -> str | int | None:
        """What is sent for what was typed; None when it will not do."""
        if self.shape == "count":
            return int(typed) if typed.isascii() and typed.isdigit() and 0 < int(typed[:12]) <= self.most else None
        if self.shape == "kind":
            return typed if _KIND.match(typed) else None
        if self.shape == "number":
            return typed if _NUMBER.match(typed) else None
        if self.shape == "code":
            return typed if _NAME.match(typed) and len(typed) <= self.most else None
        return typed if 0 < len(typed) <= self.most and typed.isprintable() else None

    def wrong(self, say: Messages) -> str:
        """What the argument must look like."""
        return say(f"arg.bad_{self.shape}", most=self.most)


@dataclass(frozen=True, slots=True)
class Verb:
    """Arguments of a verb; a dangerous one asks for a typed confirmation."""

    args: tuple[Arg, ...] = ()
    dangerous: bool = False


_QUIET: Final = Verb()
_DANGEROUS: Final = Verb(dangerous=True)

VERBS: Final[dict[tuple[str, str], Verb]] = {
    ("tax-servers", "suspend"): _DANGEROUS,
    ("tax-servers", "retire"): _DANGEROUS,
    ("virtual-devices", "suspend"): _DANGEROUS,
    ("virtual-devices", "cancel"): _DANGEROUS,
    ("virtual-devices", "add_terminal"): Verb((Arg("terminal_code", "code"), Arg("terminal_name", "text"))),
    ("virtual-devices", "apply"): Verb((Arg("kind", "kind"), Arg("count", "count", 100_000))),
    ("virtual-devices", "receive"): Verb((Arg("kind", "kind"),)),
    ("virtual-devices", "distribute"): Verb(
        (
            Arg("kind", "kind"),
            Arg("invoice_code", "number"),
            Arg("start_no", "number"),
            Arg("count", "count", 100_000),
            Arg("terminal_code", "code"),
        )
    ),
    ("agents", "revoke"): _DANGEROUS,
    ("agents", "bind"): Verb((Arg("tax_server_id", "code"),)),
}
"""Verbs that need more than a reason."""

_ORDER: Final = ("read", "calibrate", "synchronise", "apply", "receive", "distribute", "add_terminal", "resume")


def rank(noun: str, name: str) -> tuple[bool, int]:
    """Sort key of a menu: what is done every day first, what is dangerous last."""
    return verb(noun, name).dangerous, _ORDER.index(name) if name in _ORDER else len(_ORDER)


ALWAYS: Final[dict[str, tuple[str, ...]]] = {"agents": ("bind", "revoke")}
"""Verbs of nouns whose records do not list what is allowed."""


def verb(noun: str, name: str) -> Verb:
    """What this verb needs; a verb nobody wrote down needs a reason only."""
    return VERBS.get((noun, name), _QUIET)
