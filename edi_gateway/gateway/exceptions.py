"""The one list of what an operator has to look at: what it is, where, since when, and what to do.

Each kind is a question of its own to an index (`SOURCES`), so the list costs what is on it, not what the store holds.
Nothing is kept for it: what has been settled is no longer found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from edi_gateway.edifact.findings import Finding, Language, Level, Rule, Severity
from edi_gateway.gateway.overdue_list import TEXTS, named
from edi_gateway.marketplace.fulfilment import OrderState
from edi_gateway.marketplace.money import plain
from edi_gateway.partnership import DeadlineKind
from edi_gateway.store import deadlines
from edi_gateway.store.business import EXCESS, PROPOSED, UNCLEAR, InvoiceRow, InvoiceState, OrderLineRow, OrderRow
from edi_gateway.store.deadlines import DeadlineRow
from edi_gateway.store.documents import Message, MessageState
from edi_gateway.store.transmissions import Transmission, TransmissionState

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """What the list is asked for."""

    now: datetime
    partner: str | None
    limit: int


@dataclass(frozen=True, slots=True)
class Exceptional:
    """One item: `finding` says what and what to do, `subject` where."""

    kind: str
    finding: Finding
    partner: str
    order_number: str
    subject: str
    since: datetime

    def as_json(self, language: Language) -> Json:
        return {
            "kind": self.kind,
            "code": self.finding.code,
            "text": self.finding.text(language),
            "hint": self.finding.hint(language),
            "partner": self.partner,
            "order_number": self.order_number,
            "subject": self.subject,
            "since": self.since.isoformat(),
        }


def exceptions(
    session: Session, now: datetime, *, partner: str | None = None, limit: int, language: Language = "en"
) -> list[Json]:
    """What waits for an operator, the longest first, at most `limit`."""
    question = Question(now, partner, limit)
    found = [item for source in SOURCES.values() for item in source(session, question)]
    found.sort(key=lambda item: item.since)
    return [item.as_json(language) for item in found[:limit]]


def _rule(code: str, en: str, fr: str, hint_en: str, hint_fr: str) -> Rule:
    return Rule(code, Level.BUSINESS, Severity.WARNING, en, fr, hint_en, hint_fr)


DOCUMENT = _rule(
    "T140",
    "{value} cannot take effect: {expected}",
    "{value} ne peut prendre effet : {expected}",
    "`edi-gateway messages show` with its id; mend the cause, then `edi-gateway messages replay`",
    "`edi-gateway messages show` avec son identifiant ; corrigez la cause, puis `edi-gateway messages replay`",
)
INVOICE = _rule(
    "T141",
    "Invoice {value} does not agree: {expected}",
    "La facture {value} ne concorde pas : {expected}",
    "Settle the differences with the vendor; a credit note or the missing despatch advice releases it",
    "Réglez les écarts avec le vendeur ; un avoir ou l'avis d'expédition manquant la débloque",
)
OVER_SHIPPED = _rule(
    "T142",
    "Of {value} more was shipped than confirmed: {expected}",
    "{value} a été expédiée au-delà du confirmé : {expected}",
    "Keep the goods and agree on the price, or send them back; the excess is not paid by itself",
    "Gardez la marchandise et convenez du prix, ou renvoyez-la ; l'excédent n'est pas payé sans accord",
)
PRICE = _rule(
    "T143",
    "For {value} the vendor asks another price: {expected}",
    "Pour {value} le vendeur demande un autre prix : {expected}",
    "Accept it by a change of the order, or leave it; an invoice at that price is held",
    "Acceptez-le par une modification de la commande, ou laissez ; une facture à ce prix sera bloquée",
)
RECEIVED = _rule(
    "T148",
    "Of {value} was not received and accepted what was shipped: {expected}",
    "{value} : le reçu et accepté n'est pas l'expédié : {expected}",
    "Clear it with the carrier and the vendor; what was not accepted is not to be paid",
    "Réglez l'écart avec le transporteur et le vendeur ; ce qui n'est pas accepté n'est pas à payer",
)
HELD = _rule(
    "T144",
    "Order {value} is held: {expected}",
    "La commande {value} est bloquée : {expected}",
    "Speak to the vendor; release the order, or cancel it",
    "Voyez avec le vendeur ; débloquez la commande, ou annulez-la",
)
EXPIRED = _rule(
    "T145",
    "Order {value} has had no answer in time",
    "La commande {value} est restée sans réponse dans le délai",
    "Ask the vendor for the ORDRSP, or cancel the order; a late answer still counts",
    "Réclamez l'ORDRSP au vendeur, ou annulez la commande ; une réponse tardive compte encore",
)
ORDER_REFUSED = _rule(
    "T146",
    "The vendor's system refused the ORDERS of {value}",
    "Le système du vendeur a refusé l'ORDERS de {value}",
    "`edi-gateway messages show` says why; mend it and place the order anew",
    "`edi-gateway messages show` dit pourquoi ; corrigez et passez la commande à nouveau",
)
PARKED = _rule(
    "T147",
    "A transmission is parked: {expected}",
    "Une transmission est mise de côté : {expected}",
    "`edi-gateway doctor transmission` says why; then `edi-gateway transmissions resend`",
    "`edi-gateway doctor transmission` dit pourquoi ; puis `edi-gateway transmissions resend`",
)

RULES: tuple[Rule, ...] = (DOCUMENT, INVOICE, OVER_SHIPPED, RECEIVED, PRICE, HELD, EXPIRED, ORDER_REFUSED, PARKED)

REASON_CHARACTERS_SHOWN = 200


def _documents(session: Session, question: Question) -> Iterator[Exceptional]:
    statement = select(Message).where(Message.state == MessageState.EXCEPTION)
    if question.partner is not None:
        statement = statement.where(Message.partnership == question.partner)
    for row in session.scalars(statement.order_by(Message.at).limit(question.limit)):
        what = f"{row.type} {row.document_number}".strip()
        finding = Finding(DOCUMENT, value=what, expected=row.reason[:REASON_CHARACTERS_SHOWN])
        yield Exceptional("document", finding, row.partnership, row.business_key, row.subject, row.changed_at)


def _invoices(session: Session, question: Question) -> Iterator[Exceptional]:
    """Held invoices, but for those that wait for their goods and may still do so."""
    waits = select(DeadlineRow.id).where(
        DeadlineRow.kind == DeadlineKind.WAITING,
        DeadlineRow.subject == "message:" + InvoiceRow.message_id,
        DeadlineRow.closed_at.is_(None),
    )
    statement = select(InvoiceRow).where(InvoiceRow.state == InvoiceState.MISMATCH, ~waits.exists())
    if question.partner is not None:
        statement = statement.where(InvoiceRow.partnership == question.partner)
    for row in session.scalars(statement.order_by(InvoiceRow.at).limit(question.limit)):
        held = [f"{entry.kind.value} at {entry.path}" for entry in row.discrepancies if not entry.within_tolerance]
        finding = Finding(INVOICE, value=row.number, expected="; ".join(held)[:REASON_CHARACTERS_SHOWN])
        order = row.lines[0].order_number if row.lines else ""
        yield Exceptional("invoice", finding, row.partnership, order, row.subject, row.at)


def _over_shipped(session: Session, question: Question) -> Iterator[Exceptional]:
    for line, order in _lines(session, question, EXCESS):
        if order.state is not OrderState.INVOICED:
            finding = Finding(OVER_SHIPPED, value=_line(line, order), expected=plain(line.overshipped))
            yield _of_order("over-shipped", finding, order)


def _received(session: Session, question: Question) -> Iterator[Exceptional]:
    """What was taken over is not what was shipped. Less than that may still be on its way while more is to ship."""
    for line, order in _lines(session, question, UNCLEAR):
        shipped = line.shipped + line.overshipped
        if line.received is not None and (line.received > shipped or order.state in _ALL_SHIPPED):
            expected = f"{plain(line.received)} / {plain(shipped)}"
            yield _of_order("received", Finding(RECEIVED, value=_line(line, order), expected=expected), order)


_ALL_SHIPPED = (OrderState.SHIPPED, OrderState.INVOICED)


def _prices(session: Session, question: Question) -> Iterator[Exceptional]:
    for line, order in _lines(session, question, PROPOSED):
        if line.proposed_price is not None and order.state not in _DONE:
            finding = Finding(PRICE, value=_line(line, order), expected=plain(line.proposed_price))
            yield _of_order("price", finding, order)


_DONE = (OrderState.INVOICED, OrderState.CANCELLED, OrderState.REJECTED)


def _lines(session: Session, question: Question, where: str) -> list[tuple[OrderLineRow, OrderRow]]:
    statement = select(OrderLineRow, OrderRow).join(OrderRow, OrderRow.id == OrderLineRow.order_id).where(text(where))
    if question.partner is not None:
        statement = statement.where(OrderRow.partnership == question.partner)
    return [(line, order) for line, order in session.execute(statement.limit(question.limit))]


def _line(line: OrderLineRow, order: OrderRow) -> str:
    return f"{order.number}/{line.number}"


def _of_order(kind: str, finding: Finding, order: OrderRow) -> Exceptional:
    return Exceptional(kind, finding, order.partnership, order.number, order.subject, order.changed_at)


def _held(session: Session, question: Question) -> Iterator[Exceptional]:
    statement = select(OrderRow).where(OrderRow.held != "")
    if question.partner is not None:
        statement = statement.where(OrderRow.partnership == question.partner)
    for row in session.scalars(statement.order_by(OrderRow.changed_at).limit(question.limit)):
        if row.state not in (*_DONE, OrderState.SHIPPED):
            yield _of_order("held", Finding(HELD, value=row.number, expected=row.held), row)


def _in_state(kind: str, state: OrderState, rule: Rule) -> Callable[[Session, Question], Iterator[Exceptional]]:
    def found(session: Session, question: Question) -> Iterator[Exceptional]:
        statement = select(OrderRow).where(OrderRow.state == state, OrderRow.held == "")
        if question.partner is not None:
            statement = statement.where(OrderRow.partnership == question.partner)
        for row in session.scalars(statement.order_by(OrderRow.created_at).limit(question.limit)):
            yield _of_order(kind, Finding(rule, value=row.number), row)

    return found


def _parked(session: Session, question: Question) -> Iterator[Exceptional]:
    statement = select(Transmission).where(Transmission.state == TransmissionState.PARKED)
    if question.partner is not None:
        statement = statement.where(Transmission.partnership == question.partner)
    for row in session.scalars(statement.order_by(Transmission.created_at).limit(question.limit)):
        finding = Finding(PARKED, expected=(row.reason or "")[:REASON_CHARACTERS_SHOWN])
        yield Exceptional("transmission", finding, row.partnership or "", "", row.subject, row.changed_at)


def _late(session: Session, question: Question) -> Iterator[Exceptional]:
    rows = deadlines.overdue(session, question.now, partnership=question.partner, limit=question.limit)
    for row in rows:
        finding = Finding(TEXTS[row.kind], value=named(row))
        yield Exceptional(f"late-{row.kind.value}", finding, row.partnership, row.order_number, row.subject, row.due_at)


SOURCES: Mapping[str, Callable[[Session, Question], Iterator[Exceptional]]] = {
    "document": _documents,
    "invoice": _invoices,
    "over-shipped": _over_shipped,
    "received": _received,
    "price": _prices,
    "held": _held,
    "expired": _in_state("expired", OrderState.EXPIRED_NO_RESPONSE, EXPIRED),
    "order-refused": _in_state("order-refused", OrderState.INCIDENT, ORDER_REFUSED),
    "transmission": _parked,
    "late": _late,
}
"""What the list is made of."""
