"""What arrives: right, wrong, twice, too early, for nobody. Bad EDI is a committed result."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from edi_gateway.gateway.marketplace_side import HANDLERS
from edi_gateway.gateway.unpack import unpack
from edi_gateway.marketplace.fulfilment import OrderState
from edi_gateway.store.business import InvoiceRow, InvoiceState, ShipmentRow, StockLevelRow
from edi_gateway.store.documents import InterchangeState, MessageState
from edi_gateway.store.events import verify_chain
from edi_gateway.store.payloads import SMALL_BYTES_MAX
from edi_gateway.store.transmissions import TransmissionState
from tests.core.marketplace.documents import SUPPLIER, an_order
from tests.gateway.documents.desk import (
    ACCEPTED_1,
    REFUSED_3,
    Desk,
    a_partnership,
    desadv,
    interchange,
    invoic,
    invrpt,
    ordrsp,
    ordrsp_body,
    other_vendor,
    partial,
)


def _with_place(place: str, reference: str) -> str:
    body = (
        f"INVRPT:D:96A:UN:EAN004'BGM+35+{reference}+9'DTM+137:202611220600:203'NAD+SU+{SUPPLIER}::9'"
        f"LIN+1++3760123450010:EN'QTY+145:148'LOC+18+{place}::92'"
    )
    return interchange(reference, body)


def states(desk: Desk, kind: str) -> list[MessageState]:
    return [message.state for message in desk.received(kind)]


# Twice.


def test_unpacking_again_does_nothing(desk: Desk) -> None:
    """A wake-up that came twice, or a crash after the commit."""
    desk.place()
    identifier = desk.arrive(partial())
    before = (len(desk.messages()), len(desk.shop_events()), len(desk.sent()))
    unpack(desk.gateway, identifier)
    assert (len(desk.messages()), len(desk.shop_events()), len(desk.sent())) == before


def test_a_transmission_that_does_not_exist_is_no_error(desk: Desk) -> None:
    unpack(desk.gateway, "nothing")


def test_the_same_interchange_again_is_answered_again_and_done_once(desk: Desk) -> None:
    """G11, first half: same reference, same content."""
    desk.place()
    desk.arrive(partial())
    order = desk.order()
    desk.later(minutes=5)
    identifier = desk.arrive(partial())
    assert desk.transmission(identifier).state is TransmissionState.UNPACKED
    first, second = desk.interchanges()
    assert (second.state, second.repeats_id) == (InterchangeState.REPEATED, first.id)
    assert desk.transmission(identifier).repeats_id == first.transmission_id  # seen in the list of transmissions too
    assert desk.order().changed_at == order.changed_at
    answers = desk.sent("CONTRL")
    assert len(answers) == 2
    assert answers[0] == answers[1]  # the stored CONTRL, byte for byte
    assert states(desk, "ORDRSP") == [MessageState.APPLIED]


def test_the_same_content_with_other_line_breaks_is_the_same(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(partial().replace("'", "'\r\n").encode())
    assert [row.state for row in desk.interchanges()] == [InterchangeState.PROCESSED, InterchangeState.REPEATED]


def test_the_same_reference_with_other_content_is_refused(desk: Desk) -> None:
    """G11, second half: CONTRL 26, an alert, and nothing of it takes effect."""
    desk.place()
    desk.arrive(partial())
    desk.arrive(ordrsp("29"))
    assert [row.state for row in desk.interchanges()] == [InterchangeState.PROCESSED, InterchangeState.CONFLICTING]
    assert "+4+26+UNB+6'" in desk.sent("CONTRL")[-1]
    assert [alert.kind for alert in desk.alerts()] == ["alert.duplicate"]
    assert states(desk, "ORDRSP") == [MessageState.APPLIED, MessageState.REJECTED]
    assert desk.order().lines[2].rejected == 4


def test_the_same_document_in_another_interchange_is_done_once(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(partial("VEN0099"))
    assert states(desk, "ORDRSP") == [MessageState.APPLIED, MessageState.REPEATED]
    assert len(desk.shop_events()) == 3


def test_the_references_of_two_partners_do_not_meet(desk: Desk) -> None:
    desk.agree(other_vendor())
    desk.arrive(invrpt())
    desk.arrive(invrpt().replace(SUPPLIER, "3760000001021"), partner="other")
    assert [row.state for row in desk.interchanges()] == [InterchangeState.PROCESSED] * 2


# Wrong.


@pytest.mark.parametrize(
    ("arrived", "contrl"),
    [
        (partial().replace("UNZ+1+", "UNZ+2+"), "+4+29+UNZ+2'"),
        (partial().replace("UNZ+1+VEN0001", "UNZ+1+VEN0009"), "+4+28+UNZ+3'"),
        (partial().replace(f"{SUPPLIER}:14+3760000000017:14", "3760000001021:14+3760000000017:14"), "+4+23+UNB+3"),
        (partial().replace("+3760000000017:14+2", "+3760000000024:14+2"), "+4+7+UNB+4"),
    ],
)
def test_a_faulty_envelope_refuses_the_interchange(desk: Desk, arrived: str, contrl: str) -> None:
    """UCI 4; its messages are kept, and none takes effect."""
    desk.place()
    identifier = desk.arrive(arrived)
    assert desk.transmission(identifier).state is TransmissionState.UNPACKED
    (row,) = desk.interchanges()
    assert row.state is InterchangeState.REJECTED
    assert states(desk, "ORDRSP") == [MessageState.REJECTED]
    assert contrl in desk.sent("CONTRL")[0]
    assert desk.order().state is OrderState.EMITTED


def test_a_rejected_interchange_may_come_again_mended(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial().replace("UNZ+1+", "UNZ+2+"))
    desk.arrive(partial())
    assert [row.state for row in desk.interchanges()] == [InterchangeState.REJECTED, InterchangeState.PROCESSED]
    assert desk.order().lines[0].confirmed == 10


def test_a_bad_message_does_not_stop_its_neighbours(desk: Desk) -> None:
    """UCI 7, UCM 4 for the one: the mandatory BGM is missing."""
    desk.place()
    good = ordrsp_body("4", ACCEPTED_1, REFUSED_3)
    bad = good.replace("BGM+231+OR-1001+4'", "")
    desk.arrive(interchange("VEN0001", bad, good))
    assert states(desk, "ORDRSP") == [MessageState.REJECTED, MessageState.APPLIED]
    (answer,) = desk.sent("CONTRL")
    assert "+7'UCM+1+ORDRSP:D:96A:UN:EAN005+4'" in answer
    assert "UCM+2" not in answer
    assert desk.order().lines[0].confirmed == 10


def test_an_unknown_message_type_is_refused_and_kept(desk: Desk) -> None:
    identifier = desk.arrive(interchange("VEN0001", "XYZABC:D:96A:UN'BGM+1+1+9'"))
    assert states(desk, "XYZABC") == [MessageState.REJECTED]
    assert "UCM+1+XYZABC:D:96A:UN+4+17+UNH+3'" in desk.sent("CONTRL")[0]
    assert "XYZABC" in desk.payload(desk.transmission(identifier).payload_sha256)


def test_a_type_that_is_not_agreed_is_refused(desk: Desk) -> None:
    desk.arrive(interchange("VEN0001", "ORDERS:D:96A:UN:EAN008'BGM+220+1+9'"))
    assert states(desk, "ORDERS") == [MessageState.REJECTED]


@pytest.mark.parametrize("data", [b"", b"rubbish", b"\x00\x01\x02" * 1000, b"<?xml version='1.0'?><a/>", b"UNB"])
def test_what_is_not_edifact_is_parked_where_an_operator_sees_it(desk: Desk, data: bytes) -> None:
    identifier = desk.arrive(data)
    row = desk.transmission(identifier)
    assert row.state is TransmissionState.PARKED
    assert row.reason
    assert desk.findings()
    assert desk.payload(row.payload_sha256).encode("latin-1") == data
    assert desk.sent() == []


def test_junk_after_a_good_interchange_does_not_spoil_it(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial() + "trailing rubbish")
    assert desk.order().lines[0].confirmed == 10


def test_two_interchanges_in_one_payload(desk: Desk) -> None:
    desk.place()
    desk.arrive(invrpt() + partial())
    assert [(row.ordinal, row.state) for row in desk.interchanges()] == [
        (1, InterchangeState.PROCESSED),
        (2, InterchangeState.PROCESSED),
    ]
    assert len(desk.sent("CONTRL")) == 2


def test_a_suspended_partner_leaves_the_transmission_parked(desk: Desk) -> None:
    identifier = desk.arrive(partial(), partner="gone")
    assert desk.transmission(identifier).state is TransmissionState.PARKED


def test_a_missing_payload_is_parked(desk: Desk) -> None:
    identifier = desk.receive(partial() + " " * SMALL_BYTES_MAX)
    sha256 = desk.transmission(identifier).payload_sha256
    assert sha256
    desk.gateway.payloads.path(sha256).unlink()
    unpack(desk.gateway, identifier)
    assert "backup" in desk.transmission(identifier).reason


def test_a_fault_of_ours_is_parked_and_seen(tmp_path) -> None:
    """A document that trips us is not tried for ever, and nothing of it is kept by half."""

    def trips(context, record):
        context.message.reason = "half done"
        raise ZeroDivisionError

    desk = Desk(tmp_path, {**HANDLERS, "INVRPT": trips})
    identifier = desk.arrive(invrpt())
    row = desk.transmission(identifier)
    assert row.state is TransmissionState.PARKED
    assert "ZeroDivisionError" in row.reason
    assert (desk.messages(), desk.sent()) == ([], [])
    desk.close()


@pytest.mark.once  # it leaves the database without a table
def test_a_database_that_does_not_work_leaves_the_transmission_waiting(desk: Desk) -> None:
    identifier = desk.receive(invrpt())
    with desk.gateway.database.write() as uow:
        uow.session.execute(text("ALTER TABLE message RENAME TO elsewhere"))
        uow.commit()
    with pytest.raises(OperationalError):
        unpack(desk.gateway, identifier)
    assert desk.transmission(identifier).state is TransmissionState.RECEIVED


def test_no_contrl_where_it_is_neither_agreed_nor_asked_for(desk: Desk) -> None:
    desk.agree(a_partnership(answer_contrl=False))
    desk.arrive(invrpt("VEN0001", number="A"))
    assert desk.sent("CONTRL") == []
    desk.arrive(invrpt("VEN0002", number="B").replace("++++" + "+EANCOM", "++++1+EANCOM"))
    assert len(desk.sent("CONTRL")) == 1


# For nobody, too early.


def test_an_answer_to_an_unknown_order_is_kept_as_an_exception(desk: Desk) -> None:
    """The syntax is right: CONTRL 7. The business is not: an operator has to look."""
    desk.arrive(partial(order="NOBODY"))
    (message,) = desk.received("ORDRSP")
    assert message.state is MessageState.EXCEPTION
    assert message.business_key == "NOBODY"
    assert desk.findings(message) == ["B601"]
    assert [alert.kind for alert in desk.alerts()] == ["alert.exception"]
    assert "+7'" in desk.sent("CONTRL")[0]


def test_a_wrong_check_digit_is_an_exception_and_no_matter_of_syntax(desk: Desk) -> None:
    """CONTRL speaks of syntax only: it accepts; the GTIN blocks the message all the same."""
    desk.place()
    desk.arrive(partial().replace("3760123450010", "3760123450011"))
    (message,) = desk.received("ORDRSP")
    assert (message.state, desk.findings(message)) == (MessageState.EXCEPTION, ["I502"])
    assert desk.order().state is OrderState.EMITTED
    (answer,) = desk.sent("CONTRL")
    assert "+7'UNT" in answer


def test_a_partnership_may_take_a_wrong_check_digit_as_a_warning(desk: Desk) -> None:
    desk.agree(a_partnership(severities={"I502": "warning"}))
    desk.place()
    desk.arrive(partial().replace("3760123450010", "3760123450011"))
    (message,) = desk.received("ORDRSP")
    assert message.state is MessageState.APPLIED
    assert desk.findings(message) == ["I502", "B604"]


def test_another_vendors_order_is_as_good_as_unknown(desk: Desk) -> None:
    desk.agree(other_vendor())
    desk.place()
    text = partial().replace(SUPPLIER, "3760000001021")
    desk.arrive(text, partner="other")
    assert states(desk, "ORDRSP") == [MessageState.EXCEPTION]
    assert desk.order().state is OrderState.EMITTED


def test_a_shipment_before_the_answer_waits_and_is_applied_then(desk: Desk) -> None:
    """G10: the final state is that of the right order."""
    desk.place()
    desk.arrive(desadv())
    (message,) = desk.received("DESADV")
    assert (message.state, message.awaits) == (MessageState.WAITING, "MP4K7QX1")
    assert desk.order().state is OrderState.EMITTED
    desk.arrive(partial())
    assert states(desk, "DESADV") == [MessageState.APPLIED]
    assert desk.order().state is OrderState.PARTIALLY_SHIPPED
    assert [line.shipped for line in desk.order().lines] == [10, 6, 0]


def test_an_invoice_before_the_shipment_is_matched_then(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(invoic())
    (invoice,) = desk.rows(InvoiceRow)
    assert invoice.state is InvoiceState.MISMATCH
    assert [entry.kind.value for entry in invoice.discrepancies] == ["short_shipped", "short_shipped"]
    assert states(desk, "INVOIC") == [MessageState.APPLIED]
    desk.arrive(desadv())
    (invoice,) = desk.rows(InvoiceRow)
    assert (invoice.state, list(invoice.discrepancies)) == (InvoiceState.MATCHED, [])
    assert [line.invoiced for line in desk.order().lines] == [10, 6, 0]


def test_everything_in_the_wrong_order_ends_as_in_the_right_one(desk: Desk) -> None:
    desk.place()
    for arrived in (invoic(), desadv(), partial()):
        desk.arrive(arrived)
    (invoice,) = desk.rows(InvoiceRow)
    assert invoice.state is InvoiceState.MATCHED
    assert desk.order().state is OrderState.PARTIALLY_SHIPPED


# What documents do.


def test_a_refused_order_cancels_the_payment(desk: Desk) -> None:
    """G2."""
    desk.place()
    desk.arrive(ordrsp("27"))
    assert desk.order().state is OrderState.REJECTED
    events = {event.kind: event.body for event in desk.shop_events()}
    assert set(events) == {"payment.cancel_requested", "stock.released"}
    assert (events["payment.cancel_requested"]["net"], events["payment.cancel_requested"]["total"]) == (
        "305.00",
        "366.00",
    )


def test_a_second_shipment_completes_the_order(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    desk.arrive(desadv("VEN0005", number="DA-1002", one=0, two=2))
    assert [line.shipped for line in desk.order().lines] == [10, 8, 0]


def test_a_shipment_number_again_with_other_content_is_an_exception(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    desk.arrive(desadv("VEN0005", two=5))
    assert states(desk, "DESADV") == [MessageState.APPLIED, MessageState.EXCEPTION]
    assert len(desk.rows(ShipmentRow)) == 1


def test_a_price_that_was_not_agreed_holds_the_invoice(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    desk.arrive(invoic(price="13.00", line_net="130.00", net="250.00", vat="50.00", total="300.00"))
    (invoice,) = desk.rows(InvoiceRow)
    assert invoice.state is InvoiceState.MISMATCH
    assert [entry.kind.value for entry in invoice.discrepancies] == ["price_higher"]
    assert [line.invoiced for line in desk.order().lines] == [0, 0, 0]


def test_an_invoice_number_again_in_the_year_is_a_duplicate(desk: Desk) -> None:
    """G12."""
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    desk.arrive(invoic())
    desk.arrive(invoic("VEN0009", one="9", line_net="112.50", net="232.50", vat="46.50", total="279.00"))
    desk.arrive(invoic("VEN0010").replace("DTM+137:2026", "DTM+137:2027"))
    assert [row.state for row in desk.rows(InvoiceRow)] == [
        InvoiceState.MATCHED,
        InvoiceState.DUPLICATE,
        InvoiceState.MISMATCH,
    ]


@pytest.mark.parametrize(("function", "code"), [("7", "B616"), ("31", "B620")])
def test_a_document_that_says_it_is_sent_again_counts_once(desk: Desk, function: str, code: str) -> None:
    """BGM 1225: 7 duplicate, 31 copy; also with other content than the original."""
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    desk.arrive(invoic())
    desk.arrive(desadv("VEN0005", two=5).replace("DA-1001+9'", f"DA-1001+{function}'"))
    desk.arrive(invoic("VEN0006", one="9", line_net="112.50").replace("FA-2026-0917+9'", f"FA-2026-0917+{function}'"))
    assert desk.findings(desk.received("DESADV")[1]) == [code]
    assert code in desk.findings(desk.received("INVOIC")[1])
    assert [line.invoiced for line in desk.order().lines] == [10, 6, 0]
    assert (len(desk.rows(ShipmentRow)), len(desk.rows(InvoiceRow))) == (1, 1)


def test_stock_at_two_places_is_drawn_from_one(desk: Desk) -> None:
    desk.arrive(_with_place("A", "V1"))
    desk.arrive(_with_place("B", "V2"))
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    desk.arrive(_with_place("B", "V3"))
    drawn = {row.location: row.despatched for row in desk.rows(StockLevelRow) if row.location}
    assert sum(drawn.values()) == 10


def test_an_invoice_for_an_unknown_order_is_an_exception(desk: Desk) -> None:
    desk.arrive(invoic(order="NOBODY"))
    (message,) = desk.received("INVOIC")
    assert message.state is MessageState.EXCEPTION
    assert [row.state for row in desk.rows(InvoiceRow)] == [InvoiceState.MISMATCH]


def test_an_older_stock_report_is_kept_and_changes_nothing(desk: Desk) -> None:
    """G15."""
    desk.arrive(invrpt(one="148", at="202611220600"))
    desk.arrive(invrpt("VEN0005", one="7", at="202611220500", number="INV-2"))
    assert desk.rows(StockLevelRow)[0].actual == 148
    assert states(desk, "INVRPT") == [MessageState.APPLIED, MessageState.APPLIED]
    assert desk.findings(desk.received("INVRPT")[1]) == ["Q704", "Q704"]


def test_a_newer_report_knows_what_was_shipped(desk: Desk) -> None:
    desk.arrive(invrpt())
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    desk.now = desk.now.replace(day=26)
    desk.arrive(invrpt("VEN0006", at="202611260600", one="138", number="INV-2"))
    level = desk.rows(StockLevelRow)[0]
    assert (level.actual, level.reserved, level.despatched) == (138, 0, 0)


def test_stock_reported_after_the_answer_takes_over_its_reservation(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(invrpt())
    assert [level.reserved for level in desk.rows(StockLevelRow)] == [10, 6]


def test_a_line_shipped_for_another_vendors_order_is_an_exception_and_the_rest_applies(desk: Desk) -> None:
    """G8."""
    desk.place()
    desk.place(an_order("SECOND"))
    desk.arrive(partial())
    desk.arrive(ordrsp("29", reference="VEN0008", order="SECOND", number="OR-2"))
    desk.arrive(desadv(header=False, orders=("SECOND", "NOBODY")))
    (message,) = desk.received("DESADV")
    assert (message.state, desk.findings(message)) == (MessageState.EXCEPTION, ["B601"])
    assert desk.order("SECOND").lines[0].shipped == 10


def test_the_log_of_all_this_is_whole(desk: Desk) -> None:
    desk.place()
    for arrived in (invrpt(), partial(), desadv(), invoic(), "rubbish"):
        desk.arrive(arrived)
    with desk.gateway.database.read() as reading:
        verdict = verify_chain(reading.session)
    assert verdict.intact
    assert verdict.events > 10
