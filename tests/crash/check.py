"""The independent checker: compares ledger, device journals and bureau row by row. It imports nothing of the product.

    python tests/crash/check.py --api URL --token TOKEN_OR_FILE --bureau URL --journals DIR [--taxpayers ID …]

Needs a quiet system: nothing unsettled, nothing waiting for upload. Prints each broken promise with its number;
exit code 0: all kept, 1: some broken, 2: could not be read.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

Row = dict[str, Any]
NUMBERED = ("issued", "voided")
STATES = (*NUMBERED, "waiting", "refused")
LINE_TAX_TOLERANCE = 6
"""Fen by which a red line's tax may differ from amount × rate."""
NOT_AT_BUREAU = ("failed", "signature_rejected")
TOTALS = ("net_total", "tax_total", "gross_total")
SAME_IN_JOURNAL = (
    *("request_id", "order_no", "kind", "direction", "terminal_code", "issued_at", "check_code", *TOTALS),
)
SAME_AT_BUREAU = ("device_no", "kind", *TOTALS, "payload_hash", "serial")
LINE_FIELDS = {
    "FPHXZ": "nature", "SPMC": "item_name", "SPBM": "tax_class_code", "GGXH": "spec", "DW": "unit", "SPSL": "quantity",
    "DJ": "unit_price", "JE": "amount", "SL": "rate", "SE": "tax",
}  # fmt: skip
_MONEY = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]{2}")


class Broken(NamedTuple):
    """One broken promise."""

    promise: str
    text: str


class Number(NamedTuple):
    """One invoice, as ledger, journal and bureau all name it."""

    code: str
    no: str

    def __str__(self) -> str:
        return f"{self.code} {self.no}"


@dataclass
class Evidence:
    """What the three books say. ``invoices`` hold their lines; ``answers`` are what callers were told."""

    invoices: list[Row]
    orders: list[Row]
    segments: list[Row]
    journal: list[Row]
    receipts: list[Row]
    answers: list[Row] = field(default_factory=list)


# --- the promises


def check(evidence: Evidence) -> list[Broken]:
    """Every broken promise; an empty list means that all are kept."""
    parts = (
        *(one_outcome, same_books, same_voids, segments_in_order, answers_stand, reds_within_blue, money_adds_up),
        *(uploaded_once, nothing_lost),
    )
    return [broken for part in parts for broken in part(evidence)]


def one_outcome(evidence: Evidence) -> Iterator[Broken]:
    """I-1: one invoice per request, at most one live blue per order, in the ledger and in the journal."""
    requests = Counter((row["taxpayer_id"], row["request_id"]) for row in evidence.invoices)
    yield from _repeated("I-1", "the ledger has {n} invoices for request {key}", requests)
    live = Counter((row["taxpayer_id"], row["order_no"]) for row in evidence.invoices if _live_blue(row))
    yield from _repeated("I-1", "the ledger has {n} live blue invoices for order {key}", live)
    signed = _signed(evidence.journal)
    requests = Counter((row["taxpayer_id"], row["request_id"]) for row in signed)
    yield from _repeated("I-1", "the journals have {n} invoices for request {key}", requests)
    ended = {_number(row) for row in evidence.invoices if row["state"] in NUMBERED and not _live_blue(row)}
    blue = [row for row in signed if row["direction"] == "blue" and _number(row) not in ended]
    live = Counter((row["taxpayer_id"], row["order_no"]) for row in blue)
    yield from _repeated("I-1", "the journals have {n} live blue invoices for order {key}", live)


