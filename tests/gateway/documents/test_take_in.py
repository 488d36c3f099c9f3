"""Trying a message again after its cause was mended."""

from __future__ import annotations

import pytest

from edi_gateway.gateway.take_in import NotReplayable, replay
from edi_gateway.marketplace.fulfilment import OrderState
from edi_gateway.store import partnerships
from edi_gateway.store.business import InvoiceRow, InvoiceState, ShipmentRow
from edi_gateway.store.documents import MessageState
from edi_gateway.store.partnerships import PartnershipState
from tests.core.marketplace.documents import an_order
from tests.core.translators.test_samples import SAMPLES
from tests.gateway.documents.desk import Desk, a_partnership, desadv, interchange, invoic, ordrsp, ordrsp_body, partial


def test_an_answer_that_came_before_its_order_is_applied_when_tried_again(desk: Desk) -> None:
    desk.arrive(partial())
    (message,) = desk.received("ORDRSP")
    assert message.state is MessageState.EXCEPTION
    desk.place()
    assert replay(desk.gateway, message.id) is MessageState.APPLIED
    assert desk.order().state is OrderState.PARTIALLY_CONFIRMED
    assert desk.findings() == []


def test_an_exception_stays_one_as_long_as_its_cause_stands(desk: Desk) -> None:
    desk.arrive(partial())
    (message,) = desk.received("ORDRSP")
    assert replay(desk.gateway, message.id) is MessageState.EXCEPTION
    assert desk.findings() == ["B601"]


def test_what_was_applied_is_not_tried_again(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    (message,) = desk.received("ORDRSP")
    with pytest.raises(NotReplayable, match="is applied"):
        replay(desk.gateway, message.id)


def test_what_was_rejected_is_not_tried_again(desk: Desk) -> None:
    """The partner was told so by CONTRL, and sends it anew."""
    desk.arrive(partial().replace("BGM+231+OR-1001+4'", ""))
    (message,) = desk.received("ORDRSP")
    with pytest.raises(NotReplayable, match="is rejected"):
        replay(desk.gateway, message.id)


def test_a_message_that_does_not_exist(desk: Desk) -> None:
    with pytest.raises(NotReplayable, match="there is no message"):
        replay(desk.gateway, "nothing")


def test_a_message_of_ours(desk: Desk) -> None:
    desk.place()
    (message,) = desk.messages()
    with pytest.raises(NotReplayable, match="is sent"):
        replay(desk.gateway, message.id)


def test_the_right_one_of_several_messages_and_interchanges(desk: Desk) -> None:
    first = interchange("A", ordrsp_body("29", order="ONE", number="1"), ordrsp_body("29", order="TWO", number="2"))
    desk.arrive(first + ordrsp("27", reference="B", order="THREE", number="3"))
    for number in ("ONE", "TWO", "THREE"):
        desk.place(an_order(number))
    one, two, three = sorted(desk.received("ORDRSP"), key=lambda message: message.document_number)
    for message in (three, two, one):
        assert replay(desk.gateway, message.id) is MessageState.APPLIED
    assert [desk.order(number).state for number in ("ONE", "TWO", "THREE")] == [
        OrderState.CONFIRMED,
        OrderState.CONFIRMED,
        OrderState.REJECTED,
    ]


def test_a_shipment_applied_in_part_is_finished_and_not_doubled(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv(header=False, orders=("MP4K7QX1", "LATER")))
    (message,) = desk.received("DESADV")
    assert message.state is MessageState.EXCEPTION
    desk.place(an_order("LATER"))
    desk.arrive(ordrsp("29", reference="VEN0009", order="LATER", number="OR-2"))
    assert replay(desk.gateway, message.id) is MessageState.APPLIED
    assert desk.order().lines[0].shipped == 10
    assert desk.order("LATER").lines[1].shipped == 6
    (shipment,) = desk.rows(ShipmentRow)
    assert [line.quantity for line in shipment.lines] == [10, 6]


def test_an_invoice_for_an_order_that_came_later_is_matched(desk: Desk) -> None:
    desk.arrive(invoic())
    (message,) = desk.received("INVOIC")
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    assert replay(desk.gateway, message.id) is MessageState.APPLIED
    (invoice,) = desk.rows(InvoiceRow)
    assert invoice.state is InvoiceState.MATCHED
    assert [line.invoiced for line in desk.order().lines] == [10, 6, 0]


def test_a_suspended_partner(desk: Desk) -> None:

    desk.arrive(partial())
    with desk.gateway.database.write() as uow:
        partnerships.put_in_force(uow.session, [(a_partnership(), PartnershipState.SUSPENDED)], desk.now)
        uow.commit()
    desk.gateway.partnerships.refresh()
    (message,) = desk.received("ORDRSP")
    with pytest.raises(NotReplayable, match="not active"):
        replay(desk.gateway, message.id)


def test_what_has_no_field_is_kept_with_its_place(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial().replace("BGM+231+OR-1001+4'", "BGM+231+OR-1001+4+AC'"))
    (message,) = desk.received("ORDRSP")
    assert message.unmapped == [{"segment": "BGM", "position": 2, "text": "AC", "element": 5, "component": 1}]


def test_what_is_sold_and_offered_is_kept_with_its_record(desk: Desk) -> None:
    for name in ("slsrpt-stores", "pricat-prices"):
        desk.arrive((SAMPLES / f"{name}.edi").read_text("latin-1"))
    for message_type in ("SLSRPT", "PRICAT"):
        (message,) = desk.received(message_type)
        assert (message.state, message.reason) == (MessageState.APPLIED, "applied")
        assert message.record["number"] == message.document_number
