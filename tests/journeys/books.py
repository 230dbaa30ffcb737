"""The three books about one taxpayer: our ledger, the devices' own journal files, the bureau's receipts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

from tests.journeys.demo_process import Demo
from tests.journeys.front_door import Row, until

SETTLED_UPLOADS = ("uploaded", "signature_rejected")
SAME_IN_JOURNAL = (
    *("request_id", "order_no", "kind", "terminal_code", "invoice_code", "invoice_no", "issued_at", "check_code"),
    *("net_total", "tax_total", "gross_total", "device_no"),
)
SAME_AT_BUREAU = ("kind", "net_total", "tax_total", "gross_total", "serial", "payload_hash", "device_no")


class Books:
    """Reads the books of one taxpayer: the ready line's, if no other is named."""

    def __init__(self, demo: Demo, taxpayer_id: str = "") -> None:
        self._demo = demo
        self._owner = taxpayer_id or demo.taxpayer_id
        self._door = demo.door("auditor")

    def ledger(self) -> dict[str, Row]:
        """Issued invoices by request."""
        rows = self._door.all("/v1/invoices", taxpayer_id=self._owner, state="issued")
        found = {row["request_id"]: row for row in rows}
        assert len(found) == len(rows)
        return found

    def journal(self, event: str = "issued") -> list[Row]:
        """Lines of one event in the taxpayer's journal files, per device in their order."""
        folder = Path(self._demo.facts["journals_dir"])
        devices = [device["device_no"] for device in self._demo.desk().devices(self._owner)]
        lines = [line for no in devices for line in _lines(folder / f"{no}.jsonl")]
        return [row for row in map(json.loads, lines) if row["event"] == event]

    def receipts(self) -> dict[tuple[str, str], Row]:
        """The bureau's receipts by invoice number."""
        rows = self._demo.bureau().get("/receipts", taxpayer_id=self._owner)
        found = {_number(row): row for row in rows}
        assert len(found) == len(rows)
        return found

    def uploaded(self, requests: Collection[str], within: float) -> None:
        """Wait until the bureau has had its last word on these requests."""

        def done() -> bool:
            ledger = self.ledger()
            return all(name in ledger and ledger[name]["upload_status"] in SETTLED_UPLOADS for name in requests)

        until(done, within, f"uploads of {len(requests)} requests", every=0.3)

    def compare(self) -> dict[str, Row]:
        """Ledger = journal = bureau, row by row, and each segment used without a gap; the ledger's issued invoices."""
        ledger, journal, receipts = self.ledger(), self.journal(), self.receipts()
        assert len({row["request_id"] for row in journal}) == len(journal) == len({_number(row) for row in journal})
        assert {row["request_id"] for row in journal} == ledger.keys()
        at_bureau = {_number(row) for row in ledger.values() if row["upload_status"] == "uploaded"}
        assert receipts.keys() == at_bureau
        written = {_number(row): row["receipt_no"] for row in self.journal("uploaded")}
        assert written.keys() == at_bureau
        for row in journal:
            ours = ledger[row["request_id"]]
            assert [ours[name] for name in SAME_IN_JOURNAL] == [row[name] for name in SAME_IN_JOURNAL]
            if receipt := receipts.get(_number(row)):
                assert [row[name] for name in SAME_AT_BUREAU] == [receipt[name] for name in SAME_AT_BUREAU]
                assert ours["upload_receipt_no"] == receipt["receipt_no"] == written[_number(row)]
            else:
                assert ours["upload_status"] == "signature_rejected" and ours["upload_receipt_no"] is None
        self.numbers(ledger)
        return ledger

    def numbers(self, ledger: dict[str, Row]) -> None:
        """Per segment the numbers given follow one another from its first one on; none twice, none left out."""
        used: dict[str, list[int]] = defaultdict(list)
        for row in ledger.values():
            used[row["segment_id"]].append(int(row["invoice_no"]))
        assert used
        for run in self._door.all("/v1/segments", taxpayer_id=self._owner):
            start, numbers = int(run["start_no"]), sorted(used.pop(run["id"], []))
            assert numbers == list(range(start, start + len(numbers))), run
            assert int(run["left"]) == int(run["end_no"]) - start + 1 - len(numbers), (run, len(numbers))
        assert not used


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines() if path.exists() else []


def _number(row: Row) -> tuple[str, str]:
    return row["invoice_code"], row["invoice_no"]
