"""Goods that had not left after all, and goods that were not taken over as they left."""

from __future__ import annotations

from decimal import Decimal

from edi_gateway.gateway.exceptions import exceptions
from edi_gateway.marketplace.fulfilment import OrderState
from edi_gateway.store.business import InvoiceRow, InvoiceState, ShipmentRow, StockLevelRow
from edi_gateway.store.documents import MessageState
from tests.core.marketplace.documents import BUYER, SUPPLIER
from tests.gateway.documents.desk import Desk, desadv, interchange, invoic, invrpt, ordrsp, partial

D = Decimal


def shipped(desk: Desk) -> list[Decimal]:
    return [line.shipped for line in desk.order().lines]


def changed(function: str, *, reference: str = "VEN0040", number: str = "DA-1001", **more: int) -> str:
    """A DESADV that takes DA-1001 back, or stands in its place."""
    text = desadv(reference, number=number, **more).replace(f"+{number}+9'", f"+{number}+{function}'")
    text = text.replace("RFF+ON:MP4K7QX1'NAD", "RFF+ON:MP4K7QX1'RFF+AAK:DA-1001'NAD")
    count = text.split("UNT+")[1].split("+")[0]
    return text.replace(f"UNT+{count}+", f"UNT+{int(count) + 1}+")


def recadv(*lines: tuple[int, str, int], reference: str = "VEN0080", number: str = "RA-1", advice: bool = True) -> str:
    groups = "".join(f"LIN+{line}++{gtin}:EN'QTY+194:{quantity}'" for line, gtin, quantity in lines)
    body = (
        f"RECADV:D:96A:UN:EAN003'BGM+632+{number}+9'DTM+137:20261126:102'RFF+ON:MP4K7QX1'"
        + ("RFF+AAK:DA-1001'" if advice else "")
        + f"NAD+BY+{BUYER}::9'NAD+SU+{SUPPLIER}::9'CPS+1'{groups}"
    )
    return interchange(reference, body)


ONE, TWO = (1, "3760123450010"), (2, "3760123450027")


def listed(desk: Desk, language: str = "en") -> dict[str, str]:
    with desk.gateway.database.read() as reading:
        found = exceptions(reading.session, desk.now, limit=50, language=language)
    return {item["kind"]: item["text"] for item in found}


def test_a_cancelled_advice_has_not_left(desk: Desk) -> None:
    desk.arrive(invrpt())
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    desk.arrive(changed("1"))
    assert shipped(desk) == [0, 0, 0]
    assert desk.order().state is OrderState.PARTIALLY_CONFIRMED
    level = desk.rows(StockLevelRow)[0]
    assert (level.reserved, level.despatched) == (10, 0)
    amounts = {event.kind: event.body["total"] for event in desk.shop_events("payment.capt")}
    assert amounts == {"payment.capturable": "294.00", "payment.capture_withdrawn": "294.00"}
    (row,) = desk.rows(ShipmentRow)
    assert row.cancelled_by == desk.received("DESADV")[1].id


def test_another_advice_stands_in_its_place(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    desk.arrive(changed("4", number="DA-1002", one=8, two=6))
    assert shipped(desk) == [8, 6, 0]
    desk.arrive(changed("4", reference="VEN0041", number="DA-1001", one=9, two=6))
    assert desk.received("DESADV")[2].state is MessageState.EXCEPTION  # DA-1001 stands no more


def test_the_same_number_may_be_sent_changed(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    desk.arrive(changed("4", one=8, two=6))
    assert shipped(desk) == [8, 6, 0]
    assert [row.cancelled_by for row in desk.rows(ShipmentRow)] == [None]


def test_what_was_invoiced_is_not_taken_back(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    desk.arrive(invoic())
    desk.arrive(changed("1"))
    assert (shipped(desk), desk.findings(desk.received("DESADV")[1])) == ([10, 6, 0], ["B667"])


def test_an_unknown_advice_cannot_be_taken_back(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(changed("1"))
    assert desk.findings(desk.received("DESADV")[0]) == ["B666"]


def test_what_was_taken_over_is_what_left(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    desk.arrive(recadv((*ONE, 10), (*TWO, 6)))
    assert desk.findings(desk.received("RECADV")[0]) == []
    assert [line.received for line in desk.order().lines] == [10, 6, None]


def test_an_advice_that_names_only_the_despatch_advice(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    text = recadv((*ONE, 10)).replace("RFF+ON:MP4K7QX1'", "")
    desk.arrive(text.replace("UNT+11+", "UNT+10+"))
    assert desk.order().lines[0].received == 10


def test_less_was_taken_over_and_only_that_is_paid(desk: Desk) -> None:
    desk.place()
    desk.arrive(ordrsp("29"))
    desk.arrive(desadv(two=8))
    desk.arrive(recadv((*ONE, 9), (*TWO, 8), advice=False))
    (message,) = desk.received("RECADV")
    assert (message.state, desk.findings(message)) == (MessageState.APPLIED, ["Q720"])
    desk.arrive(invoic())
    (invoice,) = desk.rows(InvoiceRow)
    assert invoice.state is InvoiceState.MISMATCH
    assert [entry.kind.value for entry in invoice.discrepancies] == ["damaged_returned"]
    assert listed(desk)["invoice"].startswith("Invoice FA-2026-0917 does not agree: damaged_returned")


def test_one_list_of_what_waits_for_an_operator(desk: Desk) -> None:
    desk.place()
    assert listed(desk) == {}
    desk.arrive(partial().replace("PRI+AAA:12.50", "PRI+AAA:13.50"))
    desk.arrive(desadv(one=12))
    desk.arrive(recadv((*ONE, 13), advice=False))
    desk.arrive(partial("VEN0099", order="NOBODYS", number="OR-9"))
    assert listed(desk) == {
        "document": "ORDRSP OR-9 cannot take effect: B601 Order NOBODYS is not known for this partner",
        "over-shipped": "Of MP4K7QX1/1 more was shipped than confirmed: 2",
        "price": "For MP4K7QX1/1 the vendor asks another price: 13.5",
        "received": "Of MP4K7QX1/1 was not received and accepted what was shipped: 13 / 12",
    }
    assert set(listed(desk, "fr")) == set(listed(desk))
    assert listed(desk, "fr")["price"].startswith("Pour MP4K7QX1/1 le vendeur")


def test_an_invoice_that_may_still_wait_is_not_on_it(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(invoic())
    assert listed(desk) == {}
    desk.later(days=1, minutes=1)
    assert "late-waiting" in listed(desk)
