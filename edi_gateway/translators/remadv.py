"""REMADV: what is paid and which documents that settles, as a `RemittanceAdvice`.

Each DOC is a document with its amounts: due (MOA 9) and paid (12), an AJT for each reason why they differ. The
account to pay from is FII+OR, the one to pay to FII+BF.
"""

from __future__ import annotations

from collections.abc import Mapping

from edi_gateway.edifact.segment import Segment
from edi_gateway.marketplace.invoice import BankAccount
from edi_gateway.marketplace.parties import Party
from edi_gateway.marketplace.remittance import Adjustment, RemittanceAdvice, SettledDocument
from edi_gateway.translators._machinery import Claimed, Nested, Reading, RecordMapping, Row, Section, Values, Writing
from edi_gateway.translators.rows.cells import INTEGER, Cell, Components, Service
from edi_gateway.translators.rows.dates import Dates
from edi_gateway.translators.rows.figures import Amounts, Currency
from edi_gateway.translators.rows.parties import NameAndAddress, Parties
from edi_gateway.translators.rows.pieces import join_pieces, split_text
from edi_gateway.translators.rows.references import References
from edi_gateway.translators.rows.texts import Notes
from edi_gateway.translators.translator import Translator

PAYMENT_CURRENCY = "11"
HOLDER_CHARACTERS = 35
_FII: Claimed = frozenset({(1, 1), (2, 1), (2, 2), (2, 3), (3, 1)})

_ACCOUNT_PARTS = (("iban", 2, 1), ("holder", 2, 2), ("holder", 2, 3), ("bic", 3, 1))


class Accounts(Row):
    """FII: the accounts of the payment by their role (3035). A second one of a role has no field."""

    tags = ("FII",)
    table: Mapping[str, str] = {"OR": "payer_account", "BF": "payee_account"}

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        name = self.table.get(segment.get(1))
        if name is None or not segment.get(2, 1) or name in values:
            reading.leave(segment)
            return
        holder = join_pieces([segment.get(2, 2), segment.get(2, 3)])
        values[name] = BankAccount(iban=segment.get(2, 1), holder=holder, bic=segment.get(3, 1))
        if reading.lineage is not None:
            for part, element, component in _ACCOUNT_PARTS:
                if segment.get(element, component):
                    reading.trace_part(f"{name}/{part}", segment, element, component)
        reading.leave_beyond(segment, _FII)

    def write(self, record: RemittanceAdvice, writing: Writing) -> None:
        for code, name in self.table.items():
            account: BankAccount | None = getattr(record, name)
            if account is None:
                continue
            holder = split_text(account.holder, HOLDER_CHARACTERS)
            if len(holder) > 2:
                raise writing.refuse(f"{name}/holder", f"at most {2 * HOLDER_CHARACTERS} characters can be sent")
            writing.add("FII", code, (account.iban, *holder), account.bic)


class OneReference(References):
    """RFF where one fits, without a date."""

    def write(self, record: Adjustment, writing: Writing) -> None:
        if len(record.references) > 1:
            raise writing.refuse("references", "an adjustment has one reference at most")
        super().write(record, writing)


class NoContacts(Row):
    """What a party of a document has no place for: its NAD stands alone."""

    tags = ()
    fields = ("vat_id", "registration", "references", "contacts")

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        reading.leave(segment)

    def write(self, record: Party, writing: Writing) -> None:
        for name in self.fields:
            if getattr(record, name):
                raise writing.refuse(name, "here a party is named with NAD alone; leave it out")


ADJUSTMENT = RecordMapping(
    Adjustment,
    (
        Components("AJT", Cell(1, 1, "reason", place="AJT 4465"), Cell(2, 1, "line", INTEGER)),
        Amounts({"5": "amount", "165": "amount"}),
        OneReference({}),
        Notes(),
    ),
)

DOCUMENT = RecordMapping(
    SettledDocument,
    (
        Components("DOC", Cell(1, 1, "type"), Cell(2, 1, "number", place="DOC 1004")),
        Amounts({"9": "due", "12": "paid", "52": "discount"}, others="other_amounts"),
        Dates({"137": "issued"}, others="dates", understood={"171": "issued"}),
        References({}),
        Parties(mapping=RecordMapping(Party, (NameAndAddress(), NoContacts()))),
        Nested("AJT", "adjustments", ADJUSTMENT),
    ),
)

REMITTANCE = RecordMapping(
    RemittanceAdvice,
    (
        Service("UNH", "UNT"),
        Components("BGM", Cell(1, 1, "type"), Cell(2, 1, "number", place="BGM 1004"), Cell(3, 1, "function")),
        Dates({"137": "issued", "138": "payment_date", "209": "value_date"}, others="dates"),
        References({}),
        Accounts(),
        Components("PAI", Cell(1, 3, "payment_means"), optional=True),
        Notes(),
        Parties(),
        Currency(PAYMENT_CURRENCY, is_needed=True),
        Nested("DOC", "documents", DOCUMENT),
    ),
    Section("UNS", "S", (Service("UNT"), Amounts({"9": "due", "12": "paid"}, others="other_amounts"))),
)

TRANSLATOR = Translator("REMADV", REMITTANCE)
