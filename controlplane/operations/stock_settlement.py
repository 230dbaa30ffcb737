"""What an agent's outcome changes on numbers: applications, reclaim, return."""

from __future__ import annotations

from controlplane.operations.fleet_settlement import Settle

DONE: dict[str, Settle] = {}
"""Job kind → what its outcome ``done`` changes."""

REFUSED: dict[str, Settle] = {}
"""Job kind → what its outcome ``refused`` changes, where anything remembers the refusal."""

EVIDENCE: dict[str, type] = {}
"""Job kind → the evidence a done job must bring."""
