"""How long to wait before the next try: doubling, capped, with jitter so that many agents do not come at once."""

from __future__ import annotations

import random


class Backoff:
    """A series of waits in seconds. Not shared between threads."""

    def __init__(self, first: float, cap: float, rng: random.Random) -> None:
        self._first = first
        self._cap = cap
        self._rng = rng
        self._wait = first

    def next(self) -> float:
        """The wait before the next try: between half and all of a bound that doubles up to the cap."""
        bound = self._wait
        self._wait = min(self._cap, bound * 2)
        return bound * (0.5 + 0.5 * self._rng.random())

    def reset(self) -> None:
        """Start over after a success."""
        self._wait = self._first
