"""``taxplane-server``: run the server, run a probe clock, migrate, make principals and tokens."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

SWITCH_SECONDS = 0.0005
"""The writer's thread works next to the event loop: neither shall wait 5 ms, Python's default, for the other."""


def main(argv: list[str] | None = None) -> int:
    """Parse the command line and do what it says; the exit code."""
    parser = argparse.ArgumentParser(prog="taxplane-server", description="taxplane 控制面 / control plane")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the API server (settings: TAXPLANE_* variables)")
    run.add_argument("--socket-fd", type=int, default=None, help="serve on this inherited listening socket")
    commands.add_parser("migrate", help="bring the database to the newest schema and furnish a new one")
    probe = commands.add_parser("probe", help="run a probe clock against a server")
    probe.add_argument("--api", required=True, help="URL of the server; the token is read from TAXPLANE_TOKEN")
    principal = commands.add_parser("principal", help="create a principal and a token for it, or reset a password")
    principal.add_argument("name")
    what = principal.add_mutually_exclusive_group(required=True)
    what.add_argument("--role", choices=["admin", "operator", "auditor", "front_end", "probe"])
    what.add_argument("--reset", action="store_true", help="a new one-time password; sessions and tokens are over")
    principal.add_argument("--taxpayer", action="append", default=None, help="scope: a taxpayer and all below it")
    principal.add_argument("--region", action="append", default=None, help="scope: an area code, repeatable")
    principal.add_argument("--days", type=int, default=None, help="days the token is valid; without it for ever")
    principal.add_argument("--password", action="store_true", help="read a password from stdin")
    verify = commands.add_parser("verify-log", help="check the chain of the operation log; exit code 1: it is broken")
    verify.add_argument("--head", metavar="SEQ:HASH", help="a head that was printed before and kept elsewhere")
    arguments = parser.parse_args(argv)
    return _COMMANDS[arguments.command](arguments)


def _run(arguments: argparse.Namespace) -> int:
    import socket

    import uvicorn

    from controlplane.app import build
    from controlplane.settings import load

    class Server(uvicorn.Server):
        """Ends long polls and feeds first: they would hold up the shutdown for all of its grace."""

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.state.services.hub.stop()
            await super().shutdown(sockets)

    settings = load()
    _migrate(arguments)
    sys.setswitchinterval(SWITCH_SECONDS)
    app = build(settings)
    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, log_config=_log_config(), access_log=False,
        server_header=False, timeout_graceful_shutdown=5,
        # Whom to believe about where a request came from has to be said: the guard counts guesses by address.
        proxy_headers="FORWARDED_ALLOW_IPS" in os.environ,
    )  # fmt: skip
    # Not uvicorn's own fd: it takes every inherited socket for a Unix one and leaves TCP_NODELAY off, 40 ms an answer.
    inherited = None if arguments.socket_fd is None else [socket.socket(fileno=arguments.socket_fd)]
    Server(config).run(sockets=inherited)
    return 0


def _migrate(_arguments: argparse.Namespace) -> int:
    from controlplane.operations import first_start
    from controlplane.settings import load
    from controlplane.store.engine import Ledger
    from controlplane.store.migrations import upgrade
    from controlplane.store.times import system_clock

    settings = load()
    url = settings.database_url
    upgrade(url)
    ledger = Ledger(url, system_clock)
    try:
        password = first_start.begin(ledger, settings.mail.recipients)
    finally:
        ledger.close()
    if password is not None:
        print(f"taxplane: administrator '{first_start.ADMINISTRATOR}' created, password (shown once): {password}",
              file=sys.stderr)  # fmt: skip
    return 0


def _probe(arguments: argparse.Namespace) -> int:
    import logging
    import logging.config

    from controlplane.probe_clock import ProbeClock
    from controlplane.settings import load
    from controlplane.store.times import system_clock
    from probes.loop import run

    logging.config.dictConfig(_log_config())
    clock = ProbeClock(load(), arguments.api, os.environ.get("TAXPLANE_TOKEN", ""), system_clock)
    run(clock.run())
    return 0


def _principal(arguments: argparse.Namespace) -> int:
    from datetime import timedelta

    from controlplane.domain.refusals import Refusal
    from controlplane.operations import people, principals, secrets
    from controlplane.settings import load
    from controlplane.store.engine import Ledger
    from controlplane.store.times import system_clock, utc_text
    from controlplane.store.transaction import Transaction

    token = secrets.new_secret()
    password = sys.stdin.readline().rstrip("\n") if arguments.password else None
    scope = (arguments.taxpayer, arguments.region)

    def create(tx: Transaction) -> dict[str, Any]:
        row = principals.create(tx, arguments.name, arguments.role, password, scope[0], regions=scope[1])
        until = None if arguments.days is None else utc_text(tx.moment + timedelta(days=arguments.days))
        principals.give_token(tx, row["id"], token, until, label="taxplane-server principal")
        return {"id": row["id"], "name": row["name"], "role": row["role"], "token": token, "expires_at": until}

    def reset(tx: Transaction) -> dict[str, Any]:
        return {"name": arguments.name, **people.reset_by_name(tx, arguments.name)}

    ledger = Ledger(load().database_url, system_clock)
    try:
        print(json.dumps(ledger.write_now(reset if arguments.reset else create)))
    except Refusal as refusal:
        print(f"taxplane-server: {refusal.message} / {refusal.message_en}", file=sys.stderr)
        return 1
    finally:
        ledger.close()
    return 0


def _verify_log(arguments: argparse.Namespace) -> int:
    from controlplane.operations.operation_log import Head, verify
    from controlplane.settings import load
    from controlplane.store import head
    from controlplane.store.engine import Ledger
    from controlplane.store.times import system_clock

    noted: Head | None = None
    if arguments.head:
        seq, _, digest = arguments.head.partition(":")
        noted = (int(seq), digest)
    ledger = Ledger(load().database_url, system_clock)
    try:
        last = ledger.read_now(head.log_head)
        broken = ledger.read_now(lambda hand: verify(head.log_rows(hand), last))
        if broken is None and noted is not None:
            broken = ledger.read_now(lambda hand: verify(head.log_rows(hand), noted))
        rows = ledger.read_now(head.log_count)
    finally:
        ledger.close()
    print(json.dumps({"rows": rows, "head": f"{last[0]}:{last[1]}", "broken": broken}))
    return 0 if broken is None else 1


def _log_config() -> dict[str, Any]:
    form = '{"at": "%(asctime)s", "level": "%(levelname)s", "from": "%(name)s", "text": "%(message)s"}'
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": form}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"taxplane": {"level": "INFO"}, "uvicorn": {"level": "WARNING"}, "alembic": {"level": "WARNING"}},
    }


_COMMANDS = {"run": _run, "migrate": _migrate, "probe": _probe, "principal": _principal, "verify-log": _verify_log}

if __name__ == "__main__":
    sys.exit(main())
