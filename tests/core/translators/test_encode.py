"""What is written, and what cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from edi_gateway.edifact.verdict import MessageHeader
from edi_gateway.edifact.writer import write_segment
from edi_gateway.marketplace.inventory import InventoryItem, InventoryReport
from edi_gateway.marketplace.invoice import BankAccount, Invoice, InvoiceLine, InvoiceTotals
from edi_gateway.marketplace.order import Order, OrderLine
from edi_gateway.marketplace.parties import ItemIdentity, Note, Party, PartyRole, Period
from edi_gateway.marketplace.shipment import Package, Packing, Shipment
from edi_gateway.translators import MESSAGE_TYPES, EncodeContext, NotWritable, translator

BUYER = Party(role=PartyRole.BUYER, identifier="3760000000017", agency="9")
LINE = OrderLine(number=1, item=ItemIdentity(gtin="3760123450010"), quantity=Decimal(10))
ORDER = Order(number="PO1", issued=date(2026, 11, 22), currency="EUR", parties=(BUYER,), lines=(LINE,))
INVOICE = Invoice(
    number="FA1",
    issued=date(2026, 11, 26),
    currency="EUR",
    parties=(BUYER,),
    lines=(InvoiceLine(number=1, item=ItemIdentity(), quantity=Decimal(1)),),
    totals=InvoiceTotals(total=Decimal("12.00")),
)
REPORT = InventoryReport(
    number="INV1", issued=date(2026, 11, 22), items=(InventoryItem(number=1, item=ItemIdentity()),)
)
SHIPMENT = Shipment(number="DA1", issued=date(2026, 11, 25), packages=(Package(number="1"),))


def written(message_type: str, record: Any, **context: Any) -> list[str]:
    found = translator(message_type)
    assert found is not None
    return [write_segment(segment) for segment in found.encode(record, EncodeContext(**context))]


def test_the_body_is_numbered_from_the_second_segment() -> None:
    found = translator("ORDERS")
    assert found is not None
    body = found.encode(ORDER, EncodeContext())
    assert [segment.position for segment in body] == list(range(2, len(body) + 2))


def test_an_order_as_it_stands_in_the_message() -> None:
    assert written("ORDERS", ORDER) == [
        "BGM+220+PO1+9'",
        "DTM+137:20261122:102'",
        "NAD+BY+3760000000017::9'",
        "CUX+2:EUR:9'",
        "LIN+1++3760123450010:EN'",
        "QTY+21:10'",
        "UNS+S'",
        "CNT+2:1'",
    ]


def test_the_directories_name_a_gtin_differently() -> None:
    assert "LIN+1++3760123450010:SRV'" in written("ORDERS", ORDER, directory="D.01B")


def test_the_directories_begin_the_stock_group_differently() -> None:
    report = replace(REPORT, items=(InventoryItem(number=1, item=ItemIdentity(), actual=Decimal(5)),))

    assert written("INVRPT", report)[-2:] == ["LIN+1'", "QTY+145:5'"]
    assert written("INVRPT", report, directory="D.01B")[-3:] == ["LIN+1'", "INV++++1'", "QTY+145:5'"]


@pytest.mark.parametrize(("directory", "pieces"), [("D.96A", 3), ("D.01B", 1)])
def test_a_long_description_is_cut_where_the_directory_asks(directory: str, pieces: int) -> None:
    line = replace(LINE, description="Théière émaillée de très grande contenance avec coffret, notice et ruban")

    found = written("ORDERS", replace(ORDER, lines=(line,)), directory=directory)

    texts = [text for segment in found if segment.startswith("IMD") for text in segment.rstrip("'").split(":")[3:]]
    assert len(texts) == pieces
    assert all(len(text) <= (35 if directory == "D.96A" else 256) for text in texts)


def test_a_long_region_is_written_by_name_where_the_directory_can() -> None:
    order = replace(ORDER, parties=(replace(BUYER, region="Centre-Val de Loire"),))

    assert "NAD+BY+3760000000017::9+++++:::Centre-Val de Loire'" in written("ORDERS", order, directory="D.01B")


def test_a_note_of_many_lines_goes_on_in_the_next_segment() -> None:
    order = replace(ORDER, notes=(Note(subject="AAI", text=tuple("abcdef")),))

    assert [text for text in written("ORDERS", order) if text.startswith("FTX")] == [
        "FTX+AAI+++a:b:c:d:e'",
        "FTX+AAI+++f'",
    ]


REFUSED: list[tuple[str, Any, str]] = [
    ("ORDERS", replace(ORDER, parties=(replace(BUYER, name="x" * 176),)), "parties[0]/name"),
    ("ORDERS", replace(ORDER, parties=(replace(BUYER, street=("a", "b", "c", "d", "e")),)), "parties[0]/street"),
    ("INVOIC", replace(INVOICE, totals=InvoiceTotals()), "totals"),
    ("INVOIC", replace(INVOICE, period=Period(start=date(2026, 11, 11))), "period"),
    ("INVOIC", replace(INVOICE, parties=(), account=BankAccount(iban="FR76")), "account"),
    ("INVOIC", replace(INVOICE, account=BankAccount(iban="FR76", holder="x" * 71)), "parties[0]/account/holder"),
    ("INVRPT", replace(REPORT, items=(replace(REPORT.items[0], unit_price=Decimal(1)),)), "items[0]/unit_price"),
    ("DESADV", replace(SHIPMENT, packages=(), notes=(Note(subject="AAI", text=("a",)),)), "notes"),
    ("DESADV", replace(SHIPMENT, packages=(Package(number="1", further=(Packing(count=1),)),)), "packages[0]/further"),
]


@pytest.mark.parametrize(("message_type", "record", "path"), REFUSED, ids=[path for *_, path in REFUSED])
def test_what_the_message_cannot_carry_is_refused_with_its_place(message_type: str, record: Any, path: str) -> None:
    with pytest.raises(NotWritable) as caught:
        written(message_type, record)
    assert caught.value.path == path
    assert caught.value.why


@pytest.mark.parametrize("message_type", MESSAGE_TYPES)
def test_only_the_directories_that_are_known_can_be_written(message_type: str) -> None:
    with pytest.raises(NotWritable, match=r"D\.93A"):
        written(message_type, ORDER, directory="D.93A")


def test_the_header_has_the_association_code_of_the_directory() -> None:
    found = translator("INVOIC")
    assert found is not None
    assert found.header("7", EncodeContext()) == MessageHeader("7", "INVOIC", "D", "96A", "UN", "EAN008")
    assert found.header("7", EncodeContext(directory="D.01B")).association == "EAN011"
    assert found.header("7", EncodeContext(association="EAN009")).association == "EAN009"


def test_there_is_no_translator_for_other_messages() -> None:
    assert translator("CONTRL") is None
    assert translator("__INIT__") is None
