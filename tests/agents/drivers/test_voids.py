"""Voids, red invoices and red forms through the driver, against the simulated tax server over real sockets."""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec
import pytest

from agents.drivers.catalog import Catalog, Patience
from agents.drivers.contract import Answer, Done, Found, NeverExecuted, NoAnswer, Refused
from controlplane.wire.evidence import IssuedInvoice, RedFormFacts, Segments, Voided
from controlplane.wire.work import (
    ApplySegment,
    CancelRedForm,
    DistributeSegment,
    IssueInvoice,
    QueryRedForm,
    ReceiveSegments,
    UploadRedForm,
    VoidInvoice,
)
from tests.agents import orders
from tests.agents.drivers.test_against_simulator import Bench
from tests.agents.simulated.practice import Practice


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    practice = Practice(tmp_path_factory.mktemp("practice"))
    yield practice
    practice.close()


@pytest.fixture(scope="module")
def bench(practice: Practice) -> Iterator[Bench]:
    from datetime import UTC, datetime

    catalog = Catalog(Patience(connect=2.0, read=2.0), lambda: datetime.now(UTC))
    bench = Bench(catalog.driver("new_tax_server"), practice)
    bench.ready()
    bench.done(ApplySegment(kind="028", count=50))
    received = bench.done(ReceiveSegments(kind="028"))
    assert isinstance(received, Segments)
    (run,) = [one for one in received.segments if one.kind == "028"]
    place = {"invoice_code": run.invoice_code, "start_no": run.start_no, "count": run.left, "terminal_code": "0001"}
    bench.done(DistributeSegment(kind="028", **place))
    yield bench
    catalog.close()


def issued(bench: Bench, work: IssueInvoice) -> IssuedInvoice:
    found = bench.done(work)
    assert isinstance(found, IssuedInvoice)
    return found


def upload_of(bench: Bench, made: IssuedInvoice) -> str:
    """The upload word of an invoice once there is one."""
    until = time.monotonic() + 10
    while True:
        seen = bench.driver.observe(bench.order(QueryRedForm(form_no="x")).address, made.index - 1)
        words = [one.status for one in seen.uploads if one.index == made.index]
        if words:
            return words[0]
        assert time.monotonic() < until
        time.sleep(0.05)


def blue(bench: Bench, kind: str = "026") -> IssuedInvoice:
    made = issued(bench, msgspec.structs.replace(orders.invoice(), kind=kind))
    assert upload_of(bench, made) == "uploaded"
    return made


def red_of(made: IssuedInvoice, form_no: str = "") -> IssueInvoice:
    work = orders.invoice()
    line = msgspec.structs.replace(work.lines[0], amount="-100.00", tax="-6.00", quantity="-1")
    number = f"对应正数发票代码:{made.invoice_code}号码:{made.invoice_no}"
    return msgspec.structs.replace(
        work, kind=made.kind, direction="red", lines=[line], net_total="-100.00", tax_total="-6.00",
        gross_total="-106.00", original_code=made.invoice_code, original_no=made.invoice_no, red_reason="1",
        red_form_no=form_no, remark=f"开具红字增值税专用发票信息表编号{form_no}" if form_no else number,
    )  # fmt: skip


def void_of(made: IssuedInvoice) -> VoidInvoice:
    return VoidInvoice(
        kind=made.kind, invoice_code=made.invoice_code, invoice_no=made.invoice_no, gross_total=made.gross_total,
        voided_by="李四", reason="开错",
    )  # fmt: skip


def rejected(bench: Bench, practice: Practice) -> IssuedInvoice:
    assert bench.device_no is not None
    practice.faults(bench.device_no, {"kind": "signature_rejected", "times": 1})
    made = issued(bench, orders.invoice())
    assert upload_of(bench, made) == "signature_rejected"
    practice.faults(bench.device_no)
    return made


def test_void_after_a_rejected_signature(bench: Bench, practice: Practice) -> None:
    made = rejected(bench, practice)
    asked = bench.order(void_of(made))
    assert isinstance(bench.driver.recall(asked), NeverExecuted)
    answer = bench.perform(asked)
    assert isinstance(answer, Done) and isinstance(answer.evidence, Voided)
    assert (answer.evidence.invoice_no, answer.evidence.index) == (made.invoice_no, made.index)
    assert bench.driver.recall(asked) == Found(answer.evidence)
    assert bench.perform(asked) == answer, "the same serial voids once"
    again: Answer = bench.perform(bench.order(void_of(made)))
    assert isinstance(again, Refused) and again.code == "09d11e"


def test_an_uploaded_invoice_is_not_voided(bench: Bench) -> None:
    answer = bench.perform(bench.order(void_of(blue(bench))))
    assert isinstance(answer, Refused) and answer.code == "09d11d"


@pytest.mark.parametrize("kind", ["answer_lost", "half_answer"])
def test_the_answer_to_a_void_is_lost(bench: Bench, practice: Practice, kind: str) -> None:
    assert bench.device_no is not None
    made = rejected(bench, practice)
    practice.faults(bench.device_no, {"kind": kind, "calls": ["GP_FPZF"], "times": 1})
    asked = bench.order(void_of(made))
    assert isinstance(bench.perform(asked), NoAnswer)
    found = bench.driver.recall(asked)
    assert isinstance(found, Found) and isinstance(found.evidence, Voided)
    voided = [row for row in practice.journal(bench.device_no, "voided") if row["invoice_no"] == made.invoice_no]
    assert len(voided) == 1


