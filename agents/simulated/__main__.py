"""``python -m agents.simulated devices|bureau|mail``: run one simulated process until it is told, or left, to stop."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from agents.simulated.lifeline import Lifeline, say_ready

_PORT_TAKEN = 4
_BAD_CONFIGURATION = 2


class Room(Protocol):
    """A process's inside."""

    async def open(self) -> dict[str, Any]:
        """Start; the facts of the ready line."""

    def close(self) -> None:
        """Stop."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m agents.simulated", description=__doc__)
    rooms = parser.add_subparsers(dest="room", required=True)
    for name in ("devices", "bureau"):
        rooms.add_parser(name).add_argument("--config", type=Path, required=True, help="JSON file")
    mail = rooms.add_parser("mail")
    mail.add_argument("--dir", type=Path, required=True, help="where letters are kept")
    mail.add_argument("--port", type=int, default=0)
    mail.add_argument("--starttls", action="store_true", help="offer STARTTLS with a self-made certificate")
    mail.add_argument("--user", default="", help="demand this log-in")
    mail.add_argument("--password", default="")
    mail.add_argument("--fail-rate", type=float, default=0.0, help="share of letters put off with 451")
    mail.add_argument("--seed", type=int, default=1)
    for room in rooms.choices.values():
        room.add_argument(
            "--die-with-stdin", action="store_true", help="end when stdin ends, as it does with its holder"
        )
    return parser


def _room(arguments: argparse.Namespace, on_failure: Callable[[], None]) -> Room:
    """The inside of the wished process; imported here so that none carries the others' weight."""
    if arguments.room == "devices":
        from agents.simulated.scenario import DevicesConfig, load
        from agents.simulated.server_room import ServerRoom

        return ServerRoom(load(arguments.config, DevicesConfig), on_failure=on_failure)
    if arguments.room == "bureau":
        from agents.simulated.bureau_house import BureauHouse
        from agents.simulated.scenario import BureauConfig, load

        return BureauHouse(load(arguments.config, BureauConfig), on_failure=on_failure)
    from agents.simulated.mail_catcher import MailCatcher, MailOptions

    options = MailOptions(
        *(arguments.dir, arguments.port, arguments.starttls, arguments.user, arguments.password),
        *(arguments.fail_rate, arguments.seed),
    )
    return MailCatcher(options)


async def run(arguments: argparse.Namespace) -> int:
    """Run one process to its end; its exit status."""
    lifeline = Lifeline(arguments.die_with_stdin)
    try:
        room = _room(arguments, lifeline.fail)
        facts = await room.open()
    except (msgspec.DecodeError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return _PORT_TAKEN if isinstance(error, OSError) else _BAD_CONFIGURATION
    say_ready(**facts)
    status = await lifeline.ended()
    room.close()
    return status


def main() -> int:
    """Entry point."""
    return asyncio.run(run(_parser().parse_args()))


if __name__ == "__main__":
    sys.exit(main())
