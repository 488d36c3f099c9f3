"""What order changes, receiving advices, remittances, sales reports and price catalogues must not say."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from string import Formatter
from typing import Any

import pytest

from edi_gateway.edifact.findings import Rule
from edi_gateway.marketplace import document_rules
from edi_gateway.marketplace.discrepancy import Discrepancy
from edi_gateway.marketplace.order_change import ChangeFunction, LineChange, OrderChange, OrderChangeLine
from edi_gateway.marketplace.parties import ItemIdentity, Party, PartyRole, Period
from edi_gateway.marketplace.price_catalogue import Offer, OfferPrice, PriceCatalogue, PriceGroup
from edi_gateway.marketplace.receiving import ReceivedLine, ReceivedPackage, ReceivingAdvice
from edi_gateway.marketplace.remittance import Adjustment, RemittanceAdvice, SettledDocument
from edi_gateway.marketplace.rules import RULES
from edi_gateway.marketplace.sales_report import SalesPlace, SalesReport, SoldLine

DAY = date(2026, 11, 23)
ITEM = ItemIdentity(gtin="3760123450010")
BACKWARDS = Period(start=date(2026, 11, 30), end=DAY)
BUYER = Party(role=PartyRole.BUYER, identifier="3760000000017", agency="9")
BY_BUYER = (Party(role=PartyRole.INVOICE_ISSUER, identifier="3760000000017", agency="9"),)


def change(*lines: OrderChangeLine, **header: Any) -> OrderChange:
    return OrderChange(number="C1", issued=DAY, order_number="PO1", lines=lines, **header)


def changed(number: int = 1, action: LineChange = LineChange.CHANGED, **more: Any) -> OrderChangeLine:
    return OrderChangeLine(number=number, action=action, item=ITEM, **more)


def received(**line: Any) -> ReceivingAdvice:
    package = ReceivedPackage(number="1", lines=(ReceivedLine(number=1, item=ITEM, **line),))
    return ReceivingAdvice(number="R1", issued=DAY, parties=(BUYER,), packages=(package,))


def paid(total: str, *documents: SettledDocument) -> RemittanceAdvice:
    return RemittanceAdvice(
        number="P1", issued=DAY, currency="EUR", parties=(BUYER,), paid=Decimal(total), documents=documents
    )


def settled(amount: str, *, number: str = "F1", **more: Any) -> SettledDocument:
    return SettledDocument(number=number, paid=Decimal(amount), **more)


def sold(period: Period | None = None, currency: str = "EUR", **line: Any) -> SalesReport:
    place = SalesPlace(location="LYON", period=period, lines=(SoldLine(number=1, item=ITEM, **line),))
    return SalesReport(number="S1", issued=DAY, parties=(BUYER,), currency=currency, places=(place,))


def offered(currency: str = "EUR", item: ItemIdentity = ITEM, **price: Any) -> PriceCatalogue:
    offer = Offer(number=1, item=item, prices=(OfferPrice(**{"amount": Decimal(5), **price}),))
    return PriceCatalogue(number="T1", issued=DAY, currency=currency, groups=(PriceGroup(lines=(offer,)),))


def differs(quantity: int, qualifier: str) -> tuple[Discrepancy, ...]:
    return (Discrepancy(quantity=Decimal(quantity), qualifier=qualifier),)


FAULTS: list[tuple[Any, list[tuple[str, str]]]] = [
    (change(changed(quantity=Decimal(5))), []),
    (change(function=ChangeFunction.CANCEL), []),
    (change(), [("B641", "lines")]),
    (change(changed()), [("B641", "lines[0]")]),
    (change(changed(action=LineChange.NOT_AMENDED)), [("B641", "lines")]),
    (change(changed(action=LineChange.ADDED)), [("Q730", "lines[0]/quantity")]),
    (change(changed(quantity=Decimal(-1))), [("Q731", "lines[0]/quantity")]),
    (change(changed(quantity=Decimal(1)), changed(quantity=Decimal(2))), [("B640", "lines[1]/number")]),
    (received(received=Decimal(9), accepted=Decimal(7), discrepancies=differs(-2, "124")), []),
    (received(received=Decimal(9), accepted=Decimal(10)), [("Q732", "packages[0]/lines[0]/accepted")]),
    (received(received=Decimal(2), discrepancies=differs(-3, "195")), [("Q732", "packages[0]/lines[0]/accepted")]),
    (received(despatched=Decimal(-1)), [("Q731", "packages[0]/lines[0]/despatched")]),
    (paid("7", settled("10"), settled("3", number="C1", parties=BY_BUYER)), []),
    (paid("7", settled("10"), settled("3", number="A1", type="381")), []),
    (paid("13", settled("10"), settled("3", number="A1", type="381", parties=BY_BUYER)), []),
    (paid("7", settled("10"), settled("-3", number="A1", type="381")), []),
    (paid("8", settled("10")), [("F830", "paid")]),
    (paid("20", settled("10"), settled("10")), [("B644", "documents[1]/number")]),
    (paid("8", settled("8", due=Decimal(10))), [("F831", "documents[0]/paid")]),
    (paid("8", settled("8", due=Decimal(10), adjustments=(Adjustment(reason="4", amount=Decimal(2)),))), []),
    (sold(quantity=Decimal(1), value=Decimal(5)), []),
    (sold(currency="", value=Decimal(5)), [("F832", "currency")]),
    (sold(period=BACKWARDS), [("B642", "places[0]/period")]),
    (sold(quantity=Decimal(-1)), [("Q731", "places[0]/lines[0]/quantity")]),
    (offered(), []),
    (offered(currency=""), [("F832", "groups[0]/lines[0]/prices[0]/currency")]),
    (offered(currency="", amount=Decimal(5)), [("F832", "groups[0]/lines[0]/prices[0]/currency")]),
    (offered(item=ItemIdentity()), [("B643", "groups[0]/lines[0]/item")]),
    (offered(amount=Decimal(-5)), [("F833", "groups[0]/lines[0]/prices[0]/amount")]),
    (offered(validity=BACKWARDS), [("B642", "groups[0]/lines[0]/prices[0]/validity")]),
    (
        offered(minimum=Decimal(10), maximum=Decimal(9)),
        [("F834", "groups[0]/lines[0]/prices[0]/minimum")],
    ),
]


@pytest.mark.parametrize(("record", "expected"), FAULTS)
def test_a_record_says_what_is_wrong_with_it(record: Any, expected: list[tuple[str, str]]) -> None:
    assert [(finding.code, finding.path) for finding in record.faults()] == expected


def test_every_rule_is_provoked_once_and_its_code_is_its_own() -> None:
    codes = [rule.code for rule in document_rules.RULES]
    assert {code for _, faults in FAULTS for code, _ in faults} == set(codes)
    assert len({*codes, *(rule.code for rule in RULES)}) == len(codes) + len(RULES)


@pytest.mark.parametrize("rule", document_rules.RULES, ids=lambda rule: rule.code)
def test_both_languages_name_the_same_facts(rule: Rule) -> None:
    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    assert names(rule.en) == names(rule.fr)
    assert rule.en != rule.fr
    assert rule.hint_en != rule.hint_fr


def test_what_was_damaged_and_refused_is_told_by_variances_or_quantities() -> None:
    line = ReceivedLine(
        number=1,
        item=ITEM,
        received=Decimal(9),
        discrepancies=(*differs(-2, "124"), *differs(-1, "195"), *differs(-1, "196")),
        other_quantities=(("124", Decimal(2)),),
    )
    assert (line.damaged, line.rejected, line.quantity_accepted) == (Decimal(2), Decimal(2), Decimal(5))


def test_the_price_of_a_quantity_is_that_of_the_narrowest_range() -> None:
    prices = (
        OfferPrice(amount=Decimal(5)),
        OfferPrice(amount=Decimal(4), minimum=Decimal(10), maximum=Decimal(99)),
        OfferPrice(amount=Decimal(9), qualifier="AAE"),
    )
    offer = Offer(number=1, item=ITEM, prices=prices)

    found = [offer.price(quantity=Decimal(count)) for count in (9, 10, 99, 100)]

    assert [price.amount for price in found if price] == [Decimal(5), Decimal(4), Decimal(4), Decimal(5)]
    assert offer.price("AAB") is None
