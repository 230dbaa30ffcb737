"""The words of ``taxplane get | do | acts``: parsing them, and the help made from the registry of acts."""

from __future__ import annotations

import argparse
from typing import Any

from controlplane.domain.acts import ActSpec
from controlplane.domain.registry import ACTS, WORDS

EPILOG = (
    "exit codes: 0 done · 1 refused by name · 2 not signed in · 3 no connection · 4 wrong words · "
    "5 the job was refused or its outcome is not known yet"
)


class WrongWords(Exception):
    """What was typed does not make an act; ``str()`` says why."""


def parser() -> argparse.ArgumentParser:
    """The parser of the three commands; options of the connection stand before them."""
    found = argparse.ArgumentParser(prog="taxplane", add_help=False)
    parts = found.add_subparsers(dest="command", required=True)
    get = parts.add_parser("get", help="show a list or one record", epilog=EPILOG)
    get.add_argument("noun", help="virtual-devices, invoices, reports, …")
    get.add_argument("id", nargs="?", help="one record; without it the list")
    get.add_argument("--where", action="append", default=[], metavar="FIELD=VALUE", help="filter; repeatable")
    get.add_argument("--limit", type=int, default=100, help="most records of a list (%(default)s)")
    get.add_argument("--json", action="store_true", help="one JSON object per line")
    do = parts.add_parser("do", help="do an act; `taxplane acts` lists them", epilog=EPILOG)
    do.add_argument("noun")
    do.add_argument("verb")
    do.add_argument("words", nargs="*", metavar="ID|FIELD=VALUE", help="the record's id, then the act's fields")
    do.add_argument("--reason", default="", help="why (needed for acts on a record; goes into the operation log)")
    do.add_argument("--version", type=int, help="the version you have seen; without it the present one is read first")
    do.add_argument("--yes", action="store_true", help="confirm a dangerous act")
    do.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="follow the job up to so many seconds")
    do.add_argument("--json", action="store_true", help="answer as JSON")
    acts = parts.add_parser("acts", help="list the acts of all nouns, or of one")
    acts.add_argument("noun", nargs="?")
    acts.add_argument("--json", action="store_true")
    return found


def spec_of(noun: str, verb: str) -> ActSpec:
    """The act; WrongWords naming what there is."""
    spec = ACTS.get((noun, verb))
    if spec is None:
        known = ", ".join(name for of, name in ACTS if of == noun) or ", ".join(sorted({of for of, _ in ACTS}))
        raise WrongWords(f"no act {verb!r} on {noun!r}; there are: {known}")
    return spec


def fields_of(spec: ActSpec, words: list[str]) -> dict[str, Any]:
    """The body of the act from ``field=value`` words, each checked as a form checks it."""
    given: dict[str, str] = {}
    for word in words:
        name, mark, rest = word.partition("=")
        if not mark:
            raise WrongWords(f"{word!r} is no field=value")
        given[name] = rest
    found: dict[str, Any] = {}
    for field in spec.fields:
        typed: str | None = given.pop(field.name, None)
        if typed is None and field.optional:
            continue
        value = None if typed is None else field.value(typed)
        if value is None:
            problem = "is missing" if typed is None else f"does not fit: {typed!r}"
            choices = f" ({' | '.join(field.choices)})" if field.choices else ""
            raise WrongWords(f"field {field.name} ({field.shape}){choices} {problem}")
        found[field.name] = value
    if given:
        known = ", ".join(field.name for field in spec.fields) or "none"
        raise WrongWords(f"unknown fields {', '.join(given)}; {spec.verb} takes: {known}")
    return found


def described(spec: ActSpec, language: str) -> dict[str, Any]:
    """One act for ``taxplane acts``."""
    place = 0 if language == "zh" else 1
    label = WORDS["verb"].get(spec.verb, (spec.verb, spec.verb))[place]
    fields = [f"{field.name}={field.shape}{'?' if field.optional else ''}" for field in spec.fields]
    return {
        "noun": spec.noun,
        "verb": spec.verb,
        "label": label,
        "on": spec.on,
        "fields": fields,
        "permission": spec.permission,
        "dangerous": spec.dangerous,
    }
