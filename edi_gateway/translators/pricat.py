"""PRICAT: a vendor's prices and offers, as a `PriceCatalogue`.

PGI opens a group of articles, each LIN below it is an offer, each PRI one of its prices with its range of quantities
and its validity.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from edi_gateway.marketplace.price_catalogue import Offer, OfferAction, OfferPrice, PriceCatalogue, PriceGroup
from edi_gateway.translators import rules
from edi_gateway.translators._machinery import Nested, RecordMapping, Writing
from edi_gateway.translators.rows.allowances import ALLOWANCE
from edi_gateway.translators.rows.articles import Articles, Line
from edi_gateway.translators.rows.cells import AMOUNT, QUANTITY, Cell, CodeCodec, Components, NumberCodec, Service
from edi_gateway.translators.rows.dates import Dates, Dating, Ends, Starts
from edi_gateway.translators.rows.figures import PIECE, Currency, Quantities
from edi_gateway.translators.rows.parties import Parties
from edi_gateway.translators.rows.references import References
from edi_gateway.translators.rows.status import Status
from edi_gateway.translators.rows.taxes import Vat
from edi_gateway.translators.rows.texts import Description, Notes
from edi_gateway.translators.translator import Translator

ACTIONS = CodeCodec({action.value: action for action in OfferAction})
PRICING_CURRENCY = "10"
VALIDITY: Mapping[str, Dating] = {"194": Starts("validity"), "206": Ends("validity")}
ALSO_VALIDITY: Mapping[str, Dating] = {
    "7": Starts("validity"),
    "36": Ends("validity"),
    "157": Starts("validity"),
    "158": Ends("validity"),
}


class BasisCodec(NumberCodec):
    """5284, which is 1 where none is sent."""

    def write(self, value: Decimal | None, writing: Writing) -> str:
        return "" if value == 1 else super().write(value, writing)


BASIS = BasisCodec(rules.AMOUNT_UNREADABLE)


class Range(Components):
    """RNG+4: the quantities that a price is for. Any other range has no field."""

    def __init__(self) -> None:
        super().__init__(
            "RNG",
            Cell(2, 1, "range_unit"),
            Cell(2, 2, "minimum", QUANTITY),
            Cell(2, 3, "maximum", QUANTITY),
            fixed={(1, 1): "4"},
            selects=True,
        )

    def write(self, record: OfferPrice, writing: Writing) -> None:
        if record.minimum is not None or record.maximum is not None:
            super().write(record, writing)
        elif record.range_unit != PIECE:
            raise writing.refuse("range_unit", "a range has a unit where it has quantities")


PRICE = RecordMapping(
    OfferPrice,
    (
        Components(
            "PRI",
            Cell(1, 1, "qualifier"),
            Cell(1, 2, "amount", AMOUNT, place="PRI 5118"),
            Cell(1, 3, "type"),
            Cell(1, 4, "specification"),
            Cell(1, 5, "basis", BASIS),
            Cell(1, 6, "unit"),
        ),
        Currency(PRICING_CURRENCY),
        Range(),
        Dates(VALIDITY, others="dates", understood=ALSO_VALIDITY),
    ),
)

OFFER = RecordMapping(
    Offer,
    (
        Line(action="action", actions=ACTIONS),
        Articles(),
        Description(),
        Quantities(
            {"53": "minimum_order", "54": "maximum_order", "59": "pack_size"},
            main="53",
            unitless=frozenset({"59"}),
        ),
        Status(),
        Dates(VALIDITY, others="dates", understood=ALSO_VALIDITY),
        References({}),
        Notes(),
        Vat(),
        Nested("PRI", "prices", PRICE),
        Nested("ALC", "allowances", ALLOWANCE),
    ),
)

GROUP = RecordMapping(
    PriceGroup,
    (
        Components("PGI", Cell(1, 1, "type"), Cell(2, 1, "code"), Cell(2, 3, "agency"), Cell(2, 4, "name")),
        Nested("LIN", "lines", OFFER),
    ),
)

CATALOGUE = RecordMapping(
    PriceCatalogue,
    (
        Service("UNH", "UNT"),
        Components("BGM", Cell(1, 1, "type"), Cell(2, 1, "number", place="BGM 1004"), Cell(3, 1, "function")),
        Dates({"137": "issued", **VALIDITY}, others="dates", understood=ALSO_VALIDITY),
        Notes(),
        References({}),
        Parties(),
        Currency(PRICING_CURRENCY, is_needed=True),
        Nested("PGI", "groups", GROUP),
    ),
)

TRANSLATOR = Translator("PRICAT", CATALOGUE)
