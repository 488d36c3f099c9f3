"""What is paid, and which documents that settles (REMADV): the cash-out as EDIFACT says it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from edi_gateway.edifact.findings import Finding
from edi_gateway.marketplace import document_rules as rules
from edi_gateway.marketplace.invoice import BankAccount
from edi_gateway.marketplace.parties import Moment, Note, Party, PartyRole, QualifiedDate, Reference

ZERO = Decimal(0)

CREDITS = frozenset({"381", "83", "261", "262", "308", "396", "503"})
"""DOC 1001 of documents that lessen what their issuer has to get: credit notes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """AJT and its group: why less or more is paid than the document says."""

    reason: str  # AJT 4465, such as 4 short delivery, 5 price query
    line: int | None = None  # AJT 1082
    amount: Decimal | None = None  # MOA 5 (or 165), what is deducted
    references: tuple[Reference, ...] = ()  # at most one is sent
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledDocument:
    """DOC and its group: one invoice, credit note or fee of the payment.

    Amounts are positive, and the document's type and issuer say whether it adds to the payment; an amount
    that is sent with a sign keeps it.
    """

    type: str = "380"  # DOC 1001
    number: str  # DOC 1004
    issued: Moment | None = None  # DTM 137, else 171
    due: Decimal | None = None  # MOA 9
    paid: Decimal | None = None  # MOA 12
    discount: Decimal | None = None  # MOA 52
    other_amounts: tuple[tuple[str, Decimal], ...] = ()  # (5025, amount) of any other
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM
    references: tuple[Reference, ...] = ()
    parties: tuple[Party, ...] = ()  # NAD II: who issued the document, where it is not the payee
    adjustments: tuple[Adjustment, ...] = ()

    @property
    def deducted(self) -> Decimal:
        return sum((each.amount for each in self.adjustments if each.amount is not None), ZERO)

    @property
    def amount(self) -> Decimal:
        """What is paid for the document, else what is due; without regard to who owes whom."""
        return next((amount for amount in (self.paid, self.due) if amount is not None), ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemittanceAdvice:
    """One REMADV."""

    number: str  # BGM 1004
    type: str = "481"  # BGM 1001
    function: str = "9"  # BGM 1225
    issued: Moment  # DTM 137
    payment_date: Moment | None = None  # DTM 138
    value_date: Moment | None = None  # DTM 209
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM
    references: tuple[Reference, ...] = ()  # such as PQ, the payment's
    payer_account: BankAccount | None = None  # FII OR
    payee_account: BankAccount | None = None  # FII BF
    payment_means: str = ""  # PAI 4461
    notes: tuple[Note, ...] = ()
    parties: tuple[Party, ...] = ()
    currency: str  # CUX 2
    documents: tuple[SettledDocument, ...] = ()
    due: Decimal | None = None  # MOA 9 of the summary
    paid: Decimal | None = None  # MOA 12 of the summary
    other_amounts: tuple[tuple[str, Decimal], ...] = ()  # (5025, amount) of the summary

    def party(self, role: PartyRole) -> Party | None:
        return next((party for party in self.parties if party.role is role), None)

    def is_deduction(self, document: SettledDocument) -> bool:
        """Whether the document lessens the payment: a credit note of the payee, or an invoice of the payer."""
        issuer = next((party for party in document.parties if party.role is PartyRole.INVOICE_ISSUER), None)
        payer = self.party(PartyRole.PAYER) or self.party(PartyRole.BUYER)
        by_payer = issuer is not None and payer is not None and issuer.identifier == payer.identifier
        return (document.type in CREDITS) != by_payer

    def signed(self, document: SettledDocument) -> Decimal:
        """What the document adds to the payment; negative for a deduction."""
        return -document.amount if self.is_deduction(document) and document.amount > 0 else document.amount

    @property
    def balance(self) -> Decimal:
        """The sum of the documents: what is paid."""
        return sum((self.signed(document) for document in self.documents), ZERO)

    def faults(self) -> list[Finding]:
        """The documents make up the payment; each is named once; what is paid is what is due less what is deducted."""
        findings = list(self._faults_of_documents())
        if self.paid is not None and self.documents and self.paid != self.balance:
            findings.append(
                Finding(rules.PAYMENT_NOT_BALANCED, value=str(self.paid), expected=str(self.balance), path="paid")
            )
        return findings

    def _faults_of_documents(self) -> Iterator[Finding]:
        seen: set[tuple[str, str, bool]] = set()
        for index, document in enumerate(self.documents):
            path = f"documents[{index}]"
            key = (document.type, document.number, self.is_deduction(document))
            if key in seen:
                yield Finding(rules.DOCUMENT_TWICE, value=document.number, path=f"{path}/number")
            seen.add(key)
            if document.due is None or document.paid is None:
                continue
            expected = document.due - document.deducted - (document.discount or ZERO)
            if document.paid != expected:
                yield Finding(rules.PAID_NOT_DUE, value=str(document.paid), expected=str(expected), path=f"{path}/paid")
