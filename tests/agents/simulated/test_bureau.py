"""The bureau: grants that never overlap, receipts that are given once."""

from __future__ import annotations

import socket
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from agents.simulated import numbers
from agents.simulated.bureau_memory import SCHEMA, BureauMemory, DeviceRecord
from agents.simulated.memory import Memory
from tests.agents.simulated.practice import TAXPAYER, Practice, ask_http, invoice, serial, until


def bureau(practice: Practice, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    return ask_http(practice.bureau_facts["port"], method, path, body)


def submit(practice: Practice, device_no: str, **changes: Any) -> dict[str, str]:
    """Upload one invoice by hand and fetch its result."""
    facts = {
        "invoice_code": "011002600111",
        "invoice_no": "00000001",
        "kind": "026",
        "issued_at": "20261122170000",
        "net_total": "100.00",
        "tax_total": "13.00",
        "gross_total": "113.00",
        "payload_hash": "aa",
    } | changes
    key = numbers.device_key(1, device_no)
    signed = {**facts, "serial": "L1", "signature": numbers.signature(key, device_no, list(facts.values()))}
    status, taken = bureau(practice, "POST", f"/devices/{device_no}/uploads", {"invoices": [signed]})
    assert status == 200
    result: dict[str, str] = bureau(practice, "GET", f"/uploads/{taken['acceptance_no']}")[1]["results"][0]
    return result


def granted(practice: Practice, device_no: str) -> dict[str, Any]:
    grants = until(lambda: bureau(practice, "GET", f"/devices/{device_no}/grants?kind=026")[1]["grants"])
    return dict(grants[0])


def test_grants_never_overlap_whoever_asks(tmp_path: Path):
    practice = Practice(tmp_path, servers=2)
    runs = []
    for server in (0, 1):
        wire = practice.server_ready(server)
        for count in (10_000, 1, 777):
            number = practice.device_ready(wire, numbers=0, taxpayer_id=f"{TAXPAYER[:-1]}{server}")
            wire.good("GP_FPSG", LSH=serial(), XNSBH=number, FPLXDM="026", SLSL=count)
            runs.append(granted(practice, number))
        practice.restart_bureau()
        practice.restart_devices()
    spans = sorted((run["code"], run["start_no"], run["end_no"]) for run in runs)
    assert sum(end - start + 1 for _, start, end in spans) == 2 * 10_778
    for (code, _, end), (after, start, _) in pairwise(spans):
        assert code != after or end < start
    practice.close()


async def test_a_code_that_is_full_gives_way_to_the_next_batch(tmp_path: Path):
    book = BureauMemory(Memory(tmp_path / "b.sqlite", SCHEMA))
    full = numbers.CODE_CAPACITY - 4
    await book.memory.write([("INSERT INTO codes VALUES ('1100', 2026, '11', 1, ?)", (full,))])
    device = DeviceRecord("661100000001", "S0", TAXPAYER, "测试", "1100", "20300101")
    for request in ("A", "B"):
        await book.apply(device.device_no, request, ("026", 5), 0.0)
    await book.grant_due(device, {"026": "11"}, 2026, 1.0)
    runs = sorted((g.code, g.start_no, g.end_no) for g in book.grants(device.device_no, "026"))
    assert runs == [("011002600111", full, numbers.CODE_CAPACITY), ("011002600211", 1, 5)]
    assert book.owns(device.device_no, "011002600211", 5) and not book.owns(device.device_no, "011002600211", 6)
    book.memory.close()


def test_an_application_is_taken_once_and_within_its_limit(practice: Practice, device_no: str):
    path = f"/devices/{device_no}/applications"
    wish = {"request": "A1", "kind": "026", "count": 5}
    first = bureau(practice, "POST", path, wish)
    assert first[0] == 200 and bureau(practice, "POST", path, wish) == first
    for bad in ({"count": 0}, {"count": 10_001}, {"kind": "004"}):
        assert bureau(practice, "POST", path, wish | {"request": "A2"} | bad)[0] == 409
    assert bureau(practice, "POST", path, {"request": "A3"})[0] == 400


def test_a_grant_takes_its_time(tmp_path: Path):
    practice = Practice(tmp_path, speed=1, grant_delay=0.4)
    wire = practice.server_ready()
    number = practice.device_ready(wire, numbers=0)
    wire.good("GP_FPSG", LSH=serial(), XNSBH=number, FPLXDM="028", SLSL=5)
    look = {"XNSBH": number, "FPLXDM": "028"}
    assert wire.good("GP_FPDXCX", **look)["LPXX"] == []
    assert until(lambda: wire.good("GP_FPDXCX", **look)["LPXX"])[0]["FPDM"].endswith("13")
    practice.close()


def test_an_invoice_uploaded_again_gets_the_same_receipt(practice: Practice, device_no: str):
    grant = granted(practice, device_no)
    facts = {"invoice_code": grant["code"], "invoice_no": f"{grant['start_no']:08d}"}
    first = submit(practice, device_no, **facts)
    assert first["state"] == "accepted" and submit(practice, device_no, **facts) == first
    practice.restart_bureau()
    assert submit(practice, device_no, **facts) == first
    assert len([r for r in practice.receipts() if r["device_no"] == device_no]) == 1


def test_what_the_bureau_does_not_accept_gets_no_receipt(practice: Practice, device_no: str):
    grant = granted(practice, device_no)
    facts = {"invoice_code": grant["code"], "invoice_no": f"{grant['start_no']:08d}"}
    submit(practice, device_no, **facts)
    other = submit(practice, device_no, **facts, payload_hash="bb")
    assert (other["state"], other["receipt_no"]) == ("failed", "")
    foreign = submit(practice, device_no, **facts | {"invoice_no": f"{grant['end_no'] + 1:08d}"})
    assert foreign["state"] == "failed"
    assert submit(practice, device_no, **facts | {"invoice_no": "1"})["state"] == "failed"
    body = {"invoices": [{"invoice_code": "x"}]}
    assert bureau(practice, "POST", f"/devices/{device_no}/uploads", body)[0] == 400


def test_a_forged_signature_is_rejected(practice: Practice, device_no: str):
    path = f"/devices/{device_no}/uploads"
    names = ("invoice_code", "invoice_no", "kind", "issued_at", "net_total", "tax_total", "gross_total")
    forged = dict.fromkeys((*names, "payload_hash", "serial", "signature"), "1")
    taken = bureau(practice, "POST", path, {"invoices": [forged]})[1]
    result = bureau(practice, "GET", f"/uploads/{taken['acceptance_no']}")[1]["results"][0]
    assert result["state"] == "signature_rejected"


def test_a_bureau_that_is_down_refuses_connections_and_comes_back_on_its_port(practice: Practice):
    practice.bureau_is("down")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", practice.bureau_facts["port"]), timeout=1)
    assert ask_http(practice.bureau_facts["control_port"], "GET", "/state")[1]["state"] == "down"
    practice.bureau_is("up")
    assert bureau(practice, "GET", "/clock")[0] == 200


def test_the_control_port_refuses_what_it_does_not_know(practice: Practice):
    control = practice.bureau_facts["control_port"]
    assert ask_http(control, "PUT", "/state", {"state": "gone"})[0] == 422
    assert ask_http(control, "PUT", "/faults", {"faults": [{"kind": "gone"}]})[0] == 422
    assert ask_http(control, "DELETE", "/faults")[1]["faults"] == []
    assert ask_http(control, "GET", "/other")[0] == 404
    assert bureau(practice, "GET", "/other")[0] == 404


def test_a_taxpayers_profile_decides_limits_rates_and_permission(tmp_path: Path):
    profile = {"kind": "02", "may_issue": False, "single_limits": {"026": "500.00"}, "offline_max_count": 7}
    practice = Practice(tmp_path, taxpayers={TAXPAYER: profile})
    wire = practice.server_ready()
    number = practice.device_ready(wire, numbers=3)
    company = wire.good("TP_QYXX", XNSBH=number)
    assert (company["QYLX"], company["KPBZ"]) == ("02", "01")
    assert "0.01" in wire.good("TP_SQSL", XNSBH=number)["SL"]
    kinds = {k["FPLXDM"]: k for k in wire.good("GP_JKXX", XNSBH=number)["JKSJ"]}
    assert (kinds["026"]["DZKPXE"], kinds["028"]["DZKPXE"]) == ("500.00", "999999.99")
    assert kinds["026"]["LXKPZS"] == 7
    assert wire("GP_FPKJ", **invoice(number, serial()))["CODE"] == "300002"
    practice.close()


def test_receipts_are_listed_per_taxpayer(practice: Practice):
    assert practice.receipts("NOBODY") == []
    assert bureau(practice, "GET", "/uploads/none")[0] == 404