def same_books(evidence: Evidence) -> Iterator[Broken]:
    """I-2: journal = ledger = bureau, row by row; the journal's positions have no gap."""
    signed = _signed(evidence.journal)
    yield from _repeated("I-2", "{key} stands {n} times in the journals", Counter(map(_number, signed)))
    journal = {_number(row): row for row in signed}
    ledger = {_number(row): row for row in evidence.invoices if row["state"] in NUMBERED}
    yield from _repeated(
        "I-2", "{key} stands {n} times in the ledger",
        Counter(_number(row) for row in evidence.invoices if row["state"] in NUMBERED),
    )  # fmt: skip
    yield from _missing("I-2", "journal", journal, "ledger", ledger)
    for number in journal.keys() & ledger.keys():
        yield from _compared(number, ledger[number], journal[number])
    bureau = {_number(row): row for row in evidence.receipts}
    sent = {number: row for number, row in ledger.items() if row["upload_status"] not in NOT_AT_BUREAU}
    yield from _missing("I-2", "ledger", sent, "bureau", bureau)
    for number in journal.keys() & bureau.keys():
        yield from _differing("I-2", number, SAME_AT_BUREAU, ("journal", journal[number]), ("bureau", bureau[number]))
    yield from _gaps(signed)


def same_voids(evidence: Evidence) -> Iterator[Broken]:
    """I-2: what is voided in the ledger is voided in the journal, once, after it was signed, and never at the bureau."""
    voided = [row for row in evidence.journal if row["event"] == "voided"]
    yield from _repeated("I-2", "the device voided {key} {n} times", Counter(map(_number, voided)))
    ledger = {_number(row) for row in evidence.invoices if row["state"] == "voided"}
    yield from _missing("I-2", "journal's voids", [_number(row) for row in voided], "ledger's voids", ledger)
    signed = {_number(row): row for row in _signed(evidence.journal)}
    for row in voided:
        if signed.get(_number(row), {}).get("index") != row["index"]:
            yield Broken("I-2", f"{_number(row)} is voided at position {row['index']}, where it was not signed")
    for number in sorted(ledger & {_number(row) for row in evidence.receipts}):
        yield Broken("I-10", f"{number} is voided and at the bureau")


def segments_in_order(evidence: Evidence) -> Iterator[Broken]:
    """I-3: per segment the numbers used are a prefix, used by the segment's own device; the next one follows."""
    used: dict[str, list[Row]] = defaultdict(list)
    runs = [(row, int(row["start_no"]), int(row["end_no"])) for row in evidence.segments]
    by_code: dict[str, list[tuple[Row, int, int]]] = defaultdict(list)
    for run in runs:
        by_code[run[0]["invoice_code"]].append(run)
    yield from _overlaps(by_code)
    for row in _signed(evidence.journal):
        holding = [run for run, start, end in by_code[row["invoice_code"]] if start <= int(row["invoice_no"]) <= end]
        if len(holding) != 1 or holding[0]["device_no"] != row["device_no"]:
            owners = [run["device_no"] for run in holding]
            yield Broken("I-3", f"{_number(row)} of device {row['device_no']} lies in segments of {owners}")
            continue
        used[holding[0]["id"]].append(row)
    segment_of = {_number(row): segment_id for segment_id, rows in used.items() for row in rows}
    for row in evidence.invoices:
        if row["state"] in NUMBERED and row["segment_id"] != segment_of.get(_number(row)):
            yield Broken("I-3", f"{_number(row)} names segment {row['segment_id']}, which does not hold its number")
    for run, start, end in runs:
        yield from _prefix(run, (start, end), used[run["id"]])


def answers_stand(evidence: Evidence) -> Iterator[Broken]:
    """I-4, I-7: whatever a caller was told is in the ledger, with the same number for ever."""
    ledger = {(row["taxpayer_id"], row["request_id"]): row for row in evidence.invoices}
    for told in evidence.answers:
        key = (told["taxpayer_id"], told["request_id"])
        row = ledger.get(key)
        if row is None:
            yield Broken("I-4", f"request {key[1]} was answered, and the ledger does not know it")
        elif told["id"] != row["id"]:
            yield Broken("I-7", f"request {key[1]} was answered with invoice {told['id']}, now it is {row['id']}")
        elif told["state"] in NUMBERED and _number(told) != _number(row):
            yield Broken("I-7", f"request {key[1]} was answered with {_number(told)}, now it is {_number(row)}")
        elif told["state"] in (*NUMBERED, "refused") and row["state"] == "waiting":
            yield Broken("I-7", f"request {key[1]} was answered {told['state']}, now it waits")
        elif (told["state"] == "refused") != (row["state"] == "refused") and told["state"] != "waiting":
            yield Broken("I-7", f"request {key[1]} was answered {told['state']}, now it is {row['state']}")


