"""What partners do otherwise, or the standard leaves open: switches of the partnership, read and written alike."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from edi_gateway.marketplace.invoice import Invoice
from edi_gateway.marketplace.parties import PartyRole
from edi_gateway.partnership import Habits, Sign
from edi_gateway.translators import DecodeContext, EncodeContext, NotWritable, translator

from .test_decode import BODIES
from .wire import decoded, judged, message_of

ORDER, ANSWER, INVOICE, STOCK = (BODIES[kind] for kind in ("ORDERS", "ORDRSP", "INVOIC", "INVRPT"))
PLAIN = Habits()
TWELVE_CONFIRMS = Habits(confirmed_quantity=("12", "21"))
ONLY_TWELVE = Habits(confirmed_quantity=("12",))


def read(message_type: str, body: str, habits: Habits = PLAIN, **context: Any) -> Any:
    record = decoded(message_type, body, habits=habits, **context).record
    assert record is not None
    return record


def written(message_type: str, record: Any, habits: Habits, directory: str = "D.96A") -> list[str]:
    """The message as text, which is right by its directory and reads as the same record."""
    kind = translator(message_type)
    assert kind is not None
    body = kind.encode(record, EncodeContext(directory=directory, habits=habits))
    tree, errors = judged(message_of(message_type, body, directory))
    assert errors == []
    assert kind.decode(tree, DecodeContext(directory=directory, habits=habits)).record == record
    return ["+".join(":".join(parts) for parts in segment.elements) for segment in body]


def line_of(body: str, *segments: str) -> str:
    """The body with these segments in place of its first line's article and quantity."""
    lines = body.strip().splitlines()
    begin = next(index for index, line in enumerate(lines) if line.startswith("LIN"))
    end = next(index for index, line in enumerate(lines[begin:], start=begin) if line.startswith("QTY"))
    return "\n".join([*lines[:begin], *segments, *lines[end:]])


@pytest.mark.parametrize(
    ("habits", "segments", "expected"),
    [
        (Habits(), ("LIN+1++3760123450010:EN",), ("3760123450010", "", "")),
        (Habits(), ("LIN+1++036000291452:UP",), ("036000291452", "", "")),
        (Habits(), ("LIN+1", "PIA+5+3760123450010:SRV"), ("3760123450010", "", "")),
        (Habits(), ("LIN+1", "PIA+5+B00X:IN+SKU-1:SA"), ("", "SKU-1", "B00X")),
        (Habits(), ("LIN+1", "PIA+5+B1:BP+B00X:IN"), ("", "", "B00X")),
        (Habits(buyer_article=("BP", "IN")), ("LIN+1", "PIA+5+B00X:IN", "PIA+1+B1:BP"), ("", "", "B1")),
        (Habits(buyer_article=("BP",)), ("LIN+1", "PIA+5+B00X:IN+B1:BP"), ("", "", "B1")),
        (Habits(supplier_article=("MF", "SA")), ("LIN+1", "PIA+5+S1:SA+M1:MF"), ("", "M1", "")),
        (Habits(gtin=("UP", "EN")), ("LIN+1++3760123450010:EN", "PIA+5+036000291452:UP"), ("036000291452", "", "")),
    ],
)
def test_the_ladder_of_article_numbers(habits: Habits, segments: tuple[str, ...], expected: tuple[str, ...]) -> None:
    item = read("ORDERS", line_of(ORDER, *segments), habits).lines[0].item
    assert (item.gtin, item.supplier_article, item.buyer_article) == expected


def test_a_number_that_gives_way_to_a_better_one_is_kept_with_its_code_and_source() -> None:
    found = decoded("ORDERS", line_of(ORDER, "LIN+1", "PIA+5+B1:BP+B00X:IN"), lineage=True)
    assert found.record is not None
    assert found.record.lines[0].item.others == (("BP", "B1"),)
    assert found.lineage["lines[0]/item/buyer_article"].element == 4
    assert found.lineage["lines[0]/item/others[0]"].element == 3


def test_article_numbers_are_written_with_the_first_code_of_their_ladder() -> None:
    order = read("ORDERS", line_of(ORDER, "LIN+1++3760123450010:EN", "PIA+5+S1:SA+B1:IN"))
    ours = written("ORDERS", order, Habits(buyer_article=("BP", "IN"), gtin_in_pia=True))
    assert ours[ours.index("LIN+1") + 1] == "PIA+5+S1:SA+B1:BP+3760123450010:EN"
    assert "PIA+5+S1:SA+B1:IN" in written("ORDERS", order, Habits())
    assert "LIN+1++3760123450010:UP" in written("ORDERS", order, Habits(gtin=("UP", "EN", "SRV")), "D.01B")


@pytest.mark.parametrize(
    ("habits", "quantities", "confirmed"),
    [
        (Habits(), "QTY+21:10", "10"),
        (Habits(), "QTY+12:8", "8"),
        (Habits(), "QTY+21:10\nQTY+12:8", "10"),
        (TWELVE_CONFIRMS, "QTY+21:10\nQTY+12:8", "8"),
        (TWELVE_CONFIRMS, "QTY+12:8\nQTY+21:10", "8"),
        (TWELVE_CONFIRMS, "QTY+21:10", "10"),
        (ONLY_TWELVE, "QTY+21:10\nQTY+182:10", None),
    ],
)
def test_the_quantity_that_confirms(habits: Habits, quantities: str, confirmed: str | None) -> None:
    line = read("ORDRSP", _with_quantities(quantities), habits).lines[0]
    assert line.quantity == (None if confirmed is None else Decimal(confirmed))


