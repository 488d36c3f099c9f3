"""The whole way of an order, document by document."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from edi_gateway.marketplace.fulfilment import OrderState
from edi_gateway.store.business import InvoiceRow, InvoiceState, StockLevelRow
from edi_gateway.store.documents import MessageState
from edi_gateway.store.transmissions import TransmissionState
from tests.gateway.documents.desk import Desk, a_partnership, desadv, invoic, invrpt, ordrsp, partial

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


def without_currency(text: str) -> str:
    """The interchange of one message without its CUX."""
    head, _, tail = text.partition("CUX+2:EUR:")
    tail = tail.partition("'")[2]
    return head + re.sub(r"UNT\+(\d+)", lambda unt: f"UNT+{int(unt[1]) - 1}", tail)


def test_an_invoice_and_an_answer_without_a_currency_are_in_that_of_the_order(desk: Desk) -> None:
    desk.place()
    desk.arrive(without_currency(partial()))
    (answer,) = desk.received("ORDRSP")
    assert (answer.state, desk.findings(answer), answer.record["currency"]) == (MessageState.APPLIED, ["B658"], "EUR")
    desk.arrive(desadv())
    desk.arrive(without_currency(invoic()))
    (message,) = desk.received("INVOIC")
    assert (message.record["currency"], desk.findings(message)) == ("EUR", ["B658"])
    (invoice,) = desk.rows(InvoiceRow)
    assert (invoice.state, invoice.currency) == (InvoiceState.MATCHED, "EUR")


def test_the_order_comes_before_the_currency_that_was_agreed(desk: Desk) -> None:
    vendor = a_partnership()
    desk.agree(replace(vendor, habits=replace(vendor.habits, currency="USD")))
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    desk.arrive(without_currency(invoic()))
    desk.arrive(without_currency(invoic("VEN0004", order="UNKNOWN", number="FA-2")))
    known, unknown = desk.received("INVOIC")
    assert (known.record["currency"], "B658" in desk.findings(known)) == ("EUR", True)
    assert (unknown.record["currency"], "B657" in desk.findings(unknown)) == ("USD", True)


def test_an_invoice_without_a_currency_for_an_order_that_nobody_knows_is_refused(desk: Desk) -> None:
    desk.arrive(without_currency(invoic(order="UNKNOWN")))
    (message,) = desk.received("INVOIC")
    assert (message.record, "B650" in desk.findings(message)) == (None, True)


def test_an_answer_without_prices_needs_no_currency(desk: Desk) -> None:
    desk.place()
    desk.arrive(without_currency(ordrsp("27")))
    (message,) = desk.received("ORDRSP")
    assert desk.findings(message) == []
