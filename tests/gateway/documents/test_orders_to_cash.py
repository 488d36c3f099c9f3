"""The whole way of an order, document by document."""

from __future__ import annotations

from decimal import Decimal

from edi_gateway.marketplace.fulfilment import OrderState
from edi_gateway.store.business import InvoiceRow, InvoiceState, StockLevelRow
from edi_gateway.store.documents import MessageState
from edi_gateway.store.transmissions import TransmissionState
from tests.gateway.documents.desk import Desk, desadv, invoic, invrpt, partial

D = Decimal


def test_an_order_becomes_orders(desk: Desk) -> None:
    desk.place()
    (text,) = desk.sent()
    assert "UNB+UNOC:3+3760000000017:14+3760000001014:14+" in text
    assert "BGM+220+MP4K7QX1+9'" in text
    assert "LIN+2++3760123450027:EN'" in text
    assert desk.order().state is OrderState.EMITTED
    assert ("dispatch", "vendor", None) in desk.woken


def test_the_answer_changes_the_order_and_is_acknowledged(desk: Desk) -> None:
    desk.place()
    identifier = desk.arrive(partial())
    assert desk.transmission(identifier).state is TransmissionState.UNPACKED
    (message,) = desk.received("ORDRSP")
    assert (message.state, desk.findings(message)) == (MessageState.APPLIED, [])
    one, two, three = desk.order().lines
    assert (one.confirmed, two.confirmed, two.backordered, three.rejected) == (10, 6, 2, 4)
    (answer,) = desk.sent("CONTRL")
    assert "UCI+VEN0001+3760000001014:14+3760000000017:14+7'" in answer


def test_from_stock_to_a_matched_invoice(desk: Desk) -> None:
    desk.arrive(invrpt())
    desk.place()
    desk.arrive(partial())
    (first, second) = desk.rows(StockLevelRow)
    assert (first.actual, first.committed, first.reserved) == (148, 10, 10)
    assert second.reserved == 6
    desk.arrive(desadv())
    assert desk.order().state is OrderState.PARTIALLY_SHIPPED
    (first, _) = desk.rows(StockLevelRow)
    assert (first.reserved, first.despatched) == (0, 10)
    desk.arrive(invoic())
    (invoice,) = desk.rows(InvoiceRow)
    assert invoice.state is InvoiceState.MATCHED
    assert [line.invoiced for line in desk.order().lines] == [10, 6, 0]
    assert (invoice.net, invoice.vat, invoice.total) == (D("245.00"), D("49.00"), D("294.00"))
    kinds = [event.kind for event in desk.shop_events()]
    assert kinds == [
        "payment.refund_requested",
        "stock.reserved",
        "stock.released",
        "payment.capturable",
    ]
