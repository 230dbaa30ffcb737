"""Invoices (发票): list, and a page with order, attempts, device, number, receipt and the trail of jobs."""

from __future__ import annotations

from collections.abc import Sequence

from console.records import Record, mapping, pick, rows, text
from console.screens.cells import cell_of_kind, ordered, plain_cell, signed, state_cell, time_cell
from console.screens.noun import Noun, Related, Relation
from console.screens.page_lines import cell_fact, fact, fact_if, heading, job_lines, known, paragraph, table, trouble
from console.theme import SIGNS, Tone, Verdict
from console.times import stamp
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import BLANK, Line, Part

_STATES: dict[str, Tone] = {"waiting": "warn", "refused": "stopped", "voided": "dim", "issued": "plain"}
_UPLOADS: dict[str, Tone] = {"uploaded": "dim", "failed": "stopped", "signature_rejected": "stopped"}


def verdict(record: Record) -> Verdict:
    """Issued and on its way is fine; waiting for a reason warns; refused or rejected has stopped."""
    state, upload = text(record, "state"), text(record, "upload_status")
    if state == "refused" or upload in ("failed", "signature_rejected"):
        return "stopped"
    if state == "waiting":
        if text(record, "waiting_reason.code") in ("outcome_unknown", "still_working"):
            return "unknown"
        return "warn" if mapping(record, "waiting_reason") else "ok"
    return "ok" if state in ("issued", "voided") else "unknown"


def _number(record: Record) -> str:
    number = text(record, "invoice_no")
    return f"{text(record, 'invoice_code')} {number}".strip() if number else ""


def _number_cell(record: Record, view: View) -> Cell:
    return Cell(_number(record), "strong")


def _state(record: Record, view: View) -> Cell:
    code = text(record, "state")
    tone = _STATES.get(code, "unknown")
    if code == "waiting" and verdict(record) == "ok":
        tone = "plain"
    return Cell(view.say.word("state.invoices", code), tone)


def _buyer(record: Record, view: View) -> Cell:
    return Cell(text(record, "buyer.name") or text(record, "buyer"))


def _device(record: Record) -> str:
    return text(record, "virtual_device_no") or text(record, "device_no") or text(record, "choice.device_no")


def _device_cell(record: Record, view: View) -> Cell:
    return Cell(_device(record), "dim")


def _reason(record: Record) -> Record:
    return mapping(record, "refusal") or mapping(record, "waiting_reason")


def _cause(record: Record, view: View) -> Cell:
    reason = _reason(record)
    return Cell(view.say.told(reason).message, verdict(record)) if reason else Cell("")


COLUMNS = (
    signed(verdict),
    Column("created", 11, time_cell("created_at"), ordered("created_at"), rank=1),
    Column("state", 7, _state, ordered("state")),
    Column("upload", 8, state_cell("upload", "upload_status", _UPLOADS), ordered("upload_status"), rank=2),
    Column("kind", 12, cell_of_kind, ordered("kind"), rank=4),
    Column("number", 21, _number_cell, lambda record: _number(record)),
    Column("gross", 12, plain_cell("gross_total"), ordered("gross_total"), right=True, rank=1),
    Column("buyer", 16, _buyer, lambda record: text(record, "buyer.name"), grow=2, rank=3),
    Column("device_no", 13, _device_cell, _device, rank=4),
    Column("request_id", 16, plain_cell("request_id", "dim"), ordered("request_id"), rank=5),
    Column("cause", 14, _cause, lambda record: text(_reason(record), "code"), grow=2),
)

SHORT_COLUMNS = (COLUMNS[1], COLUMNS[9], COLUMNS[6], COLUMNS[10])

_LINES = (
    Column("name", 24, lambda record, view: Cell(text(record, "item_name"))),
    Column("count", 8, plain_cell("quantity"), right=True),
    Column("unit_price", 10, plain_cell("unit_price"), right=True),
    Column("amount", 12, plain_cell("amount"), right=True),
    Column("rate", 6, plain_cell("rate"), right=True),
    Column("tax_amount", 10, lambda record, view: Cell(text(record, "tax") or text(record, "tax_amount")), right=True),
)

_ATTEMPTS = (
    Column("created", 11, time_cell("created_at")),
    Column("request_id", 30, plain_cell("request_id")),
    Column("state", 10, _state),
    Column("number", 21, _number_cell),
)

_REDS = (
    Column("request_id", 30, plain_cell("request_id")),
    Column("state", 10, _state),
    Column("number", 21, _number_cell),
    Column("gross", 12, plain_cell("gross_total"), right=True),
)


