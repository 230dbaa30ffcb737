"""What voids and red-offsets read and write on invoices."""

from __future__ import annotations

from controlplane.store.statement import Connection, Row, Statement

_REDS = Statement(
    "SELECT id, request_id, state, upload_status, kind, invoice_code, invoice_no, net_fen, tax_fen, gross_fen, "
    "red_form_no, open_job_id FROM invoices "
    "WHERE taxpayer_id = :taxpayer_id AND original_id = :original_id ORDER BY id"
)
_TAKEN = Statement(
    "SELECT l.original_line_no, l.amount_fen, l.tax_fen, l.quantity FROM invoices i "
    "JOIN invoice_lines l ON l.taxpayer_id = i.taxpayer_id AND l.invoice_id = i.id "
    "WHERE i.taxpayer_id = :taxpayer_id AND i.original_id = :original_id AND i.state IN ('waiting', 'issued') "
    "ORDER BY i.id, l.line_no"
)
_BY_FORM = Statement(
    "SELECT id FROM invoices WHERE taxpayer_id = :taxpayer_id AND red_form_no = :red_form_no "
    "AND state IN ('waiting', 'issued')"
)
_HOLD = Statement(
    "UPDATE invoices SET open_job_id = :open_job_id, version = version + 1, updated_at = :now "
    "WHERE taxpayer_id = :taxpayer_id AND id = :id AND state = 'issued'"
)
_VOID = Statement(
    "UPDATE invoices SET state = 'voided', live = 0, open_job_id = NULL, voided_at = :voided_at, "
    "voided_by = :voided_by, void_reason = :void_reason, version = version + 1, updated_at = :now "
    "WHERE taxpayer_id = :taxpayer_id AND id = :id AND state = 'issued'"
)
_SUM = Statement(
    "UPDATE invoices SET red_net_fen = :red_net_fen, red_tax_fen = :red_tax_fen, red_offset_by = :red_offset_by, "
    "live = :live, version = version + 1, updated_at = :now "
    "WHERE taxpayer_id = :taxpayer_id AND id = :id AND state = 'issued'"
)
_FACTS = Statement(
    "UPDATE invoice_facts SET voided_day = :day WHERE taxpayer_id = :taxpayer_id AND invoice_id = :invoice_id"
)


def reds_of(hand: Connection, blue: Row) -> list[Row]:
    """All red invoices of a blue one, oldest first, in whatever state."""
    return hand.rows(_REDS, {"taxpayer_id": blue["taxpayer_id"], "original_id": blue["id"]})


def taken_of(hand: Connection, blue: Row) -> list[Row]:
    """The lines of its red invoices that are issued or under way: original_line_no and what they offset, below zero."""
    return hand.rows(_TAKEN, {"taxpayer_id": blue["taxpayer_id"], "original_id": blue["id"]})


def red_of_form(hand: Connection, taxpayer_id: str, red_form_no: str) -> str | None:
    """Id of the red invoice, issued or under way, that uses a form."""
    row = hand.one(_BY_FORM, {"taxpayer_id": taxpayer_id, "red_form_no": red_form_no})
    return str(row["id"]) if row else None


def hold(hand: Connection, invoice: Row, job_id: str | None, now: str) -> None:
    """Show an open job on an issued invoice, or that it has none any more."""
    hand.run(_HOLD, {**_key(invoice), "open_job_id": job_id, "now": now})


def void(hand: Connection, invoice: Row, values: Row) -> bool:
    """End an issued invoice as voided: voided_at, voided_by, void_reason, now; False when it is not issued."""
    return hand.run(_VOID, {**_key(invoice), **values}) == 1


def sum_up(hand: Connection, blue: Row, values: Row) -> None:
    """Write what the red invoices of a blue one come to: red_net_fen, red_tax_fen, red_offset_by, live, now."""
    hand.run(_SUM, {**_key(blue), **values})


def void_facts(hand: Connection, invoice: Row, day: str) -> None:
    """Mark the statistics row of an invoice as voided on that day."""
    hand.run(_FACTS, {"taxpayer_id": invoice["taxpayer_id"], "invoice_id": invoice["id"], "day": day})


def _key(invoice: Row) -> Row:
    return {"taxpayer_id": invoice["taxpayer_id"], "id": invoice["id"]}
