"""A day of faults on 36 lines, written down; and what the letters must say, worked out a second way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

SLOTS = 288
LINES = 36
SCHEMES = ("tcp", "http", "https", "http", "tcp", "tls")
"""Line number n speaks SCHEMES[n % 6]."""

FAULTS: tuple[tuple[int, str, int, int], ...] = (
    # line, fault, first slot, slots
    (0, "refuse", 5, 1),  # a hiccup: nobody hears of it
    (1, "reset", 5, 2),
    (2, "expired", 6, 6),
    (3, "stall", 20, 3),
    (4, "no_name", 20, 2),
    (5, "stall", 22, 1),
    (5, "expired", 23, 1),  # two different faults in a row are two failures
    *((line, "refuse", 40, 4) for line in range(18)),  # a mass outage: one letter names all
    (1, "error", 60, 2), (1, "error", 63, 2), (1, "error", 66, 2),  # flapping: down two slots, up one
    (8, "error", 70, 3),
    (30, "refuse", 90, 10),  # opens before the third rule goes off, closes while it is off
    (31, "no_name", 110, 5),  # all of it while that rule is off
    (32, "expired", 140, 10),  # begins while it is off, lasts until it is on again
    (6, "refuse", 98, 14),  # from before the watch stops until after
    (7, "reset", 99, 2),  # one failed slot, then the watch stops; the second failure is the first slot afterwards
    (7, "reset", 108, 1),
    (9, "reset", 149, 3),  # the slot in the middle is claimed and never handed in
    (10, "refuse", 181, 5),  # the server starts anew meanwhile
    *((line, "no_name", 200, 2) for line in range(12, 24)),
    *((line, "refuse", 202, 2) for line in range(12, 24)),
    (33, "stall", 230, 2),
    (34, "refuse", 231, 40),
    (35, "reset", 283, 5),  # still down when the day ends
)  # fmt: skip
WATCH_STOPS = range(100, 108)
"""Slots that no probe clock works."""
NOT_HANDED_IN = 150
RULE_OFF = range(96, 144)
"""Slots during which the third rule is off."""


@dataclass
class RuleByHand:
    """An alert rule as the test sees it."""

    recipients: tuple[str, ...]
    lines: range
    open_after: int = 2
    close_after: int = 1
    off: range = range(0)
    is_open: set[int] = field(default_factory=set)


def rules() -> list[RuleByHand]:
    """Three rules: everything to two people; some regions, patiently, to one; some lines to one who is off for a while."""
    return [
        RuleByHand(("ops@example.com", "boss@example.com"), range(LINES)),
        RuleByHand(("region@example.com",), range(12), open_after=3, close_after=2),
        RuleByHand(("night@example.com",), range(30, 36), off=RULE_OFF),
    ]


def fault_of(line: int, slot: int) -> str:
    """How a line fails in a slot, ``ok`` when it does not."""
    for one, fault, first, slots in FAULTS:
        if one == line and first <= slot < first + slots:
            return fault
    return "ok"


def is_checked(slot: int) -> bool:
    """True for a slot whose samples are handed in."""
    return slot not in WATCH_STOPS and slot != NOT_HANDED_IN


Told = frozenset[tuple[int | str, str]]
"""(line number or "watch", down or up) of one letter."""


def letters() -> Iterator[tuple[int, str, Told]]:
    """(slot, recipient, what it tells) of every letter of the day: one per sweep and recipient, in order."""
    all_rules = rules()
    failed, good = [0] * LINES, [0] * LINES
    watch_told: set[str] = set()
    for slot in range(SLOTS):
        told: dict[str, set[tuple[int | str, str]]] = {}
        if slot == WATCH_STOPS[0] + 2:  # two slots are over and were missed
            watch_told = {one for rule in all_rules if slot not in rule.off for one in rule.recipients}
            for one in watch_told:
                told.setdefault(one, set()).add(("watch", "down"))
        if slot == WATCH_STOPS[-1] + 1:
            for one in watch_told:
                told.setdefault(one, set()).add(("watch", "up"))
        for line in range(LINES) if is_checked(slot) else ():
            bad = fault_of(line, slot) != "ok"
            failed[line], good[line] = (failed[line] + 1, 0) if bad else (0, good[line] + 1)
            for rule in all_rules:
                move = _move(rule, line, slot, failed[line], good[line])
                for one in rule.recipients if move else ():
                    told.setdefault(one, set()).add((line, move))
        yield from ((slot, one, frozenset(what)) for one, what in sorted(told.items()))


def _move(rule: RuleByHand, line: int, slot: int, failed: int, good: int) -> str:
    if line in rule.is_open:
        if good >= rule.close_after:
            rule.is_open.remove(line)
            return "up"
    elif line in rule.lines and slot not in rule.off and failed >= rule.open_after:
        rule.is_open.add(line)
        return "down"
    return ""
