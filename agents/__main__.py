"""The command ``taxplane-agent``: join a control plane, run, look after oneself."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

EXIT_USAGE = 2
EXIT_IN_USE = 5


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 well, 1 doctor found trouble, 2 usage or not joined, 3 revoked, 4 journal not usable, 5 home in use.
    """
    options = _parser().parse_args(arguments)
    from agents import phrases
    from agents.settings import default_home

    phrases.use(phrases.chosen(options.lang, os.environ))
    home = options.home or default_home(os.environ)
    if options.command == "join":
        return _join(home, options)
    if options.command == "run":
        return _run(home)
    from agents import doctor

    return doctor.main(home, as_json=options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="taxplane-agent", description="设备代理 / device agent")
    commands = parser.add_subparsers(dest="command", required=True)
    join = commands.add_parser("join", help="用一次性令牌加入控制面 / join a control plane by a one-use token")
    join.add_argument("url", metavar="URL")
    join.add_argument("token", metavar="TOKEN", help="- 表示从标准输入读取 / - reads it from standard input")
    join.add_argument("--name", help="显示名 / name shown to operators (default: the host's)")
    join.add_argument("--host-id", help="主机编号 / id of the token's host record (default: the host's name)")
    run = commands.add_parser("run", help="开始工作 / work")
    doctor = commands.add_parser("doctor", help="自检 / check this agent and its devices")
    doctor.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    for command in (join, run, doctor):
        command.add_argument("--home", type=Path, metavar="DIR", help="状态目录 / directory of its state")
        command.add_argument("--lang", choices=("zh", "en"), help="语言 / language")
    return parser


def _join(home: Path, options: argparse.Namespace) -> int:
    from agents.enrolment import CannotJoin, join

    try:
        # A dash keeps the token out of the list of processes.
        token = sys.stdin.readline().strip() if options.token == "-" else options.token
        identity = join(home, options.url, token, name=options.name, host_id=options.host_id)
    except CannotJoin as error:
        return _say(str(error), EXIT_USAGE)
    from agents.phrases import say

    print(say("join.done", name=identity.name, url=identity.url, home=home))
    return 0


def _run(home: Path) -> int:
    import random

    from agents import fault_points, identity, logs, settings
    from agents.host import EXIT_JOURNAL, EXIT_REVOKED, Host
    from agents.instants import now_utc
    from agents.journal_file import JournalBroken
    from agents.phrases import say
    from agents.single import HomeInUse, Single

    try:
        who = identity.load(home)
        tuned = settings.load(home, os.environ)
        armed = fault_points.arm(os.environ.get(fault_points.VARIABLE, ""))
        single = Single(home / "agent.lock")
    except identity.NotJoined:
        return _say(say("run.not_joined", home=home), EXIT_USAGE)
    except ValueError as error:
        return _say(say("run.bad_settings", error=error), EXIT_USAGE)
    except HomeInUse as error:
        return _say(say("run.in_use", home=home, pid=error.pid), EXIT_IN_USE)
    logs.start()
    if armed:
        _say(say("run.fault_points", names=", ".join(armed)), 0)
    try:
        code = Host(home, who, tuned, now_utc, random.Random()).run()
    except JournalBroken as error:
        return _say(say("run.journal", home=home, error=error), EXIT_JOURNAL)
    finally:
        single.release()
    if code == EXIT_REVOKED:
        _say(say("run.revoked", url=who.url), code)
    if code == EXIT_JOURNAL:
        _say(say("run.journal", home=home, error=""), code)
    return code


def _say(words: str, code: int) -> int:
    print(words, file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
