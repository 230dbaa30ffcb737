"""The dialect over a real socket: every call, in and out of order."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from tests.agents.simulated.practice import (
    TAXPAYER,
    NoAnswer,
    Practice,
    Wire,
    ask_http,
    end,
    envelope,
    invoice,
    serial,
    until,
)


def raw(practice: Practice, body: bytes, path: str = "/gp") -> tuple[int, dict[str, dict[str, str]]]:
    return ask_http(practice.devices_facts["tax_servers"][0]["port"], "POST", path, json.loads(body))


def test_a_damaged_envelope_is_answered_by_the_transport(practice: Practice):
    good = json.loads(envelope("TP_FWQXX", {}))
    for change, code in [({"contentKey": "00"}, "9997"), ({"content": "%%"}, "9997"), ({"content": 5}, "9996")]:
        bad = good | {"data": good["data"] | change}
        assert raw(practice, json.dumps(bad).encode())[1]["returnStateInfo"]["returnCode"] == code
    assert raw(practice, json.dumps(good).encode(), "/other")[0] == 404


def test_calls_that_cannot_be_placed_are_refused(wire: Wire, device_no: str):
    assert wire("GP_SXEDCX", XNSBH=device_no)["CODE"] == "2000"
    assert wire("GP_FPCX", XNSBH="660000000000", LSH="x")["CODE"] == "200003"
    assert wire("GP_JKXX")["CODE"] == "092400"
    assert wire("GP_FPSG", XNSBH=device_no, LSH="x" * 33, FPLXDM="026", SLSL=1)["CODE"] == "092400"


def test_steps_come_in_their_order(tmp_path: Path):
    practice = Practice(tmp_path)
    practice.places[0]["quota"] = 1
    practice.restart_devices()
    wire = practice.wire()
    wish = {"NSRSBH": TAXPAYER, "NSRMC": "测试", "SF": "1100"}
    assert wire("TP_FWQZZ", LSH=serial())["CODE"] == "200001"
    assert wire("TP_XNSBFX", LSH=serial(), **wish)["CODE"] == "200001"
    wire.good("TP_FWQFX", LSH=serial())
    wire.good("TP_FWQZZ", LSH=serial())
    one = wire.good("TP_XNSBFX", LSH=serial(), **wish)
    assert one["SYKFXSL"] == 0 and wire("TP_XNSBFX", LSH=serial(), **wish)["CODE"] == "200002"
    number = one["XNSBH"]
    assert wire("TP_XNSBZZ", LSH=serial(), XNSBH=number)["CODE"] == "200001"
    assert wire("TP_SQSL", XNSBH=number)["CODE"] == "200001"
    assert wire("GP_FPSG", LSH=serial(), XNSBH=number, FPLXDM="026", SLSL=1)["CODE"] == "09c001"
    assert wire.good("GP_JKXX", XNSBH=number)["JKSJ"] == []
    company = wire.good("TP_QYXX", XNSBH=number)
    assert (company["QYLX"], company["KPBZ"], company["SWJGDM"]) == ("01", "00", "11100000000")
    wire.good("TP_XNSBZZ", LSH=serial(), XNSBH=number)
    assert wire("GP_FPKJ", **invoice(number, serial()))["CODE"] == "1002"
    facts = wire.good("TP_FWQXX")
    assert (facts["FXZT"], facts["ZZZT"], facts["SYKFXSL"], facts["XNSBZS"]) == (1, 1, 0, 1)
    assert facts["JDSJ"] and facts["JZYXQZ"]
    practice.close()


def test_the_same_serial_executes_once(practice: Practice, wire: Wire, device_no: str):
    body = invoice(device_no, serial())
    first = wire.good("GP_FPKJ", **body)
    assert wire.good("GP_FPKJ", **body) == first
    assert wire.good("GP_FPKJ", **body | {"DQFPDM": "1", "DQFPHM": "2"}) == first
    assert wire.good("GP_FPCX", XNSBH=device_no, LSH=body["LSH"]) == first
    assert wire.good("GP_YBJGCX", LSH=body["LSH"]) == wire.good("GP_YBJGCX", LSH=body["LSH"], XNSBH=device_no) == first
    assert wire("GP_FPKJ", **body | {"BZ": "other"})["CODE"] == "9990"
    assert wire("GP_FPSG", LSH=body["LSH"], XNSBH=device_no, FPLXDM="026", SLSL=1)["CODE"] == "9990"
    assert len(practice.journal(device_no)) == 1


def test_the_same_serial_executes_once_for_setup_calls_too(wire: Wire):
    lsh, wish = serial(), {"NSRSBH": TAXPAYER, "NSRMC": "测试", "SF": "1100"}
    first = wire.good("TP_XNSBFX", LSH=lsh, **wish)
    assert wire.good("TP_XNSBFX", LSH=lsh, **wish) == first
    assert wire.good("GP_YBJGCX", LSH=lsh) == first
    assert wire("TP_XNSBFX", LSH=lsh, **wish | {"NSRMC": "其他"})["CODE"] == "9990"
    assert wire("GP_YBJGCX", LSH=serial())["CODE"] == "9001"


def test_a_refusal_is_not_remembered(practice: Practice, wire: Wire):
    number = practice.device_ready(wire, numbers=0)
    body = invoice(number, serial())
    assert wire("GP_FPKJ", **body)["CODE"] == "1002"
    assert wire("GP_FPCX", XNSBH=number, LSH=body["LSH"])["CODE"] == "9001"
    practice.stock(wire, number, 5)
    assert wire.good("GP_FPKJ", **body)["FPHM"]


def test_fifty_at_once_on_one_device_never_share_a_number(practice: Practice, device_no: str):
    def issue(_: int) -> list[str]:
        wire, body, codes = practice.wire(), invoice(device_no, serial()), []
        while (answer := wire("GP_FPKJ", **body))["CODE"] != "0000":
            codes.append(answer["CODE"])
        return [*codes, answer["FPHM"]]

    with ThreadPoolExecutor(50) as pool:
        outcomes = list(pool.map(issue, range(50)))
    numbers = sorted(outcome[-1] for outcome in outcomes)
    assert len(set(numbers)) == 50 and int(numbers[-1]) - int(numbers[0]) == 49
    refusals = Counter(code for outcome in outcomes for code in outcome[:-1])
    assert set(refusals) == {"7503"}
    assert [line["index"] for line in practice.journal(device_no)] == list(range(1, 51))


def test_one_serial_fifty_times_at_once_is_one_invoice(practice: Practice, device_no: str):
    body = invoice(device_no, serial())

    def issue(_: int) -> str:
        wire = practice.wire()
        while (answer := wire("GP_FPKJ", **body))["CODE"] == "0001":
            pass
        return str(answer["FPHM"])

    with ThreadPoolExecutor(50) as pool:
        assert len(set(pool.map(issue, range(50)))) == 1
    assert len(practice.journal(device_no)) == 1


def test_numbers_run_through_cut_and_joined_segments_in_order(practice: Practice, wire: Wire):
    number = practice.device_ready(wire, numbers=0)
    wire.good("GP_FPSG", LSH=serial(), XNSBH=number, FPLXDM="026", SLSL=10)
    look = {"XNSBH": number, "FPLXDM": "026"}
    grant = until(lambda: wire.good("GP_FPDXCX", **look)["LPXX"])[0]
    assert (grant["FS"], grant["LPZT"]) == (10, 0)
    assert wire("TP_LPQR", LSH=serial(), XNSBH=number, LPBH=grant["LPBH"])["CODE"] == "200001"
    written = wire.good("GP_FPWSGPLR", LSH=serial(), XNSBH=number, LPBH=grant["LPBH"])
    assert written["LPZT"] == 1 and wire.good("GP_FPDXCX", **look)["LPXX"][0]["LPZT"] == 1
    assert wire.good("GP_FPWSGPLR", LSH=serial(), XNSBH=number, LPBH=grant["LPBH"])["LPZT"] == 1
    assert wire("GP_FPWSGPLR", LSH=serial(), XNSBH=number, LPBH="none")["CODE"] == "9001"
    for _ in range(2):
        assert wire.good("TP_LPQR", LSH=serial(), XNSBH=number, LPBH=grant["LPBH"])["LPZT"] == 2
    assert wire.good("GP_FPDXCX", **look)["LPXX"][0]["LPZT"] == 2

    start = int(grant["QSHM"])
    give = {**look, "FPDM": grant["FPDM"], "KPZDDM": "T1"}

    def distribute(offset: int, count: int) -> str:
        return str(wire("GP_FPFF", LSH=serial(), **give, QSHM=f"{start + offset:08d}", FPFS=count)["CODE"])

    assert distribute(3, 2) == "0000"
    assert distribute(4, 2) == "09d108" and distribute(8, 3) == "09d108"
    assert distribute(0, 1) == "0000"
    shown = [(int(s["QSHM"]) - start, s["SYFS"], s["KPZDDM"]) for s in wire.good("GP_LGXXCX", XNSBH=number)["LGXX"]]
    assert sorted(shown) == [(0, 1, "T1"), (1, 2, ""), (3, 2, "T1"), (5, 5, "")]
    used = [int(wire.good("GP_FPKJ", **invoice(number, serial()))["FPHM"]) - start for _ in range(3)]
    assert sorted(used) == [0, 3, 4]
    assert wire("GP_DQFPCX", **look, KPZDDM="T1")["CODE"] == "1002"
    assert wire("GP_FPKJ", **invoice(number, serial()))["CODE"] == "1002"
    assert distribute(5, 5) == "0000"
    current = wire.good("GP_DQFPCX", **look, KPZDDM="T1")
    assert (int(current["FPHM"]) - start, current["SYFS"]) == (5, 5)


def test_the_journal_is_read_by_serial_and_by_position(wire: Wire, device_no: str):
    issued = [wire.good("GP_FPKJ", **invoice(device_no, serial())) for _ in range(5)]
    page = wire.good("GP_FPCX", XNSBH=device_no, QSXH=2, ZS=3)["FPXX"]
    assert [line["XH"] for line in page] == [2, 3, 4]
    assert page[0].items() <= issued[1].items()
    assert wire("GP_FPCX", XNSBH=device_no, QSXH=1, ZS=201)["CODE"] == "092400"
    assert wire.good("GP_JKXX", XNSBH=device_no)["ZDXH"] == 5


def test_everything_survives_kill_9(practice: Practice, wire: Wire, device_no: str):
    issued = [wire.good("GP_FPKJ", **(body := invoice(device_no, serial()))) for _ in range(3)]
    before = {code: wire(code, XNSBH=device_no) for code in ("TP_QYXX", "TP_SQSL")}
    ports = practice.devices_facts["tax_servers"]
    practice.restart_devices()
    assert practice.devices_facts["tax_servers"] == ports, "a server that was given no port keeps the one it had"
    wire = practice.wire()
    assert wire.good("GP_FPKJ", **body) == issued[-1]
    assert [line["FPHM"] for line in wire.good("GP_FPCX", XNSBH=device_no, QSXH=1, ZS=9)["FPXX"]] == [
        line["FPHM"] for line in issued
    ]
    assert {code: wire(code, XNSBH=device_no) for code in before} == before
    following = wire.good("GP_FPKJ", **invoice(device_no, serial()))
    assert int(following["FPHM"]) == int(issued[-1]["FPHM"]) + 1 and following["XH"] == 4


def test_kill_9_at_any_moment_loses_nothing_and_doubles_nothing(practice: Practice, wire: Wire, device_no: str):
    """Clients go on with the same serials through ten kills; journal file and device agree at the end."""
    answers: dict[str, str] = {}

    def issue_all(_: int) -> None:
        for _ in range(6):
            body = invoice(device_no, serial())
            while body["LSH"] not in answers:
                wire = practice.wire(timeout=3)
                try:
                    answer = wire("GP_FPKJ", **body)
                except (NoAnswer, OSError):
                    continue
                if answer["CODE"] == "0000":
                    answers[body["LSH"]] = answer["FPHM"]

    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(issue_all, n) for n in range(4)]
        for _ in range(4):
            practice.restart_devices()
        for task in work:
            task.result(timeout=20)
    journal = practice.journal(device_no)
    assert {line["serial"]: line["invoice_no"] for line in journal} == answers
    assert [line["index"] for line in journal] == list(range(1, 25))
    assert len(set(answers.values())) == 24
    until(lambda: len([r for r in practice.receipts() if r["device_no"] == device_no]) == 24)


def test_calibration_finds_small_differences_good_and_corrects_large_ones(
    practice: Practice, wire: Wire, device_no: str
):
    assert wire("TP_SZJZ", LSH=serial())["CODE"] == "99800011"
    practice.faults(device_no, {"kind": "clock_drift", "seconds": 1700})
    assert wire("TP_SZJZ", LSH=serial(), XNSBH=device_no)["CODE"] == "99800011"
    assert wire.good("GP_FPKJ", **invoice(device_no, serial()))
    practice.faults(device_no, {"kind": "clock_drift", "seconds": -7200})
    assert wire("GP_FPKJ", **invoice(device_no, serial()))["CODE"] == "09e105"
    practice.restart_devices()
    wire = practice.wire()
    assert wire("GP_FPKJ", **invoice(device_no, serial()))["CODE"] == "09e105", "a wrong clock stays wrong"
    assert 7199 <= wire.good("TP_SZJZ", LSH=serial(), XNSBH=device_no)["SJC"] <= 7201
    assert wire.good("GP_FPKJ", **invoice(device_no, serial()))
    assert abs(practice.state(device_no)["clock_offset"]) <= 1


def test_a_new_certificate_does_not_move_the_deadline(practice: Practice, wire: Wire, device_no: str):
    before = wire.good("GP_JKXX", XNSBH=device_no)["JKSJ"]
    wire.good("TP_XNSBZZ", LSH=serial(), XNSBH=device_no)
    assert wire.good("GP_JKXX", XNSBH=device_no)["JKSJ"] == before


def test_a_slow_bureau_makes_setup_calls_asynchronous(tmp_path: Path):
    practice = Practice(tmp_path, speed=1, slow_seconds=2.6)
    wire = practice.wire()
    wire.good("TP_FWQFX", LSH=serial())
    practice.bureau_is("slow")
    lsh = serial()
    assert wire("TP_FWQZZ", LSH=lsh)["CODE"] == "1000"
    assert wire("TP_FWQZZ", LSH=lsh)["CODE"] == "1000"
    assert wire("TP_FWQZZ", LSH=serial())["CODE"] == "7503"
    answer = until(lambda: (a := wire("GP_YBJGCX", LSH=lsh))["CODE"] != "1000" and a)
    assert answer["CODE"] == "0000" and answer["JZYXQZ"]
    assert wire.good("TP_FWQZZ", LSH=lsh) == answer
    practice.close()


def test_a_device_past_its_deadline_is_locked_until_the_tax_hall_has_it(tmp_path: Path):
    practice = Practice(tmp_path)
    number = practice.device_ready(practice.server_ready(), numbers=3)
    end(practice.devices)
    with closing(sqlite3.connect(tmp_path / "d" / "devices.sqlite")) as memory:
        facts = json.loads(memory.execute("SELECT facts FROM devices").fetchone()[0])
        deadlines = [kind["issue_deadline"] for kind in facts["kinds"]]
        for kind in facts["kinds"]:
            kind["issue_deadline"] = "20200115"
        memory.execute("UPDATE devices SET facts = ?", (json.dumps(facts).encode(),))
        memory.commit()
    practice.start_devices()
    wire = practice.wire()
    assert wire("GP_FPKJ", **invoice(number, serial()))["CODE"] == "09d109"
    practice.devices_options["tax_hall"] = True
    practice.restart_devices()
    wire = practice.wire()
    assert [kind["KPJZSJ"] for kind in wire.good("GP_JKXX", XNSBH=number)["JKSJ"]] == deadlines
    assert wire.good("GP_FPKJ", **invoice(number, serial()))
    practice.close()
