"""Voids, red-offsets and red forms over HTTP: bodies, answers, replays, scope."""

from __future__ import annotations

from typing import Any

from controlplane.wire.invoices import InvoiceAnswer
from tests.controlplane.api.doors.offsets import issued
from tests.controlplane.api.house import House
from tests.controlplane.api.test_description import unknown


def red_body(row: dict[str, Any], request_id: str, **more: Any) -> dict[str, Any]:
    return {"request_id": request_id, "red_reason": "1", "reason": "退货", "version": row["version"], **more}


def test_a_red_offset_over_http(house: House) -> None:
    blue = issued(house, 1, "026", "uploaded")
    url = f"/v1/invoices/{blue['id']}/red_offset"
    moves = {move["verb"]: move["enabled"] for move in blue["allowed"]}
    assert moves == {"cancel": False, "void": False, "red_offset": True}
    body = red_body(blue, "red-1", lines=[{"line_no": 1, "quantity": "1"}])
    status, told = house.post(url, body, "front_end")
    red = told["red_invoice"]
    assert (status, red["state"], red["direction"], red["gross_total"]) == (202, "waiting", "red", "-10.90")
    assert (red["original_id"], red["original_no"], red["lines"][0]["original_line_no"]) == (
        blue["id"], blue["invoice_no"], 1,
    )  # fmt: skip
    assert told["job"]["kind"] == "invoice.issue" and told["record"]["id"] == blue["id"]
    house.agent.work_off()
    status, again = house.post(url, body, "front_end")
    assert (status, again["red_invoice"]["id"], again["job"]) == (202, red["id"], None)
    assert again["red_invoice"]["state"] == "issued"
    assert again["record"]["red_gross_total"] == "10.90" and again["record"]["red_offset_by"] is None
    (shown,) = again["record"]["red_offsets"]
    assert (shown["invoice_id"], shown["gross_total"], shown["state"]) == (red["id"], "-10.90", "issued")
    status, problem = house.post(url, {**body, "red_reason": "2"}, "front_end")
    assert (status, problem["code"]) == (422, "request_body_differs") and "red_reason" in problem["detail"]
    fresh = house.ask("GET", f"/v1/invoices/{blue['id']}")[1]
    over = red_body(fresh, "red-2", lines=[{"line_no": 1, "quantity": "2"}])
    status, problem = house.post(url, over, "front_end")
    assert (status, problem["code"]) == (409, "red_quantity_exceeds") and problem["details"]["left"] == "1"
    stale = house.post(url, red_body(blue, "red-3"), "front_end")
    assert (stale[0], stale[1]["code"]) == (409, "version_differs")


def test_bodies_are_strict(house: House) -> None:
    blue = issued(house, 1, "026", "uploaded")
    url, body = f"/v1/invoices/{blue['id']}/red_offset", red_body(blue, "red-1")
    wrong: tuple[dict[str, Any], ...] = (
        {"red_reason": "5"}, {"red_reason": 1}, {"lines": []}, {"lines": [{"line_no": 0}]}, {"lines": [{"line_no": "1"}]},
        {"lines": [{"line_no": 1, "amount": "1e3"}]}, {"lines": [{"line_no": 1, "amount": 5}]},
        {"lines": [{"line_no": 1, "price": "1"}]}, {"red_form_no": "12"}, {"request_id": "a b"}, {"extra": 1},
    )  # fmt: skip
    for change in wrong:
        status, problem = house.post(url, {**body, **change}, "front_end")
        assert (status, problem["reason_class"]) == (422, "data"), change
    assert house.scene.rows("SELECT id FROM invoices WHERE direction = 'red'") == []
    direct = {**house.invoice_body(77), "direction": "red"}
    status, told = house.post("/v1/invoices", direct, "front_end")
    assert told["refusal"]["code"] == "not_built_yet" and "red_offset" in told["refusal"]["message"]


