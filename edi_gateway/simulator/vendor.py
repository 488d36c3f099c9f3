"""The vendor's role: what ORDERS, CONTRL and the commission INVOIC make the simulated vendor do.

An order is answered with an ORDRSP in the same transaction. The next document goes out when the partner has accepted
the one before: DESADV after the CONTRL for the ORDRSP, INVOIC after the CONTRL for the DESADV. Nothing is kept outside
the store, so a vendor that was killed goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from edi_gateway.edifact.findings import Finding
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.compose import compose
from edi_gateway.gateway.handling import SETTLEMENT, HandlerContext, RecordHandler, Settled
from edi_gateway.marketplace.confirmation import OrderConfirmation, ResponseCode
from edi_gateway.marketplace.inventory import InventoryReport
from edi_gateway.marketplace.invoice import Invoice
from edi_gateway.marketplace.order import Order
from edi_gateway.marketplace.parties import ItemIdentity
from edi_gateway.marketplace.shipment import Shipment
from edi_gateway.partnership import Direction, Partnership
from edi_gateway.simulator import answers
from edi_gateway.simulator.warehouse import Warehouse
from edi_gateway.store.documents import Message, MessageState, take_number
from edi_gateway.translators.json_form import from_json

SSCC_EXTENSION_DIGIT = "3"
GS1_PREFIX_DIGITS = 7


@dataclass(frozen=True, slots=True)
class Vendor:
    """The simulated vendor: the stock it opened with."""

    opening: InventoryReport

    def handlers(self) -> Mapping[str, RecordHandler]:
        """message type -> what this vendor does about it."""
        return {"ORDERS": self.on_order, "INVOIC": self.on_commission, SETTLEMENT: self.on_settled}

    def on_order(self, context: HandlerContext, order: Order) -> list[Finding]:
        """ORDERS: answer by what is on the shelves."""
        context.message.business_key = order.number
        session = context.uow.session
        answer = answers.confirm(
            order,
            Warehouse(self.opening, _promised(session)),
            number=_number(session, "OR"),
            today=_today(context),
        )
        compose(context.uow, context.gateway, context.partnership, "ORDRSP", answer, business_key=order.number)
        return []

    def on_settled(self, context: HandlerContext, settled: Settled) -> list[Finding]:
        """CONTRL: what was accepted is followed by the next document."""
        follow = {"ORDRSP": self._despatch, "DESADV": self._invoice}.get(context.message.type)
        if settled.accepted and follow is not None:
            follow(context)
        return []

    def on_commission(self, context: HandlerContext, invoice: Invoice) -> list[Finding]:
        """INVOIC: the marketplace's commission. It is kept; paying is finance's."""
        context.message.business_key = invoice.number
        return []

    def _despatch(self, context: HandlerContext) -> None:
        session, number = context.uow.session, context.message.business_key
        answer = from_json(OrderConfirmation, context.message.record)
        order = _order(session, number)
        if answer.response is ResponseCode.REFUSED or not any(line.quantity for line in answer.lines):
            return
        shipment = answers.despatch(
            order,
            answer,
            number=_number(session, "DA"),
            today=_today(context),
            sscc_serial=_serials(session, len(answer.lines)),
            sscc_prefix=SSCC_EXTENSION_DIGIT + context.gateway.config.identity.gln[:GS1_PREFIX_DIGITS],
        )
        compose(context.uow, context.gateway, context.partnership, "DESADV", shipment, business_key=number)

    def _invoice(self, context: HandlerContext) -> None:
        session, number = context.uow.session, context.message.business_key
        bill = answers.invoice(
            _order(session, number),
            from_json(Shipment, context.message.record),
            context.gateway.config.identity,
            number=_number(session, "FA"),
            today=_today(context),
        )
        compose(context.uow, context.gateway, context.partnership, "INVOIC", bill, business_key=number)


def announce_stock(gateway: Gateway, opening: InventoryReport) -> int:
    """Queue the opening INVRPT for every partner that has not had one; says how many."""
    with gateway.database.write() as uow:
        waiting = [p for p in gateway.partnerships.all() if not _announced(uow.session, p)]
        for partnership in waiting:
            report = replace(opening, number=_number(uow.session, "INV"), issued=_minute(gateway))
            compose(uow, gateway, partnership, "INVRPT", report, business_key=report.number)
        uow.commit()
    return len(waiting)


def _announced(session: Session, partnership: Partnership) -> bool:
    sent = (
        select(func.count())
        .select_from(Message)
        .where(Message.partnership == partnership.name, Message.direction == Direction.OUT, Message.type == "INVRPT")
    )
    return bool(session.scalar(sent))


def _promised(session: Session) -> Iterator[tuple[ItemIdentity, Decimal]]:
    """What was promised so far, by every answer that the partner did not refuse."""
    sent = select(Message.record).where(
        Message.direction == Direction.OUT, Message.type == "ORDRSP", Message.state != MessageState.REJECTED
    )
    for record in session.scalars(sent):
        for line in from_json(OrderConfirmation, record).lines:
            if line.quantity:
                yield line.item, line.quantity


def _order(session: Session, number: str) -> Order:
    received = select(Message.record).where(
        Message.direction == Direction.IN,
        Message.type == "ORDERS",
        Message.document_number == number,
        Message.state == MessageState.APPLIED,
    )
    return from_json(Order, session.scalars(received).one())


def _number(session: Session, prefix: str) -> str:
    return f"{prefix}-{take_number(session, f'vendor:{prefix}'):06d}"


def _serials(session: Session, count: int) -> int:
    """The first of `count` serial numbers that no carton has had."""
    numbers = [take_number(session, "vendor:SSCC") for _ in range(count)]
    return numbers[0]


def _today(context: HandlerContext) -> date:
    return context.now.astimezone(ZoneInfo(context.partnership.edifact.timezone)).date()


def _minute(gateway: Gateway) -> datetime:
    return gateway.now().replace(second=0, microsecond=0)
