"""SHA-256 from the interpreter's own module where there is one: ``hashlib`` would load OpenSSL, 4 MiB of memory."""

from __future__ import annotations

from importlib import import_module


def _constructor() -> type:
    for module, name in (("_sha256", "sha256"), ("_sha2", "sha256"), ("hashlib", "sha256")):
        try:
            found: type = getattr(import_module(module), name)
        except ImportError:
            continue
        return found
    raise ImportError("no SHA-256")


_sha256 = _constructor()


def sha256_hex(data: bytes) -> str:
    """The digest of ``data`` as 64 lower-case hex digits."""
    return str(_sha256(data).hexdigest())
