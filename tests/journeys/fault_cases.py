"""Every fault of the simulated devices as a case: how it strikes, what the API says meanwhile, what cures it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.journeys.asking import simple
from tests.journeys.books import SETTLED_UPLOADS, Books
from tests.journeys.demo_process import Demo
from tests.journeys.desk import Desk
from tests.journeys.front_door import Row, until

SIGN = ["GP_FPKJ"]
JOURNAL_UNREADABLE = {"kind": "down", "calls": ["GP_FPCX"]}
SEEN_WITHIN = 20.0
SETTLED_WITHIN = 45.0
Remedy = Callable[[Desk, Row], None]


@dataclass(frozen=True)
class Case:
    """One fault at one time. What is left empty is not looked for."""

    name: str
    faults: tuple[Row, ...]
    waiting: frozenset[str] = frozenset()
    """Codes one of which the invoice names as the reason why it waits."""
    health: str = ""
    """The cause that the device's health names."""
    trail: str = ""
    """What the trail of the invoice's job tells of it afterwards."""
    uploads_wait: bool = False
    """The invoice is issued, and its upload waits."""
    remedy: Remedy | None = None
    """What cures it besides taking the fault away; the fault goes first."""
    cured_by_remedy: bool = False
    """The remedy alone is enough: the fault is not taken away."""
    upload: str = "uploaded"

    def __str__(self) -> str:
        return self.name


def _calibrate(desk: Desk, device: Row) -> None:
    desk.act("virtual-devices", device["id"], "calibrate")


def _more_numbers(desk: Desk, device: Row) -> None:
    desk.stock(device["id"], "026", 50)


def _fault(kind: str, *calls: str, **more: object) -> Row:
    return {"kind": kind, "calls": list(calls), **more}


def _signing(kind: str, **more: object) -> Row:
    return _fault(kind, *SIGN, **more)


UNKNOWN = frozenset({"outcome_unknown"})
ISSUING = (
    Case("answer_after_timeout", (_signing("answer_after_timeout", times=1), JOURNAL_UNREADABLE), UNKNOWN,
         trail="unknown"),
    Case("slow_beyond_timeout", (_signing("slow", times=1, seconds=8),), UNKNOWN, trail="unknown"),
    Case("down", (_fault("down"),), UNKNOWN | {"device_unreachable"}, health="device_unreachable"),
    Case("slow", (_signing("slow", seconds=1.5),)),
    Case("answer_lost", (_signing("answer_lost"), JOURNAL_UNREADABLE), UNKNOWN, trail="unknown"),
    Case("answer_lost_and_read_back", (_signing("answer_lost"),)),
    Case("half_answer", (_signing("half_answer"), JOURNAL_UNREADABLE), UNKNOWN, trail="unknown"),
    Case("sent_not_executed", (_signing("sent_not_executed"),), UNKNOWN, trail="unknown"),
    Case("clock_drift", (_fault("clock_drift", seconds=3600),), frozenset({"clock_off"}), health="clock_off",
         remedy=_calibrate, cured_by_remedy=True),
    Case("stock_spent", (_signing("stock_spent"),), frozenset({"no_stock"}), remedy=_more_numbers),
    Case("busy", (_signing("busy"),), frozenset({"device_busy"})),
    Case("refuse_before_sign", (_signing("refuse_before_sign"),), frozenset({"device_failed"})),
    Case("lost_write_back", (_fault("lost_write_back"),), uploads_wait=True),
    Case("signature_rejected", (_fault("signature_rejected", times=2),), upload="signature_rejected"),
)  # fmt: skip
"""Switched on before the invoice is asked for."""

UPLOADING = (
    Case("down", (_fault("down", "SUBMIT"),), health="bureau_unreachable", uploads_wait=True),
    Case("slow", (_fault("slow", "SUBMIT", seconds=3),), uploads_wait=True),
    Case("answer_after_timeout", (_fault("answer_after_timeout", "SUBMIT", seconds=1),), health="bureau_unreachable",
         uploads_wait=True),
    Case("answer_lost", (_fault("answer_lost", "SUBMIT"),), health="bureau_unreachable", uploads_wait=True),
    Case("result_lost", (_fault("answer_lost", "RESULT"),), health="bureau_unreachable", uploads_wait=True),
    Case("half_answer", (_fault("half_answer", "SUBMIT"),), health="bureau_unreachable", uploads_wait=True),
    Case("sent_not_executed", (_fault("sent_not_executed", "SUBMIT"),), health="bureau_unreachable", uploads_wait=True),
    Case("lost_write_back", (_fault("lost_write_back", "RESULT"),), uploads_wait=True),
    Case("not_found", (_fault("not_found", "RESULT"),), uploads_wait=True),
    Case("signature_rejected", (_fault("signature_rejected", "SUBMIT"),), upload="signature_rejected"),
)  # fmt: skip
"""They strike the device's own calls to the bureau; issuing goes on."""