def test_a_void_sent_and_not_executed(bench: Bench, practice: Practice) -> None:
    assert bench.device_no is not None
    made = rejected(bench, practice)
    practice.faults(bench.device_no, {"kind": "sent_not_executed", "calls": ["GP_FPZF"], "times": 1})
    asked = bench.order(void_of(made))
    assert isinstance(bench.perform(asked), NoAnswer)
    assert isinstance(bench.driver.recall(asked), NeverExecuted)
    assert isinstance(bench.perform(asked), Done)


def test_a_red_invoice_of_026(bench: Bench, practice: Practice) -> None:
    assert bench.device_no is not None
    made = blue(bench)
    asked = bench.order(red_of(made))
    answer = bench.perform(asked)
    assert isinstance(answer, Done) and isinstance(answer.evidence, IssuedInvoice)
    assert answer.evidence.gross_total == "-106.00"
    assert bench.driver.recall(asked) == Found(answer.evidence), "content, totals and digest are what we sent"
    assert upload_of(bench, answer.evidence) == "uploaded"
    (line,) = [row for row in practice.journal(bench.device_no) if row["invoice_no"] == answer.evidence.invoice_no]
    assert (line["direction"], line["original_no"]) == ("red", made.invoice_no)


def test_the_answer_to_a_red_invoice_is_lost(bench: Bench, practice: Practice) -> None:
    assert bench.device_no is not None
    made = blue(bench)
    practice.faults(bench.device_no, {"kind": "answer_lost", "calls": ["GP_FPKJ"], "times": 1})
    asked = bench.order(red_of(made))
    assert isinstance(bench.perform(asked), NoAnswer)
    assert isinstance(bench.driver.recall(asked), Found)


def form_of(bench: Bench, made: IssuedInvoice, number: int) -> UploadRedForm:
    return UploadRedForm(
        form_no=f"{bench.device_no}{number:012d}", kind=made.kind, original_code=made.invoice_code,
        original_no=made.invoice_no, applicant="seller", net_total="-100.00", tax_total="-6.00",
        lines=red_of(made).lines,
    )  # fmt: skip


def facts(bench: Bench, work: UploadRedForm | QueryRedForm | CancelRedForm) -> RedFormFacts:
    found = bench.done(work)
    assert isinstance(found, RedFormFacts)
    return found


def test_a_red_invoice_of_028_by_a_form(bench: Bench, practice: Practice) -> None:
    made = blue(bench, "028")
    refused = bench.perform(bench.order(red_of(made, "4" * 16)))
    assert isinstance(refused, Refused) and refused.code == "300002", "the bureau knows no such form"
    wish = form_of(bench, made, 1)
    asked = bench.order(wish)
    answer = bench.perform(asked)
    assert isinstance(answer, Done) and isinstance(answer.evidence, RedFormFacts)
    assert (answer.evidence.status, len(answer.evidence.red_form_no)) == ("TZD0000", 16)
    assert bench.driver.recall(asked) == Found(answer.evidence)
    red = issued(bench, red_of(made, answer.evidence.red_form_no))
    assert upload_of(bench, red) == "uploaded"
    assert facts(bench, QueryRedForm(form_no=wish.form_no)).status == "TZD0074"
    twice = bench.perform(bench.order(red_of(made, answer.evidence.red_form_no)))
    assert isinstance(twice, Refused) and twice.code == "300002", "one form takes one red invoice"


def test_a_form_is_refused_waits_and_is_cancelled(bench: Bench, practice: Practice) -> None:
    made = blue(bench, "028")
    practice.bureau_faults({"kind": "form_refused", "times": 1})
    refused = facts(bench, form_of(bench, made, 2))
    assert (refused.status, refused.red_form_no, refused.message) == ("TZD0073", "", "信息表审核未通过")
    practice.bureau_faults({"kind": "form_waits", "times": 1})
    waiting = form_of(bench, made, 3)
    assert facts(bench, waiting).status == "TZD0071"
    assert facts(bench, QueryRedForm(form_no=waiting.form_no)).status == "TZD0000"
    assert facts(bench, CancelRedForm(form_no=waiting.form_no)).status == "TZD0082"
    practice.bureau_faults()


def test_the_answer_to_a_form_is_lost(bench: Bench, practice: Practice) -> None:
    assert bench.device_no is not None
    made = blue(bench, "028")
    practice.faults(bench.device_no, {"kind": "answer_lost", "calls": ["GP_HZXXBSQ"], "times": 1})
    asked = bench.order(form_of(bench, made, 4))
    assert isinstance(bench.perform(asked), NoAnswer)
    found = bench.driver.recall(asked)
    assert isinstance(found, Found) and isinstance(found.evidence, RedFormFacts)
    assert facts(bench, QueryRedForm(form_no=f"{bench.device_no}{4:012d}")).red_form_no == found.evidence.red_form_no


def test_forms_while_the_bureau_is_away(bench: Bench, practice: Practice) -> None:
    made = blue(bench, "028")
    practice.bureau_is("down")
    answer = bench.perform(bench.order(form_of(bench, made, 5)))
    practice.bureau_is("up")
    assert isinstance(answer, Refused) and answer.code == "300001"
    assert facts(bench, form_of(bench, made, 6)).status == "TZD0000"
