"""A taxpayer id (纳税人识别号): its canonical form, characters and check digits, with the position of a fault."""

from __future__ import annotations

import unicodedata
from typing import Final, Literal

from controlplane.domain.foreign_text import clean
from controlplane.domain.refusals import Refusal, refuse

Level = Literal["warn", "error"]
"""What a failed check digit is: real codes exist that fail it, so it warns unless set to refuse."""

LENGTHS: Final = (15, 17, 18, 20)

_ALPHABET_31 = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100: digits and capitals without I, O, Z, S, V."""
_VALUES_31 = {symbol: value for value, symbol in enumerate(_ALPHABET_31)}
_WEIGHTS_32100 = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ALPHABET_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES_36 = {symbol: value for value, symbol in enumerate(_ALPHABET_36)}
_WEIGHTS_11714 = (3, 7, 9, 10, 5, 8, 4, 2)
_UNIFIED_LENGTH = 18


def canonical(tax_id: str) -> str:
    """The one form of an id: NFKC, upper case, without blanks and invisible characters. Only for comparing."""
    folded = unicodedata.normalize("NFKC", tax_id).upper()
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc"))


def unified_check_digit(first_17: str) -> str:
    """GB 32100 check symbol of the first 17 symbols of an 18-character code."""
    weighted = sum(_VALUES_31[symbol] * weight for symbol, weight in zip(first_17, _WEIGHTS_32100, strict=True))
    return _ALPHABET_31[(31 - weighted % 31) % 31]


def organisation_check_digit(first_8: str) -> str:
    """GB 11714 check symbol of the 8 symbols at positions 9 to 16 of an 18-character code."""
    weighted = sum(_VALUES_36[symbol] * weight for symbol, weight in zip(first_8, _WEIGHTS_11714, strict=True))
    remainder = 11 - weighted % 11
    return {10: "X", 11: "0"}.get(remainder, str(remainder))


def faults(tax_id: str, field: str = "") -> list[Refusal]:
    """What is wrong for certain: twins of another spelling, length, characters. Each names its position from 1."""
    twin = _not_canonical(tax_id, field)
    if twin is not None:
        return [twin]
    if len(tax_id) not in LENGTHS:
        return [refuse("tax_id_length", field, length=len(tax_id))]
    alphabet = _ALPHABET_31 if len(tax_id) == _UNIFIED_LENGTH else _ALPHABET_36
    for position, character in enumerate(tax_id, 1):
        if character not in alphabet:
            return [refuse("tax_id_character", field, position=position, character=character)]
    return []


def doubts(tax_id: str, field: str = "") -> list[Refusal]:
    """Check digits that do not fit, of an 18-character id without faults; older forms have no usable check."""
    if len(tax_id) != _UNIFIED_LENGTH:
        return []
    found = []
    for position, expected in ((17, organisation_check_digit(tax_id[8:16])), (18, unified_check_digit(tax_id[:17]))):
        character = tax_id[position - 1]
        if character != expected:
            found.append(refuse("tax_id_check_digit", field, position=position, character=character, expected=expected))
    return found


def examine(tax_id: str, field: str, level: Level) -> tuple[list[Refusal], list[Refusal]]:
    """(errors, warnings) of an id; failed check digits are errors or warnings by ``level``."""
    errors = faults(tax_id, field)
    if errors:
        return errors, []
    doubtful = doubts(tax_id, field)
    return (doubtful, []) if level == "error" else ([], doubtful)


def _not_canonical(tax_id: str, field: str) -> Refusal | None:
    if tax_id == canonical(tax_id):
        return None
    for position, character in enumerate(tax_id, 1):
        if canonical(character) != character:
            shown = clean(character, "terminal").replace(" ", "␠")
            return refuse("tax_id_not_canonical", field, position=position, character=shown)
    # Only a sequence of characters folds together: a letter and a combining mark.
    return refuse("tax_id_not_canonical", field, position=1, character=clean(tax_id[:1], "terminal"))
