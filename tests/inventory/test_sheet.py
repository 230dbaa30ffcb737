"""Rows of table files: typed strictly, faults by line and column, and what is written reads back as it was."""

import io
import unicodedata
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.cell import letters
from inventory.sheet import read_rows, read_sheet
from inventory.sheet_writer import write_csv, write_xlsx
from tests.inventory.workbooks import COLUMNS, HEADER, csv, edited, replaced, sheet_of, xlsx


def found(sheet):
    return [(fault.place, fault.code) for fault in sheet.faults]


def test_a_sound_row_has_typed_values():
    row = ["91990000MA0001843A", "甲公司", 8443, 0.1, date(2026, 11, 22), "一般"]
    sheet = read_sheet(xlsx(row), COLUMNS)
    assert sheet.faults == ()
    assert dict(sheet.rows[0].values) == {
        "tax_id": "91990000MA0001843A",
        "name": "甲公司",
        "port": 8443,
        "limit": Decimal("0.1"),
        "since": date(2026, 11, 22),
        "kind": "general",
    }
    assert sheet.rows[0].line == 2


@pytest.mark.parametrize(
    ("line", "place", "code"),
    [
        (",甲", "A2", "required"),
        ("1,", "B2", "required"),
        ("1,=1+1", "B2", "formula"),
        ("1," + "长" * 101, "B2", "too_long"),
        ('1,"a\tb"', "B2", "control_character"),
        ('1,"a\nb"', "B2", "control_character"),
        ("1,a\x1b[31mb", "B2", "control_character"),
        ("1,a\u2028b", "B2", "control_character"),
        ("1,甲,8443.5", "C2", "not_an_integer"),
        ("1,甲,８４４３", "C2", "not_an_integer"),
        ("1,甲,1_000", "C2", "not_an_integer"),
        ("1,甲,,1e400", "D2", "not_a_number"),
        ("1,甲,,NaN", "D2", "not_a_number"),
        ("1,甲,,Infinity", "D2", "not_a_number"),
        ("1,甲,,,2026-02-30", "E2", "not_a_date"),
        ("1,甲,,,22.11.2026", "E2", "not_a_date"),
        ("1,甲,,,,大", "F2", "not_a_choice"),
        ("1,甲,,,,,多", "G2", "no_column"),
    ],
)
def test_each_fault_is_named_by_its_cell(line, place, code):
    sheet = read_sheet(csv(line, "2,乙"), COLUMNS)
    assert found(sheet) == [(place, code)]
    assert [row.values["name"] for row in sheet.rows] == ["乙"]


@pytest.mark.parametrize(
    ("cell", "column", "code"),
    [
        (12345678901234567890, "A", "store_as_text"),
        (123, "A", "store_as_text"),
        (1234567890123456, "B", "store_as_text"),
        (True, "B", "not_text"),
        ("=SUM(A1:A2)", "B", "formula"),
        ("=1+1", "C", "formula"),
        (date(2026, 1, 1), "B", "not_text"),
        (date(2026, 1, 1), "C", "not_an_integer"),
        (20261122, "E", "not_a_date"),
    ],
)
def test_a_number_where_a_text_must_stand_is_never_rounded(cell, column, code):
    row = ["1", "甲", None, None, None, None]
    row["ABCDEF".index(column)] = cell
    sheet = read_sheet(xlsx(row), COLUMNS)
    assert found(sheet) == [(f"{column}2", code)]


def test_an_error_value_is_a_fault():
    data = edited(xlsx(["1", "甲", 7]), "xl/worksheets/sheet1.xml", '<c r="C2" t="n">', '<c r="C2" t="e">')
    assert found(read_sheet(data, COLUMNS)) == [("C2", "error_value")]


def test_all_faults_of_a_file_are_found_at_once():
    sheet = read_sheet(csv(",", "x,=1,y,z", "3,丙"), COLUMNS)
    assert found(sheet) == [("B3", "formula"), ("C3", "not_an_integer"), ("D3", "not_a_number")]
    assert [row.line for row in sheet.rows] == [4]


@pytest.mark.parametrize(
    ("header", "faults"),
    [
        (["税号", "名城"], [("B1", "unknown_column", "名称"), ("", "missing_column", "名称")]),
        (["税号", "名称", "名称"], [("C1", "double_column", "")]),
        (["名称"], [("", "missing_column", "税号")]),
        (["税号", "名称", "zzz"], [("C1", "unknown_column", "")]),
    ],
)
def test_a_wrong_header_stops_the_file_with_a_hint(header, faults):
    sheet = read_sheet(xlsx(["1", "甲"], header=header), COLUMNS)
    assert [(fault.place, fault.code, fault.detail) for fault in sheet.faults] == faults
    assert sheet.rows == ()


def test_titles_may_be_english_or_the_name_in_any_order():
    sheet = read_sheet(b"\xef\xbb\xbfname, TAX ID \n\xe7\x94\xb2,007\n", COLUMNS)
    assert sheet.rows[0].values["tax_id"] == "007" and sheet.rows[0].values["name"] == "甲"


