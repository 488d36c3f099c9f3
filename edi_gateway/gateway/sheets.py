"""Sheets of small vendors, CSV and XLSX, as rows of texts, and back.

CSV as French programs write it too: semicolons, UTF-8 with or without a byte order mark, or Windows-1252. XLSX is a
ZIP that somebody else made: its parts are counted and measured before any is opened, one that declares a document type
is refused, so no entity is expanded, and the workbook is read row by row. On the way out, a text that a spreadsheet
would take for a formula gets an apostrophe before it; on the way in that apostrophe is taken away.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from edi_gateway.edifact.findings import Finding
from edi_gateway.gateway import sheet_rules as rules

CSV_TYPE = "text/csv"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

ROWS_MAX = 20_000
COLUMNS_MAX = 60
CELL_CHARACTERS_MAX = 1_000
ERRORS_MAX = 100
XLSX_PARTS_MAX = 500
XLSX_BYTES_MAX = 64 * 1024**2
"""What all parts of a workbook come to, unpacked; a sheet of ROWS_MAX rows has a few megabytes."""

_FLOAT_MAX = 1e18  # what is larger, or no number at all, is told as it stands
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_GUARD = "'"
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,6})?", re.ASCII)
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.]([0-9]{1,2})[/.]([0-9]{4})(?: ([0-9]{1,2}):([0-9]{2}))?", re.ASCII)
_WORKBOOK_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,  # also of XML: ParseError is a SyntaxError
    SyntaxError,
    LookupError,
    TypeError,
    AttributeError,
    NotImplementedError,  # encrypted, or packed in a way that zipfile does not know
    RuntimeError,
    OSError,
    EOFError,
)
"""What reading a foreign workbook raises: openpyxl trusts its parts to be as Excel writes them."""


class SheetRefused(Exception):
    """A sheet with errors: all of them, each with its row and column in `path`."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(f"{finding.path}: {finding.text()}" for finding in findings[:ERRORS_MAX]))
        self.findings = list(findings)[:ERRORS_MAX]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, what else its heading may say, and whether it has to be there."""

    name: str
    others: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row that says something: its number in the sheet (the headings are 1) and its cells by column name."""

    number: int
    cells: Mapping[str, str]

    def path(self, column: str) -> str:
        return f"row {self.number}/{column}"


# In.


def read(data: bytes, content_type: str, columns: Sequence[Column]) -> list[Row]:
    """The rows below the headings. Raises SheetRefused with every error."""
    lines = _workbook(data) if content_type == XLSX_TYPE else _csv(data)
    headings: list[str] | None = None
    findings: list[Finding] = []
    rows: list[Row] = []
    for number, cells in lines:
        if number > ROWS_MAX + 1:
            raise SheetRefused([Finding(rules.TOO_LARGE, expected=f"{ROWS_MAX} rows", path=f"row {number}")])
        if headings is None:
            headings = _headings(cells, columns)
            continue
        texts = [_unguarded(cell.strip()) for cell in cells]
        if any(texts):
            row = Row(number, {name: text for name, text in zip(headings, texts, strict=False) if name})
            findings += _oversized(row)
            rows.append(row)
    if headings is None:
        raise SheetRefused([Finding(rules.UNREADABLE, value="it is empty", path="row 1")])
    if findings:
        raise SheetRefused(findings)
    if not rows:
        raise SheetRefused([Finding(rules.NOTHING_IN_IT, path="row 2")])
    return rows


def _oversized(row: Row) -> Iterator[Finding]:
    for name, text in row.cells.items():
        if len(text) > CELL_CHARACTERS_MAX or any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
            yield Finding(rules.CELL_TOO_LONG, expected=str(CELL_CHARACTERS_MAX), path=row.path(name))


def _headings(cells: Sequence[str], columns: Sequence[Column]) -> list[str]:
    """The column of each cell of the first row; "" for a cell that is empty. Raises SheetRefused."""
    known = {_key(text): column.name for column in columns for text in (column.name, *column.others)}
    names: list[str] = []
    findings: list[Finding] = []
    for cell in cells:
        name = known.get(_key(cell), "")
        if cell.strip() and not name:
            listed = ", ".join(column.name for column in columns)
            findings.append(Finding(rules.COLUMN_UNKNOWN, value=cell[:80], expected=listed, path=f"row 1/{cell[:80]}"))
        elif name in names and name:
            findings.append(Finding(rules.COLUMN_TWICE, value=name, path=f"row 1/{name}"))
        names.append(name)
    for column in columns:
        if column.required and column.name not in names:
            listed = ", ".join((column.name, *column.others))
            findings.append(
                Finding(rules.COLUMN_MISSING, value=column.name, expected=listed, path=f"row 1/{column.name}")
            )
    if findings:
        raise SheetRefused(findings)
    return names


