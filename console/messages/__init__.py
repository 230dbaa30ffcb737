"""All words the operator reads, Chinese by default and English by a setting."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from console.messages import fields, interface, labels, words
from console.records import Record, mapping, text
from console.settings import Language
from controlplane.domain.refusals import CATALOGUE, DEVICE_CODES, refuse

TEXTS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({**interface.TEXTS, **labels.TEXTS, **fields.TEXTS})
"""Key → (Chinese, English) of the console's own sentences and titles."""

WORDS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = MappingProxyType(words.WORDS)
"""Group → code → (Chinese, English): states, verbs, kinds, verdicts as the control plane writes them."""


class Told(NamedTuple):
    """A cause in words: what is wrong, what to do, and the slug of its runbook page."""

    message: str
    remedy: str
    runbook: str


class Messages:
    """The words in one language."""

    def __init__(self, language: Language) -> None:
        self.language: Final = language
        self._place: Final = 0 if language == "zh" else 1

    def __call__(self, key: str, **params: Any) -> str:
        """The text under a key with its places filled; a key that does not exist is a defect (KeyError)."""
        template = TEXTS[key][self._place]
        return template.format_map(params) if params else template

    def word(self, group: str, code: str) -> str:
        """The word for a code of the control plane; a code nobody wrote down shows as it is."""
        pair = WORDS[group].get(code)
        return pair[self._place] if pair else code

    def word_of(self, group: str, noun: str, code: str) -> str:
        """The word for a code as this noun means it."""
        return self.word(group, f"{noun}.{code}" if f"{noun}.{code}" in WORDS[group] else code)

    def told(self, cause: Record) -> Told:
        """A cause (code or cause; message, text or detail; remedy, runbook, details) in this language.

        With the details of a known code both texts are made anew; else the control plane's own texts are shown, the
        ones that end in ``_en`` where English is wanted.
        """
        given = text(cause, "code") or text(cause, "cause")
        rule = CATALOGUE.get(DEVICE_CODES.get(given, given))
        details = {key: value for key, value in mapping(cause, "details").items() if isinstance(value, str | int)}
        made = refuse(rule.code, **details).told(self.language) if rule else ("", "")
        own = (self._own(cause, "message", "text", "detail"), self._own(cause, "remedy"))
        message, remedy = made if rule and details else (own[0] or made[0], own[1] or made[1])
        return Told(
            message or self.word("cause", given), remedy, text(cause, "runbook") or (rule.runbook if rule else "")
        )

    def _own(self, cause: Record, *keys: str) -> str:
        suffixes = ("", "_en") if self.language == "zh" else ("_en", "")
        return next((found for suffix in suffixes for key in keys if (found := text(cause, key + suffix))), "")

    def minutes(self, count: int | None) -> str:
        """A length of time as an operator says it; empty when not known."""
        if count is None:
            return ""
        if count <= 0:
            return self("time.now")
        if count < 120:
            return self("time.minutes", n=count)
        return self("time.hours", n=count // 60) if count < 2880 else self("time.days", n=count // 1440)

    def minutes_in_short(self, count: int) -> str:
        """The same in at most five cells."""
        if count <= 0:
            return self("time.now")
        if count < 120:
            return f"{count}m"
        return f"{count // 60}h" if count < 2880 else f"{min(count // 1440, 9999)}d"
