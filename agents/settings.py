"""What may be tuned: ``agent.toml`` in the home, overridden by ``TAXPLANE_AGENT_<NAME>`` in the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

PREFIX = "TAXPLANE_AGENT_"


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All durations are seconds."""

    workers: Annotated[int, Meta(ge=1, le=256)] = 16
    """Device calls in progress at once; one per device at most."""
    observers: Annotated[int, Meta(ge=1, le=16)] = 2
    """Tax servers read at once between jobs."""
    observe_seconds: Annotated[float, Meta(gt=0, le=3600)] = 10.0
    """Each device is read this often."""
    lease_wait: Annotated[int, Meta(ge=0, le=30)] = 25
    """Length of a long poll."""
    lease_limit: Annotated[int, Meta(ge=1, le=64)] = 16
    """Most orders in hand per device."""
    lease_seconds: Annotated[float, Meta(gt=0, le=3600)] = 60.0
    """Without a word from the control plane for this long, nothing new is begun."""
    connect_timeout: Annotated[float, Meta(gt=0, le=60)] = 6.0
    """For a device to accept a connection."""
    read_timeout: Annotated[float, Meta(gt=0, le=60)] = 6.0
    """For a device's whole answer."""
    recall_first: Annotated[float, Meta(gt=0, le=60)] = 0.2
    """First wait before a device's memory is read again; it doubles."""
    recall_most: Annotated[float, Meta(gt=0, le=600)] = 5.0
    """Longest such wait."""
    keep_days: Annotated[int, Meta(ge=1, le=3650)] = 7
    """Delivered journal rows are kept this many days."""
    ca_file: str = ""
    """Certificates to trust for an https control plane; empty: those of the system."""


def load(home: Path, environment: Mapping[str, str]) -> Settings:
    """The settings of the agent at ``home``.

    Raises:
        ValueError: a name that does not exist or a value out of bounds.
    """
    values: dict[str, object] = {}
    path = home / "agent.toml"
    if path.exists():
        import tomllib

        values.update(tomllib.loads(path.read_text("utf-8")))
    for name in Settings.__struct_fields__:
        if (text := environment.get(PREFIX + name.upper())) is not None:
            values[name] = text
    return msgspec.convert(values, Settings, strict=False)


def default_home(environment: Mapping[str, str]) -> Path:
    """Where this platform keeps the state of a program of this user."""
    if given := environment.get(PREFIX + "HOME"):
        return Path(given)
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "taxplane" / "agent"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "taxplane" / "agent"
    if environment.get("XDG_STATE_HOME"):
        return Path(environment["XDG_STATE_HOME"]) / "taxplane" / "agent"
    if os.geteuid() == 0:
        return Path("/var/lib/taxplane/agent")
    return Path.home() / ".local" / "state" / "taxplane" / "agent"