def reds_within_blue(evidence: Evidence) -> Iterator[Broken]:
    """I-8: each red names an existing blue; its reds never come to more; one red per form; ledger and journal alike."""
    voided = {_number(row) for row in evidence.journal if row["event"] == "voided"}
    ledger = {_number(row): row for row in evidence.invoices if row["state"] == "issued"}
    journal = {_number(row): row for row in _signed(evidence.journal) if _number(row) not in voided}
    for name, book in (("ledger", ledger), ("journals", journal)):
        reds = [row for row in book.values() if row["direction"] == "red"]
        yield from _beyond(name, book, reds)
        forms = Counter(row["red_form_no"] for row in reds if row.get("red_form_no"))
        yield from _repeated("I-8", f"the {name} have {{n}} red invoices by form {{key}}", forms)
    for number in ledger.keys() & journal.keys():
        if ledger[number]["direction"] == "red" and _original(ledger[number]) != _original(journal[number]):
            yield Broken("I-8", f"{number} offsets another invoice in the ledger than in the journal")
    received = {_number(row) for row in evidence.receipts}
    for number in sorted(received & journal.keys()):
        if journal[number]["direction"] == "red" and _original(journal[number]) not in received:
            yield Broken("I-8", f"{number} is at the bureau, and the blue invoice it offsets is not")


def money_adds_up(evidence: Evidence) -> Iterator[Broken]:
    """I-9: each line by the money rule, lines = totals, net + tax = gross; to the fen."""
    for row in evidence.invoices:
        if row["state"] in NUMBERED:
            name = f"{_number(row)} of request {row['request_id']}"
            try:
                yield from _money(name, row)
            except ValueError as fault:
                yield Broken("I-9", f"{name}: {fault}")


def uploaded_once(evidence: Evidence) -> Iterator[Broken]:
    """I-10: accepted by the bureau exactly once; uploaded only with the bureau's own receipt number."""
    receipts = {_number(row): row["receipt_no"] for row in evidence.receipts}
    yield from _repeated("I-10", "the bureau has {n} receipts for {key}", Counter(map(_number, evidence.receipts)))
    numbers = Counter(row["receipt_no"] for row in evidence.receipts)
    yield from _repeated("I-10", "{n} invoices have receipt {key}", numbers)
    written = [row for row in evidence.journal if row["event"] == "uploaded"]
    yield from _repeated("I-10", "the device wrote the upload of {key} {n} times", Counter(map(_number, written)))
    for row in written:
        if receipts.get(_number(row)) != row["receipt_no"]:
            yield Broken("I-10", f"the device has receipt {row['receipt_no']} for {_number(row)}, the bureau another")
    for number in sorted(receipts.keys() - {_number(row) for row in written}):
        yield Broken("I-10", f"{number} is at the bureau, and the device does not know it")
    for row in evidence.invoices:
        status, receipt = row["upload_status"], row["upload_receipt_no"]
        if row["state"] not in NUMBERED:
            if status != "not_uploaded" or receipt:
                yield Broken("I-10", f"request {row['request_id']} is {row['state']} and {status}")
        elif status == "uploaded" and (not receipt or receipt != receipts.get(_number(row))):
            yield Broken("I-10", f"{_number(row)} is uploaded with receipt {receipt}, not with the bureau's")
        elif status != "uploaded" and (receipt or _number(row) in receipts):
            yield Broken("I-10", f"{_number(row)} is at the bureau, and the ledger says {status}")


