"""What an operator does at the front door: a verb on a record, its job awaited; numbers brought to a device."""

from __future__ import annotations

import time

from tests.journeys.front_door import Door, Row, until

TERMINAL = "1"


class Desk(Door):
    """An operator's calls."""

    def act(self, noun: str, record_id: str, verb: str, **arguments: object) -> Row:
        """Do a verb, wait until its job has ended well; the record afterwards."""
        path = f"/v1/{noun}/{record_id}"
        for _ in range(50):
            move = {"reason": "journey", "version": self.get(path)["version"], **arguments}
            answer = self.ask("POST", f"{path}/{verb}", move)
            if answer.status != 409 or answer.json["code"] not in ("version_differs", "open_job"):
                break
            time.sleep(0.1)
        assert answer.status == 202, answer
        if job := answer.json["job"]:
            self.settled(job["id"])
        record: Row = self.get(path)
        return record

    def settled(self, job_id: str) -> None:
        """Wait for a job to end as done."""
        job = until(lambda: self._ended(job_id), 60, f"job {job_id}", every=0.05)
        assert job["state"] == "done", job

    def _ended(self, job_id: str) -> Row | None:
        job: Row = self.get(f"/v1/jobs/{job_id}")
        return job if job["state"] in ("done", "refused") else None

    def devices(self, taxpayer_id: str) -> list[Row]:
        """The taxpayer's virtual devices in the order of their numbers."""
        return sorted(self.all("/v1/virtual-devices", taxpayer_id=taxpayer_id), key=lambda row: str(row["device_no"]))

    def stock(self, device_id: str, kind: str, count: int) -> None:
        """Apply for numbers, receive them, and give them to the terminal."""
        self.act("virtual-devices", device_id, "apply", kind=kind, count=count)
        self.act("virtual-devices", device_id, "receive", kind=kind)
        for run in self.all("/v1/segments", device_id=device_id, kind=kind):
            if run["state"] == "on_device":
                self.act(
                    "virtual-devices", device_id, "distribute", kind=kind, invoice_code=run["invoice_code"],
                    start_no=run["start_no"], count=run["left"], terminal_code=TERMINAL,
                )  # fmt: skip
