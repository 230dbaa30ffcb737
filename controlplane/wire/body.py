"""The body door: every JSON body of every route passes here, strictly, before anything else looks at it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

import msgspec

from controlplane.domain.foreign_text import clean, codepoint
from controlplane.domain.refusals import Refusal, refuse

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_DEPTH: Final = 32
MAX_INTEGER: Final = 2**63 - 1
MAX_LITERAL: Final = 32
"""Characters of a number literal."""

_BAD_TEXT = re.compile("[\x00\ud800-\udfff]")
_MSGSPEC_AT = re.compile(r" - at `\$?\.?([^`]*)`\Z")
_MSGSPEC_FIELD = re.compile(r"(?:unknown|required) field `([^`]*)`")
T = TypeVar("T")


class BodyFault(Exception):
    """A body that is not let in. ``status`` 400 malformed, 413 too large, 422 well-formed with a value that is refused.

    ``refusal`` carries code, field path, message and remedy; everything in it is inert text.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal: Final = refusal

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.refusal.http_status

    @property
    def field(self) -> str:
        """Path of the field, ``lines[2].rate``; empty for the whole body."""
        return self.refusal.field

    @property
    def message(self) -> str:
        """What is wrong, in Chinese; ``refusal.message_en`` in English."""
        return self.refusal.message


class _Stop(Exception):
    """Raised inside the fast pass; the slow pass then finds the place."""


class _Flaw:
    """Stands in the parsed tree of the slow pass where something is wrong."""

    def __init__(self, code: str, name: str = "") -> None:
        self.code = code
        self.name = name


def load(raw: bytes, max_bytes: int = MAX_BYTES) -> Any:
    """The parsed JSON of a body, or BodyFault.

    Strict: UTF-8 without BOM, no duplicate keys, at most 32 levels, no NaN or Infinity, integers below 2^63 in
    magnitude, number literals finite and at most 32 characters, no NUL, no lone surrogate, text in NFC.
    """
    if len(raw) > max_bytes:
        _fault("body_too_large", max_bytes=max_bytes)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        _fault("body_not_utf8")
    if text.startswith("\ufeff"):
        _fault("body_not_utf8")
    try:
        value = _FAST.decode(text)
    except _Stop:
        _locate(text)
    except RecursionError:
        _fault("body_too_deep", max_depth=MAX_DEPTH)
    except ValueError as error:
        _fault("body_not_json", problem=_syntax_problem(error))
    if _doubtful(text):
        _walk(value)
    return value


def read(raw: bytes, form: type[T], max_bytes: int = MAX_BYTES) -> T:
    """The body as a msgspec struct, or BodyFault naming the field."""
    return shape(load(raw, max_bytes), form)


def shape(value: Any, form: type[T]) -> T:
    """A loaded value as a msgspec struct, or BodyFault naming the field."""
    try:
        return msgspec.convert(value, form)
    except msgspec.ValidationError as error:
        raise BodyFault(_shape_refusal(str(error))) from None


def _doubtful(text: str) -> bool:
    """True when only a look at every value can tell; a text without ``\\u`` escapes is as clean as the whole of it."""
    if "\\u" in text or text.count("{") + text.count("[") > MAX_DEPTH:
        return True
    return not (text.isascii() or unicodedata.is_normalized("NFC", text))


def _integer(literal: str) -> int:
    if len(literal) > MAX_LITERAL:
        raise _Stop
    value = int(literal)
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise _Stop
    return value


def _decimal(literal: str) -> float:
    value = float(literal) if len(literal) <= MAX_LITERAL else float("inf")
    if value in (float("inf"), float("-inf")):
        raise _Stop
    return value


def _constant(_name: str) -> NoReturn:
    raise _Stop


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Stop
    return found


_FAST: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_decimal, parse_constant=_constant
)


def _locate(text: str) -> NoReturn:
    """Parse again, leaving a flaw in the tree for whatever stopped the fast pass, and report where it stands."""
    try:
        value = _SLOW.decode(text)
    except RecursionError:
        _fault("body_too_deep", max_depth=MAX_DEPTH)
    except ValueError as error:
        _fault("body_not_json", problem=_syntax_problem(error))
    _walk(value)
    raise AssertionError("the slow pass found nothing where the fast pass stopped")


def _flawed(check: Callable[[Any], Any], code: str) -> Callable[[Any], Any]:
    def checked(given: Any) -> Any:
        try:
            return check(given)
        except _Stop:
            return _Flaw(code, given if isinstance(given, str) else _twice(given))

    return checked


def _twice(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return key
        seen.add(key)
    return ""


_SLOW: Final = json.JSONDecoder(
    object_pairs_hook=_flawed(_object, "duplicate_key"),
    parse_int=_flawed(_integer, "number_out_of_range"),
    parse_float=_flawed(_decimal, "number_out_of_range"),
    parse_constant=_flawed(_constant, "number_not_finite"),
)


def _walk(root: Any) -> None:
    """Look at every key and text with its path; without recursion, so that depth cannot hurt."""
    pending: list[tuple[Any, str, int]] = [(root, "", 1)]
    while pending:
        value, path, depth = pending.pop()
        if isinstance(value, str):
            _check_text(value, path)
        elif isinstance(value, _Flaw):
            _fault(value.code, path, name=clean(value.name, "terminal", 40))
        elif isinstance(value, dict | list):
            if depth > MAX_DEPTH:
                _fault("body_too_deep", max_depth=MAX_DEPTH)
            pending += reversed(_children(value, path, depth + 1))


def _children(value: dict[str, Any] | list[Any], path: str, depth: int) -> list[tuple[Any, str, int]]:
    if isinstance(value, list):
        return [(child, f"{path}[{index}]", depth) for index, child in enumerate(value)]
    found = []
    for key, child in value.items():
        at = _joined(path, key)
        _check_text(key, at)
        found.append((child, at, depth))
    return found


def _joined(path: str, key: str) -> str:
    shown = clean(key, "terminal", 64)
    return f"{path}.{shown}" if path else shown


def _check_text(text: str, path: str) -> None:
    if text.isascii() and "\x00" not in text:
        return
    found = _BAD_TEXT.search(text)
    if found is not None:
        _fault("text_not_allowed", path, position=found.start() + 1, character=codepoint(found.group()))
    if not unicodedata.is_normalized("NFC", text):
        _fault("text_not_nfc", path)


def _syntax_problem(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (line {error.lineno}, column {error.colno})"
    return "not a JSON text"


def _shape_refusal(told: str) -> Refusal:
    """msgspec's message as a refusal: unknown field, missing field, or a value of the wrong form, with its path."""
    at = _MSGSPEC_AT.search(told)
    path = clean(at.group(1), "terminal", 200) if at else ""
    problem = clean(told[: at.start()] if at else told, "terminal", 200)
    named = _MSGSPEC_FIELD.search(problem)
    if named is not None:
        code = "unknown_field" if "unknown" in problem else "missing_field"
        name = named.group(1)
        return refuse(code, f"{path}.{name}" if path else name, name=name)
    return refuse("field_invalid", path, problem=problem)


def _fault(code: str, field: str = "", /, **params: str | int) -> NoReturn:
    raise BodyFault(refuse(code, field[:300], **params)) from None