class Trial:
    """One case on one device of the ready-line taxpayer."""

    def __init__(self, demo: Demo, device_no: str, case: Case, name: str) -> None:
        self._demo, self._case, self._name = demo, case, name
        self._desk, self._door, self._books = demo.desk(), demo.door(), Books(demo)
        self._device_no = device_no
        self._ids: list[str] = []

    def run(self) -> None:
        """Strike, ask for two invoices, hear the cause, cure, and find each invoice once in every book."""
        try:
            self._demo.faults(self._device_no, *self._case.faults)
            self._ask()
            self._hear_the_cause()
            self._cure()
        finally:
            self._demo.faults(self._device_no)
        self._settled()

    def _ask(self) -> None:
        for number in (1, 2):
            body = simple(self._demo.taxpayer_id, f"{self._name}-{number}", device_no=self._device_no)
            told = self._door.post("/v1/invoices", body)
            assert told["state"] in ("waiting", "issued"), told
            self._ids.append(told["id"])

    def _hear_the_cause(self) -> None:
        case = self._case
        if case.waiting:
            until(lambda: self._reasons() & case.waiting, SEEN_WITHIN, f"waits with a reason of {set(case.waiting)}")
        if case.health:
            until(lambda: self._device()["health"]["cause"] == case.health, SEEN_WITHIN, f"health {case.health}")
            assert self._device()["health"]["text"]
        if case.health == "bureau_unreachable":
            device = until(lambda: self._reading("offline_since"), SEEN_WITHIN, "offline since")
            assert device["bureau_online"] is False and device["bureau_message"]
        if case.uploads_wait:
            until(lambda: all(row["state"] == "issued" for row in self._invoices()), SETTLED_WITHIN, "issued meanwhile")
            assert {row["upload_status"] for row in self._invoices()} == {"not_uploaded"}
            assert self._device()["waiting_uploads"] >= len(self._ids)

        until(self._struck, SEEN_WITHIN, "the fault strikes")

    def _struck(self) -> bool:
        """Each fault has struck a call; a clock that drifts strikes none."""
        shown = self._demo.control().get(f"/devices/{self._device_no}/faults")["faults"]
        return all(fault["hits"] or fault["kind"] == "clock_drift" for fault in shown)

    def _cure(self) -> None:
        if not self._case.cured_by_remedy:
            if self._case.upload == "signature_rejected":
                until(lambda: self._done({"signature_rejected"}), SETTLED_WITHIN, "signature rejected")
            self._demo.faults(self._device_no)
        if self._case.remedy:
            self._case.remedy(self._desk, self._device())
        until(lambda: self._done(set(SETTLED_UPLOADS)), SETTLED_WITHIN, f"settled uploads of {self._name}")

    def _settled(self) -> None:
        rows = self._invoices()
        assert {row["upload_status"] for row in rows} == {self._case.upload}, rows
        if self._case.upload == "signature_rejected":
            assert all("验签" in row["upload_message"] for row in rows), rows
        told = {step["what"] for row in rows for job in row["jobs"] for step in job["trail"]}
        assert not self._case.trail or self._case.trail in told, told
        requests = [row["request_id"] for row in self._books.journal()]
        receipts = self._books.receipts()
        for row in rows:
            assert requests.count(row["request_id"]) == 1
            at_bureau = (row["invoice_code"], row["invoice_no"]) in receipts
            assert at_bureau == (self._case.upload == "uploaded")

    def _done(self, uploads: set[str]) -> bool:
        return all(row["state"] == "issued" and row["upload_status"] in uploads for row in self._invoices())

    def _invoices(self) -> list[Row]:
        return [self._door.get(f"/v1/invoices/{name}") for name in self._ids]

    def _reasons(self) -> set[str]:
        return {row["waiting_reason"]["code"] for row in self._invoices() if row["waiting_reason"]}

    def _device(self) -> Row:
        found = self._desk.devices(self._demo.taxpayer_id)
        return next(row for row in found if row["device_no"] == self._device_no)

    def _reading(self, name: str) -> Row | None:
        device = self._device()
        return device if device[name] else None
