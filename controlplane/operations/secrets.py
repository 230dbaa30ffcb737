"""Secrets we give out or check: random ones are kept as a SHA-256 digest, passwords as argon2id."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash("nobody signs in with this")
_ONE_TIME = "sha256$"
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without those that look alike on paper."""


def new_secret() -> str:
    """256 random bits in hex."""
    return secrets.token_hex(32)


def new_one_time() -> str:
    """A password to be read out and typed once: 118 random bits in four groups."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(6)) for _ in range(4))


def digest(secret: str) -> str:
    """How a random secret is stored: 256 bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hash_one_time(password: str) -> str:
    """How a one-time password is stored: random as it is, it needs no slow hash in the ledger's only writer."""
    return _ONE_TIME + digest(password)


def hash_password(password: str) -> str:
    """argon2id of a password a person chose. Slow on purpose: never in the writer's thread of a serving ledger."""
    return _HASHER.hash(password)


def check_password(stored: str | None, password: str) -> bool:
    """True when the password fits. Takes as long for a one-time password, and for a name nobody has."""
    one_time = stored is not None and stored.startswith(_ONE_TIME)
    fits = False
    with contextlib.suppress(VerifyMismatchError, InvalidHashError):
        fits = _HASHER.verify(_NOBODY if stored is None or one_time else stored, password)
    if stored is not None and one_time:
        return hmac.compare_digest(stored, hash_one_time(password))
    return fits and stored is not None
