"""Secrets we give out or check: random ones are kept as a SHA-256 digest, passwords as argon2id."""

from __future__ import annotations

import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash("nobody signs in with this")


def new_secret() -> str:
    """256 random bits in hex."""
    return secrets.token_hex(32)


def digest(secret: str) -> str:
    """How a random secret is stored: 256 bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hash_password(password: str) -> str:
    """argon2id of a password."""
    return _HASHER.hash(password)


def check_password(stored: str | None, password: str) -> bool:
    """True when the password fits. Takes as long for a name nobody has."""
    try:
        return _HASHER.verify(stored or _NOBODY, password) and stored is not None
    except (VerifyMismatchError, InvalidHashError):
        return False
