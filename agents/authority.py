"""Whether this agent may begin anything: contact with the right control plane, whose ledger never goes back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from agents.logs import fields

_log = logging.getLogger(__name__)


class Authority:
    """Thread-safe. ``remember`` is called with each new highest ledger sequence."""

    def __init__(self, instance_id: str, highest: int, lease_seconds: float, remember: Callable[[int], None]) -> None:
        self._instance_id = instance_id
        self._highest = highest
        self._lease_seconds = lease_seconds
        self._remember = remember
        self._heard_at: float | None = None
        self._guard = ""
        self._withdrawn = False
        self._lock = threading.Lock()

    @property
    def guard(self) -> str:
        """Why no work is taken: ``other_instance``, ``ledger_went_back`` or empty."""
        return self._guard

    def floor(self) -> int:
        """The highest ledger sequence known now: an answer to a question asked from here on must not be below it."""
        return self._highest

    def heard(self, ledger_seq: int, floor: int, instance_id: str | None = None) -> bool:
        """Judge an answer of the control plane; True when it may be acted on. ``floor`` was taken before asking."""
        with self._lock:
            verdict = ""
            if instance_id is not None and instance_id != self._instance_id:
                verdict = "other_instance"
            elif ledger_seq < floor:
                verdict = "ledger_went_back"
            elif instance_id is None and self._guard:
                verdict = self._guard  # only a lease answer, which names its instance, lifts the guard
            if verdict != self._guard:
                self._tell(verdict, ledger_seq)
            self._guard = verdict
            if verdict:
                return False
            self._heard_at = time.monotonic()
            if ledger_seq > self._highest:
                self._highest = ledger_seq
                self._remember(ledger_seq)
            return True

    def withdraw(self) -> None:
        """Nothing may be begun any more in this life: revoked, or stopping."""
        self._withdrawn = True

    def live(self) -> bool:
        """Whether something new may be begun now."""
        heard_at = self._heard_at
        if self._withdrawn or self._guard or heard_at is None:
            return False
        return time.monotonic() - heard_at < self._lease_seconds

    def _tell(self, verdict: str, ledger_seq: int) -> None:
        if verdict:
            _log.error(
                "control plane refused: it is not the one this agent works for, or its ledger went back",
                extra=fields(guard=verdict, ledger_seq=ledger_seq, highest=self._highest),
            )
        else:
            _log.warning("control plane accepted again", extra=fields(ledger_seq=ledger_seq))
