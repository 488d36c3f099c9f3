"""The commission of a cycle: once per partnership, cycle and currency, sent to the vendor as INVOIC.

What is charged is every goods invoice of the cycle that agrees and was not charged before; each remembers the
commission invoice that charged it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from edi_gateway.config import Identity
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.compose import compose
from edi_gateway.gateway.orders import UnknownPartner
from edi_gateway.marketplace.commission import CommissionTerms, InvoicedGoods, commission_invoice
from edi_gateway.marketplace.invoice import BankAccount, Invoice
from edi_gateway.marketplace.matching import net_amount, vat_amount
from edi_gateway.marketplace.parties import Party, PartyRole
from edi_gateway.partnership import Direction, Partnership, TradingPartner
from edi_gateway.store.business import CommissionCycle, InvoiceKind, InvoiceRow, InvoiceState
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.documents import take_number

INVOIC = "INVOIC"
GLN_AGENCY = "9"
CYCLE_DAYS_MAX = 366


class NothingToInvoice(Exception):
    """No goods invoice of the cycle waits for its commission."""


class CycleRefused(Exception):
    """Dates that are no cycle."""


@dataclass(frozen=True, slots=True)
class CommissionIssued:
    """The invoices of the cycle, one a currency, and whether this call made them."""

    invoice_ids: tuple[int, ...]
    created: bool


def invoice_commission(gateway: Gateway, partner: str, start: date, end: date) -> CommissionIssued:
    """Invoice the commission on the goods invoices issued from `start` to `end`, both included.

    The same cycle again gives the same invoices. Raises UnknownPartner, CycleRefused, NothingToInvoice, and
    ComposeRefused where INVOIC cannot be sent.
    """
    partnership = gateway.partnerships.by_name(partner)
    if partnership is None:
        raise UnknownPartner(partner)
    if not 0 <= (end - start).days < CYCLE_DAYS_MAX:
        raise CycleRefused(f"a cycle is 1 to {CYCLE_DAYS_MAX} days long, from {start} to {end} is not")
    with gateway.database.write("compose.cycle") as uow:
        uow.hold_business(partner)
        known = _known(uow, partner, start, end)
        if known:
            return CommissionIssued(known, created=False)
        goods = _goods(uow, partner, start, end)
        if not goods:
            raise NothingToInvoice(f"no agreed goods invoice of {partner} from {start} to {end} waits for commission")
        now = gateway.now()
        issued = tuple(
            _issue(uow, gateway, partnership, [row for row in goods if row.currency == currency], (start, end), now)
            for currency in sorted({row.currency for row in goods})
        )
        uow.commit()
        return CommissionIssued(issued, created=True)


def _known(uow: UnitOfWork, partner: str, start: date, end: date) -> tuple[int, ...]:
    return tuple(
        uow.session.scalars(
            select(CommissionCycle.invoice_id)
            .where(CommissionCycle.partnership == partner, CommissionCycle.start == start, CommissionCycle.end == end)
            .order_by(CommissionCycle.id)
        )
    )


def _goods(uow: UnitOfWork, partner: str, start: date, end: date) -> Sequence[InvoiceRow]:
    return list(
        uow.session.scalars(
            select(InvoiceRow)
            .where(
                InvoiceRow.partnership == partner,
                InvoiceRow.direction == Direction.IN,
                InvoiceRow.kind == InvoiceKind.GOODS,
                InvoiceRow.state == InvoiceState.MATCHED,
                InvoiceRow.charged_by_id.is_(None),
                InvoiceRow.issued >= start,
                InvoiceRow.issued <= end,
            )
            .order_by(InvoiceRow.issued, InvoiceRow.id)
            .with_for_update()
        )
    )


def _issue(
    uow: UnitOfWork,
    gateway: Gateway,
    partnership: Partnership,
    goods: Sequence[InvoiceRow],
    cycle: tuple[date, date],
    now: datetime,
) -> int:
    """One commission invoice: number, document, rows."""
    today = now.date()
    number = f"COM-{today:%Y-%m}-{take_number(uow.session, f'commission:{today:%Y}'):06d}"
    invoice = commission_invoice(
        number,
        [InvoicedGoods(row.number, row.issued, row.net) for row in goods],
        _terms(gateway, partnership, goods[0].currency, today),
        operator=_operator(gateway.config.identity),
        vendor=_vendor(partnership.partner),
        period=cycle,
        issued=today,
    )
    message = compose(uow, gateway, partnership, INVOIC, invoice, business_key=number)
    row = _row(partnership.name, invoice, message.id, today, now)
    uow.session.add(row)
    uow.session.flush()
    uow.session.add(
        CommissionCycle(
            partnership=partnership.name,
            start=cycle[0],
            end=cycle[1],
            currency=invoice.currency,
            invoice_id=row.id,
        )
    )
    for charged in goods:
        charged.charged_by_id = row.id
    uow.record_event(
        "invoice.state",
        row.subject,
        None,
        row.state,
        f"commission from {cycle[0]} to {cycle[1]} on {len(goods)} invoices",
        {"total": str(row.total), "message": message.id},
        now,
    )
    return row.id


def _terms(gateway: Gateway, partnership: Partnership, currency: str, today: date) -> CommissionTerms:
    identity, rates = gateway.config.identity, gateway.config.commission
    account = BankAccount(iban=identity.iban, holder=identity.name, bic=identity.bic) if identity.iban else None
    return CommissionTerms(
        rate=partnership.commission_rate if partnership.commission_rate is not None else rates.rate,
        vat_rate=rates.vat_rate,
        currency=currency,
        due=today,  # it is set off against what we pay to the vendor
        account=account,
    )


def _row(partnership: str, invoice: Invoice, message_id: str, today: date, now: datetime) -> InvoiceRow:
    net, vat = net_amount(invoice), vat_amount(invoice)
    return InvoiceRow(
        direction=Direction.OUT,
        partnership=partnership,
        kind=InvoiceKind.COMMISSION,
        number=invoice.number,
        year=today.year,
        type_code=invoice.type_code,
        state=InvoiceState.ISSUED,
        currency=invoice.currency,
        issued=today,
        due=today,
        net=net,
        vat=vat,
        total=net + vat,
        message_id=message_id,
        at=now,
    )


def _operator(identity: Identity) -> Party:
    return Party(
        role=PartyRole.SUPPLIER,
        identifier=identity.gln,
        agency=GLN_AGENCY if identity.gln else "",
        name=identity.name,
        street=(identity.street,) if identity.street else (),
        city=identity.city,
        postcode=identity.postcode,
        country=identity.country,
        vat_id=identity.vat_number,
        registration=identity.siren,
    )


def _vendor(partner: TradingPartner) -> Party:
    return Party(
        role=PartyRole.BUYER,
        identifier=partner.gln,
        agency=GLN_AGENCY,
        name=partner.legal_name,
        street=(partner.street,) if partner.street else (),
        city=partner.city,
        postcode=partner.postcode,
        country=partner.country,
        vat_id=partner.vat_number,
        registration=partner.siren,
    )
