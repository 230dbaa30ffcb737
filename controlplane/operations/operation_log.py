"""Checking the operation log: each row holds the hash of the row before it, so no row can be changed or taken away."""

from __future__ import annotations

from collections.abc import Iterable

from controlplane.store.head import ALGORITHM, GENESIS, digest
from controlplane.store.statement import Row

Head = tuple[int, str]
"""Number and hash of a row: what is written down elsewhere to prove the log up to there."""


def verify(rows: Iterable[Row], head: Head | None = None) -> int | None:
    """The number of the first row that is missing or not as it was written; None when the chain is whole.

    ``rows`` in the order of their numbers. With ``head``, a number and hash noted before, the log must hold that row:
    this finds a log that was cut off, or written anew from some row on.
    """
    seq, previous = 0, GENESIS
    for row in rows:
        seq += 1
        if row["seq"] != seq or row["previous_hash"] != previous or row["algorithm"] != ALGORITHM:
            return seq
        previous = digest(row)
        if row["hash"] != previous or (head is not None and head[0] == seq and head[1] != previous):
            return seq
    return seq + 1 if head is not None and seq < head[0] else None
