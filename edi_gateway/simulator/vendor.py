"""The vendor's role: what ORDERS, CONTRL and the commission INVOIC make the simulated vendor do.

An order is answered with an ORDRSP in the same transaction, unless the vendor is late or silent. The next document
goes out when the partner has accepted the one before: DESADV after the CONTRL for the ORDRSP, INVOIC after the CONTRL
for the DESADV. Nothing is kept outside the store, so a vendor that was killed goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from edi_gateway.edifact.findings import Finding
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.handling import SETTLEMENT, HandlerContext, RecordHandler, Settled
from edi_gateway.gateway.sweep import sweep
from edi_gateway.marketplace.confirmation import OrderConfirmation, ResponseCode
from edi_gateway.marketplace.inventory import InventoryReport
from edi_gateway.marketplace.invoice import Invoice
from edi_gateway.marketplace.order import Order
from edi_gateway.marketplace.order_change import ChangeFunction, OrderChange
from edi_gateway.marketplace.parties import ItemIdentity, PartyRole, Reference
from edi_gateway.marketplace.shipment import Shipment
from edi_gateway.partnership import Direction, Partnership
from edi_gateway.simulator import answers
from edi_gateway.simulator.behaviours import Behaviour, Manner
from edi_gateway.simulator.warehouse import Warehouse
from edi_gateway.simulator.writing import Desk, older
from edi_gateway.store.documents import Message, MessageState, take_number
from edi_gateway.translators.json_form import from_json

SSCC_EXTENSION_DIGIT = "3"
GS1_PREFIX_DIGITS = 7
CHANGE_REFERENCE = "PP"
"""1153 of the number of a change that an answer is about."""
ORDERS_MAX = 500
"""How many unanswered orders one sweep takes up."""


ANSWER = "answer"
"""The task of answering an order later; its key is the id of the ORDERS message."""


@dataclass(slots=True)
class Vendor:
    """The simulated vendor: the stock it opened with, and how it behaves."""

    opening: InventoryReport
    manner: Manner = field(default_factory=Manner)
    delay: timedelta = timedelta(hours=26)
    """How late an order is answered where it is to be answered late."""

    def handlers(self) -> Mapping[str, RecordHandler]:
        """message type -> what this vendor does about it."""
        return {
            "ORDERS": self.on_order,
            "ORDCHG": self.on_change,
            "INVOIC": self.on_commission,
            SETTLEMENT: self.on_settled,
        }

    def tasks(self) -> Mapping[str, Callable[[Gateway, str], object]]:
        """The work that this vendor has beside that of any gateway."""
        return {ANSWER: self.answer, "sweep": self.sweep}

    def on_order(self, context: HandlerContext, order: Order) -> list[Finding]:
        """ORDERS: answer as the vendor behaves, now or later or never."""
        context.message.business_key = order.number
        behaviours = self.manner.towards(order.number)
        if Behaviour.SILENT in behaviours:
            return []
        if Behaviour.LATE in behaviours:
            context.uow.wake(ANSWER, context.message.id, context.now + self.delay)
        else:
            self._answer(context, order)
        return []

    def on_change(self, context: HandlerContext, change: OrderChange) -> list[Finding]:
        """ORDCHG: yes to the cancellation of what has not shipped, no to anything else."""
        session, number = context.uow.session, change.order_number
        context.message.business_key = number
        if Behaviour.SILENT in self.manner.towards(number):
            return []
        agreed = change.function is ChangeFunction.CANCEL and not _sent(session, "DESADV", number)
        answer = OrderConfirmation(
            number=_number(session, "OR"),
            response=ResponseCode.ACCEPTED if agreed else ResponseCode.REFUSED,
            issued=_today(context),
            order_number=number,
            references=(Reference(qualifier=CHANGE_REFERENCE, number=change.number),),
            currency=change.currency,
            parties=tuple(party for party in change.parties if party.role in (PartyRole.BUYER, PartyRole.SUPPLIER)),
        )
        self._send(context, "ORDRSP", answer, number)
        return []

    def answer(self, gateway: Gateway, message_id: str) -> None:
        """Answer the order of this message, unless that was done."""
        with gateway.database.write() as uow:
            message = uow.session.get_one(Message, message_id, with_for_update=True)
            partnership = gateway.partnerships.by_name(message.partnership)
            if partnership is not None and not _sent(uow.session, "ORDRSP", message.business_key):
                context = HandlerContext(uow, gateway, partnership, message, gateway.now())
                self._answer(context, from_json(Order, message.record))
            uow.commit()

    def sweep(self, gateway: Gateway, key: str) -> None:
        """What any gateway looks for, and orders that are still to be answered: the wake-ups of another process."""
        sweep(gateway)
        with gateway.database.read() as reading:
            for message in reading.session.scalars(_unanswered(gateway.now() - self.delay)):
                if Behaviour.LATE in self.manner.towards(message.business_key):
                    gateway.database.wake(ANSWER, message.id, None)

    def _answer(self, context: HandlerContext, order: Order) -> None:
        session, behaviours = context.uow.session, self.manner.towards(order.number)
        answer = answers.confirm(
            order,
            Warehouse(self.opening, _promised(session)),
            number=_number(session, "OR"),
            today=_today(context),
            behaviours=behaviours,
        )
        self._send(context, "ORDRSP", answer, order.number)

    def on_settled(self, context: HandlerContext, settled: Settled) -> list[Finding]:
        """CONTRL: what was accepted is followed by the next document."""
        follow = {"ORDRSP": self._despatch, "DESADV": self._after_despatch, "INVOIC": self._after_invoice}
        if settled.accepted and context.message.type in follow:
            follow[context.message.type](context)
        return []

    def on_commission(self, context: HandlerContext, invoice: Invoice) -> list[Finding]:
        """INVOIC: the marketplace's commission. It is kept; paying is finance's."""
        context.message.business_key = invoice.number
        return []

    def _despatch(self, context: HandlerContext) -> None:
        """The next shipment of the order, if there is one left."""
        session, number = context.uow.session, context.message.business_key
        if _cancelled(session, number):
            return
        order, answer = _order(session, number), _answer_to(session, number)
        done = len(_sent(session, "DESADV", number))
        waiting = answers.consignments(order, answer, self.manner.towards(number))[done : done + 1]
        if answer.response is ResponseCode.REFUSED or not waiting:
            return
        shipment = answers.despatch(
            order,
            waiting[0],
            number=_number(session, "DA"),
            today=_today(context),
            sscc_serial=_serials(session, len(waiting[0])),
            sscc_prefix=SSCC_EXTENSION_DIGIT + context.gateway.config.identity.gln[:GS1_PREFIX_DIGITS],
        )
        self._send(context, "DESADV", shipment, number)

    def _after_despatch(self, context: HandlerContext) -> None:
        """The invoice for what was shipped, and what is shipped next."""
        session, number = context.uow.session, context.message.business_key
        bill = answers.invoice(
            _order(session, number),
            _answer_to(session, number),
            from_json(Shipment, context.message.record),
            context.gateway.config.identity,
            number=_number(session, "FA"),
            today=_today(context),
            behaviours=self.manner.towards(number),
        )
        self._send(context, "INVOIC", bill, number)
        self._despatch(context)

    def _after_invoice(self, context: HandlerContext) -> None:
        """The same number once more, where the vendor does so."""
        session, number = context.uow.session, context.message.business_key
        behaviours = self.manner.towards(number)
        bill = from_json(Invoice, context.message.record)
        if len(_sent(session, "INVOIC", number, bill.number)) > 1:
            return
        if Behaviour.DUPLICATE_INVOICE in behaviours:
            self._send(context, "INVOIC", bill, number)
        if Behaviour.CONFLICTING_INVOICE in behaviours:
            self._send(context, "INVOIC", answers.conflicting(bill), number)

    def _send(self, context: HandlerContext, message_type: str, record: Any, number: str) -> None:
        Desk(context.uow, context.gateway, context.partnership, self.manner.towards(number)).send(
            message_type, record, number
        )

    def announce(self, gateway: Gateway, partnership: Partnership) -> None:
        """Queue an INVRPT of what was on the shelves at the opening."""
        with gateway.database.write() as uow:
            report = replace(self.opening, number=_number(uow.session, "INV"), issued=_minute(gateway))
            desk = Desk(uow, gateway, partnership, self.manner.behaviours)
            desk.send("INVRPT", report, report.number)
            if Behaviour.OLDER_INVENTORY in self.manner.behaviours:
                earlier = older(report, _number(uow.session, "INV"))
                desk.send("INVRPT", earlier, earlier.number)
            uow.commit()


def announce_stock(gateway: Gateway, vendor: Vendor) -> int:
    """Queue the opening INVRPT for every partner that has not had one; says how many."""
    with gateway.database.read() as reading:
        waiting = [p for p in gateway.partnerships.all() if not _announced(reading.session, p)]
    for partnership in waiting:
        vendor.announce(gateway, partnership)
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


def _sent(session: Session, message_type: str, order_number: str, document: str = "") -> list[Message]:
    """What was sent about an order, oldest first."""
    sent = select(Message).where(
        Message.direction == Direction.OUT, Message.type == message_type, Message.business_key == order_number
    )
    if document:
        sent = sent.where(Message.document_number == document)
    return list(session.scalars(sent.order_by(Message.at, Message.id)))


def _unanswered(before: datetime) -> Select[Message]:
    """Orders that came before that time and have no answer."""
    answered = select(Message.business_key).where(Message.direction == Direction.OUT, Message.type == "ORDRSP")
    return (
        select(Message)
        .where(
            Message.direction == Direction.IN,
            Message.type == "ORDERS",
            Message.state == MessageState.APPLIED,
            Message.at <= before,
            Message.business_key.not_in(answered),
        )
        .order_by(Message.at)
        .limit(ORDERS_MAX)
    )


def _answer_to(session: Session, number: str) -> OrderConfirmation:
    """The answer to the order itself, not to a change of it: that one has lines."""
    answers_sent = [from_json(OrderConfirmation, message.record) for message in _sent(session, "ORDRSP", number)]
    return next(answer for answer in reversed(answers_sent) if answer.lines)


def _cancelled(session: Session, number: str) -> bool:
    """Whether the cancellation of an order came; it is agreed to while nothing has shipped."""
    asked = select(Message.record).where(
        Message.direction == Direction.IN, Message.type == "ORDCHG", Message.business_key == number
    )
    return any(from_json(OrderChange, record).function is ChangeFunction.CANCEL for record in session.scalars(asked))


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
