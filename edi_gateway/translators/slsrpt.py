"""SLSRPT: what was sold, by place and period, as a `SalesReport`.

LOC opens a place of sale; below it stand the lines. D.01B has a summary, which is empty here, and names references
before parties.
"""

from __future__ import annotations

from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.marketplace.sales_report import SalesPlace, SalesReport, SoldLine
from edi_gateway.messages.tree import Group
from edi_gateway.translators._machinery import Nested, Reading, RecordMapping, Row, Section, Values, Writing
from edi_gateway.translators.rows.articles import Articles, Line
from edi_gateway.translators.rows.cells import Cell, Components, Service
from edi_gateway.translators.rows.dates import Dates, Ends, Spans, Starts
from edi_gateway.translators.rows.figures import Amounts, Currency, Prices, Quantities
from edi_gateway.translators.rows.parties import Parties
from edi_gateway.translators.rows.references import References
from edi_gateway.translators.rows.texts import Description
from edi_gateway.translators.translator import Translator

REPORTING_CURRENCY = "10"
_PARTIES = Parties()
_REFERENCES = References({})


class PartiesAndReferences(Row):
    """NAD and RFF, in the order of the directory."""

    tags = ("NAD", "RFF")
    places = _PARTIES.places

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        (_PARTIES if segment.tag == "NAD" else _REFERENCES).read(segment, values, reading)

    def read_group(self, group: Group, values: Values, reading: Reading) -> None:
        (_PARTIES if group.trigger == "NAD" else _REFERENCES).read_group(group, values, reading)

    def write(self, record: Any, writing: Writing) -> None:
        rows = (_REFERENCES, _PARTIES) if writing.form.sales_end_with_uns else (_PARTIES, _REFERENCES)
        for row in rows:
            row.write(record, writing)


LINE = RecordMapping(
    SoldLine,
    (
        Line(),
        Articles(),
        Description(),
        References({}),
        Amounts({"203": "value"}, others="other_amounts"),
        Prices({"AAA": "unit_price", "AAB": "list_price", "AAE": "retail_price"}, says_unit=False),
        Quantities({"153": "quantity", "61": "returned"}, main="153"),
    ),
)

PLACE = RecordMapping(
    SalesPlace,
    (
        Components(
            "LOC",
            Cell(1, 1, "kind", place="LOC 3227"),
            Cell(2, 1, "location"),
            Cell(2, 3, "location_agency"),
            Cell(2, 4, "name"),
        ),
        Dates({"356": Spans("period")}, others="dates"),
        References({}),
        Nested("LIN", "lines", LINE),
    ),
)

REPORT = RecordMapping(
    SalesReport,
    (
        Service("UNH", "UNT"),
        Components("BGM", Cell(1, 1, "type"), Cell(2, 1, "number", place="BGM 1004"), Cell(3, 1, "function")),
        Dates({"137": "issued", "90": Starts("period"), "91": Ends("period")}, others="dates"),
        PartiesAndReferences(),
        Currency(REPORTING_CURRENCY, is_needed=True),
        Nested("LOC", "places", PLACE),
    ),
    Section("UNS", "S", (Service("UNT"),), is_written=lambda form: form.sales_end_with_uns),
)

TRANSLATOR = Translator("SLSRPT", REPORT)
