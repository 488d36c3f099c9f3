"""Orders from the shop: taken in, held until the payment is accepted, sent to the vendor as ORDERS.

An order is known by its number within a partnership. Sent again with the same content it is answered as before;
with other content it is refused. ORDERS leaves in the transaction that accepts the payment.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace

from edi_gateway.edifact.findings import Finding
from edi_gateway.gateway import order_book
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.compose import ComposeRefused, compose
from edi_gateway.gateway.fingerprints import of_record
from edi_gateway.gateway.order_book import Booked
from edi_gateway.marketplace.fulfilment import OrderMessageState, OrderProgress, PaymentState, begin
from edi_gateway.marketplace.order import Order
from edi_gateway.marketplace.ordering import order_findings
from edi_gateway.partnership import Partnership
from edi_gateway.store.base import canonical_json
from edi_gateway.store.business import OrderRow, find_order, order_by_key
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.payloads import keep
from edi_gateway.translators.json_form import to_json

ORDERS = "ORDERS"
REASON_CHARACTERS_MAX = 500
SUBJECT_PART_MAX = 80


class OrderRefused(Exception):
    """An order that cannot be taken in; `findings` says why, each with its path in the order."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(finding.text() for finding in findings))
        self.findings = findings


class UnknownPartner(Exception):
    """No active partnership of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no active trading partner {name!r}")
        self.name = name


class OrderConflict(Exception):
    """The number, or the idempotency key, stands for another order."""


class OrderBusy(OrderConflict):
    """Another request takes the same order in at this very moment."""


class ChangedMeanwhile(Exception):
    """The order is not at the revision that the request was made for."""


class PaymentConflict(Exception):
    """The payment of an order was decided before, otherwise."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The order as it stands, and whether this request made it."""

    order_id: int
    created: bool


def place_order(
    gateway: Gateway,
    partner: str,
    order: Order,
    *,
    payment: PaymentState = PaymentState.ACCEPTED,
    idempotency_key: str | None = None,
) -> Placed:
    """Take in an order for a vendor, and send it if it is paid.

    Raises UnknownPartner, OrderRefused, OrderConflict, and ComposeRefused where it cannot be written as ORDERS. Then no
    order stands in the store, but the event `order.refused` and the record, so that nothing is lost.
    """
    try:
        return _checked_and_placed(gateway, partner, order, payment, idempotency_key)
    except (UnknownPartner, OrderRefused, OrderConflict, ComposeRefused) as refusal:
        _keep_refused(gateway, partner, order, refusal)
        raise


def _keep_refused(gateway: Gateway, partner: str, order: Order, refusal: Exception) -> None:
    """Leave what was refused, and why, where an operator finds it."""
    record = canonical_json({"partner": partner, "order": to_json(order)})
    payload = gateway.payloads.put(io.BytesIO(record.encode()))
    subject = f"order:{partner[:SUBJECT_PART_MAX]}/{order.number[:SUBJECT_PART_MAX]}"
    details = {"payload": payload.sha256, "size": payload.size, "kind": type(refusal).__name__}
    with gateway.database.write() as uow:
        keep(uow, payload, gateway.now())
        uow.record_event(
            "order.refused", subject, None, None, str(refusal)[:REASON_CHARACTERS_MAX], details, gateway.now()
        )
        uow.commit()


def _checked_and_placed(
    gateway: Gateway, partner: str, order: Order, payment: PaymentState, idempotency_key: str | None
) -> Placed:
    partnership = gateway.partnerships.by_name(partner)
    if partnership is None:
        raise UnknownPartner(partner)
    findings = order_findings(order, vendor_gln=partnership.partner.gln, buyer_gln=gateway.config.identity.gln)
    if any(finding.is_error for finding in findings):
        raise OrderRefused(findings)
    placed = _place(gateway, partnership, order, payment, idempotency_key)
    if placed is None:  # another request was faster with the same number or key: it is there to be seen now
        placed = _place(gateway, partnership, order, payment, idempotency_key)
    if placed is None:
        raise OrderBusy(f"order {order.number} is being taken in by another request")
    return placed


