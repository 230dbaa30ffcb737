"""The verdict on a bureau line, from its latest samples: one good check is enough, one bad check is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

Verdict = Literal["normal", "abnormal", "unknown"]

FAILURES_TO_OPEN: Final = 2
"""Failed slots in a row that make a line abnormal; one good slot makes it normal again."""


def verdict(newest_first: Sequence[bool | None]) -> Verdict:
    """The state after these samples, newest first; None marks a slot that was missed and proves nothing."""
    seen = [ok for ok in newest_first if ok is not None]
    if not seen:
        return "unknown"
    if seen[0]:
        return "normal"
    failed = next((number for number, ok in enumerate(seen) if ok), len(seen))
    if failed >= FAILURES_TO_OPEN:
        return "abnormal"
    # A first failure leaves the verdict as it was.
    return "normal" if len(seen) > failed else "unknown"
