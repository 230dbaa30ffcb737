"""Running ``taxplane get | do | acts`` against the control plane, with exit codes a script can act on."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from console.commands import print as printed
from console.commands.words import WrongWords, described, fields_of, parser, spec_of
from console.link import Act, HttpTransport, Link, LinkDown, LinkProblem
from console.plain import plain
from console.records import Record, text, whole
from console.settings import Settings
from controlplane.domain.registry import ACTS

DONE: Final = 0
REFUSED: Final = 1
SIGNED_OUT: Final = 2
NO_LINE: Final = 3
WRONG_WORDS: Final = 4
JOB_NOT_DONE: Final = 5

_OPEN = ("queued", "leased", "unknown")
_POLL = 0.3


def command(settings: Settings, words: list[str], say: Callable[[str], None] = print) -> int:
    """Run one command; what is answered goes to stdout, what went wrong to stderr. Returns the exit code."""
    asked = parser().parse_args(words)
    try:
        if asked.command == "acts":
            return _acts(settings, asked, say)
        return asyncio.run(_with_link(settings, asked, say))
    except WrongWords as wrong:
        _complain(str(wrong))
        return WRONG_WORDS
    except LinkProblem as problem:
        _complain(f"{problem.code}: {problem.message}")
        for said in (problem.remedy, f"runbook: {problem.runbook}" if problem.runbook else ""):
            if said:
                _complain(f"  {said}")
        for error in problem.errors:
            _complain(f"  {text(error, 'field')}: {text(error, 'message')}")
        if problem.allowed:
            _complain(f"  allowed now: {' '.join(problem.allowed)}")
        return SIGNED_OUT if problem.signed_out else REFUSED
    except LinkDown as down:
        _complain(f"no connection: {down}")
        return NO_LINE


def _complain(words: str) -> None:
    sys.stderr.write(plain(words) + "\n")


def _acts(settings: Settings, asked: argparse.Namespace, say: Callable[[str], None]) -> int:
    found = [described(spec, settings.language) for spec in ACTS.values() if asked.noun in (None, spec.noun)]
    if not found:
        raise WrongWords(f"no acts on {asked.noun!r}; there are: {', '.join(sorted({noun for noun, _ in ACTS}))}")
    for one in found:
        mark = "!" if one["dangerous"] else " "
        words = f"{one['noun']:<18} {mark} {one['verb']:<20} {' '.join(one['fields'])}  {one['label']}"
        say(printed.line(one) if asked.json else words)
    return DONE


async def _with_link(settings: Settings, asked: argparse.Namespace, say: Callable[[str], None]) -> int:
    transport = HttpTransport(settings.url, settings.token)
    try:
        link = Link(transport)
        return await (_get(link, asked, say) if asked.command == "get" else _do(link, asked, say))
    finally:
        await transport.close()


async def _get(link: Link, asked: argparse.Namespace, say: Callable[[str], None]) -> int:
    if asked.id:
        record = await link.one(asked.noun, asked.id)
        for words in (printed.line(record),) if asked.json else printed.pairs(record):
            say(words)
        return DONE
    filters = dict(word.partition("=")[::2] for word in asked.where)
    records = await link.every(asked.noun, filters, max(1, asked.limit))
    for words in map(printed.line, records) if asked.json else printed.table(records):
        say(words)
    return DONE


async def _do(link: Link, asked: argparse.Namespace, say: Callable[[str], None]) -> int:
    spec = spec_of(asked.noun, asked.verb)
    if spec.dangerous and not asked.yes:
        raise WrongWords(f"{spec.verb} on {spec.noun} is dangerous: say --yes to mean it")
    if spec.on == "collection":
        answer = await link.collect(spec.noun, spec.verb, fields_of(spec, asked.words))
        return await _told(link, answer, asked, say)
    record_id, words = (asked.words[0], asked.words[1:]) if asked.words else ("", [])
    if not record_id or "=" in record_id:
        raise WrongWords(f"{spec.verb} needs the id of the record first")
    body = fields_of(spec, words)
    if not asked.reason:
        raise WrongWords("an act on a record needs --reason")
    version = asked.version
    if version is None:
        version = whole(await link.one(spec.noun, record_id), "version") or 0
    accepted = await link.act(Act(spec.noun, record_id, spec.verb, asked.reason, version, body))
    return await _told(link, {"job": accepted.job, "record": accepted.record}, asked, say)


async def _told(link: Link, answer: Record, asked: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Print the answer, following the job it began as long as was asked for."""
    job: Any = answer.get("job")
    until = time.monotonic() + asked.wait
    while isinstance(job, dict) and text(job, "state") in _OPEN and time.monotonic() < until:
        await asyncio.sleep(_POLL)
        job = await link.one("jobs", text(job, "id"))
    if isinstance(job, dict):
        answer = {**answer, "job": job}
    if asked.json:
        say(printed.line(answer))
    else:
        record = answer.get("record") if "record" in answer else answer
        for words in printed.pairs(record if isinstance(record, dict) else {}):
            say(words)
        if isinstance(job, dict):
            told = (text(job, name) for name in ("id", "kind", "state", "message"))
            say(plain("job " + " ".join(filter(None, told))))
    settled = not isinstance(job, dict) or text(job, "state") == "done" or not asked.wait
    return DONE if settled else JOB_NOT_DONE
