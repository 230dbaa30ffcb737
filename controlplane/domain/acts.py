"""What an act needs: its fields with their shapes, who may do it, how dangerous it is.

One table of acts (``registry``) makes the API's bodies, the console's forms and the words of ``taxplane do``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

Shape = Literal[
    "word", "terminal", "text", "kind", "count", "number", "code", "area", "taxpayer_id", "day", "month", "choice",
    "flag", "host", "port", "mail", "mails", "amount", "id", "tax_code", "target", "words", "moment", "file",
    "mobile", "person_id", "form_no", "areas", "taxpayer_ids",
]  # fmt: skip
"""How a field is written. ``mails``, ``words``, ``areas`` and ``taxpayer_ids`` are lists; ``count`` and ``port`` whole
numbers; ``flag`` a truth.

``moment``: a day or time of the device zone, or a UTC time ending in ``Z``. ``file``: a file's bytes in base64."""
On = Literal["record", "collection"]
Value = str | int | bool | list[str]

PATTERNS: Final[dict[Shape, str]] = {
    "word": r"[0-9A-Za-z._:-]{1,64}",
    "id": r"[0-9A-Za-z._:-]{1,64}",
    "words": r"[0-9A-Za-z._:-]{1,64}",
    "terminal": r"[0-9A-Za-z_-]{1,20}",
    "kind": r"[0-9]{3}",
    "number": r"[0-9]{8}",
    "code": r"[0-9]{10,12}",
    "area": r"[0-9]{4}",
    "areas": r"[0-9]{4}",
    "taxpayer_id": r"[0-9A-Z]{15,20}",
    "taxpayer_ids": r"[0-9A-Z]{15,20}",
    "day": r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    "month": r"20[0-9]{2}-(0[1-9]|1[0-2])",
    "host": r"[0-9A-Za-z.:-]{1,253}",
    "mail": r"[!#-'*+/-9=?A-Z^-~-]{1,64}@[0-9A-Za-z.-]{1,253}",
    "mails": r"[!#-'*+/-9=?A-Z^-~-]{1,64}@[0-9A-Za-z.-]{1,253}",
    "amount": r"(0|[1-9][0-9]{0,15})(\.[0-9]{1,2})?",
    "tax_code": r"[0-9]{19}",
    "form_no": r"[0-9]{16}",
    "moment": r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{3})?)?Z?)?",
    "file": r"[0-9A-Za-z+/]+={0,2}",
    "mobile": r"1[0-9]{10}",
    "person_id": r"[0-9]{17}[0-9X]",
    "target": r"(tcp|tls|http|https)://[0-9A-Za-z.:/_\[\]-]{3,200}",
}
"""Shape → what its text must match from end to end; the shapes that are missing have checks of their own."""
LISTS: Final = frozenset({"mails", "words", "areas", "taxpayer_ids"})
NUMBERS: Final = frozenset({"count", "port"})
_FLAGS: Final = {"true": True, "yes": True, "1": True, "是": True, "false": False, "no": False, "0": False, "否": False}
_MOST_LISTED: Final = 50


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an act. ``most`` bounds counts and the length of texts; ``choices`` belong to shape ``choice``."""

    name: str
    shape: Shape
    most: int = 120
    optional: bool = False
    choices: tuple[str, ...] = ()
    least: int = 1

    def value(self, typed: str) -> Value | None:
        """What is sent for what a person typed; None when it will not do."""
        typed = typed.strip()
        if self.shape in LISTS:
            parts = [part for part in re.split(r"[,;\s，；]+", typed) if part]
            return parts if parts and len(parts) <= _MOST_LISTED and all(map(self._fits, parts)) else None
        if self.shape in NUMBERS:
            most = 65535 if self.shape == "port" else self.most
            whole = int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 12 else -1
            return whole if self.least <= whole <= most else None
        if self.shape == "flag":
            return _FLAGS.get(typed.lower())
        return typed if self._fits(typed) else None

    def _fits(self, typed: str) -> bool:
        if self.shape == "choice":
            return typed in self.choices
        if self.shape == "text":
            return 0 < len(typed) <= self.most and typed.isprintable()
        return re.fullmatch(PATTERNS[self.shape], typed, re.ASCII) is not None


@dataclass(frozen=True, slots=True)
class ActSpec:
    """One verb of one noun.

    ``on`` record: ``POST /v1/<noun>/{id}/<verb>`` with reason and version besides the fields. ``on`` collection:
    ``POST /v1/<noun>`` for the verb ``register``, else ``POST /v1/<noun>/<verb>``. A dangerous act asks for a typed
    confirmation before it is sent.
    """

    noun: str
    verb: str
    fields: tuple[Field, ...] = ()
    permission: str = "fleet.act"
    on: On = "record"
    dangerous: bool = False


Words = dict[str, dict[str, tuple[str, str]]]
"""Group (verb, field, choice) → code → (Chinese, English), as shown in menus, forms and help."""


def acts(noun: str, *verbs: str, permission: str = "fleet.act") -> tuple[ActSpec, ...]:
    """Specs of verbs that need nothing but a reason."""
    return tuple(ActSpec(noun, verb, permission=permission) for verb in verbs)
