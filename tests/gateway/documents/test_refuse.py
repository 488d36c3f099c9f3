"""What is wrong with a document though its syntax is right: CONTRL accepts it, an APERAK tells the partner."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edi_gateway.edifact.verdict import MessageVerdict
from edi_gateway.gateway.take_in import replay
from edi_gateway.marketplace.acknowledgement import ApplicationAcknowledgement
from edi_gateway.marketplace.parties import Reference
from edi_gateway.messages.judge import judge
from edi_gateway.partnership import Direction, GuidelineRow, MessageAgreement, Partnership
from edi_gateway.store.documents import Message, MessageState
from edi_gateway.translators.json_form import from_json
from tests.core.marketplace.documents import BUYER, SUPPLIER
from tests.gateway.documents.desk import (
    ACCEPTED_1,
    REFUSED_3,
    SHORT_2,
    Desk,
    a_partnership,
    contrl,
    desadv,
    interchange,
    invoic,
    invrpt,
    ordrsp,
)


def with_aperak(directory: str = "D.96A", language: str = "", **edifact: Any) -> Partnership:
    agreed = a_partnership(**edifact)
    aperak = MessageAgreement(type="APERAK", direction=Direction.OUT, directory=directory)
    return replace(
        agreed, messages=(*agreed.messages, aperak), partner=replace(agreed.partner, language=language)
    )  # fmt: skip


@pytest.fixture
def telling(desk: Desk) -> Desk:
    desk.agree(with_aperak())
    return desk


def judged(text: str) -> MessageVerdict:
    """The APERAK, which our own checker finds nothing wrong with."""
    (verdict,) = judge([text.encode("latin-1")])
    assert list(verdict.all_findings()) == []
    return verdict.messages[0]


def records(desk: Desk) -> list[ApplicationAcknowledgement]:
    rows = desk.messages(Message.type == "APERAK", Message.direction == Direction.OUT)
    return [from_json(ApplicationAcknowledgement, row.record) for row in rows]


def only(desk: Desk) -> ApplicationAcknowledgement:
    (record,) = records(desk)
    return record


def told(desk: Desk) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """(code, the references of the line) of each error."""
    return [
        (error.code, [(each.qualifier, each.number, each.line) for each in error.references])
        for error in only(desk).errors
    ]


def test_an_unknown_order_is_told_by_an_aperak_that_comes_after_the_contrl(telling: Desk) -> None:
    telling.arrive(ordrsp("29", order="NOBODYS"))
    contrl_, aperak = telling.sent()
    assert "+7'UNT" in contrl_  # the syntax is right
    assert "'BGM+313+AP00000001+27'DTM+137:202611221300:203'" in aperak
    assert "'RFF+ACE:OR-1001'RFF+ON:NOBODYS'RFF+ACW:1'" in aperak
    assert f"'NAD+BY+{BUYER}::9'NAD+SU+{SUPPLIER}::9'ERC+B601:ZZZ:92'FTX+AAO+++" in aperak
    assert judged(aperak).header.association == "EAN001"
    (sent,) = telling.messages(Message.type == "APERAK")
    (answered,) = telling.received("ORDRSP")
    assert (sent.answers_id, sent.business_key) == (answered.id, "NOBODYS")
    assert answered.state is MessageState.EXCEPTION


def test_one_aperak_tells_all_that_is_wrong_with_a_document(telling: Desk) -> None:
    """Two wrong GTIN in an ORDRSP: I501 twice, each with its line (domain of identifiers, GS1 check digit)."""
    telling.place()
    wrong = [ACCEPTED_1.replace("3760123450010", "3760123450011"), SHORT_2.replace("3760123450027", "3760123450028")]
    telling.arrive(ordrsp("4", *wrong, REFUSED_3))
    assert told(telling) == [("I502", [("LI", "1", "")]), ("I502", [("LI", "2", "")])]
    assert "+7'UNT" in telling.sent("CONTRL")[0]


def test_a_held_invoice_is_told_with_the_line_of_the_order(telling: Desk) -> None:
    telling.place()
    telling.arrive(ordrsp("4", ACCEPTED_1, SHORT_2, REFUSED_3))
    telling.arrive(desadv())
    telling.arrive(invoic(one="11", line_net="137.50"))
    record = only(telling)
    assert [(each.qualifier, each.number) for each in record.references] == [
        ("IV", "FA-2026-0917"),
        ("ON", "MP4K7QX1"),
        ("ACW", "1"),
    ]
    assert (record.type, record.function) == ("312", "")  # it is booked, and held
    assert {error.code for error in record.errors} == {"F801"}
    assert [r for error in record.errors for r in error.references if r.line] == [
        Reference(qualifier="ON", number="MP4K7QX1", line="1")
    ]
    assert telling.received("INVOIC")[0].state is MessageState.APPLIED


def test_two_documents_of_an_interchange_are_told_apart(telling: Desk) -> None:
    bodies = [ordrsp("29", order=order, number=order).split("UNH+1+")[1].split("UNT")[0] for order in ("X1", "X2")]
    telling.arrive(interchange("VEN0001", *bodies))
    assert [[r.number for r in record.references] for record in records(telling)] == [
        ["X1", "X1", "1"],
        ["X2", "X2", "2"],
    ]
    assert [text[:3] for text in telling.sent()] == ["UNA"] * 3


@pytest.mark.parametrize(
    ("language", "syntax_identifier", "says"),
    [("", "UNOC", "é"), ("en", "UNOC", "is not"), ("fr", "UNOB", "e")],
)
def test_in_the_partners_language_and_characters(
    desk: Desk, language: str, syntax_identifier: str, says: str
) -> None:  # fmt: skip
    desk.agree(with_aperak(language=language, syntax_identifier=syntax_identifier))
    desk.arrive(ordrsp("29", order="NOBODYS"))
    aperak = desk.sent("APERAK")[0]
    judged(aperak)
    assert says in aperak.split("FTX+AAO+++")[1]
    assert syntax_identifier != "UNOB" or aperak.isascii()


def test_in_d01b(desk: Desk) -> None:
    desk.agree(with_aperak("D.01B"))
    desk.arrive(ordrsp("29", order="NOBODYS"))
    assert judged(desk.sent("APERAK")[0]).header.directory == "D.01B"


def test_what_breaks_the_partners_guideline_is_told(desk: Desk) -> None:
    """A guideline is an agreement: CONTRL says nothing of it, and the ORDRSP has no effect."""
    rows = (
        GuidelineRow(message="ORDRSP", path="LIN/DTM+69", status="mandatory"),
        GuidelineRow(message="ORDRSP", path="BGM/1004", length_max=6),
        GuidelineRow(message="ORDRSP", path="LIN/QTY+21/6060", codes=("12",), severity="warning"),
    )
    desk.agree(with_aperak(guideline=rows, guidelines=("eancom",)))
    desk.place()
    desk.arrive(ordrsp("4", ACCEPTED_1, SHORT_2, REFUSED_3))
    assert "+7'UNT" in desk.sent("CONTRL")[0]
    assert told(desk) == [("D363", []), ("D361", [("LI", "3", "")])]
    (message,) = desk.received("ORDRSP")
    assert message.state is MessageState.EXCEPTION
    assert desk.findings(message) == ["D363", "C403", "C403", "D361"]
    assert desk.order().lines[0].confirmed == 0


def test_what_the_syntax_refuses_is_for_the_contrl_alone(telling: Desk) -> None:
    telling.place()
    telling.arrive(
        ordrsp("29").replace("DTM+137:20261122:102'", "DTM+137:20261122:102'XXX'").replace("UNT+9", "UNT+10")
    )
    assert "'UCM+1+ORDRSP" in telling.sent("CONTRL")[0]
    assert telling.sent("APERAK") == []


def test_without_an_agreement_an_operator_alone_hears_of_it(desk: Desk) -> None:
    desk.arrive(ordrsp("29", order="NOBODYS"))
    assert desk.sent("APERAK") == []
    assert [alert.kind for alert in desk.alerts()] == ["alert.exception"]


def test_an_acknowledgement_is_never_answered_by_one(telling: Desk) -> None:
    telling.arrive(contrl("V1", "000009999"))
    body = f"APERAK:D:96A:UN:EAN001'BGM+313+A1+27'DTM+137:20261122:102'RFF+ON:NOBODYS'NAD+BY+{BUYER}::9'"
    telling.arrive(interchange("V2", body))
    assert telling.sent("APERAK") == []


def test_what_is_our_own_doing_is_not_told(telling: Desk) -> None:
    """T111: agreed with the partner, and no handler here."""
    object.__setattr__(telling.gateway, "handlers", {})
    telling.arrive(invrpt())
    assert telling.received("INVRPT")[0].state is MessageState.EXCEPTION
    assert telling.sent("APERAK") == []


def test_tried_again_in_vain_it_is_not_told_again(telling: Desk) -> None:
    telling.arrive(ordrsp("29", order="NOBODYS"))
    (message,) = telling.received("ORDRSP")
    assert replay(telling.gateway, message.id) is MessageState.EXCEPTION
    assert len(telling.sent("APERAK")) == 1


def test_what_cannot_be_written_raises_an_alert(desk: Desk) -> None:
    desk.agree(with_aperak(syntax_identifier="UNOA"))
    desk.arrive(ordrsp("29", order="nobody_s"))
    assert desk.sent("APERAK") == []
    assert [alert.kind for alert in desk.alerts()] == ["alert.exception", "alert.unanswered"]


@pytest.mark.parametrize(
    ("severity", "state", "aperaks"),
    [("error", MessageState.EXCEPTION, 1), ("warning", MessageState.APPLIED, 0), ("off", MessageState.APPLIED, 0)],
)
def test_what_the_business_finds_is_as_grave_as_the_partnership_says(
    desk: Desk, severity: str, state: MessageState, aperaks: int
) -> None:
    desk.agree(with_aperak(severities={"B601": severity}))
    desk.arrive(ordrsp("29", order="NOBODYS"))
    (message,) = desk.received("ORDRSP")
    assert message.state is state
    assert desk.findings(message) == ([] if severity == "off" else ["B601"])
    assert len(desk.sent("APERAK")) == aperaks
