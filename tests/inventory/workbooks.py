"""Workbooks for tests: made by another program, or changed part by part."""

import io
import zipfile

import openpyxl

from inventory.sheet import Column

COLUMNS = (
    Column("tax_id", ("税号", "Tax id"), "id", required=True, longest=20),
    Column("name", ("名称",), required=True, longest=100),
    Column("port", ("端口",), "integer"),
    Column("limit", ("限额",), "decimal"),
    Column("since", ("日期",), "date"),
    Column("kind", ("类别",), "choice", choices={"一般": "general", "小规模": "small"}),
)
HEADER = [column.titles[0] for column in COLUMNS]


def xlsx(*rows, header=HEADER, book=None):
    """A workbook as another program writes it: cells typed by openpyxl, not by us."""
    book = book or openpyxl.Workbook()
    sheet = book.active
    for row in (header, *rows):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def csv(*lines):
    return "\r\n".join([",".join(HEADER), *lines]).encode()


def replaced(data, parts, attributes=None):
    """The workbook with parts replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = attributes or 0
            new.writestr(info, content)
    return out.getvalue()


def edited(data, part, old, new):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        text = archive.read(part).decode()
    assert old in text
    return replaced(data, {part: text.replace(old, new)})


def sheet_of(rows):
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
