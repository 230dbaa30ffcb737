"""The registry of acts: every verb that people and programs may do, collected from the nouns that define them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from controlplane.domain import (
    agent,
    alert_rule,
    application,
    bureau_address,
    invoice,
    line_watch,
    principal,
    red_form,
    release,
    report,
    report_schedule,
    seal,
    secure_proxy,
    session,
    stock_alert,
    stop,
    tax_code,
    tax_server,
    taxpayer,
    virtual_device,
)
from controlplane.domain.acts import ActSpec

NOUNS: Final = (
    tax_server,
    virtual_device,
    application,
    stock_alert,
    agent,
    seal,
    release,
    secure_proxy,
    line_watch,
    alert_rule,
    report,
    report_schedule,
    invoice,
    red_form,
    bureau_address,
    principal,
    session,
    stop,
    tax_code,
    taxpayer,
)
"""Modules of ``domain`` that define acts."""


def _collected() -> MappingProxyType[tuple[str, str], ActSpec]:
    specs = [spec for module in NOUNS for spec in module.ACTS]
    found = {(spec.noun, spec.verb): spec for spec in specs}
    if len(found) != len(specs):
        raise ValueError("an act stands twice in the registry")
    return MappingProxyType(found)


ACTS: Final = _collected()
"""(noun, verb) → what the act needs."""


def _words() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    found: dict[str, dict[str, tuple[str, str]]] = {"verb": {}, "field": {}, "choice": {}}
    for module in NOUNS:
        nouns = {spec.noun for spec in module.ACTS}
        for group, words in module.WORDS.items():
            for code, pair in words.items():
                found[group].setdefault(code, pair)
                found[group] |= {f"{noun}.{code}": pair for noun in nouns}
    return MappingProxyType({group: MappingProxyType(words) for group, words in found.items()})


WORDS: Final = _words()
"""Group → code → (Chinese, English) of every verb, field and choice.

One word may mean different things to two nouns: ``<noun>.<code>`` is what it means to that noun.
"""


def acts_of(noun: str, on: str = "record") -> tuple[ActSpec, ...]:
    """The acts of a noun, in the order they are defined."""
    return tuple(spec for spec in ACTS.values() if spec.noun == noun and spec.on == on)