def nothing_lost(evidence: Evidence) -> Iterator[Broken]:
    """I-12: orders taken in = issued + voided + refused with reason + waiting with reason; each in exactly one."""
    orders = Counter((row["taxpayer_id"], row["request_id"]) for row in evidence.orders)
    yield from _repeated("I-12", "request {key} was taken in {n} times", orders)
    invoices = {(row["taxpayer_id"], row["request_id"]) for row in evidence.invoices}
    for key in sorted(orders.keys() ^ invoices):
        yield Broken("I-12", f"request {key[1]}: order without invoice, or invoice without order")
    for row in evidence.invoices:
        state, name = row["state"], f"request {row['request_id']}"
        if state not in STATES:
            yield Broken("I-12", f"{name} is in no state that counts: {state}")
        elif state == "refused" and not (row["refusal"] or {}).get("code"):
            yield Broken("I-12", f"{name} is refused without a reason")
        elif state == "waiting" and not (row["open_job"] or row["waiting_reason"]):
            yield Broken("I-12", f"{name} waits, with neither a job nor a reason")


# --- parts of the promises


def _number(row: Row) -> Number:
    return Number(row["invoice_code"] or "", row["invoice_no"] or "")


def _signed(journal: list[Row]) -> list[Row]:
    return [row for row in journal if row["event"] == "issued"]


def _live_blue(row: Row) -> bool:
    return row["direction"] == "blue" and row["state"] in ("waiting", "issued") and not row["red_offset_by"]


def _original(red: Row) -> Number:
    return Number(red.get("original_code") or "", red.get("original_no") or "")


def _beyond(name: str, book: dict[Number, Row], reds: list[Row]) -> Iterator[Broken]:
    """Reds of one book without a blue one, or over it."""
    by_blue: dict[Number, list[Row]] = defaultdict(list)
    for red in reds:
        by_blue[_original(red)].append(red)
    for number, found in sorted(by_blue.items()):
        blue = book.get(number)
        if blue is None or blue["direction"] != "blue" or blue["taxpayer_id"] != found[0]["taxpayer_id"]:
            yield Broken("I-8", f"{_number(found[0])} offsets {number}, which is no blue invoice of the {name}")
            continue
        for total in TOTALS:
            offset = -sum(Decimal(red[total]) for red in found)
            if not 0 <= offset <= Decimal(blue[total]):
                yield Broken("I-8", f"the reds of {number} in the {name} come to {offset} of {blue[total]} ({total})")


def _repeated(promise: str, text: str, counted: Counter[Any]) -> Iterator[Broken]:
    for key, n in sorted(counted.items()):
        if n > 1:
            yield Broken(promise, text.format(n=n, key=key[-1] if type(key) is tuple else key))


def _missing(promise: str, one: str, ours: Iterable[Number], other: str, theirs: Iterable[Number]) -> Iterator[Broken]:
    for number in sorted(set(ours) - set(theirs)):
        yield Broken(promise, f"{number} is in the {one} and not in the {other}")
    for number in sorted(set(theirs) - set(ours)):
        yield Broken(promise, f"{number} is in the {other} and not in the {one}")


def _compared(number: Number, ledger: Row, journal: Row) -> Iterator[Broken]:
    names = (*SAME_IN_JOURNAL, "device_no", "taxpayer_id", *(["payload_hash"] if "payload_hash" in ledger else []))
    yield from _differing("I-2", number, names, ("ledger", ledger), ("journal", journal))
    ours = [{name: _text(line[name]) for name in LINE_FIELDS.values()} for line in ledger["lines"]]
    theirs = [{name: _text(line[native]) for native, name in LINE_FIELDS.items()} for line in journal["lines"]]
    if ours != theirs:
        yield Broken("I-2", f"{number}: the lines differ between ledger and journal")


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _differing(
    promise: str, number: Number, names: Iterable[str], one: tuple[str, Row], other: tuple[str, Row]
) -> Iterator[Broken]:
    for name in names:
        ours, theirs = one[1][name], other[1][name]
        if ours != theirs:
            yield Broken(promise, f"{number}: {name} is {ours} in the {one[0]}, {theirs} in the {other[0]}")


