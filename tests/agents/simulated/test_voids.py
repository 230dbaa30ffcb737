"""The simulated device voids and red-offsets by the rules; the bureau keeps reds within blue and forms to one use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.agents.simulated.practice import NoAnswer, Practice, Wire, ask_http, invoice, serial, until


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    practice = Practice(tmp_path_factory.mktemp("practice"))
    yield practice
    practice.close()


@pytest.fixture(scope="module")
def wire(practice: Practice) -> Wire:
    return practice.server_ready()


@pytest.fixture
def device_no(practice: Practice, wire: Wire) -> str:
    number = practice.device_ready(wire, numbers=40)
    practice.stock(wire, number, 40, "028")
    return number


def issue(wire: Wire, device_no: str, **changes: Any) -> dict[str, Any]:
    return wire.good("GP_FPKJ", **invoice(device_no, serial(), **changes))


def settled(practice: Practice, wire: Wire, device_no: str, position: int) -> dict[str, Any]:
    """The upload result at a journal position once there is one."""
    found: dict[str, Any] = until(
        lambda: [row for row in _results(wire, device_no, position) if row["SCZT"] in (1, 2, 4)]
    )[0]
    return found


def _results(wire: Wire, device_no: str, position: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = wire.good("GP_SCJGCX", XNSBH=device_no, QSXH=position, ZS=1)["SCJG"]
    return found


def rejected(practice: Practice, wire: Wire, device_no: str, **changes: Any) -> dict[str, Any]:
    practice.faults(device_no, {"kind": "signature_rejected", "times": 1})
    made = issue(wire, device_no, **changes)
    assert settled(practice, wire, device_no, made["XH"])["SCZT"] == 4
    practice.faults(device_no)
    return made


def void_of(device_no: str, made: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"XNSBH": device_no, "FPLXDM": made["FPLXDM"], "ZFLX": "1", "ZFR": "李四", "ZFYY": "开错"}
    return body | {name: made[name] for name in ("FPDM", "FPHM", "JSHJ")} | {"LSH": serial()} | changes


def red_of(
    device_no: str, blue: dict[str, Any], net: str = "-100.00", tax: str = "-13.00", **changes: Any
) -> dict[str, Any]:
    gross = f"{float(net) + float(tax):.2f}"
    line = {"FPHXZ": "0", "SPMC": "豆腐", "SPBM": "1010112040000000000", "JE": net, "SL": "0.13", "SE": tax}
    body = invoice(device_no, serial(), KPLX="1", FYXM=[line], HJJE=net, HJSE=tax, JSHJ=gross, FPLXDM=blue["FPLXDM"])
    body |= {"YFPDM": blue["FPDM"], "YFPHM": blue["FPHM"], "CHYY": "1", "XXBBH": ""}
    return body | {"BZ": f"对应正数发票代码:{blue['FPDM']}号码:{blue['FPHM']}"} | changes


def form_of(
    device_no: str, blue: dict[str, Any], number: int, net: str = "-100.00", tax: str = "-13.00"
) -> dict[str, Any]:
    line = {"FPHXZ": "0", "SPMC": "豆腐", "SPBM": "1010112040000000000", "JE": net, "SL": "0.13", "SE": tax}
    return {
        "LSH": serial(), "XNSBH": device_no, "SQDH": f"{device_no}{number:012d}", "FPLXDM": blue["FPLXDM"],
        "YFPDM": blue["FPDM"], "YFPHM": blue["FPHM"], "SQSM": "0000000100", "HJJE": net, "HJSE": tax, "FYXM": [line],
    }  # fmt: skip


def test_a_rejected_invoice_is_voided_once(practice: Practice, wire: Wire, device_no: str) -> None:
    made = rejected(practice, wire, device_no)
    asked = void_of(device_no, made)
    first = wire.good("GP_FPZF", **asked)
    assert (first["XH"], first["FPDM"], first["FPHM"]) == (made["XH"], made["FPDM"], made["FPHM"])
    assert wire("GP_FPZF", **asked) == first, "the same serial gets the first answer"
    assert wire("GP_YBJGCX", LSH=asked["LSH"], XNSBH=device_no)["ZFSJ"] == first["ZFSJ"]
    assert wire("GP_FPZF", **void_of(device_no, made))["CODE"] == "09d11e"
    (event,) = practice.journal(device_no, "voided")
    assert (event["index"], event["invoice_no"], event["voided_by"]) == (made["XH"], made["FPHM"], "李四")
    following = issue(wire, device_no)
    assert int(following["FPHM"]) == int(made["FPHM"]) + 1, "the number stays used"


def test_what_is_not_voided(practice: Practice, wire: Wire, device_no: str) -> None:
    made = issue(wire, device_no)
    settled(practice, wire, device_no, made["XH"])
    assert wire("GP_FPZF", **void_of(device_no, made))["CODE"] == "09d11d"
    assert wire("GP_FPZF", **void_of(device_no, made, FPHM="99999999"))["CODE"] == "09d106"
    assert wire("GP_FPZF", **void_of(device_no, made, JSHJ="1.00"))["CODE"] == "092400"
    assert wire("GP_FPZF", **void_of(device_no, made, FPLXDM="028"))["CODE"] == "092400"
    assert practice.journal(device_no, "voided") == []


def test_a_void_survives_a_kill(practice: Practice, wire: Wire, device_no: str) -> None:
    made = rejected(practice, wire, device_no)
    practice.faults(device_no, {"kind": "answer_lost", "calls": ["GP_FPZF"], "times": 1})
    asked = void_of(device_no, made)
    with pytest.raises(NoAnswer):
        wire("GP_FPZF", **asked)
    practice.restart_devices()
    again = practice.wire()
    assert again.good("GP_YBJGCX", LSH=asked["LSH"], XNSBH=device_no)["FPHM"] == made["FPHM"]
    assert len(practice.journal(device_no, "voided")) == 1
    wire.connection = again.connection


def test_reds_stay_within_the_blue_one(practice: Practice, wire: Wire, device_no: str) -> None:
    blue = issue(wire, device_no)
    assert settled(practice, wire, device_no, blue["XH"])["SCZT"] == 1
    first = wire.good("GP_FPKJ", **red_of(device_no, blue, "-60.00", "-7.80"))
    assert settled(practice, wire, device_no, first["XH"])["SCZT"] == 1
    over = wire.good("GP_FPKJ", **red_of(device_no, blue, "-40.01", "-5.20"))
    told = settled(practice, wire, device_no, over["XH"])
    assert (told["SCZT"], told["SLXLH"]) == (2, "") and "超过" in told["SCMS"]
    rest = wire.good("GP_FPKJ", **red_of(device_no, blue, "-40.00", "-5.20"))
    assert settled(practice, wire, device_no, rest["XH"])["SCZT"] == 1
    receipts = [row for row in practice.receipts() if row["device_no"] == device_no]
    assert sorted(row["net_total"] for row in receipts) == ["-40.00", "-60.00", "100.00"]
    red = practice.journal(device_no)[1]
    assert (red["direction"], red["original_code"], red["original_no"]) == ("red", blue["FPDM"], blue["FPHM"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"YFPDM": ""}, "092400"),
        ({"CHYY": "5"}, "092400"),
        ({"BZ": "退货"}, "092400"),
        ({"JSHJ": "113.00", "HJJE": "100.00", "HJSE": "13.00"}, "092400"),
    ],
)
def test_a_red_invoice_must_be_whole(wire: Wire, device_no: str, changes: dict[str, Any], code: str) -> None:
    blue = issue(wire, device_no)
    assert wire("GP_FPKJ", **red_of(device_no, blue, **changes))["CODE"] == code
    assert wire("GP_FPKJ", **red_of(device_no, blue, FPLXDM="028", XXBBH="4" * 16))["CODE"] == "092400"


def test_a_red_or_voided_invoice_is_not_offset(practice: Practice, wire: Wire, device_no: str) -> None:
    blue = issue(wire, device_no)
    red = wire.good("GP_FPKJ", **red_of(device_no, blue))
    assert wire("GP_FPKJ", **red_of(device_no, red))["CODE"] == "092400"
    settled(practice, wire, device_no, red["XH"])
    gone = rejected(practice, wire, device_no)
    wire.good("GP_FPZF", **void_of(device_no, gone))
    assert wire("GP_FPKJ", **red_of(device_no, gone))["CODE"] == "092400"


def test_a_form_takes_one_red_invoice(practice: Practice, wire: Wire, device_no: str) -> None:
    blue = issue(wire, device_no, FPLXDM="028")
    assert wire("GP_FPKJ", **red_of(device_no, blue))["CODE"] == "092400", "028 needs a form"
    assert settled(practice, wire, device_no, blue["XH"])["SCZT"] == 1
    asked = form_of(device_no, blue, 2)
    form = wire.good("GP_HZXXBSQ", **asked)
    assert form["XXBZT"] == "TZD0000" and len(form["XXBBH"]) == 16
    assert wire.good("GP_HZXXBSQ", **{**asked, "LSH": serial()})["XXBBH"] == form["XXBBH"], "one form however often"
    assert wire.good("GP_HZXXBXXCX", XNSBH=device_no, SQDH=asked["SQDH"])["XXBBH"] == form["XXBBH"]
    over = wire.good("GP_HZXXBSQ", **form_of(device_no, blue, 3, "-0.01", "0.00"))
    assert over["XXBZT"] == "TZD0073" and not over["XXBBH"]
    number = {"XXBBH": form["XXBBH"], "BZ": f"开具红字增值税专用发票信息表编号{form['XXBBH']}"}
    assert wire("GP_FPKJ", **red_of(device_no, blue, "-50.00", "-6.50", **number))["CODE"] == "092400", "not its totals"
    red = wire.good("GP_FPKJ", **red_of(device_no, blue, **number))
    assert settled(practice, wire, device_no, red["XH"])["SCZT"] == 1
    assert wire.good("GP_HZXXBXXCX", XNSBH=device_no, SQDH=asked["SQDH"])["XXBZT"] == "TZD0074"
    assert wire("GP_FPKJ", **red_of(device_no, blue, **number))["CODE"] == "300002"
    assert wire("GP_HZXXBCX", LSH=serial(), XNSBH=device_no, SQDH=asked["SQDH"])["CODE"] == "300002"


def test_a_form_may_wait_be_refused_or_cancelled(practice: Practice, wire: Wire, device_no: str) -> None:
    blue = issue(wire, device_no, FPLXDM="028")
    unknown = wire.good("GP_HZXXBSQ", **form_of(device_no, {**blue, "FPHM": "99999999"}, 1))
    assert unknown["XXBZT"] == "TZD0073", "the bureau does not have the blue invoice"
    settled(practice, wire, device_no, blue["XH"])
    practice.bureau_faults({"kind": "form_waits", "times": 2}, {"kind": "form_refused", "times": 1})
    waiting = form_of(device_no, blue, 2)
    assert wire.good("GP_HZXXBSQ", **waiting)["XXBZT"] == "TZD0071"
    assert wire.good("GP_HZXXBXXCX", XNSBH=device_no, SQDH=waiting["SQDH"])["XXBZT"] == "TZD0071"
    assert wire.good("GP_HZXXBXXCX", XNSBH=device_no, SQDH=waiting["SQDH"])["XXBZT"] == "TZD0073"
    practice.bureau_faults()
    good = form_of(device_no, blue, 3)
    assert wire.good("GP_HZXXBSQ", **good)["XXBZT"] == "TZD0000"
    taken_back = wire.good("GP_HZXXBCX", LSH=serial(), XNSBH=device_no, SQDH=good["SQDH"])
    assert taken_back["XXBZT"] == "TZD0082"
    number = {"XXBBH": taken_back["XXBBH"], "BZ": f"信息表编号{taken_back['XXBBH']}"}
    assert wire("GP_FPKJ", **red_of(device_no, blue, **number))["CODE"] == "300002"


def test_two_reds_over_the_rest_at_once(practice: Practice, wire: Wire, device_no: str) -> None:
    """Signed on two devices of one taxpayer, they meet at the bureau: one is accepted."""
    other = practice.device_ready(wire, numbers=5)
    blue = issue(wire, device_no)
    settled(practice, wire, device_no, blue["XH"])
    wires = [practice.wire(), practice.wire()]
    made: dict[str, dict[str, Any]] = {}

    def sign(own: Wire, number: str) -> None:
        made[number] = own.good("GP_FPKJ", **red_of(number, blue))

    threads = [threading.Thread(target=sign, args=pair) for pair in zip(wires, (device_no, other), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = sorted(settled(practice, wire, number, row["XH"])["SCZT"] for number, row in made.items())
    assert states == [1, 2]


def test_a_report_counts_voids_apart(practice: Practice, wire: Wire, device_no: str) -> None:
    blue = issue(wire, device_no)
    settled(practice, wire, device_no, blue["XH"])
    red = wire.good("GP_FPKJ", **red_of(device_no, blue, "-60.00", "-7.80"))
    settled(practice, wire, device_no, red["XH"])
    wire.good("GP_FPZF", **void_of(device_no, rejected(practice, wire, device_no)))
    today = wire.good("GP_JKXX", XNSBH=device_no)["SBSJ"][:8]
    period = {"report_from": f"{today[:6]}01", "report_to": today, "issue_deadline": "20000101"}
    status, answer = ask_http(practice.devices_facts["control_port"], "PUT", f"/devices/{device_no}/period", period)
    assert status == 200, answer
    told = wire.good("GP_HZSJCB", LSH=serial(), XNSBH=device_no, FPLXDM="026", SSQ=today[:6])
    assert (told["ZSFS"], told["ZSJE"], told["FSFS"], told["FSJE"], told["ZFFS"]) == (1, "100.00", 1, "-60.00", 1)
    assert told["QCKC"] + told["LGFS"] - 3 == told["QMKC"], "a voided number stays used"