def test_a_void_over_http(house: House) -> None:
    row = issued(house, 1, "026", "signature_rejected")
    url, body = f"/v1/invoices/{row['id']}/void", {"voided_by": "李四", "reason": "开错", "version": row["version"]}
    status, told = house.post(url, body, "operator")
    assert (status, told["job"]["kind"], told["record"]["open_job"]["id"]) == (202, "invoice.void", told["job"]["id"])
    house.agent.work_off()
    shown = house.ask("GET", f"/v1/invoices/{row['id']}")[1]
    assert (shown["state"], shown["voided_by"], shown["void_reason"]) == ("voided", "李四", "开错")
    status, problem = house.post(url, {**body, "version": shown["version"]}, "operator")
    assert (status, problem["code"]) == (409, "move_not_allowed")


def test_a_form_over_http(house: House) -> None:
    blue = issued(house, 1, "028", "uploaded")
    status, form = house.post(
        "/v1/red-forms", {"invoice_id": blue["id"], "applicant": "seller", "lines": [{"line_no": 1, "amount": "5.00"}]}
    )
    assert (status, form["state"], form["net_total"], form["next_actor"]) == (201, "draft", "5.00", "operator")
    url = f"/v1/red-forms/{form['id']}"
    status, told = house.post(f"{url}/upload", {"reason": "x", "version": form["version"]})
    assert (status, told["job"]["kind"]) == (202, "redform.upload")
    house.agent.work_off()
    form = house.ask("GET", url)[1]
    assert (form["state"], form["status_text_en"], form["invoice_no"]) == ("approved", "approved", blue["invoice_no"])
    listed = house.ask("GET", f"/v1/red-forms?state=approved&invoice_id={blue['id']}")[1]["items"]
    assert [one["id"] for one in listed] == [form["id"]]
    fresh = house.ask("GET", f"/v1/invoices/{blue['id']}")[1]
    body = red_body(fresh, "red-1", red_form_no=form["red_form_no"])
    status, told = house.post(f"/v1/invoices/{blue['id']}/red_offset", body)
    assert status == 202 and told["red_invoice"]["net_total"] == "-5.00"
    house.agent.work_off()
    assert house.ask("GET", url)[1]["state"] == "used"


def test_others_see_the_bytes_of_what_is_missing(house: House) -> None:
    blue = issued(house, 1, "028", "uploaded")
    form = house.post("/v1/red-forms", {"invoice_id": blue["id"], "applicant": "seller"})[1]
    other = house.front_end_of(house.scene.taxpayer(2))
    missing = "01a20000-0000-7000-8000-000000000000"
    assert house.bytes_of("GET", f"/v1/red-forms/{form['id']}", role=other) == house.bytes_of(
        "GET", f"/v1/red-forms/{missing}", role=other
    )
    assert house.ask("GET", "/v1/red-forms", role=other)[1]["items"] == []
    for noun, mine, verb, more in (
        ("invoices", blue["id"], "void", {"voided_by": "x"}),
        ("invoices", blue["id"], "red_offset", {"request_id": "r", "red_reason": "1"}),
        ("red-forms", form["id"], "upload", {}),
    ):
        body = {"reason": "x", "version": 1, **more}
        theirs = house.post(f"/v1/{noun}/{mine}/{verb}", body, other)
        assert theirs == house.post(f"/v1/{noun}/{missing}/{verb}", body, other) and theirs[0] == 404, verb
    values = {"invoice_id": blue["id"], "applicant": "seller"}
    assert house.post("/v1/red-forms", values, other)[0] == 404


def test_a_replayed_blue_request_is_answered_as_described(house: House) -> None:
    blue = issued(house, 1, "026", "uploaded")
    house.post(f"/v1/invoices/{blue['id']}/red_offset", red_body(blue, "red-1"))
    house.agent.work_off()
    body = house.invoice_body(1) | {"buyer": {"name": "购方有限公司", "tax_id": "91990000MA0000AB0C"}}
    body["device_no"] = blue["device_no"]
    status, told = house.post("/v1/invoices", body, "front_end")
    assert status == 200 and told["red_offset_by"] is not None and unknown(told, InvoiceAnswer) == []
