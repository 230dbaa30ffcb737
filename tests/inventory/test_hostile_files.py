"""Files made to harm are refused by name, in time, and never crash the reader."""

import contextlib
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.cell import Limits, SheetRefused
from inventory.sheet import read_sheet
from tests.inventory.workbooks import COLUMNS, HEADER, csv, replaced, sheet_of, xlsx

GOOD = xlsx(["1", "甲"])
SHEET = "xl/worksheets/sheet1.xml"
BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><worksheet>&b;</worksheet>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet>&a;</worksheet>'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "no_header"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "old_format"),
        (b"PK\x03\x04 not a zip", "not_a_sheet"),
        (GOOD[:-30], "not_a_sheet"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "unknown_encoding"),
        (b'a,"b\nc', "bad_content"),
        (replaced(GOOD, {"xl/vbaProject.bin": b"x"}), "macros"),
        (replaced(GOOD, {"xl/externalLinks/externalLink1.xml": b"<x/>"}), "external_links"),
        (replaced(GOOD, {"xl/embeddings/book.xlsx": GOOD}), "embedded_file"),
        (replaced(GOOD, {"inner.zip": GOOD}), "embedded_file"),
        (replaced(GOOD, {"../../etc/cron": b"x"}), "bad_name"),
        (replaced(GOOD, {"/etc/cron": b"x"}), "bad_name"),
        (replaced(GOOD, {"xl/link": b"/etc/passwd"}, 0o120777 << 16), "bad_name"),
        (replaced(GOOD, {SHEET: BOMB}), "document_type"),
        (replaced(GOOD, {SHEET: OUTSIDE}), "document_type"),
        (replaced(GOOD, {SHEET: BOMB.encode("utf-16")}), "document_type"),
        (replaced(GOOD, {SHEET: b"\xff<worksheet/>"}), "bad_content"),
        (replaced(GOOD, {SHEET: sheet_of('<row r="1"><c r="A1" t="s"><v>99</v></c></row>')}), "bad_content"),
        (replaced(GOOD, {SHEET: sheet_of('<row r="2"/><row r="1"/>')}), "bad_content"),
        (replaced(GOOD, {SHEET: sheet_of('<row r="1"><c r="A2"/></row>')}), "bad_content"),
        (replaced(GOOD, {SHEET: sheet_of('<row r="1"><c r="XFD1"><v>1</v></c></row>')}), "too_wide"),
        (replaced(GOOD, {SHEET: sheet_of("<row/>" * 1_048_576)}), "too_many_rows"),
        (replaced(GOOD, {SHEET: "<a>" * 2_000_000}), "bad_content"),
        (replaced(GOOD, {SHEET: '<a b="' + "x" * 3_000_000}), "unpacks_too_large"),
        (
            replaced(GOOD, {SHEET: sheet_of('<row r="1"><c t="str"><v>' + "x" * 40_000 + "</v></c></row>")}),
            "bad_content",
        ),
        (replaced(GOOD, {SHEET: sheet_of(" " * 30_000_000)}), "unpacks_too_large"),
        (
            replaced(GOOD, {"xl/sharedStrings.xml": "<sst>" + "<si><t>ab</t></si>" * 1_100_000 + "</sst>"}),
            "too_many_texts",
        ),
        (replaced(GOOD, {f"xl/part{n}.xml": b"" for n in range(1_000)}), "bad_content"),
    ],
)
def test_hostile_files_are_refused_in_time(data, code):
    began = time.process_time()  # of this process: others may keep the machine busy
    with pytest.raises(SheetRefused) as caught:
        read_sheet(data, COLUMNS, Limits(ratio=10**6) if code == "too_many_rows" or code == "too_many_texts" else None)
    assert caught.value.code == code
    assert time.process_time() - began < 2


def test_an_encrypted_part_is_refused():
    flagged = bytearray(GOOD)
    for match in re.finditer(b"PK\x01\x02", GOOD):
        flagged[match.start() + 8] |= 1
    with pytest.raises(SheetRefused) as caught:
        read_sheet(bytes(flagged), COLUMNS)
    assert caught.value.code == "encrypted"


def test_a_file_over_the_size_limit_is_not_even_opened():
    with pytest.raises(SheetRefused) as caught:
        read_sheet(b"x" * 11, COLUMNS, Limits(file_bytes=10))
    assert caught.value.code == "too_large"


@pytest.mark.parametrize("rows", [3, 4])
def test_exactly_so_many_rows_are_taken(rows):
    limits = Limits(rows=3)
    for data in (csv(*["1,甲"] * rows), xlsx(*[["1", "甲"]] * rows)):
        if rows == 3:
            assert len(read_sheet(data, COLUMNS, limits).rows) == 3
        else:
            with pytest.raises(SheetRefused):
                read_sheet(data, COLUMNS, limits)


def test_a_part_said_to_lie_before_the_file_is_refused() -> None:
    index = GOOD.index(b"PK\x01\x02")
    end = GOOD.rindex(b"PK\x05\x06")
    start = int.from_bytes(GOOD[end + 16 : end + 20], "little")
    assert start == index
    # The end record claims an index farther on than it lies, so every part's place is counted below zero.
    damaged = GOOD[: end + 16] + (start + 0x10000).to_bytes(4, "little") + GOOD[end + 20 :]
    with pytest.raises(SheetRefused) as refused:
        read_sheet(damaged, COLUMNS)
    assert refused.value.code == "not_a_sheet"


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8))
def test_a_damaged_workbook_is_read_or_refused_but_never_crashes(at, junk):
    data = GOOD[:at] + junk + GOOD[at + len(junk) :]
    with contextlib.suppress(SheetRefused):
        read_sheet(data, COLUMNS)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    for hostile in (data, HEADER[0].encode() + b"," + HEADER[1].encode() + b"\n" + data):
        with contextlib.suppress(SheetRefused):
            read_sheet(hostile, COLUMNS)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='<>/rcvtfis="A1 09&x;-', max_size=120))
def test_any_markup_is_read_or_refused(rows):
    with contextlib.suppress(SheetRefused):
        read_sheet(replaced(GOOD, {SHEET: sheet_of(rows)}), COLUMNS)