def _with_quantities(quantities: str) -> str:
    lines = ANSWER.strip().splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("QTY"))
    return "\n".join([*lines[:at], quantities, *lines[at + 1 :]])


def test_an_answer_is_written_with_the_quantity_that_confirms() -> None:
    answer = read("ORDRSP", _with_quantities("QTY+12:8\nQTY+21:10"), TWELVE_CONFIRMS)
    assert {"QTY+12:8", "QTY+21:10"} <= set(written("ORDRSP", answer, TWELVE_CONFIRMS))
    with pytest.raises(NotWritable, match=r"QTY\+21 confirms"):
        written("ORDRSP", answer, Habits())


def test_the_grand_total_in_moa_77_alone() -> None:
    body = INVOICE.replace("MOA+86:", "MOA+77:")
    habits = Habits(grand_total="77", only_grand_total=True)
    invoice = read("INVOIC", body, habits)
    assert invoice.totals.total is not None
    assert invoice.totals.total_alternative is None
    whole = replace(invoice, totals=replace(invoice.totals, lines=Decimal(5)))
    kind = translator("INVOIC")
    assert kind is not None
    amounts = [
        segment.get(1, 1) for segment in kind.encode(whole, EncodeContext(habits=habits)) if segment.tag == "MOA"
    ]
    assert amounts.count("77") == 1
    assert not {"79", "86", "9"} & set(amounts)


def test_a_unit_that_is_meant_and_one_that_has_another_name() -> None:
    body = ORDER.replace("QTY+21:10", "QTY+21:10:EA")
    assert read("ORDERS", body, Habits(units={"EA": "PCE"})).lines[0].unit == "PCE"
    assert read("ORDERS", ORDER, Habits(unit="CT")).lines[0].unit == "CT"
    pieces = read("ORDERS", ORDER)
    assert "QTY+21:10:EA" in written("ORDERS", pieces, Habits(unit="CT", units={"EA": "PCE"}))
    cartons = replace(pieces, lines=(replace(pieces.lines[0], unit="CT"),))
    assert "QTY+21:10" in written("ORDERS", cartons, Habits(unit="CT"))


def test_a_credit_note_with_negative_amounts_is_positive_in_the_record() -> None:
    habits = Habits(credit_note_sign=Sign.NEGATIVE)
    plain: Invoice = replace(read("INVOIC", INVOICE), type_code="381")
    theirs = written("INVOIC", plain, habits)
    assert any(line.startswith("MOA+86:-") for line in theirs)
    assert any(line.startswith("QTY+47:-") for line in theirs)
    assert read("INVOIC", "\n".join(theirs), habits) == plain
    assert read("INVOIC", "\n".join(theirs)).totals.total == -(plain.totals.total or 0)
    invoice = replace(plain, type_code="380")
    assert not any(line.startswith("MOA+86:-") for line in written("INVOIC", invoice, habits))


@pytest.mark.parametrize("message_type", ["ORDERS", "INVOIC"])
def test_a_currency_that_is_not_sent(message_type: str) -> None:
    body = "\n".join(line for line in BODIES[message_type].splitlines() if not line.startswith("CUX"))
    found = decoded(message_type, body)
    assert (found.record, [finding.code for finding in found.findings]) == (None, ["B650"])
    found = decoded(message_type, body, habits=Habits(currency="EUR"))
    assert found.record is not None
    assert (found.record.currency, [finding.code for finding in found.findings]) == ("EUR", ["B657"])
    assert found.valid
    sent = decoded(message_type, BODIES[message_type].replace("EUR", "USD"), habits=Habits(currency="EUR")).record
    assert sent is not None
    assert sent.currency == "USD"


def test_types_and_actions_under_other_codes() -> None:
    habits = Habits(order_types={"105": "220"}, line_actions={"6": "3", "24": "3"})
    order = read("ORDERS", ORDER.replace("BGM+220", "BGM+105"), habits)
    assert order == read("ORDERS", ORDER)
    assert written("ORDERS", order, habits)[0] == "BGM+105+PO1+9"
    assert decoded("ORDERS", ORDER.replace("BGM+220", "BGM+105")).record.type == "standard"  # refused, with a finding
    for code in ("6", "24"):
        assert read("ORDRSP", ANSWER.replace("LIN+1+5", f"LIN+1+{code}"), habits).lines[0].action == "3"


def test_parties_under_other_codes() -> None:
    habits = Habits(parties={"OB": "BY"})
    body = ORDER.replace("NAD+BY", "NAD+OB")
    order = read("ORDERS", body, habits)
    assert order.party(PartyRole.BUYER) is not None
    assert any(line.startswith("NAD+OB") for line in written("ORDERS", order, habits))
    assert decoded("ORDERS", body).record is None
