"""Sessions, taxpayers, invoices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.controlplane.api.doors import Maker, Valid

if TYPE_CHECKING:
    from tests.controlplane.api.house import House

READERS = {"admin", "operator", "auditor"}


def _session(_house: House, _number: int) -> Valid:
    from tests.controlplane.api.house import PASSWORD

    return "/v1/sessions", {"username": "operator", "password": PASSWORD}, ""


def _cancel(house: House, number: int) -> Valid:
    status, row = house.post("/v1/invoices", house.invoice_body(number), "front_end")
    assert status == 202, row
    return f"/v1/invoices/{row['id']}/cancel", {"reason": "for the test", "version": row["version"]}, "front_end"


VALID: dict[str, Maker] = {
    "/v1/sessions": _session,
    "/v1/invoices": lambda house, n: ("/v1/invoices", house.invoice_body(n), "front_end"),
    "/v1/invoices/check": lambda house, n: ("/v1/invoices/check", house.invoice_body(n), "front_end"),
    "/v1/invoices/{invoice_id}/cancel": _cancel,
}
ALLOWED: dict[tuple[str, str], set[str]] = {
    ("post", "/v1/invoices"): {"admin", "front_end"},
    ("post", "/v1/invoices/check"): {"admin", "front_end"},
    ("post", "/v1/invoices/{invoice_id}/cancel"): {"admin", "operator", "front_end"},
    ("get", "/v1/jobs"): READERS,
    ("get", "/v1/jobs/{job_id}"): READERS,
    ("get", "/v1/operation-log"): READERS,
}
