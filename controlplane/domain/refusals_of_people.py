"""Refusals of people. Row: code, reason class, HTTP status, runbook, message zh, message en, remedy zh, remedy en."""

from __future__ import annotations

from typing import Final

ROWS: Final[tuple[tuple[str, str, int, str, str, str, str, str], ...]] = ()