def _key(text: str) -> str:
    """A heading without accents, case, blanks and marks."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in plain if c.isalnum())


def _csv(data: bytes) -> Iterator[tuple[int, list[str]]]:
    text = _decoded(data)
    first = text.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        for number, cells in enumerate(reader, 1):
            if len(cells) > COLUMNS_MAX and any(cells[COLUMNS_MAX:]):
                raise SheetRefused([Finding(rules.TOO_LARGE, expected=f"{COLUMNS_MAX} columns", path=f"row {number}")])
            yield number, cells[:COLUMNS_MAX]
    except csv.Error as error:
        raise SheetRefused([Finding(rules.UNREADABLE, value=str(error), path=f"row {reader.line_num}")]) from None


def _decoded(data: bytes) -> str:
    if b"\0" in data:
        raise SheetRefused([Finding(rules.UNREADABLE, value="it holds NUL bytes", path="row 1")])
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SheetRefused([Finding(rules.UNREADABLE, value="neither UTF-8 nor Windows-1252", path="row 1")])


def _workbook(data: bytes) -> Iterator[tuple[int, list[str]]]:
    from openpyxl import load_workbook  # slow to import, and a CSV does without

    try:
        _check_parts(data)
        workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        try:
            sheet = workbook.worksheets[0]
            sheet.reset_dimensions()  # what the file says of its size is not believed
            for number, cells in enumerate(sheet.iter_rows(max_col=COLUMNS_MAX, values_only=True), 1):
                yield number, [_cell_text(value) for value in cells]
        finally:
            workbook.close()
    except _WORKBOOK_FAULTS as error:
        shown = f"{type(error).__name__} in the workbook"
        raise SheetRefused([Finding(rules.UNREADABLE, value=shown, path="row 1")]) from None


def _check_parts(data: bytes) -> None:
    """Count and measure the parts of a workbook before it is opened. Raises SheetRefused, BadZipFile and others."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        if len(parts) > XLSX_PARTS_MAX or sum(part.file_size for part in parts) > XLSX_BYTES_MAX:
            bound = f"{XLSX_PARTS_MAX} parts or {XLSX_BYTES_MAX} bytes unpacked"
            raise SheetRefused([Finding(rules.TOO_LARGE, expected=bound, path="row 1")])
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                _check_xml(archive.read(part))


def _check_xml(part: bytes) -> None:
    """No part needs a document type; in another encoding than UTF-8 one could be hidden. Raises SheetRefused."""
    if b"<!DOCTYPE" in part or b"<!ENTITY" in part or b"\0" in part:
        raise SheetRefused([Finding(rules.UNREADABLE, value="its XML declares a document type", path="row 1")])


def _cell_text(value: Any) -> str:
    """A cell as text: numbers without an exponent, dates in ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return (
            format(Decimal(repr(value)), "f").removesuffix(".0") if value == value and abs(value) < 1e18 else str(value)
        )
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat(sep=" ", timespec="minutes")
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _unguarded(text: str) -> str:
    return text[1:] if text.startswith(_GUARD) and text[1:2] in _FORMULA else text


# Cells.


def number_of(text: str) -> Decimal | None:
    """A number in French or English writing: `1 234,50`, `1234.5`, `1.234,50`; None where it is none."""
    text = re.sub(r"[\s\u00a0\u202f]", "", text)
    decimal = max(text.rfind(","), text.rfind("."))
    if "," in text and "." in text:
        text = text[:decimal].replace(",", "").replace(".", "") + "." + text[decimal + 1 :]
    text = text.replace(",", ".")
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def date_of(text: str) -> date | datetime | None:
    """`31/12/2026`, `31/12/2026 18:30` (without a zone), `2026-12-31`; None where it is none of them."""
    if match := _DAY_FIRST.fullmatch(text):
        day, month, year, hour, minute = (int(part) if part else None for part in match.groups())
        assert day is not None and month is not None and year is not None  # noqa: S101, PT018 - the pattern has them
        try:
            return date(year, month, day) if hour is None else datetime(year, month, day, hour, minute or 0)  # noqa: DTZ001 - the caller knows the zone
        except ValueError:
            return None
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        return None


# Out.


def write(columns: Sequence[str], rows: Iterable[Sequence[str]], content_type: str) -> bytes:
    """The sheet as CSV (UTF-8 with its mark, semicolons: what Excel opens at once) or XLSX, every cell a text."""
    guarded = ([_guarded(cell) for cell in row] for row in rows)
    return _written_xlsx(columns, guarded) if content_type == XLSX_TYPE else _written_csv(columns, guarded)


def _guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula; a plain number may begin with its sign."""
    return _GUARD + text if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def _written_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return target.getvalue().encode("utf-8-sig")


def _written_xlsx(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    from openpyxl import Workbook  # slow to import, and a CSV does without
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, WriteOnlyCell

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("sheet")

    def cell(text: str) -> Any:
        made = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text))
        made.data_type = "s"  # a text, whatever it looks like
        return made

    for row in (columns, *rows):
        sheet.append([cell(text) for text in row])
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()
