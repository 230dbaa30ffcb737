"""Voids, red-offsets, red forms."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.controlplane.api.doors import Maker, Valid
from tests.controlplane.operations.paper_devices import Paper

if TYPE_CHECKING:
    from tests.controlplane.api.house import House

WHO = {"admin", "operator", "front_end"}


def _device(house: House) -> Paper:
    """A device of this room's own, the same one for all of a test: others stop theirs."""
    found: dict[str, Any] = vars(house)
    if "offset_device" not in found:
        found["offset_device"] = house.scene.ready(house.agent, house.owner, house.server_id)
    paper: Paper = found["offset_device"]
    return paper


def issued(house: House, number: int, kind: str, upload: str) -> dict[str, Any]:
    """An issued invoice whose upload went as told."""
    paper = _device(house)
    paper.stock(kind, 1_000_000 + number * 100, 5)
    house.agent.observe(paper)
    body = house.invoice_body(number) | {"kind": kind, "device_no": paper.device_no}
    body["buyer"] = {"name": "购方有限公司", "tax_id": "91990000MA0000AB0C"}
    status, row = house.post("/v1/invoices", body, "front_end")
    assert status == 202, row
    while house.agent.work_off():
        pass
    house.agent.observe(paper, uploads=paper.uploads(upload)[-1:])
    row = dict(house.ask("GET", f"/v1/invoices/{row['id']}")[1])
    assert (row["state"], row["upload_status"]) == ("issued", upload), row
    return row


def _void(house: House, number: int) -> Valid:
    row = issued(house, number, "026", "signature_rejected")
    body = {"voided_by": "李四", "reason": "for the test", "version": row["version"]}
    return f"/v1/invoices/{row['id']}/void", body, "operator"


def _red_offset(house: House, number: int) -> Valid:
    row = issued(house, number, "026", "uploaded")
    body = {"request_id": f"red-{number}", "red_reason": "1", "reason": "for the test", "version": row["version"]}
    return f"/v1/invoices/{row['id']}/red_offset", body, "front_end"


def _new_form(house: House, number: int) -> Valid:
    row = issued(house, number, "028", "uploaded")
    return "/v1/red-forms", {"invoice_id": row["id"], "applicant": "seller"}, "front_end"


def _form_verb(verb: str, house: House, number: int) -> Valid:
    path, body, role = _new_form(house, number)
    form = house.post(path, body, role)[1]
    url = f"/v1/red-forms/{form['id']}"
    if verb == "query":
        status, told = house.post(f"{url}/upload", {"reason": "for the test", "version": form["version"]}, role)
        assert status == 202, told
        while house.agent.work_off():
            pass
        form = house.ask("GET", url)[1]
        assert form["state"] == "approved", form
    return f"{url}/{verb}", {"reason": "for the test", "version": form["version"]}, "operator"


VALID: dict[str, Maker] = {
    "/v1/invoices/{record_id}/void": _void,
    "/v1/invoices/{record_id}/red_offset": _red_offset,
    "/v1/red-forms": _new_form,
    **{f"/v1/red-forms/{{record_id}}/{verb}": partial(_form_verb, verb) for verb in ("upload", "query", "cancel")},
}
ALLOWED: dict[tuple[str, str], set[str]] = {("post", path): WHO for path in VALID}
LISTS = ("red-forms",)


def fill(house: House) -> None:
    """Three red forms."""
    for number in (9001, 9002, 9003):
        url, sent, role = _new_form(house, number)
        assert house.post(url, sent, role)[0] == 201
