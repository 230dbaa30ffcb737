"""Text that would drive a terminal, break a widget or shift a column, if it were let through."""

from __future__ import annotations

from typing import Any

CORPUS = (
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]52;c;c2VjcmV0\x07",
    "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x1b_APC\x1b\\",
    "\x1b^PM\x1b\\",
    "\x1b[?1049l\x1b[?25h\x1bc",
    "\x1b[6n\x1b[c\x05",
    "\x9b2J\x9d52;c;eA==\x9c\x90q\x9c",
    "\x00\x01\x07\x08\x0b\x0c\x0e\x0f\x7f",
    "one\ntwo\r\nthree\ttab",
    "[/]",
    "[bold]never closed",
    "[/bold][red]",
    "[@click=app.quit]click[/]",
    "[link=http://evil.example]x[/link]",
    "\\[escaped\\] \\",
    "[[[[]]]][",
    "$warning ansi_red on $error",
    "\u202egnirts desrever\u202c",
    "\u2066isolate\u2069 \u200f\u200e",
    "zero\u200bwidth\u200c\u200d\u2060\ufeff",
    "line\u2028separator\u2029paragraph",
    "Z" + "\u0301\u0300\u0336" * 200,
    "\u0301leading mark",
    "税" * 600,
    "１２３ＡＢＣ",
    "👨\u200d👩\u200d👧\u200d👦🏽🇨🇳☎\ufe0f",
    "\u1100\u1161\u11a8\u115f\u3164",
    "\ud800lone\udfff",
    "\U000e0041\U000e007f",
    "{text} {0} %s %(x)s {",
    "a" * 5000,
    "'; DROP TABLE x; --",
    "../../etc/passwd",
    "",
    " ",
)


def poisoned(value: Any, words: str) -> Any:
    """The value with every text in it replaced, but for what keeps the record together (ids, references, verbs)."""
    if isinstance(value, dict):
        return {key: one if key in _KEPT else poisoned(one, words) for key, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one, words) for one in value]
    return words if isinstance(value, str) else value


_KEPT = ("id", "version", "tax_server_id", "device_id", "agent_id", "subject_id", "verb", "verdict", "state")
