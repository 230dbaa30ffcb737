"""Reports, their schedules and upload results through the front door."""

from __future__ import annotations

import msgspec

from tests.controlplane.api.doors.reports import a_report
from tests.controlplane.api.house import House


def test_upload_results_tell_invoice_code_text_time_and_receipt(house: House) -> None:
    for number in (1, 2):
        assert house.post("/v1/invoices", house.invoice_body(number), "front_end")[0] == 202
    house.agent.work_off()
    untold = house.ask("GET", "/v1/uploads")[1]["items"]
    assert [(row["status"], row["code"], row["at"]) for row in untold] == [("not_uploaded", "", None)] * 2
    good, bad = house.paper.uploads()
    bad = msgspec.structs.replace(bad, status="failed", receipt_no=None, message="号码未发放", code="2")
    good = msgspec.structs.replace(good, code="1")
    house.agent.observe(house.paper, uploads=[good, bad])
    newest, oldest = house.ask("GET", "/v1/uploads")[1]["items"]
    names = ("invoice_no", "status", "code", "text", "at", "receipt_no", "device_no")
    told = ("00010001", "uploaded", "1", "", "2026-11-22T03:00:05.000Z", "SL00000001", house.paper.device_no)
    assert tuple(oldest[name] for name in names) == told
    assert tuple(newest[name] for name in names[1:6]) == (
        "failed", "2", "号码未发放", "2026-11-22T03:00:05.000Z", None,
    )  # fmt: skip
    failed = house.ask("GET", "/v1/uploads?status=failed", role="front_end")[1]["items"]
    assert [row["id"] for row in failed] == [newest["id"]]
    assert house.ask("GET", f"/v1/uploads/{newest['id']}")[1] == newest


def test_a_refused_step_names_the_reason_and_the_page(house: House) -> None:
    report_id = a_report(house, 1, "report_due")
    house.scene.change("UPDATE devices SET last_index = 5")
    shown = house.ask("GET", f"/v1/reports/{report_id}")[1]
    allowed = {one["verb"]: (one["enabled"], one["why"]) for one in shown["allowed"]}
    assert set(allowed) == {"report", "verify", "file_return", "clear", "accept_totals"}
    assert not any(enabled for enabled, _ in allowed.values()) and all(why for _, why in allowed.values())
    body = {"reason": "test", "version": shown["version"]}
    status, answer = house.post(f"/v1/reports/{report_id}/report", body, "operator")
    assert (status, answer["code"], answer["runbook"]) == (409, "device_uploads_waiting", "upload-waiting")
    assert house.post(f"/v1/reports/{report_id}/clear", body, "operator")[1]["allowed"] == ["report"]


def test_the_schedule_of_the_platform_is_not_a_tenants_affair(house: House) -> None:
    times = {"hour": 8, "minute": 30, "days_before": 5}
    status, platform = house.post("/v1/report-schedules/set", times, "operator")
    assert (status, platform["taxpayer_id"], platform["at"], platform["state"]) == (201, None, "08:30", "enabled")
    own = house.post("/v1/report-schedules/set", {**times, "taxpayer_id": house.owner, "days_before": 9}, "operator")[1]
    again = house.post("/v1/report-schedules/set", {**times, "taxpayer_id": house.owner}, "operator")[1]
    assert (again["id"], again["days_before"], again["version"]) == (own["id"], 5, 2)
    tenant = house.front_end_of(house.owner)
    assert [row["id"] for row in house.ask("GET", "/v1/report-schedules", role=tenant)[1]["items"]] == [own["id"]]
    assert house.ask("GET", f"/v1/report-schedules/{platform['id']}", role=tenant)[0] == 404
    for wrong, code in (
        ({"hour": 24, "minute": 0, "days_before": 5}, 422),
        ({"hour": 8, "minute": 0, "days_before": 29}, 422),
        ({**times, "taxpayer_id": "91990000MA0999999X"}, 404),
    ):
        assert house.post("/v1/report-schedules/set", wrong, "operator")[0] == code, wrong
    move = {"reason": "quiet night", "version": again["version"]}
    status, acted = house.post(f"/v1/report-schedules/{own['id']}/disable", move, "operator")
    assert (status, acted["record"]["state"]) == (202, "disabled")
    assert house.post(f"/v1/report-schedules/{own['id']}/disable", move, "operator")[1]["code"] == "move_not_allowed"