def test_gbk_as_a_chinese_spreadsheet_saves_it():
    assert read_sheet(csv("1,深圳公司").decode().encode("gb18030"), COLUMNS).rows[0].values["name"] == "深圳公司"


def test_lines_are_those_the_operator_sees():
    data = xlsx(["1", "甲"], [None] * 6, ["", "乙"])
    assert found(read_sheet(data, COLUMNS)) == [("A4", "required")]
    text = csv('1,"甲"', "", ",乙")
    assert found(read_sheet(text, COLUMNS)) == [("A4", "required")]


@pytest.mark.parametrize("shown", ["2026-11-22", "2026/11/22", "2026-11-22 08:00:00"])
def test_dates_may_be_text(shown):
    assert read_sheet(csv(f"1,甲,,,{shown}"), COLUMNS).rows[0].values["since"] == date(2026, 11, 22)


def test_dates_of_a_workbook_that_counts_from_1904():
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    data = xlsx(["1", "甲", None, None, date(2026, 11, 22)], book=book)
    assert read_sheet(data, COLUMNS).rows[0].values["since"] == date(2026, 11, 22)


def test_a_workbook_with_a_table_of_texts_and_spoken_hints():
    texts = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>税号</t></si><si><t>名称</t></si>'
        "<si><t>0007</t></si><si><r><t>甲</t></r><r><t>公司</t></r><rPh><t>jia</t></rPh></si></sst>"
    )
    rows = '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row><row><c t="s"><v>2</v></c><c t="s"><v>3</v></c></row>'
    data = replaced(xlsx(), {"xl/sharedStrings.xml": texts, "xl/worksheets/sheet1.xml": sheet_of(rows)})
    assert read_sheet(data, COLUMNS).rows[0].values["name"] == "甲公司"
    assert read_sheet(data, COLUMNS).rows[0].values["tax_id"] == "0007"


def test_the_first_visible_sheet_is_read():
    book = openpyxl.Workbook()
    book.active.title = "hidden"
    book.active.sheet_state = "hidden"
    shown = book.create_sheet("data")
    shown.append(HEADER)
    shown.append(["1", "甲"])
    out = io.BytesIO()
    book.save(out)
    assert len(read_sheet(out.getvalue(), COLUMNS).rows) == 1


ROWS = [
    {"tax_id": "00000000000000000000", "name": "=1+1", "kind": "small"},
    {"tax_id": "91990000MA0001843A", "name": "@甲", "port": -1, "limit": Decimal("-5.00"), "since": date(2026, 2, 28)},
    {"tax_id": "+86", "name": "'=quoted"},
    {"tax_id": "-1", "name": "＝１＋１"},
    {"tax_id": "''@", "name": "_x0041_ and x005F_"},
]


@pytest.mark.parametrize("write", [write_xlsx, write_csv])
def test_a_written_table_reads_back_the_same(write):
    out = io.BytesIO()
    write(out, COLUMNS, ROWS)
    sheet = read_sheet(out.getvalue(), COLUMNS)
    assert sheet.faults == ()
    assert [{k: v for k, v in row.values.items() if v is not None} for row in sheet.rows] == ROWS


CANONICAL = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn", "Co"]), min_size=1, max_size=20
)


@settings(max_examples=60, deadline=None)
@given(st.lists(CANONICAL, min_size=1, max_size=5))
def test_any_text_reads_back_as_its_one_form(texts):
    rows = [{"tax_id": "1", "name": text} for text in texts]
    wanted = [unicodedata.normalize("NFC", text).strip(" \u3000\u00a0") or None for text in texts]
    for write in (write_xlsx, write_csv):
        out = io.BytesIO()
        write(out, COLUMNS, rows)
        assert [row.values["name"] for row in read_rows(out.getvalue(), COLUMNS)] == wanted


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "'=1"])
def test_no_written_cell_is_a_formula(text):
    out = io.BytesIO()
    write_xlsx(out, COLUMNS, [{"tax_id": text, "name": text}])
    sheet = openpyxl.load_workbook(io.BytesIO(out.getvalue())).active
    assert {cell.data_type for cell in sheet[2] if cell.value is not None} == {"s"}
    assert all(cell.quotePrefix for cell in sheet[2] if cell.value is not None)
    out = io.BytesIO()
    write_csv(out, COLUMNS, [{"tax_id": text, "name": text}])
    assert out.getvalue().decode("utf-8-sig").splitlines()[1].lstrip('"').startswith("'")


def test_writing_never_fails_on_control_characters():
    out = io.BytesIO()
    write_xlsx(out, COLUMNS, [{"tax_id": "1", "name": "".join(map(chr, range(32))) + "\x7f\x85\ud800"}])
    write_csv(out, COLUMNS, [{"tax_id": "1", "name": "\x00\ud800"}])


def test_column_letters():
    assert [letters(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
