"""What may be done about one invoice now: cancel, void, red-offset, each with the reason when not."""

from __future__ import annotations

from typing import Any

from controlplane.domain import invoice as rules_of_invoice
from controlplane.domain.refusals import Refusal, refuse
from controlplane.domain.registry import acts_of
from controlplane.operations import acts, invoice_views, red_offsets, voids
from controlplane.operations.acts import Viewer
from controlplane.store import jobs
from controlplane.store.statement import Connection, Row


def with_moves(hand: Connection, row: Row, viewer: Viewer) -> dict[str, Any]:
    """The whole invoice with the trail of its jobs, and its ``allowed`` list."""
    return invoice_views.whole(hand, row, trail=True) | {"allowed": allowed(hand, row, viewer)}


def allowed(hand: Connection, row: Row, viewer: Viewer) -> list[dict[str, Any]]:
    """Every act on an invoice, whether it may be done now, and if not, why: the same rules as the acts themselves."""
    held = jobs.open_of(hand, row["id"])
    found = []
    for spec in acts_of("invoices"):
        # An open issue job is what cancelling takes away.
        why = acts.why_not(
            spec, row["state"], rules_of_invoice.MACHINE, None if spec.verb == "cancel" else held, viewer.caller
        )
        if why is None:
            refusal = _gate(hand, row, spec.verb, viewer, held)
            why = refusal.message if refusal is not None else None
        found.append(acts.verdict(spec, why))
    return found


def _gate(hand: Connection, row: Row, verb: str, viewer: Viewer, held: Row | None) -> Refusal | None:
    """What keeps an act from being done besides the invoice's state."""
    if verb == "cancel":
        return refuse("job_held_by_agent") if held is not None and held["state"] != "queued" else None
    if verb == "void":
        return next(iter(voids.refusals(hand, row, viewer.now, viewer.rules)), None)
    if verb == "red_offset":
        return red_offsets.refusal_of(hand, row, viewer.now, viewer.rules)
    return None
