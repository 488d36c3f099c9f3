"""APERAK: what an application says of a document, as an `ApplicationAcknowledgement`.

The references of the header name the document; each error (ERC) has a code, a text, and a reference to the line.
The errors stand in SG3 in D.96A and in SG4 in D.01B, which also has DOC for the document.
"""

from __future__ import annotations

from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.marketplace.acknowledgement import ApplicationAcknowledgement, ApplicationError, Document
from edi_gateway.marketplace.parties import Party
from edi_gateway.translators._machinery import Nested, Reading, RecordMapping, Row, Values, Writing
from edi_gateway.translators.rows.cells import Cell, Components, Service
from edi_gateway.translators.rows.dates import Dates
from edi_gateway.translators.rows.parties import NameAndAddress, Parties
from edi_gateway.translators.rows.references import References
from edi_gateway.translators.rows.texts import Notes
from edi_gateway.translators.translator import Translator

DOCUMENT = RecordMapping(Document, (Components("DOC", Cell(1, 1, "type", place="DOC 1001"), Cell(2, 1, "number")),))

ERROR = RecordMapping(
    ApplicationError,
    (
        Components("ERC", Cell(1, 1, "code", place="ERC 9321"), Cell(1, 2, "list_code"), Cell(1, 3, "agency")),
        Notes(),
        References({}),
    ),
)


class NameAlone(Row):
    """What records know of a party beyond its name, and an APERAK has no place for: its NAD has no RFF group.

    Its contacts (CTA and COM, side by side) have no field.
    """

    fields = ("vat_id", "registration", "references", "contacts")

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        reading.leave(segment)

    def write(self, record: Party, writing: Writing) -> None:
        for name in self.fields:
            if getattr(record, name):
                raise writing.refuse(name, "APERAK names a party with NAD alone; leave it out")


PARTY = RecordMapping(Party, (NameAndAddress(), NameAlone()))


class Documents(Nested):
    """DOC groups, which D.96A has not."""

    def write(self, record: Any, writing: Writing) -> None:
        if record.documents and writing.context.directory == "D.96A":
            raise writing.refuse("documents", "APERAK of D.96A has no DOC; name the document in the references")
        super().write(record, writing)


ACKNOWLEDGEMENT = RecordMapping(
    ApplicationAcknowledgement,
    (
        Service("UNH", "UNT"),
        Components("BGM", Cell(1, 1, "type"), Cell(2, 1, "number"), Cell(3, 1, "function")),
        Dates({"137": "issued"}),
        Notes(),
        Documents("DOC", "documents", DOCUMENT),
        References({}),
        Parties(mapping=PARTY),
        Nested("ERC", "errors", ERROR),
    ),
)

TRANSLATOR = Translator("APERAK", ACKNOWLEDGEMENT)
