"""What leaves: written as agreed, judged by our own checker, under control references that are used once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from edi_gateway.gateway.compose import ComposeRefused, compose
from edi_gateway.marketplace.parties import Note
from edi_gateway.messages.judge import judge
from edi_gateway.partnership import MessageAgreement
from edi_gateway.store.documents import Interchange, MessageState
from tests.core.marketplace.documents import an_order
from tests.gateway.documents.desk import Desk, a_partnership


def test_what_we_write_our_own_checker_finds_right(desk: Desk) -> None:
    desk.place()
    (text,) = desk.sent()
    (verdict,) = judge([text.encode("latin-1")])
    assert [finding.code for finding in verdict.all_findings()] == []


def test_control_references_go_up_and_leave_no_gap(desk: Desk) -> None:
    desk.place(an_order("A1"))
    with pytest.raises(ComposeRefused):
        desk.place(an_order("A2", notes=_greek()))
    desk.place(an_order("A3"))
    references = [row.control_reference for row in desk.rows(Interchange)]
    assert references == ["000000001", "000000002"]


def _greek():

    return (Note(subject="AAI", text=("Ελλάδα",)),)


def test_accents_and_service_characters_are_carried(desk: Desk) -> None:
    order = an_order()
    line = replace(order.lines[0], description="Crème brûlée : l'été + 2? d'avance")
    desk.place(replace(order, lines=(line, *order.lines[1:])))
    (text,) = desk.sent()
    assert "Crème brûlée ?: l?'été ?+ 2?? d?'avance" in text


def test_the_partnership_says_how_the_envelope_looks(desk: Desk) -> None:
    desk.agree(a_partnership(syntax_identifier="UNOA", syntax_version="2", send_una=False, agreement="X", test=True))
    desk.place()
    (text,) = desk.sent()
    assert text.startswith("UNB+UNOA:2+")
    assert "+1+X+1'" in text


def test_the_partnership_says_the_directory_and_the_association(desk: Desk) -> None:
    partnership = a_partnership()
    agreed = [
        MessageAgreement(type="ORDERS", direction=entry.direction, directory="D.01B", association="EAN999")
        if entry.type == "ORDERS"
        else entry
        for entry in partnership.messages
    ]
    desk.agree(replace(partnership, messages=tuple(agreed)))
    desk.place()
    assert "UNH+1+ORDERS:D:01B:UN:EAN999'" in desk.sent()[0]


def test_a_message_that_is_not_agreed_is_refused(desk: Desk) -> None:
    desk.agree(replace(a_partnership(), messages=()))
    with pytest.raises(ComposeRefused, match="not agreed"):
        desk.place()
    assert desk.messages() == []


def test_a_record_that_the_message_cannot_carry_is_refused(desk: Desk) -> None:
    """D.96A: a quantity is n..15."""
    order = an_order()
    line = replace(order.lines[0], quantity=Decimal(10**16))
    partnership = desk.gateway.partnerships.by_name("vendor")
    assert partnership is not None
    with desk.gateway.database.write() as uow, pytest.raises(ComposeRefused, match="our own checker refuses"):
        compose(uow, desk.gateway, partnership, "ORDERS", replace(order, lines=(line,)))


def test_a_type_that_nobody_can_write(desk: Desk) -> None:
    partnership = desk.gateway.partnerships.by_name("vendor")
    assert partnership is not None
    with desk.gateway.database.write() as uow, pytest.raises(ComposeRefused, match="cannot be written"):
        compose(uow, desk.gateway, partnership, "CONTRL", an_order())


def test_nothing_is_sent_before_the_commit(desk: Desk) -> None:
    partnership = desk.gateway.partnerships.by_name("vendor")
    assert partnership is not None
    with desk.gateway.database.write() as uow:
        message = compose(uow, desk.gateway, partnership, "ORDERS", an_order(), business_key="X")
        assert message.state is MessageState.SENT
    assert desk.messages() == []
    assert desk.woken == []
