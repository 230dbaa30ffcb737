"""Every fault while a device works, as its caller meets it."""

from __future__ import annotations

import time

import pytest

from tests.agents.simulated.practice import NoAnswer, Practice, Wire, ask_http, invoice, serial


def executed(wire: Wire, device_no: str, lsh: str) -> bool:
    return bool(wire("GP_FPCX", XNSBH=device_no, LSH=lsh)["CODE"] == "0000")


@pytest.mark.parametrize(
    ("kind", "done"),
    [("down", False), ("sent_not_executed", False), ("answer_lost", True), ("half_answer", True)],
)
def test_without_an_answer_only_the_journal_tells(
    practice: Practice, wire: Wire, device_no: str, kind: str, done: bool
):
    practice.faults(device_no, {"kind": kind, "calls": ["GP_FPKJ"], "times": 1})
    body = invoice(device_no, serial())
    with pytest.raises(NoAnswer):
        wire("GP_FPKJ", **body)
    assert executed(wire, device_no, body["LSH"]) is done
    assert wire.good("GP_FPKJ", **body)["XH"] == 1
    assert len(practice.journal(device_no)) == 1


def test_an_answer_after_the_time_out_comes_to_nobody(practice: Practice, device_no: str):
    practice.faults(device_no, {"kind": "answer_after_timeout", "calls": ["GP_FPKJ"], "times": 1, "seconds": 3})
    body, wire = invoice(device_no, serial()), practice.wire(timeout=0.5)
    with pytest.raises(NoAnswer):
        wire("GP_FPKJ", **body)
    assert executed(wire, device_no, body["LSH"])


def test_a_slow_device_says_that_it_is_at_work(practice: Practice, device_no: str):
    practice.faults(device_no, {"kind": "slow", "calls": ["GP_FPKJ"], "times": 1, "seconds": 1.0})
    body, wire = invoice(device_no, serial()), practice.wire(timeout=0.3)
    with pytest.raises(NoAnswer):
        wire("GP_FPKJ", **body)
    assert wire("GP_FPCX", XNSBH=device_no, LSH=body["LSH"])["CODE"] == "0001"
    assert wire("GP_FPKJ", **body)["CODE"] == "0001"
    assert wire("GP_YBJGCX", LSH=body["LSH"], XNSBH=device_no)["CODE"] == "1000"
    assert wire("GP_FPKJ", **invoice(device_no, serial()))["CODE"] == "7503"
    time.sleep(1.0)
    assert executed(wire, device_no, body["LSH"])


@pytest.mark.parametrize(("kind", "code"), [("stock_spent", "1002"), ("busy", "7503"), ("refuse_before_sign", "9998")])
def test_a_refusing_fault_leaves_no_trace(practice: Practice, wire: Wire, device_no: str, kind: str, code: str):
    practice.faults(device_no, {"kind": kind, "times": 2})
    body = invoice(device_no, serial())
    assert [wire("GP_FPKJ", **body)["CODE"] for _ in range(3)] == [code, code, "0000"]
    assert len(practice.journal(device_no)) == 1


def test_a_device_that_is_down_does_not_touch_its_neighbour(practice: Practice, wire: Wire, device_no: str):
    other = practice.device_ready(wire)
    practice.faults(device_no, {"kind": "down"})
    with pytest.raises(NoAnswer):
        wire("GP_JKXX", XNSBH=device_no)
    assert wire.good("GP_FPKJ", **invoice(other, serial()))
    practice.faults(device_no)
    assert wire.good("GP_JKXX", XNSBH=device_no)


def test_a_server_that_is_down_refuses_connections_until_it_is_up(practice: Practice, wire: Wire, device_no: str):
    practice.faults("S0", {"kind": "down"})
    with pytest.raises(NoAnswer):
        wire("TP_FWQXX")
    with pytest.raises(ConnectionRefusedError):
        practice.wire()("TP_FWQXX")
    practice.faults("S0")
    assert wire.good("GP_JKXX", XNSBH=device_no)


def test_faults_of_the_server_strike_its_devices(practice: Practice, wire: Wire, device_no: str):
    practice.faults("S0", {"kind": "answer_lost", "calls": ["GP_JKXX"], "times": 1})
    with pytest.raises(NoAnswer):
        wire("GP_JKXX", XNSBH=device_no)
    assert wire.good("GP_JKXX", XNSBH=device_no)


def test_the_control_port_shows_replaces_and_clears(practice: Practice, device_no: str):
    port, path = practice.devices_facts["control_port"], f"/devices/{device_no}/faults"
    practice.faults(device_no, {"kind": "busy", "after": 1, "probability": 0.5})
    shown = ask_http(port, "GET", path)[1]["faults"]
    assert [(f["kind"], f["after"], f["probability"]) for f in shown] == [("busy", 1, 0.5)]
    assert ask_http(port, "DELETE", path)[1]["faults"] == []
    assert ask_http(port, "PUT", path, {"faults": [{"kind": "fire"}]})[0] == 422
    assert ask_http(port, "PUT", path, {"faults": [{"kind": "busy", "times": 0}]})[0] == 422
    assert ask_http(port, "GET", "/devices/none/faults")[0] == 404
    assert ask_http(port, "POST", path)[0] == 405
    assert ask_http(port, "GET", "/other")[0] == 404


def test_the_same_seed_makes_the_same_trouble(practice: Practice, wire: Wire, device_no: str):
    fault = {"kind": "refuse_before_sign", "probability": 0.5}

    def run() -> list[str]:
        practice.faults(device_no, fault)
        return [wire("GP_FPKJ", **invoice(device_no, serial()))["CODE"] for _ in range(20)]

    first = run()
    assert run() == first and len(set(first)) == 2
