"""Sheets: what French and English programs write is read; what is hostile is refused; what goes out is no formula."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from decimal import Decimal

import pytest
from openpyxl import Workbook, load_workbook

from edi_gateway.gateway import sheets
from edi_gateway.gateway.sheets import CSV_TYPE, XLSX_TYPE, Column, SheetRefused, date_of, number_of, read, write

COLUMNS = (Column("gtin", ("ean",)), Column("actual", ("stock", "quantité"), required=True), Column("place"))


def refused(data: bytes, content_type: str = CSV_TYPE) -> list[tuple[str, str]]:
    with pytest.raises(SheetRefused) as caught:
        read(data, content_type, COLUMNS)
    assert str(caught.value)
    return [(finding.code, finding.path) for finding in caught.value.findings]


def workbook(*rows: tuple) -> bytes:
    book, target = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(target)
    return target.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"ean;stock;place\r\n3760123450010;12,5;Orl\xe9ans\r\n",
        "EAN;Quantité;Place\n3760123450010;12,5;Orléans\n".encode(),
        "\ufeffean\tstock\tplace\n3760123450010\t12,5\tOrléans".encode(),
        'gtin,actual,place\n"3760123450010","12,5","Orléans"\n'.encode(),
        "quantite;ean;PLACE\n\n12,5;3760123450010;Orléans\n;;\n".encode(),
    ],
)
def test_csv_as_it_is_written(data: bytes) -> None:
    (row,) = read(data, CSV_TYPE, COLUMNS)
    assert row.cells["gtin"] == "3760123450010"
    assert number_of(row.cells["actual"]) == Decimal("12.5")
    assert row.cells["place"] == "Orléans"


def test_a_workbook_with_the_types_of_its_cells() -> None:
    rows = read(workbook(("ean", "stock", "place"), (3760123450010, 12.5, None), ("x", 3, True)), XLSX_TYPE, COLUMNS)
    assert [dict(row.cells) for row in rows] == [
        {"gtin": "3760123450010", "actual": "12.5", "place": ""},
        {"gtin": "x", "actual": "3", "place": "yes"},
    ]
    assert [row.number for row in rows] == [2, 3]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", "12"),
        ("12,5", "12.5"),
        ("1 234,50", "1234.50"),
        ("1\u202f234,50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("-3", "-3"),
        ("", None),
        ("1e5", None),
        ("NaN", None),
        ("Infinity", None),
        ("1,2,3", None),
        ("12 pièces", None),
        ("９", None),
        ("9" * 16, None),
        ("0,1234567", None),
    ],
)
def test_numbers(text: str, number: str | None) -> None:
    assert number_of(text) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("31/12/2026", date(2026, 12, 31)),
        ("1/2/2026", date(2026, 2, 1)),
        ("31.12.2026", date(2026, 12, 31)),
        ("2026-12-31", date(2026, 12, 31)),
        ("31/12/2026 18:30", datetime(2026, 12, 31, 18, 30)),  # noqa: DTZ001 - without a zone, as in the sheet
        ("12/31/2026", None),
        ("31/02/2026", None),
        ("31/12/26", None),
        ("demain", None),
        ("31/12/0000", None),
        ("31/12/2026 25:00", None),
    ],
)
def test_dates(text: str, moment: date | None) -> None:
    assert date_of(text) == moment


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", [("T160", "row 1")]),
        (b"\0\0", [("T160", "row 1")]),
        (b"stock\n\x81\n", [("T160", "row 1")]),
        (b"ean\n1\n", [("T164", "row 1/actual")]),
        (b"stock;stock\n1;1\n", [("T163", "row 1/actual")]),
        (b"stock;colour\n1;red\n", [("T162", "row 1/colour")]),
        (b"stock\n", [("T173", "row 2")]),
        (b'stock\n"1\n', [("T160", "row 2")]),
        (b"stock;place\n1;" + b"x" * 1001 + b"\n", [("T172", "row 2/place")]),
        (b"stock;place\n1;\x07\n", [("T172", "row 2/place")]),
    ],
)
def test_a_csv_that_cannot_be_taken(data: bytes, found: list[tuple[str, str]]) -> None:
    assert refused(data) == found


@pytest.mark.parametrize(("rows", "fits"), [(sheets.ROWS_MAX, True), (sheets.ROWS_MAX + 1, False)])
def test_the_bound_of_rows_on_both_sides(rows: int, fits: bool) -> None:
    data = b"stock\n" + b"1\n" * rows
    if fits:
        assert len(read(data, CSV_TYPE, COLUMNS)) == rows
    else:
        assert refused(data) == [("T161", f"row {rows + 1}")]


def repacked(change: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(("stock",), (1,)))) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in {*source.namelist(), *change}:
            archive.writestr(name, change.get(name, source.read(name) if name in source.namelist() else b""))
    return target.getvalue()


ENTITY = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet>&a;</worksheet>'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PK no zip", "T160"),
        (b"stock\n1\n", "T160"),
        (repacked({"xl/worksheets/sheet1.xml": b"<no"}), "T160"),
        (repacked({"xl/worksheets/sheet1.xml": ENTITY}), "T160"),
        (repacked({"xl/worksheets/sheet1.xml": ENTITY.decode().encode("utf-16")}), "T160"),
        (repacked({"xl/workbook.xml": b""}), "T160"),
        (repacked({"[Content_Types].xml": b"<x/>"}), "T160"),
        (repacked({"xl/media/zeros": b"\0" * (sheets.XLSX_BYTES_MAX + 1)}), "T161"),
        (repacked({f"xl/{number}": b"" for number in range(sheets.XLSX_PARTS_MAX + 1)}), "T161"),
        (workbook(("stock",), (1,))[:-30], "T160"),
    ],
    ids=["no zip", "csv", "no xml", "entity", "utf-16", "no workbook", "no types", "bomb", "parts", "cut off"],
)
def test_a_workbook_that_cannot_be_taken(data: bytes, code: str) -> None:
    assert [found for found, _ in refused(data, XLSX_TYPE)] == [code]


@pytest.mark.parametrize("content_type", [CSV_TYPE, XLSX_TYPE])
def test_what_goes_out_is_no_formula_and_comes_back_as_it_was(content_type: str) -> None:
    texts = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", '\u00e9;"x"', "-5", "'quoted"]
    data = write(("gtin", "actual"), [(text, "1") for text in texts], content_type)
    if content_type == CSV_TYPE:
        assert data.startswith(b"\xef\xbb\xbfgtin;actual\r\n'=1+1;1\r\n")
    else:
        sheet = load_workbook(io.BytesIO(data)).active
        assert all(cell.data_type == "s" for row in sheet.iter_rows() for cell in row)
        assert sheet["A2"].value == "'=1+1"
    assert [row.cells["gtin"] for row in read(data, content_type, COLUMNS)] == texts
