"""A batch of virtual devices over HTTP: dry run, all or none, the five steps by themselves, and hostile files."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any

import pytest
from openpyxl import Workbook

from controlplane.operations import device_batches, tax_servers
from tests.controlplane.api.doors import WORKBOOK
from tests.controlplane.api.doors.fleet import sheet_of
from tests.controlplane.api.house import House
from tests.controlplane.api.test_hostile_bodies import BUT_THE_LOG

PATH = "/v1/virtual-devices/batch"
FILE = {"Content-Type": WORKBOOK}


def send(house: House, raw: bytes, dry_run: bool = True, role: str = "operator") -> tuple[int, Any]:
    status, _, content = house.send("POST", f"{PATH}?dry_run={str(dry_run).lower()}", raw, FILE, role)
    return status, json.loads(content)


def progress(house: House, batch_id: str) -> dict[str, Any]:
    status, batch = house.ask("GET", f"/v1/batches/{batch_id}")
    assert status == 200, batch
    return dict(batch)


def test_a_batch_comes_to_ready_by_itself(house: House) -> None:
    other = house.scene.taxpayer(2)
    file = sheet_of((house.owner, house.server_no, "一"), (other, house.server_no, "二"), (other, house.server_no, "三"))
    before = house.scene.dump(BUT_THE_LOG)
    status, report = send(house, file)
    assert (status, report["total"], report["faults"], report["batch_id"]) == (200, 3, [], None)
    (effect,) = report["servers"]
    assert (effect["tax_server_no"], effect["wanted"]) == (house.server_no, 3)
    assert effect["free_after"] == effect["free"] - 3
    assert house.scene.dump(BUT_THE_LOG) == before, "a dry run changes nothing"
    status, report = send(house, file, dry_run=False)
    assert status == 201
    batch = progress(house, report["batch_id"])
    assert (batch["total"], batch["ready"], batch["states"]) == (3, 0, {"registered": 3})
    assert {row["open_job"]["kind"] for row in batch["rows"]} == {"device.commission"}
    seen = []
    while orders := house.agent.work_off():
        seen.append(sorted({order.work.__struct_config__.tag for order in orders}))
    assert seen == [["device.commission"], ["device.fetch_company"], ["device.certify"], ["device.fetch_kinds"],
                    ["device.fetch_rates"]]  # fmt: skip
    batch = progress(house, report["batch_id"])
    assert (batch["ready"], batch["stopped"], batch["states"]) == (3, 0, {"ready": 3})
    assert [row["line"] for row in batch["rows"]] == [2, 3, 4] and not any(row["to_ready"] for row in batch["rows"])
    assert send(house, file)[1]["faults"][0]["code"] == "batch_name_taken", "the same file is not taken twice"


def test_a_step_that_is_refused_stops_its_device_only_and_goes_on_later(house: House) -> None:
    lines = [(house.owner, house.server_no, name) for name in ("好", "坏")]
    batch_id = send(house, sheet_of(*lines), dry_run=False)[1]["batch_id"]
    house.agent.work_off()
    good, bad = house.agent.lease()
    house.agent.settle(house.agent.done(good))
    house.agent.settle(house.agent.answer(bad, "refused", code="300002", message="税局拒绝: 无此纳税人"))
    while house.agent.work_off():
        pass
    batch = progress(house, batch_id)
    assert (batch["ready"], batch["stopped"], batch["states"]) == (1, 1, {"commissioned": 1, "ready": 1})
    stopped = next(row for row in batch["rows"] if row["stopped"])
    assert (stopped["next_step"], stopped["to_ready"]) == ("fetch_company", False)
    refusal = stopped["last_refusal"]
    assert (refusal["code"], refusal["job_kind"]) == ("bureau_refused", "device.fetch_company")
    assert "无此纳税人" in refusal["message"]
    move = {"reason": "again", "version": stopped["version"]}
    status, answer = house.post(f"/v1/virtual-devices/{stopped['id']}/commission_fully", move, "operator")
    assert (status, answer["job"]["kind"]) == (202, "device.fetch_company")
    while house.agent.work_off():
        pass
    batch = progress(house, batch_id)
    assert (batch["ready"], batch["stopped"]) == (2, 0) and batch["rows"][1]["last_refusal"] is None


def test_every_fault_is_told_at_once_and_nothing_is_taken(house: House) -> None:
    house.agent.quota = 3
    house.scene.act(tax_servers, house.server_id, "synchronise")
    house.agent.work_off()
    book = Workbook()
    sheet = book.active
    for line in (
        ["纳税人识别号", "税控服务器编号", "名称"],
        [house.owner, house.server_no, "一"],
        ["91990000MA0000099X", house.server_no, "二"],
        [house.owner, "NOPE", "三"],
        [house.owner, house.server_no, "一"],
        [123456789012345678, house.server_no, "五"],
        [house.owner, house.server_no, None],
        [house.owner, house.server_no, "=1+1"],
        [house.owner, house.server_no, "八"],
    ):
        sheet.append(line)
    target = io.BytesIO()
    book.save(target)
    before = house.scene.dump(BUT_THE_LOG)
    status, report = send(house, target.getvalue())
    assert status == 200
    assert [(fault["place"], fault["column"], fault["code"]) for fault in report["faults"]] == [
        ("A3", "taxpayer_id", "batch_taxpayer_unknown"),
        ("B4", "tax_server_no", "batch_server_unknown"),
        ("B5", "tax_server_no", "batch_quota"),
        ("C5", "name", "batch_row_twice"),
        ("A6", "taxpayer_id", "sheet_cell"),
        ("C7", "name", "sheet_cell"),
        ("C8", "name", "sheet_cell"),
        ("B9", "tax_server_no", "batch_quota"),
    ]
    assert (report["servers"][0]["free"], report["servers"][0]["wanted"]) == (2, 4)
    status, answer = send(house, target.getvalue(), dry_run=False)
    assert (status, answer["code"], len(answer["errors"])) == (422, "batch_taxpayer_unknown", 8)
    assert answer["errors"][1] == {"field": "B4", "code": "batch_server_unknown",
                                   "message": "B4: 没有税控服务器 NOPE"}  # fmt: skip
    assert house.scene.dump(BUT_THE_LOG) == before
    row = house.scene.log()[-1]
    assert (row["outcome"], json.loads(row["detail"])["code"]) == ("refused", "batch_taxpayer_unknown")


def test_a_header_with_faults_is_told(house: House) -> None:
    book = Workbook()
    book.active.append(["纳税人识别号", "设备名", "名称"])
    target = io.BytesIO()
    book.save(target)
    status, report = send(house, target.getvalue())
    assert status == 200 and {fault["code"] for fault in report["faults"]} == {"sheet_cell"}
    assert any("missing_column" in fault["message"] for fault in report["faults"])


def test_who_calls_is_asked_before_the_file_is_read(house: House) -> None:
    for role, expected in (("", 401), ("auditor", 403), ("front_end", 403)):
        raw = b"x" * 3 * 2**20
        try:
            status, _, content = house.send("POST", PATH, raw, FILE, role)
        except OSError:
            continue  # the line was cut while we were still sending
        assert status == expected, content


@pytest.mark.parametrize("media_type", ["", "application/json", "text/csv", "application/vnd.ms-excel"])
def test_only_a_workbook_is_taken(house: House, media_type: str) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    status, _, content = house.send("POST", PATH, sheet_of(("x", "y", "z")), headers, "operator")
    assert (status, json.loads(content)["code"]) == (415, "media_type")


def bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * (300 * 2**20))
    return target.getvalue()


def hostile() -> dict[str, bytes]:
    good = sheet_of(("91990000MA0000001X", "SK0001", "x"))
    found = {
        "empty": b"",
        "text": b"taxpayer_id,tax_server_no\n",
        "truncated": good[: len(good) // 2],
        "half header": good[:8],
        "old format": b"\xd0\xcf\x11\xe0" + b"\x00" * 500,
        "zip bomb": bomb(),
        "json": b'{"a": NaN}',
        "NUL": b"\x00" * 1000,
        "no rows": sheet_of(),
        "too many rows": sheet_of(*(("91990000MA0000001X", "SK0001", str(n)) for n in range(device_batches.MOST_ROWS + 1))),
    }
    for name, patch in (
        ("macros", {"xl/vbaProject.bin": b"x"}),
        ("external link", {"xl/externalLinks/externalLink1.xml": b"<x/>"}),
        ("nested zip", {"xl/embeddings/x.zip": b"PK"}),
        ("path", {"../../etc/passwd": b"x"}),
        ("laughs", {"xl/workbook.xml": b'<!DOCTYPE x [<!ENTITY a "b">]><workbook>&a;</workbook>'}),
    ):
        found[name] = patched(good, patch)
    return found


def patched(good: bytes, patch: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            if name not in patch:
                archive.writestr(name, source.read(name))
        for name, content in patch.items():
            archive.writestr(name, content)
    return target.getvalue()


def test_hostile_files_are_refused_quickly_and_change_nothing(house: House) -> None:
    before = house.scene.dump(BUT_THE_LOG)
    for name, raw in hostile().items():
        for dry_run in (True, False):
            begun = time.monotonic()
            status, answer = send(house, raw, dry_run)
            assert status in (413, 422) and answer["code"].startswith("sheet_"), (name, status, answer)
            assert time.monotonic() - begun < 5, name
    assert house.scene.dump(BUT_THE_LOG) == before
    assert house.ask("GET", "/readyz")[0] == 200


def test_a_file_over_ten_mebibytes_is_cut_off(house: House) -> None:
    status, _, content = house.send("POST", PATH, b"{", {**FILE, "Content-Length": str(2**30)}, "operator")
    assert (status, json.loads(content)["code"]) == (413, "body_too_large")


def test_a_scoped_caller_sees_only_the_lines_of_its_own(house: House) -> None:
    other = house.scene.taxpayer(2)
    lines = ((house.owner, house.server_no, "一"), (other, house.server_no, "二"))
    batch_id = send(house, sheet_of(*lines), dry_run=False)[1]["batch_id"]
    mine, nobody = house.front_end_of(other), house.front_end_of(house.scene.taxpayer(3))
    status, batch = house.ask("GET", f"/v1/batches/{batch_id}", role=mine)
    assert status == 200 and [row["taxpayer_id"] for row in batch["rows"]] == [other]
    missing = house.bytes_of("GET", "/v1/batches/01a20000-0000-7000-8000-000000000000", role=nobody)
    assert house.bytes_of("GET", f"/v1/batches/{batch_id}", role=nobody) == missing and missing[0] == 404
    assert house.ask("GET", "/v1/batches", role=nobody)[1]["items"] == []
    assert [row["id"] for row in house.ask("GET", "/v1/batches")[1]["items"]] == [batch_id]


