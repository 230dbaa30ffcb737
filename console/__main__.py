"""The command ``taxplane``: the console, and ``taxplane demo``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from console.settings import DEFAULT_URL, THEMES, Settings

SIGNED_OUT = 2
T = TypeVar("T")
COMMANDS = ("get", "do", "acts")
"""Commands that need no screen."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code (2: no valid sign-in)."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["demo"]:
        from console.demo import main as demo  # the demo brings in every room, the console does not

        return int(demo(words[1:]))
    asked, command = _split(words)
    if command[:1] == ["acts"]:
        token: str | None = ""
    else:
        token = _token(asked)
    if token is None:
        return SIGNED_OUT
    settings = Settings(asked.url.rstrip("/"), token, asked.lang, asked.theme, asked.read_only)
    if command:
        from console.commands.run import command as run_command  # no screen is needed for it

        return run_command(settings, command)
    from console.app import run

    return run(settings)


def _split(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Options of the connection, and from get, do or acts on the words of the command."""
    place = next((place for place, word in enumerate(words) if word in COMMANDS), len(words))
    return _parser().parse_args(words[:place]), words[place:]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="taxplane",
        description="Operators' console of taxplane. `taxplane demo` runs the whole product with simulated devices; "
        "`taxplane get`, `taxplane do` and `taxplane acts` do the console's work without a screen.",
    )
    parser.add_argument(
        "--url", default=os.environ.get("TAXPLANE_URL", DEFAULT_URL), help="control plane (%(default)s)"
    )
    who = parser.add_mutually_exclusive_group()
    who.add_argument(
        "--token-file",
        type=Path,
        default=os.environ.get("TAXPLANE_TOKEN_FILE"),
        help="file with a token, or with a JSON object of tokens by role",
    )
    who.add_argument("--user", help="sign in as this user; the password is asked for")
    parser.add_argument("--lang", choices=("zh", "en"), default=os.environ.get("TAXPLANE_LANG", "zh"))
    parser.add_argument("--theme", choices=THEMES, default=THEMES[0])
    parser.add_argument("--read-only", action="store_true", help="look, but do nothing")
    return parser


def _token(asked: argparse.Namespace) -> str | None:
    if asked.user:
        return _signed_in(asked.url, asked.user)
    if asked.token_file:
        try:
            return token_in(Path(asked.token_file).read_text("utf-8"))
        except (OSError, ValueError) as error:
            print(f"taxplane: token file: {error}", file=sys.stderr)
            return None
    token = os.environ.get("TAXPLANE_TOKEN", "")
    if not token:
        print("taxplane: who are you? Use --user or --token-file (or TAXPLANE_TOKEN_FILE).", file=sys.stderr)
    return token or None


def token_in(content: str) -> str:
    """The token of a token file: its only line, or of a JSON object the operator's. ValueError when there is none."""
    text = content.strip()
    if text.startswith("{"):
        import json

        tokens = json.loads(text)
        text = next(
            (tokens[role] for role in ("operator", "admin", "auditor") if isinstance(tokens.get(role), str)), ""
        )
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("no token in it")
    return text


def _signed_in(url: str, user: str) -> str | None:
    import asyncio
    import getpass

    from console.link import HttpTransport, Link, LinkError
    from console.plain import plain

    async def with_link(token: str, ask: Callable[[Link], Awaitable[T]]) -> T:
        transport = HttpTransport(url, token)
        try:
            return await ask(Link(transport))
        finally:
            await transport.close()

    try:
        password = getpass.getpass(f"{user}: ")
        token = asyncio.run(with_link("", lambda link: link.sign_in(user, password)))
        me = asyncio.run(with_link(token, lambda link: link.me())) if token else {}
        if me.get("must_change_password") is True:
            print("口令是别人给的, 请改成自己的 / somebody else gave this password: choose your own", file=sys.stderr)
            new = _chosen(getpass.getpass)
            token = asyncio.run(with_link(token, lambda link: link.change_password(password, new)))
        return token or None
    except LinkError as error:
        print(f"taxplane: {plain(error)}", file=sys.stderr)
        return None


def _chosen(ask: Callable[[str], str]) -> str:
    """A new password, typed twice alike."""
    while True:
        new = ask("新口令 / new password: ")
        if ask("再输一次 / once more: ") == new:
            return new


if __name__ == "__main__":
    sys.exit(main())