def _gaps(signed: list[Row]) -> Iterator[Broken]:
    positions: dict[str, list[int]] = defaultdict(list)
    for row in signed:
        positions[row["device_no"]].append(row["index"])
    for device_no, found in sorted(positions.items()):
        if found != list(range(1, len(found) + 1)):
            yield Broken("I-2", f"the positions in the journal of {device_no} are not 1 to {len(found)} in order")


def _overlaps(by_code: dict[str, list[tuple[Row, int, int]]]) -> Iterator[Broken]:
    for code, runs in sorted(by_code.items()):
        ordered = sorted(runs, key=lambda run: run[1:])
        for (one, _, end), (other, start, _) in itertools.pairwise(ordered):
            if start <= end:
                yield Broken("I-3", f"{code}: segments {one['id']} and {other['id']} overlap at {start:08d}")


def _prefix(run: Row, bounds: tuple[int, int], used: list[Row]) -> Iterator[Broken]:
    start, end = bounds
    name = f"segment {run['invoice_code']} {run['start_no']}-{run['end_no']} of {run['device_no']}"
    in_order = [int(row["invoice_no"]) for row in sorted(used, key=lambda row: int(row["index"]))]
    following = start + len(in_order)
    if in_order != list(range(start, following)):
        missing = sorted(set(range(start, following)) - set(in_order))
        yield Broken("I-3", f"{name}: the numbers used are not a prefix in order; missing {missing[:5]}")
    expected = f"{following:08d}" if following <= end else None
    if run["next_no"] != expected or run["left"] != end - following + 1:
        yield Broken("I-3", f"{name}: {len(in_order)} used, yet next is {run['next_no']} and {run['left']} are left")


def _fen(text: str) -> int:
    if not isinstance(text, str) or not _MONEY.fullmatch(text):
        raise ValueError(f"{text!r} is not money with two places")
    return int(text.replace(".", ""))


