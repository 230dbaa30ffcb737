"""Invoice codes, runs of invoice numbers and the signature over one invoice."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode

CODE_CAPACITY = 1_000_000
"""Numbers per 12-digit code before the bureau opens the next batch."""

GRANT_LIMIT = 10_000
"""Most numbers in one grant."""


_MONEY = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,2}))?")


def invoice_code(area: str, year: int, batch: int, suffix: str) -> str:
    """12 digits: 0, area (4), year (2), batch (3), kind and copies (2)."""
    if len(area) != 4 or not 1 <= batch <= 999 or len(suffix) != 2:
        raise ValueError("invoice code out of range")
    return f"0{area}{year % 100:02d}{batch:03d}{suffix}"


def number(value: int) -> str:
    """An invoice number as printed: 8 digits."""
    return f"{value:08d}"


def parse_number(text: str) -> int | None:
    """The value of an 8-digit number, None for anything else."""
    return int(text) if len(text) == 8 and text.isascii() and text.isdigit() else None


def fen(text: str) -> int | None:
    """Decimal text with at most two places as integer fen, None for anything else."""
    match = _MONEY.fullmatch(text)
    if match is None:
        return None
    sign, whole, cents = match.groups()
    return int(f"{sign}{whole}{(cents or ''):0<2}")


def yuan(value: int) -> str:
    """Integer fen as decimal text with two places."""
    sign = "-" if value < 0 else ""
    return f"{sign}{abs(value) // 100}.{abs(value) % 100:02d}"


def device_key(seed: int, device_no: str) -> str:
    """The signing key that the bureau puts on a certified device (simulated practice: a shared secret)."""
    return hmac.new(f"bureau-{seed}".encode(), device_no.encode(), hashlib.sha256).hexdigest()


def signature(key: str, device_no: str, facts: list[str]) -> str:
    """签名值 over an invoice's facts (code, number, kind, time, totals, payload hash)."""
    return hmac.new(key.encode(), "|".join([device_no, *facts]).encode(), hashlib.sha256).hexdigest()


def check_code(key: str, facts: list[str]) -> str:
    """校验码: 20 digits."""
    digest = hmac.new(key.encode(), ("jym|" + "|".join(facts)).encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(digest, 'big') % 10**20:020d}"


def cipher(key: str, facts: list[str]) -> str:
    """税控码: at most 190 characters."""
    first = hmac.new(key.encode(), ("skm|" + "|".join(facts)).encode(), hashlib.sha512).digest()
    return b64encode(first + hashlib.sha512(first).digest()).decode()


def receipt_no(seed: int, code: str, no: str) -> str:
    """The bureau's receipt for one invoice, 32 characters: the same however often the invoice comes."""
    return hashlib.sha256(f"receipt-{seed}|{code}|{no}".encode()).hexdigest()[:32].upper()
