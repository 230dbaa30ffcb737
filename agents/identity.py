"""Who this agent is: ``identity.json`` in its home, readable by its user only."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct


class Identity(Struct, frozen=True, kw_only=True):
    """Given once by ``join``; ``secret`` is of the agent's own making and never leaves but as a bearer."""

    agent_id: str
    secret: str
    url: str
    instance_id: str
    host_id: str
    name: str = ""

    @property
    def bearer(self) -> str:
        """What the ``Authorization`` header carries after ``Bearer``."""
        return f"{self.agent_id}.{self.secret}"

    def __repr__(self) -> str:
        """Without the secret: this text may reach a log."""
        return f"Identity(agent_id={self.agent_id!r}, url={self.url!r})"


class NotJoined(Exception):
    """No usable identity in this home."""


def path_in(home: Path) -> Path:
    """Where the identity lies."""
    return home / "identity.json"


def load(home: Path) -> Identity:
    """The identity of this home.

    Raises:
        NotJoined: there is none, or it cannot be read.
    """
    try:
        return msgspec.json.decode(path_in(home).read_bytes(), type=Identity)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise NotJoined(str(error)) from error


def save(home: Path, identity: Identity) -> None:
    """Write the identity whole: aside, synced, renamed, directory synced; mode 0600."""
    _write_whole(path_in(home), msgspec.json.format(msgspec.json.encode(identity), indent=2))
    _pending(home).unlink(missing_ok=True)


def new_secret(home: Path) -> str:
    """256 bits in hex, kept aside until ``save``: a join whose answer was lost is repeated with the same one."""
    path = _pending(home)
    if path.exists():
        return path.read_text("ascii")
    secret = os.urandom(32).hex()
    _write_whole(path, secret.encode())
    return secret


def make_home(home: Path) -> None:
    """The directory, closed to other users."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)


def _pending(home: Path) -> Path:
    return home / "joining.secret"


def _write_whole(path: Path, content: bytes) -> None:
    aside = path.with_name(path.name + ".new")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    if hasattr(os, "O_DIRECTORY"):
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