def _place(
    gateway: Gateway, partnership: Partnership, order: Order, payment: PaymentState, idempotency_key: str | None
) -> Placed | None:
    """One try; None where another request used the number or the key in the same moment."""
    with gateway.database.write("compose.order") as uow:
        uow.hold_business(partnership.name)
        known = _known(uow, partnership, order, idempotency_key)
        if known is not None:
            return Placed(known.id, created=False)
        progress = begin(order, payment)
        row = order_book.enter(uow, partnership.name, progress, idempotency_key, gateway.now())
        if row is None:
            return None
        if payment is PaymentState.ACCEPTED:
            _emit(uow, gateway, partnership, Booked(row, progress), progress)
        uow.commit()
        return Placed(row.id, created=True)


def _known(uow: UnitOfWork, partnership: Partnership, order: Order, idempotency_key: str | None) -> OrderRow | None:
    """The same order, if it was taken in before. Raises OrderConflict for another one in its place."""
    fingerprint = of_record(to_json(order))
    row = find_order(uow.session, partnership.name, order.number, lock=True)
    by_key = order_by_key(uow.session, idempotency_key) if idempotency_key is not None else None
    if by_key is not None and (row is None or by_key.id != row.id):
        raise OrderConflict(f"the Idempotency-Key was used for order {by_key.number} of {by_key.partnership}")
    if row is not None and row.record_sha256 != fingerprint:
        raise OrderConflict(f"order {order.number} was taken in before with other content")
    return row


def _emit(uow: UnitOfWork, gateway: Gateway, partnership: Partnership, booked: Booked, progress: OrderProgress) -> None:
    """Queue the ORDERS and note that it is on its way."""
    message = compose(uow, gateway, partnership, ORDERS, progress.order, business_key=progress.order.number)
    booked.row.message_id = message.id
    order_book.save(
        uow,
        partnership,
        booked,
        replace(progress, message=OrderMessageState.SENT),
        cause=message.subject,
        reason="payment accepted, ORDERS queued",
        now=gateway.now(),
    )


def decide_payment(
    gateway: Gateway, partner: str, number: str, payment: PaymentState, *, revision: int | None = None
) -> Placed:
    """What the payment provider says of an order that waits for it; accepted, it is sent.

    Saying the same again changes nothing (`created` is False). Raises UnknownPartner, KeyError for an unknown order,
    PaymentConflict, ComposeRefused, and ChangedMeanwhile where the order is not at this revision.
    """
    partnership = gateway.partnerships.by_name(partner)
    if partnership is None:
        raise UnknownPartner(partner)
    with gateway.database.write("compose.order") as uow:
        booked = order_book.load(uow, partner, number)
        if booked is None:
            raise KeyError(number)
        require_revision(booked.row, revision)
        before = booked.progress.payment
        if before is payment:
            return Placed(booked.row.id, created=False)
        if before is not PaymentState.PENDING:
            raise PaymentConflict(f"the payment of order {number} was {before.value} before")
        progress = replace(booked.progress, payment=payment)
        if payment is PaymentState.ACCEPTED:
            _emit(uow, gateway, partnership, booked, progress)
        else:
            reason = "payment refused"
            cancelled = _cancelled(progress)
            order_book.save(uow, partnership, booked, cancelled, cause="payment", reason=reason, now=gateway.now())
        uow.commit()
        return Placed(booked.row.id, created=True)


def require_revision(row: OrderRow, revision: int | None) -> None:
    """Raises ChangedMeanwhile where the order, held by this transaction, is at another revision than the one asked."""
    if revision is not None and row.revision != revision:
        raise ChangedMeanwhile(f"order {row.number} has changed meanwhile")


def _cancelled(progress: OrderProgress) -> OrderProgress:
    return progress.with_lines([line.moved(line.quantities.with_open_cancelled()) for line in progress.lines])