def _whole(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def _money(name: str, row: Row) -> Iterator[Broken]:
    net, tax, gross = (_fen(row[total]) for total in TOTALS)
    amounts = [_fen(line["amount"]) for line in row["lines"]]
    taxes = [_fen(line["tax"]) for line in row["lines"]]
    if (sum(amounts), sum(taxes)) != (net, tax):
        yield Broken("I-9", f"{name}: lines make {sum(amounts)} + {sum(taxes)} fen, totals say {net} + {tax}")
    if net + tax != gross:
        yield Broken("I-9", f"{name}: {net} + {tax} fen is not {gross}")
    for number, (line, amount, line_tax) in enumerate(zip(row["lines"], amounts, taxes, strict=True), 1):
        rate = Decimal(line["rate"])
        inclusive = _whole(Decimal(amount + line_tax) / (1 + rate)) == amount
        if row["direction"] == "red":
            # Partial reds hand the last fen of rounding on to each other, within what a device accepts.
            off = abs(line_tax - amount * rate) > LINE_TAX_TOLERANCE or amount > 0 or line_tax > 0
        else:
            off = line_tax != _whole(amount * rate) and not inclusive
        if off:
            yield Broken("I-9", f"{name}: line {number}: {line_tax} fen is not the tax of {amount} at {line['rate']}")
        if line["quantity"] and line["unit_price"]:
            product = _whole(Decimal(line["quantity"]) * Decimal(line["unit_price"]) * 100)
            # A price made from amount and quantity has at most 8 places: it may miss the amount by a fen.
            if abs(product - amount) > 1:
                yield Broken("I-9", f"{name}: line {number}: quantity × price is {product} fen, not {amount}")
        if line["nature"] == 1 and (amount >= 0 or number == 1 or row["lines"][number - 2]["nature"] != 2):
            yield Broken("I-9", f"{name}: line {number} is no discount of the line before it")


# --- reading the books


class Http:
    """GET over one kept connection."""

    def __init__(self, url: str, token: str = "") -> None:
        place = urlsplit(url)
        self._connection = http.client.HTTPConnection(place.hostname or "", place.port or 80, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **query: str) -> Any:
        """The JSON answer; OSError for any status but 200."""
        wanted = {name: value for name, value in query.items() if value}
        self._connection.request("GET", f"{path}?{urlencode(wanted)}" if wanted else path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise OSError(f"GET {path}: {answer.status} {body[:200].decode(errors='replace')}")
        return json.loads(body)

    def all(self, path: str, **query: str) -> list[Row]:
        """All pages of a list."""
        items: list[Row] = []
        cursor = ""
        while True:
            page = self.get(path, limit="1000", cursor=cursor, **query)
            items += page["items"]
            cursor = page["next"]
            if not cursor:
                return items

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


def read_ledger(api: Http, taxpayers: list[str], lines: dict[str, list[Row]]) -> tuple[list[Row], list[Row], list[Row]]:
    """Invoices with their lines, orders and segments; ``lines`` holds, by invoice id, those read before."""
    wanted = taxpayers or [""]
    invoices = [row for taxpayer in wanted for row in api.all("/v1/invoices", taxpayer_id=taxpayer)]
    for row in invoices:
        if row["state"] in NUMBERED and row["id"] not in lines:
            lines[row["id"]] = api.get(f"/v1/invoices/{row['id']}")["lines"]
        row["lines"] = lines.get(row["id"], [])
    orders = [row for taxpayer in wanted for row in api.all("/v1/orders", taxpayer_id=taxpayer)]
    segments = [row for taxpayer in wanted for row in api.all("/v1/segments", taxpayer_id=taxpayer)]
    return invoices, orders, segments


def read_journals(folder: Path, taxpayers: list[str]) -> list[Row]:
    """All lines of all devices' journals in order, of these taxpayers if any are named."""
    rows = [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_bytes().splitlines()]
    if not taxpayers:
        return rows
    ours = {_number(row) for row in _signed(rows) if row["taxpayer_id"] in taxpayers}
    return [row for row in rows if _number(row) in ours]


def read_receipts(bureau: Http, taxpayers: list[str]) -> list[Row]:
    """The bureau's receipts, of these taxpayers if any are named."""
    return [row for taxpayer in taxpayers or [""] for row in bureau.get("/receipts", taxpayer_id=taxpayer)]


def token_of(text: str) -> str:
    """The token itself, or the one in a file: its only line, or of a JSON object a reader's."""
    path = Path(text)
    if len(text) < 256 and path.is_file():
        text = path.read_text(encoding="utf-8").strip()
        if text.startswith("{"):
            tokens = json.loads(text)
            text = tokens.get("auditor") or tokens["admin"]
    return text


def main(argv: list[str]) -> int:
    """Read, check, tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("--api", "--token", "--bureau"):
        parser.add_argument(name, required=True)
    parser.add_argument("--journals", required=True, type=Path)
    parser.add_argument("--taxpayers", nargs="*", default=[])
    parser.add_argument("--answers", type=Path, help="JSON lines: invoices as callers were told of them")
    asked = parser.parse_args(argv)
    try:
        ledger = read_ledger(Http(asked.api, token_of(asked.token)), asked.taxpayers, {})
        journal = read_journals(asked.journals, asked.taxpayers)
        receipts = read_receipts(Http(asked.bureau), asked.taxpayers)
        told = asked.answers.read_text(encoding="utf-8").splitlines() if asked.answers else []
    except (OSError, ValueError, KeyError) as fault:
        print(f"cannot be read: {fault!r}", file=sys.stderr)
        return 2
    evidence = Evidence(*ledger, journal, receipts, [json.loads(line) for line in told])
    broken = check(evidence)
    for promise, text in broken:
        print(f"{promise} broken: {text}")
    signed = len(_signed(journal))
    print(f"{len(evidence.invoices)} invoices in the ledger, {signed} in the journals, {len(receipts)} at the bureau, "
          f"{len(evidence.segments)} segments: {len(broken)} promises broken")  # fmt: skip
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