def _head(record: Record, view: View) -> list[Line]:
    word = verdict(record)
    state = _state(record, view)
    upload = view.say.word("upload", text(record, "upload_status"))
    return [
        Line(
            (Part(f"{SIGNS[word]} {state.text}  ", word), Part(upload, "dim"), Part("  " + _number(record), "strong"))
        ),
    ]


def _facts(record: Record, view: View) -> list[Line]:
    code = _number(record)
    device = f"{_device(record)}  {text(record, 'terminal_code')}".strip()
    return known(
        [
            fact(view, "invoice_no", code),
            fact_if(view, "check_code", text(record, "check_code")),
            fact(view, "issued_at", stamp(record, "issued_at")),
            fact(view, "uploaded_at", stamp(record, "uploaded_at")),
            fact(view, "receipt", text(record, "upload_receipt_no")),
            cell_fact(view, "kind", cell_of_kind(record, view)),
            fact(view, "direction", view.say.word("direction", text(record, "direction"))),
            fact(view, "device", device),
            fact(view, "choice", _choice(record, view)),
            fact_if(view, "segment", text(record, "segment_id")),
            fact_if(view, "original", _original(record)),
            fact_if(view, "red_form_no", text(record, "red_form_no")),
            fact_if(view, "red_sum", _red_sum(record)),
            fact_if(view, "voided", f"{stamp(record, 'voided_at')}  {text(record, 'voided_by')}".strip()),
            fact(view, "buyer", _party(record, "buyer")),
            fact(view, "seller", _party(record, "seller")),
            fact(view, "net", text(record, "net_total")),
            fact(view, "tax", text(record, "tax_total")),
            fact(view, "gross", text(record, "gross_total"), "strong"),
        ]
    )


def _original(record: Record) -> str:
    return f"{text(record, 'original_code')} {text(record, 'original_no')}".strip()


def _red_sum(record: Record) -> str:
    total = text(record, "red_gross_total")
    return "" if total in ("", "0.00") else total


def _choice(record: Record, view: View) -> str:
    own = text(record, "choice.text_en") if view.say.language == "en" else text(record, "choice.text")
    return own or text(record, "choice.reason")


def _party(record: Record, side: str) -> str:
    names = (text(record, f"{side}.name"), text(record, f"{side}.tax_id"))
    return "  ".join(filter(None, names)) or text(record, side)


def _page(record: Record, view: View, related: Related) -> list[Line]:
    reason = _reason(record)
    attempts = rows(record, "attempts")
    jobs = rows(record, "jobs") or ([job] if isinstance(job := pick(record, "open_job"), dict) else [])
    return [
        *_head(record, view),
        *(trouble(view, reason, verdict(record)) if reason else []),
        BLANK,
        *_facts(record, view),
        *heading(view, "lines"),
        *table(view, _LINES, rows(record, "lines")),
        *heading(view, "order"),
        fact(view, "order_no", text(record, "order_no")),
        fact(view, "request_id", text(record, "request_id")),
        fact(view, "taxpayer", text(record, "taxpayer_id")),
        fact(view, "created", stamp(record, "created_at")),
        fact(view, "id", text(record, "id")),
        *([*heading(view, "attempts"), *table(view, _ATTEMPTS, attempts)] if attempts else []),
        *([*heading(view, "red_offsets"), *table(view, _REDS, reds)] if (reds := rows(record, "red_offsets")) else []),
        *heading(view, "jobs"),
        *(job_lines(view, jobs, with_trail=True) if jobs else [paragraph(view.say("page.none"), "dim")]),
    ]


def _depends(record: Record) -> Sequence[Relation]:
    found = [Relation("jobs", (("subject_id", record["id"]),))]
    if text(record, "order_no"):
        found.append(Relation("invoices", (("order_no", text(record, "order_no")),)))
    if text(record, "device_id"):
        scope = (("taxpayer_id", text(record, "taxpayer_id")), ("id", text(record, "device_id")))
        found.append(Relation("virtual-devices", scope))
    return found


NOUN = Noun(
    "invoices",
    ("invoices", "invoice", "发票", "fp", "iv"),
    COLUMNS,
    lambda record: _number(record) or text(record, "request_id"),
    _page,
    verdict,
    lambda record: text(record, "created_at") + str(record["id"]),
    newest_first=True,
    depends=_depends,
    trouble=lambda record, related: _reason(record),
)
