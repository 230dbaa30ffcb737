"""Rows of the first sheet of an xlsx file, read as a stream and counted while unpacking.

The file is hostile until read to its end: nothing is extracted, no document type or entity is allowed, macros, links to
other files and embedded files are refused, and sizes are those met while reading, not those the file claims.
"""

from __future__ import annotations

import posixpath
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import IO
from xml.parsers import expat

from inventory.cell import Limits, RawRow, SheetRefused
from inventory.workbook_parts import Links, Part, SheetCells, Styles, Texts, WorkbookIndex

_CHUNK = 64 * 1024
_MEBIBYTE = 1024 * 1024
_DEEPEST = 64
_ENCRYPTED = 0x1
_INDEX = "xl/workbook.xml"
_HARMLESS = re.compile(r"xl/printersettings/[^/]*\.bin\Z")
_MACROS = re.compile(r".*vbaproject|xl/macrosheets/")
_EMBEDDED = re.compile(r"xl/(embeddings|activex|ctrlprops)/|.*\.(zip|xls[xmb]?|docx?|exe|bin|ole)\Z")


def rows(data: bytes, limits: Limits) -> Iterator[RawRow]:
    """The rows that are not empty, with the numbers the sheet shows. Raises SheetRefused."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            yield from _Package(archive, limits).rows()
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError) as error:
        raise SheetRefused("not_a_sheet") from error
    except (NotImplementedError, RuntimeError) as error:  # a compression or encryption the library does not know
        raise SheetRefused("bad_content", "compression") from error
    except expat.ExpatError as error:
        raise SheetRefused("bad_content", "xml") from error


class _Package:
    """The parts of one file, unpacked under one common limit."""

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive = archive
        self._limits = limits
        self._left = limits.unpacked_bytes
        members = archive.infolist()
        if len(members) > limits.parts:
            raise SheetRefused("bad_content", "parts")
        for member in members:
            _inspect(member)
        self._names = {member.filename for member in members}
        if _INDEX not in self._names:
            raise SheetRefused("not_a_sheet")

    def rows(self) -> Iterator[RawRow]:
        """The first visible sheet's rows."""
        index = WorkbookIndex()
        self._read(_INDEX, index)
        links = Links()
        self._read("xl/_rels/workbook.xml.rels", links)
        if links.external:
            raise SheetRefused("external_links")
        sheet = links.targets.get(index.first_sheet)
        if sheet is None:
            raise SheetRefused("not_a_sheet")
        texts, styles = Texts(self._limits.texts), Styles()
        self._read_if_there("xl/sharedStrings.xml", texts, self._limits.text_bytes)
        self._read_if_there("xl/styles.xml", styles, _MEBIBYTE * 8)
        cells = SheetCells(texts.texts, styles.dates, index.dates_from_1904, self._limits)
        for _ in self._stream(_path(sheet), cells, self._left):
            yield from cells.take()

    def _read_if_there(self, name: str, part: Part, most: int) -> None:
        if name in self._names:
            for _ in self._stream(name, part, most):
                pass

    def _read(self, name: str, part: Part) -> None:
        if name not in self._names:
            raise SheetRefused("not_a_sheet")
        self._read_if_there(name, part, _MEBIBYTE * 8)

    def _stream(self, name: str, part: Part, most: int) -> Iterator[None]:
        """Feed one part to its reader, pausing after each chunk."""
        if name not in self._names:
            raise SheetRefused("not_a_sheet")
        parser = _parser(part)
        seen = 0
        with self._archive.open(name) as source:
            while chunk := _unpacked(source):
                seen += len(chunk)
                self._left -= len(chunk)
                self._weigh(name, seen, most)
                parser.Parse(chunk, False)
                if seen - parser.CurrentByteIndex > _MEBIBYTE:
                    raise SheetRefused("bad_content", f"{name}: one element fills everything")
                yield
            parser.Parse(b"", True)
            yield

    def _weigh(self, name: str, seen: int, most: int) -> None:
        packed = max(1, self._archive.getinfo(name).compress_size)
        if seen > most or self._left < 0 or (seen > _MEBIBYTE and seen / packed > self._limits.ratio):
            raise SheetRefused("unpacks_too_large", name)


def _inspect(member: zipfile.ZipInfo) -> None:
    """Refuse a part by its name or kind, before anything of it is read."""
    name = member.filename
    if name.startswith("/") or "\\" in name or ".." in name.split("/") or not name.isprintable():
        raise SheetRefused("bad_name")
    if member.header_offset < 0:  # a damaged index: the library would look for the part before the file begins
        raise SheetRefused("not_a_sheet")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise SheetRefused("bad_name", "link")
    if member.flag_bits & _ENCRYPTED:
        raise SheetRefused("encrypted")
    lower = name.lower()
    if _MACROS.match(lower):
        raise SheetRefused("macros")
    if lower.startswith("xl/externallinks/"):
        raise SheetRefused("external_links")
    if _EMBEDDED.match(lower) and not _HARMLESS.match(lower):
        raise SheetRefused("embedded_file")


def _unpacked(source: IO[bytes]) -> bytes:
    try:
        return source.read(_CHUNK)
    except zlib.error as error:
        raise SheetRefused("bad_content", "compression") from error


def _path(target: str) -> str:
    """Where a relation of the workbook leads, inside the package."""
    path = posixpath.normpath(target[1:] if target.startswith("/") else "xl/" + target)
    if path.startswith(".."):
        raise SheetRefused("bad_name")
    return path


def _parser(part: Part) -> expat.XMLParserType:
    depth = 0

    def begin(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise SheetRefused("bad_content", "nested too deep")
        part.begin(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        part.end(tag)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_document_type
    parser.EntityDeclHandler = _no_document_type
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = part.text
    return parser


def _no_document_type(*_: object) -> None:
    raise SheetRefused("document_type")
