"""Which probe answers which scheme; each is imported when it is first used, so nobody pays for SSH who asks for TCP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import cast

from probes.reading import Reading
from probes.settings import ProbeSettings
from probes.target import Target

Probe = Callable[[Target, ProbeSettings, float], Awaitable[Reading]]
"""``probe(target, settings, deadline)``, the deadline by ``time.monotonic``; a failed check is a result."""

PROBES: dict[str, str] = {
    "tcp": "tcp_connect",
    "tls": "tls_handshake",
    "http": "http_get",
    "https": "http_get",
    "clock+http": "clock_offset",
    "clock+https": "clock_offset",
    "dns": "dns_lookup",
    "snmp": "snmp_get",
    "sftp": "remote_log",
    "host": "host_facts",
}


def find(scheme: str) -> Probe:
    """The probe for a scheme of PROBES; KeyError for any other."""
    return cast(Probe, import_module(f"probes.{PROBES[scheme]}").probe)
