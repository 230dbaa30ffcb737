"""Uploads: oldest first, two calls, paced by the bureau, each accepted once."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.agents.simulated.practice import Practice, Wire, invoice, serial, until


def issue(wire: Wire, device_no: str, count: int) -> list[dict[str, Any]]:
    return [wire.good("GP_FPKJ", **invoice(device_no, serial())) for _ in range(count)]


def results(wire: Wire, device_no: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = wire.good("GP_SCJGCX", XNSBH=device_no, QSXH=1, ZS=200)["SCJG"]
    return found


def uploaded(wire: Wire, device_no: str, count: int, seconds: float = 8) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = until(
        lambda: (r := results(wire, device_no)) and len(r) == count and all(x["SCZT"] == 1 for x in r) and r, seconds
    )
    return found


def check_once(practice: Practice, wire: Wire, device_no: str, issued: list[dict[str, Any]]) -> None:
    """Journal, device and bureau agree, and the bureau has each invoice once."""
    told = uploaded(wire, device_no, len(issued))
    receipts = [r for r in practice.receipts() if r["device_no"] == device_no]
    want = [(i["FPDM"], i["FPHM"], r["SLXLH"]) for i, r in zip(issued, told, strict=True)]
    assert sorted(want) == sorted((r["invoice_code"], r["invoice_no"], r["receipt_no"]) for r in receipts)
    lines = practice.journal(device_no, "uploaded")
    assert [(u["invoice_code"], u["invoice_no"], u["receipt_no"]) for u in lines] == want
    assert practice.state(device_no)["waiting_uploads"] == 0


def test_invoices_reach_the_bureau_once_and_come_back_with_receipts(practice: Practice, wire: Wire, device_no: str):
    issued = issue(wire, device_no, 25)
    check_once(practice, wire, device_no, issued)
    receipt = next(r for r in practice.receipts() if r["device_no"] == device_no)
    first = practice.journal(device_no)[0]
    for name in ("taxpayer_id", "net_total", "tax_total", "gross_total", "kind", "payload_hash", "serial"):
        assert receipt[name] == first[name]


def test_after_an_outage_uploads_go_on_in_order(practice: Practice, wire: Wire, device_no: str):
    practice.bureau_is("down")
    issued = issue(wire, device_no, 45)
    facts = until(lambda: (f := wire.good("GP_JKXX", XNSBH=device_no))["JDZT"] == 1 and f)
    assert (facts["LXZS"], facts["LXJE"]) == (45, "5085.00") and facts["LXQSSJ"] and facts["JDMS"]
    assert wire.good("TP_FWQXX")["JDSJ"] == ""
    assert wire("TP_SZJZ", LSH=serial())["CODE"] == "300001"
    assert wire.good("TP_QYXX", XNSBH=device_no), "what the device knows it tells without the bureau"
    practice.restart_devices()
    wire = practice.wire()
    until(lambda: wire.good("GP_JKXX", XNSBH=device_no)["JDZT"] == 1)
    assert wire.good("GP_JKXX", XNSBH=device_no)["LXQSSJ"] == facts["LXQSSJ"], "offline since survives a restart"
    practice.bureau_is("up")
    check_once(practice, wire, device_no, issued)
    facts = wire.good("GP_JKXX", XNSBH=device_no)
    assert (facts["LXQSSJ"], facts["LXZS"], facts["JDZT"]) == ("", 0, 0)


def test_a_restart_while_the_bureau_comes_back_leaves_no_device_offline(practice: Practice, wire: Wire, device_no: str):
    practice.bureau_is("down")
    until(lambda: practice.state(device_no)["offline_since"])
    practice.bureau_is("up")
    practice.restart_devices()
    until(lambda: not practice.state(device_no)["offline_since"])


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "answer_lost", "calls": ["SUBMIT"], "times": 2},
        {"kind": "answer_lost", "calls": ["RESULT"], "times": 2},
        {"kind": "answer_after_timeout", "calls": ["SUBMIT"], "times": 1, "seconds": 0.2},
        {"kind": "down", "calls": ["SUBMIT", "RESULT"], "times": 3},
        {"kind": "slow", "calls": ["SUBMIT"], "times": 1, "seconds": 0.2},
        {"kind": "not_found", "calls": ["RESULT"], "times": 1},
        {"kind": "not_found", "calls": ["RESULT"], "times": 7},
        {"kind": "lost_write_back", "times": 2},
    ],
)
def test_a_fault_during_upload_changes_nothing_in_the_end(
    practice: Practice, wire: Wire, device_no: str, fault: dict[str, Any]
):
    practice.faults(device_no, fault)
    check_once(practice, wire, device_no, issue(wire, device_no, 5))


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "answer_lost", "calls": ["SUBMIT"], "times": 3},
        {"kind": "half_answer", "calls": ["RESULT"], "times": 3},
        {"kind": "slow", "calls": ["SUBMIT"], "times": 2, "seconds": 0.2},
        {"kind": "not_found", "calls": ["RESULT"], "times": 2},
        {"kind": "sent_not_executed", "calls": ["SUBMIT"], "times": 3},
    ],
)
def test_a_fault_of_the_bureau_changes_nothing_in_the_end(
    practice: Practice, wire: Wire, device_no: str, fault: dict[str, Any]
):
    practice.bureau_faults(fault)
    check_once(practice, wire, device_no, issue(wire, device_no, 5))
    practice.bureau_faults()


def test_kill_9_between_the_two_calls_uploads_once(practice: Practice, wire: Wire, device_no: str):
    issued = []
    for moment in (0.0, 0.01, 0.03):
        issued += issue(wire, device_no, 3)
        time.sleep(moment)
        practice.restart_devices()
        wire = practice.wire()
    issued += issue(wire, device_no, 3)
    practice.restart_bureau()
    check_once(practice, wire, device_no, issued)


def test_a_rejected_signature_is_told_and_does_not_stop_the_others(practice: Practice, wire: Wire, device_no: str):
    practice.faults(device_no, {"kind": "signature_rejected", "times": 1})
    issue(wire, device_no, 3)
    states = until(lambda: (s := [r["SCZT"] for r in results(wire, device_no)]) and not {0, 3} & set(s) and s)
    assert sorted(states) == [1, 1, 4]
    rejected = results(wire, device_no)[states.index(4)]
    assert rejected["SCMS"] == "验签失败" and rejected["SLXLH"] == ""
    assert len([r for r in practice.receipts() if r["device_no"] == device_no]) == 2
    assert len(practice.journal(device_no, "signature_rejected")) == 1


def test_trouble_of_one_device_is_named_and_passes(practice: Practice, wire: Wire, device_no: str):
    other = practice.device_ready(wire)
    practice.faults(device_no, {"kind": "down", "calls": ["SUBMIT"]})
    issue(wire, device_no, 1)
    facts = until(lambda: (f := wire.good("GP_JKXX", XNSBH=device_no))["JDZT"] == 1 and f)
    assert facts["JDMS"] and facts["LXZS"] == 1
    assert wire.good("GP_JKXX", XNSBH=other)["JDZT"] == 0
    practice.faults(device_no)
    uploaded(wire, device_no, 1)
    until(lambda: wire.good("GP_JKXX", XNSBH=device_no)["LXQSSJ"] == "")


@pytest.mark.parametrize(("profile", "batch", "interval"), [("default", 20, 1.0), ("one_by_one", 1, 11.0)])
def test_the_pace_is_the_bureaus(tmp_path: Path, profile: str, batch: int, interval: float):
    """Receipts come in batches of sczs, each after scsjjg seconds divided by the speed."""
    speed = interval / 0.25
    practice = Practice(tmp_path, speed=speed, profile=profile)
    wire = practice.server_ready()
    number = practice.device_ready(wire)
    practice.bureau_is("down")
    issue(wire, number, batch * 2 + 1)
    practice.bureau_is("up")
    arrivals: list[tuple[float, int]] = []

    def watch() -> bool:
        done = sum(r["SCZT"] == 1 for r in results(wire, number))
        if done and (not arrivals or arrivals[-1][1] != done):
            arrivals.append((time.monotonic(), done))
        return done == batch * 2 + 1

    until(watch)
    practice.close()
    assert [done for _, done in arrivals] == [batch, batch * 2, batch * 2 + 1]
    gaps = [after[0] - before[0] for before, after in pairwise(arrivals)]
    assert all(0.2 < gap < 0.6 for gap in gaps)
