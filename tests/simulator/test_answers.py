"""How the simulated vendor decides: by what is on the shelves, and by nothing else."""

from datetime import date
from decimal import Decimal

import pytest

from edi_gateway.config import Identity
from edi_gateway.marketplace.confirmation import LineAction, Remainder, ResponseCode
from edi_gateway.marketplace.identifiers import is_sscc
from edi_gateway.marketplace.inventory import InventoryItem, InventoryReport
from edi_gateway.marketplace.order import Order, OrderLine
from edi_gateway.marketplace.parties import ItemIdentity, Party, PartyRole, VatRate
from edi_gateway.simulator.answers import confirm, consignments, despatch, invoice
from edi_gateway.simulator.warehouse import Warehouse

TODAY = date(2026, 11, 22)
TEAPOT, JAM, SOLD_OUT, GONE = "3760123450010", "3760123450027", "3760123450034", "3760123450041"


@pytest.fixture
def warehouse() -> Warehouse:
    def item(number: int, gtin: str, actual: int, discontinued: bool = False) -> InventoryItem:
        return InventoryItem(
            number=number, item=ItemIdentity(gtin=gtin), actual=Decimal(actual), discontinued=discontinued
        )

    return Warehouse(
        InventoryReport(
            number="INV-1",
            issued=TODAY,
            items=(item(1, TEAPOT, 100), item(2, JAM, 6), item(3, SOLD_OUT, 0), item(4, GONE, 50, discontinued=True)),
        )
    )


def order(*lines: tuple[str, int, str]) -> Order:
    return Order(
        number="MP1",
        issued=TODAY,
        currency="EUR",
        parties=(
            Party(role=PartyRole.BUYER, identifier="3760000000017", agency="9"),
            Party(role=PartyRole.SUPPLIER, identifier="3760000001014", agency="9"),
        ),
        lines=tuple(
            OrderLine(
                number=number,
                item=ItemIdentity(gtin=gtin),
                quantity=Decimal(quantity),
                unit_price=Decimal("12.35"),
                vat=VatRate(rate=Decimal(rate)),
            )
            for number, (gtin, quantity, rate) in enumerate(lines, start=1)
        ),
    )


def test_stock_enough_is_accepted_as_ordered(warehouse: Warehouse) -> None:
    answer = confirm(order((TEAPOT, 10, "20"), (JAM, 6, "5.5")), warehouse, number="OR-1", today=TODAY)
    assert answer.response is ResponseCode.ACCEPTED
    assert [line.quantity for line in answer.lines] == [10, 6]


def test_a_short_line_is_confirmed_as_far_as_stock_goes_and_the_rest_put_on_back_order(warehouse: Warehouse) -> None:
    answer = confirm(order((JAM, 8, "5.5"), (TEAPOT, 1, "20")), warehouse, number="OR-1", today=TODAY)
    short = answer.lines[0]
    assert answer.response is ResponseCode.CHANGED
    assert (short.action, short.quantity, short.difference, short.remainder) == (
        LineAction.CHANGED,
        6,
        -2,
        Remainder.BACK_ORDER,
    )


@pytest.mark.parametrize("gtin", [SOLD_OUT, GONE, "3760123459990"], ids=["sold out", "discontinued", "unknown"])
def test_what_cannot_be_delivered_is_refused(warehouse: Warehouse, gtin: str) -> None:
    answer = confirm(order((TEAPOT, 1, "20"), (gtin, 1, "20")), warehouse, number="OR-1", today=TODAY)
    assert answer.response is ResponseCode.CHANGED
    assert [line.action for line in answer.lines] == [LineAction.ACCEPTED, LineAction.REFUSED]


def test_when_every_line_is_refused_so_is_the_order(warehouse: Warehouse) -> None:
    answer = confirm(order((SOLD_OUT, 1, "20"), (GONE, 1, "20")), warehouse, number="OR-1", today=TODAY)
    assert answer.response is ResponseCode.REFUSED


def test_what_one_order_was_promised_the_next_cannot_have(warehouse: Warehouse) -> None:
    confirm(order((JAM, 5, "5.5")), warehouse, number="OR-1", today=TODAY)
    answer = confirm(order((JAM, 5, "5.5")), warehouse, number="OR-2", today=TODAY)
    assert answer.lines[0].quantity == 1


def test_each_promised_line_ships_in_a_carton_with_its_sscc(warehouse: Warehouse) -> None:
    asked = order((TEAPOT, 10, "20"), (JAM, 8, "5.5"), (SOLD_OUT, 1, "20"))
    answer = confirm(asked, warehouse, number="OR-1", today=TODAY)
    shipment = despatch(
        asked, consignments(asked, answer)[0], number="DA-1", today=TODAY, sscc_serial=7, sscc_prefix="33760123"
    )
    cartons = shipment.packages[1:]
    assert [line.quantity for line in shipment.lines()] == [10, 6]
    assert all(is_sscc(carton.ssccs[0]) for carton in cartons)
    assert len({carton.ssccs[0] for carton in cartons}) == 2
    assert shipment.total_quantity == 16


def test_the_invoice_reckons_vat_on_the_base_of_each_rate(warehouse: Warehouse) -> None:
    asked = order((TEAPOT, 3, "20"), (JAM, 1, "5.5"), (TEAPOT, 2, "20"))
    answer = confirm(asked, warehouse, number="OR-1", today=TODAY)
    shipment = despatch(
        asked, consignments(asked, answer)[0], number="DA-1", today=TODAY, sscc_serial=1, sscc_prefix="33760123"
    )
    bill = invoice(asked, answer, shipment, Identity(name="Vendeur", gln="3760000001014"), number="FA-1", today=TODAY)
    assert [(s.vat.rate, s.base, s.amount) for s in bill.vat_breakdown] == [
        (Decimal(20), Decimal("61.75"), Decimal("12.35")),
        (Decimal("5.5"), Decimal("12.35"), Decimal("0.68")),
    ]
    assert bill.totals.total == Decimal("87.13")
