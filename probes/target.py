"""What to probe, as one line of text: ``tcp://host:port``, ``https://host/path`` and their kin, parsed strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass

from probes.reach import BadHost, canonical_host


@dataclass(frozen=True, slots=True)
class _Form:
    """How a scheme is written: its usual port (None: must be given) and what its path must look like."""

    port: int | None
    path: re.Pattern[str]
    default_path: str = ""


_NO_PATH = re.compile(r"\Z")
_WEB_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*\Z")
_OIDS = re.compile(r"/[0-2](?:\.(?:0|[1-9]\d{0,9})){1,64}(?:,[0-2](?:\.(?:0|[1-9]\d{0,9})){1,64}){0,15}\Z")
_FILE = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._@+=-]{1,255}){1,32}\Z")
_NAME = re.compile(r"(?:/[A-Za-z0-9._-]{1,253})?\Z")

FORMS: dict[str, _Form] = {
    "tcp": _Form(None, _NO_PATH),
    "tls": _Form(443, _NO_PATH),
    "http": _Form(80, _WEB_PATH, "/"),
    "https": _Form(443, _WEB_PATH, "/"),
    "clock+http": _Form(80, _WEB_PATH, "/"),
    "clock+https": _Form(443, _WEB_PATH, "/"),
    "dns": _Form(53, _NAME),
    "snmp": _Form(161, _OIDS),
    "sftp": _Form(22, _FILE),
    "host": _Form(0, _NO_PATH),
}
"""``dns://name`` asks our own resolver, ``dns://server/name`` that server; ``host://local`` is this machine."""

_SHAPE = re.compile(
    r"(?P<scheme>[a-z+]+)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[1-9]\d{0,4}))?(?P<path>/.*)?\Z"
)
_LONGEST = 2048
_LAST_PORT = 65535


class BadTarget(ValueError):
    """The text is no target; ``code`` says why: shape, scheme, host, port or path."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to probe. ``url`` is its canonical form and its name in readings."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def url(self) -> str:
        """Canonical text: the usual port left out, IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = FORMS[self.scheme].port
        return f"{self.scheme}://{host}{'' if self.port == usual else f':{self.port}'}{self.path}"

    @property
    def secure(self) -> bool:
        """True when the connection is wrapped in TLS."""
        return self.scheme in ("tls", "https", "clock+https")


def parse(text: str) -> Target:
    """Parse a target; raises BadTarget. No user names, no fragments, no spaces, no control or non-ASCII characters."""
    shape = _SHAPE.match(text)
    if len(text) > _LONGEST or not text.isascii() or not shape:
        raise BadTarget("shape")
    form = FORMS.get(shape["scheme"])
    if form is None:
        raise BadTarget("scheme")
    path = shape["path"] or form.default_path
    if not form.path.match(path):
        raise BadTarget("path")
    return Target(shape["scheme"], _host(shape["scheme"], shape["host"]), _port(form, shape["port"]), path)


def _host(scheme: str, text: str) -> str:
    bare = text[1:-1] if text.startswith("[") else text
    try:
        host = canonical_host(bare)
    except BadHost as error:
        raise BadTarget("host") from error
    if (":" in host) != text.startswith("[") or (scheme == "host" and host != "local"):
        raise BadTarget("host")
    return host


def _port(form: _Form, text: str | None) -> int:
    if text is None and form.port is not None:
        return form.port
    if text is None or form.port == 0 or int(text) > _LAST_PORT:
        raise BadTarget("port")
    return int(text)
