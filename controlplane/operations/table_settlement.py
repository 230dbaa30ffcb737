"""What an agent's outcome changes on taxpayers and code tables."""

from __future__ import annotations

from controlplane.operations import tax_codes, taxpayer_fetches
from controlplane.operations.fleet_settlement import Settle
from controlplane.store import taxpayers
from controlplane.store.statement import Row
from controlplane.store.transaction import Transaction
from controlplane.wire import agents as wire
from controlplane.wire import evidence


def _taxpayer(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    facts = outcome.evidence
    assert isinstance(facts, evidence.TaxpayerFacts)
    row = taxpayers.find(tx, job["subject_id"], lock=True)
    kept = taxpayers.fetch_of_job(tx, job["taxpayer_id"], job["id"])
    assert row is not None and kept is not None
    if facts.taxpayer_id != row["taxpayer_id"]:
        taxpayer_fetches.failed(tx, kept, f"the answer speaks of {facts.taxpayer_id}")
    else:
        taxpayer_fetches.arrived(tx, row, kept, facts)


def _taxpayer_refused(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    kept = taxpayers.fetch_of_job(tx, job["taxpayer_id"], job["id"])
    assert kept is not None
    taxpayer_fetches.failed(tx, kept, f"{outcome.code} {outcome.message}".strip())


def _codes(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    page = outcome.evidence
    assert isinstance(page, evidence.CodePage)
    tax_codes.page_arrived(tx, job, page)


def _codes_refused(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    tax_codes.page_refused(tx, job, f"{outcome.code} {outcome.message}".strip())


DONE: dict[str, Settle] = {"taxpayer.fetch": _taxpayer, "codes.fetch": _codes}
"""Job kind → what its outcome ``done`` changes."""

REFUSED: dict[str, Settle] = {"taxpayer.fetch": _taxpayer_refused, "codes.fetch": _codes_refused}
"""Job kind → what its outcome ``refused`` changes, where anything remembers the refusal."""

EVIDENCE: dict[str, type] = {"taxpayer.fetch": evidence.TaxpayerFacts, "codes.fetch": evidence.CodePage}
"""Job kind → the evidence a done job must bring."""
