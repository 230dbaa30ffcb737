"""``taxplane-probe URL…``: one check of each target now, drawn phase by phase."""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from probes.loop import run
from probes.measurement import LONGEST
from probes.reach import PUBLIC, Reach
from probes.report import Language, lines_of
from probes.resolver import SystemResolver
from probes.settings import ProbeSettings
from probes.sweep import sweep
from probes.target import BadTarget, Target, parse

ALL_OK, SOME_FAILED, USAGE = 0, 1, 2

_HELP: dict[Language, dict[str, str]] = {
    "zh": {
        "about": "立即探测各目标并画出每一阶段的耗时。退出码：0 全部正常，1 有异常，2 用法错误。",
        "targets": "tcp://主机:端口  tls://主机[:端口]  http(s)://主机[:端口]/路径  clock+https://主机  dns://域名",
        "allow": "另外放行的网段（CIDR，可重复）；默认只允许公网地址，回环和内网须在此列出",
        "timeout": "每个目标的时限，秒，不超过 10",
        "json": "每个目标输出一行 JSON",
        "lang": "输出语言：zh 或 en",
        "bad": "目标写法有误",
    },
    "en": {
        "about": "Check each target now and draw how long each phase took. Exit: 0 all ok, 1 some failed, 2 usage.",
        "targets": "tcp://host:port  tls://host[:port]  http(s)://host[:port]/path  clock+https://host  dns://name",
        "allow": "another network to allow (CIDR, may be repeated); only public addresses are allowed by default",
        "timeout": "seconds per target, 10 at most",
        "json": "one line of JSON per target",
        "lang": "language of the output: zh or en",
        "bad": "not a target",
    },
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    language: Language = "en" if _wants_english(words) else "zh"
    parser = _parser(language)
    given = parser.parse_intermixed_args(words)
    try:
        targets = [parse(text) for text in given.targets]
    except BadTarget as error:
        parser.error(f"{_HELP[language]['bad']} ({error.code})")
    try:
        reach = Reach([PUBLIC, *given.allow], SystemResolver(random.SystemRandom()))
    except ValueError as error:
        parser.error(str(error))
    failed = run(_check(targets, ProbeSettings(reach=reach, clock=_now), given, language))
    return SOME_FAILED if failed else ALL_OK


async def _check(targets: list[Target], settings: ProbeSettings, given: argparse.Namespace, language: Language) -> int:
    failed = 0
    async for reading in sweep(targets, settings, seconds=given.timeout):
        failed += not reading.ok
        if given.json:
            print(json.dumps(reading.as_record(), ensure_ascii=False), flush=True)
        else:
            print("\n".join(lines_of(reading, language, _now())), flush=True)
    return failed


def _now() -> datetime:
    return datetime.now(UTC)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= LONGEST:
        raise ValueError(text)
    return seconds


def _wants_english(words: list[str]) -> bool:
    """Known before parsing, so that usage errors too come in the right language."""
    return "--lang=en" in words or ("--lang", "en") in itertools.pairwise(words)


def _parser(language: Language) -> argparse.ArgumentParser:
    text = _HELP[language]
    parser = argparse.ArgumentParser("taxplane-probe", description=text["about"], allow_abbrev=False)
    parser.add_argument("targets", nargs="+", metavar="URL", help=text["targets"])
    parser.add_argument("--allow", action="append", default=[], metavar="CIDR", help=text["allow"])
    parser.add_argument("--timeout", type=_seconds, default=LONGEST, metavar="S", help=text["timeout"])
    parser.add_argument("--json", action="store_true", help=text["json"])
    parser.add_argument("--lang", choices=("zh", "en"), default="zh", help=text["lang"])
    return parser


if __name__ == "__main__":
    sys.exit(main())
