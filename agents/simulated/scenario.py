"""Configuration of the simulated processes, read from JSON files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

Port = Annotated[int, Meta(ge=0, le=65535)]
Speed = Annotated[float, Meta(gt=0)]
T = TypeVar("T")

PACING: dict[str, tuple[int, float]] = {"default": (20, 1.0), "one_by_one": (1, 11.0)}
"""Upload profiles of a bureau: (sczs: invoices per batch, scsjjg: seconds between the two calls)."""


class Settings(Struct, kw_only=True, forbid_unknown_fields=True):
    """What every simulated process is told. ``speed`` divides the durations of simulated practice, nothing else."""

    state_dir: str
    control_port: Port = 0
    seed: int = 1
    speed: Speed = 1.0


class TaxServerPlace(Struct, forbid_unknown_fields=True):
    """One tax server to host; port 0 = the port it had last time, else any; ``quota``: virtual devices it may hold."""

    tax_server_no: str
    region: str
    port: Port = 0
    quota: int = 100


class DevicesConfig(Settings):
    """The process that hosts the tax servers. ``latency``: seconds a sign takes.

    ``tax_hall``: at start, a device whose issue deadline is passed gets the next one, as if cleared at the counter.
    """

    servers: list[TaxServerPlace]
    journals_dir: str
    bureau_url: str
    latency: Annotated[float, Meta(ge=0)] = 0.02
    tax_hall: bool = False


class TaxpayerProfile(Struct, forbid_unknown_fields=True):
    """How the bureau knows a taxpayer; kind 01 general, 02 small-scale, 03 converted. Left out: the defaults."""

    name: str = ""
    kind: Literal["01", "02", "03"] = "01"
    may_issue: bool = True
    rates: list[str] = []
    single_limits: dict[str, str] = {}
    offline_max_hours: int | None = None
    offline_max_count: int | None = None
    offline_max_amount: str | None = None
    red_needs_original: int = 0
    red_max_days: int = 0
    flags: dict[str, str] = {}
    flag_days: dict[str, tuple[str, str]] = {}
    """Flag → first and last day of its validity, yyyyMMdd or empty."""
    applications: Literal["grant", "refuse", "wait"] = "grant"
    """What the bureau does with applications for numbers when their time has come; ``wait``: it never decides."""


class BureauConfig(Settings):
    """The bureau's process. ``sczs``, ``scsjjg`` override the profile; ``grant_delay``: seconds until a grant.

    ``report_delay``: seconds until a summary is accepted; ``clear_needs_return``: it clears only what was filed.
    """

    port: Port = 0
    state: Literal["up", "slow", "down"] = "up"
    profile: Literal["default", "one_by_one"] = "default"
    sczs: int | None = None
    scsjjg: float | None = None
    grant_delay: float = 0.5
    slow_seconds: float = 3.0
    certificate_days: int = 1825
    report_delay: float = 0.5
    clear_needs_return: bool = False
    taxpayers: dict[str, TaxpayerProfile] = {}


def load(path: Path, shape: type[T]) -> T:
    """Read a configuration file; raises msgspec.ValidationError naming the field, or OSError."""
    return msgspec.json.decode(path.read_bytes(), type=shape)
