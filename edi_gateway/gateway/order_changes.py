"""Changes and cancellations of orders that have left: asked of the vendor by ORDCHG, settled by its answer.

    request_change      order -> `cancel_requested` or `change_pending`, ORDCHG queued, a deadline opened
    on ORDRSP           `answered`: the vendor agrees, or not
    on DESADV           `overtaken`: the goods had left before
    on CONTRL, APERAK   `refused_by_partner`: the ORDCHG itself was refused
    on the deadline     `gateway.overdue`: silence counts as yes where that is agreed

An order that has not left is changed at once. Of an order one change is open at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from edi_gateway.edifact.findings import Finding
from edi_gateway.gateway import order_book
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.compose import compose
from edi_gateway.gateway.order_book import Booked
from edi_gateway.gateway.orders import UnknownPartner, require_revision
from edi_gateway.marketplace.changing import ChangeRequest, agreed, answer_to, order_change, request_findings
from edi_gateway.marketplace.confirmation import OrderConfirmation
from edi_gateway.marketplace.fulfilment import OrderMessageState, OrderProgress, OrderState
from edi_gateway.partnership import Partnership
from edi_gateway.store.business import ChangeKind, ChangeState, OrderChangeRow, OrderRow, changes_of, open_change
from edi_gateway.store.database import UnitOfWork
from edi_gateway.translators.json_form import from_json, to_json

ORDCHG = "ORDCHG"
CHANGES_MAX = 99
"""Of one order: the version stands in RFF 4000."""

ASKED = {ChangeKind.CANCEL: OrderState.CANCEL_REQUESTED, ChangeKind.CHANGE: OrderState.CHANGE_PENDING}


class ChangeRefused(Exception):
    """A change that cannot be asked; `findings` says why, each with its path in the request."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(finding.text() for finding in findings))
        self.findings = findings


class ChangeConflict(Exception):
    """Another change of the order has not been answered yet, or there were too many."""


@dataclass(frozen=True, slots=True)
class Requested:
    """A change as it stands, and whether this call made it."""

    order_id: int
    version: int
    state: ChangeState
    created: bool


def request_change(
    gateway: Gateway, partner: str, number: str, request: ChangeRequest, *, revision: int | None = None
) -> Requested:
    """Ask the vendor for a change, or the cancellation, of an order.

    The same request again, while it is open, gives the same change. Raises UnknownPartner, KeyError for an unknown
    order, ChangeRefused, ChangeConflict, ChangedMeanwhile where the order is not at this revision, and ComposeRefused
    where ORDCHG is not agreed or cannot be written.
    """
    partnership = gateway.partnerships.by_name(partner)
    if partnership is None:
        raise UnknownPartner(partner)
    with gateway.database.write() as uow:
        uow.hold_business(partner)
        booked = order_book.load(uow, partner, number)
        if booked is None:
            raise KeyError(number)
        require_revision(booked.row, revision)
        known = _open(uow, booked.row, request)
        if known is not None:
            return Requested(booked.row.id, known.version, known.state, created=False)
        findings = request_findings(booked.progress, request)
        if findings:
            raise ChangeRefused(findings)
        row = _enter(uow, booked.row, request, gateway.now())
        if booked.progress.message is OrderMessageState.NOT_SENT:
            settle(uow, partnership, booked, row, ChangeState.ACCEPTED, "the order had not left", gateway.now())
        else:
            _ask(uow, gateway, partnership, booked, row, request)
        uow.commit()
        return Requested(booked.row.id, row.version, row.state, created=True)


def release_order(gateway: Gateway, partner: str, number: str) -> OrderState:
    """An operator has looked at an order that was held: it goes on. Gives its state.

    Raises UnknownPartner, and KeyError for an unknown order; one that is not held stays as it is.
    """
    partnership = gateway.partnerships.by_name(partner)
    if partnership is None:
        raise UnknownPartner(partner)
    with gateway.database.write() as uow:
        uow.hold_business(partner)
        booked = order_book.load(uow, partner, number)
        if booked is None:
            raise KeyError(number)
        if booked.progress.held:
            released = replace(booked.progress, held="")
            reason = f"an operator released it; it was held: {booked.progress.held}"
            order_book.save(uow, partnership, booked, released, cause="operator", reason=reason, now=gateway.now())
            uow.commit()
        return booked.row.state


def _open(uow: UnitOfWork, order: OrderRow, request: ChangeRequest) -> OrderChangeRow | None:
    """The same request, if it is open. Raises ChangeConflict for another one."""
    known = open_change(uow.session, order.id)
    if known is not None and known.content != to_json(request):
        raise ChangeConflict(f"change {known.version} of order {order.number} has not been answered yet")
    return known


def _enter(uow: UnitOfWork, order: OrderRow, request: ChangeRequest, now: datetime) -> OrderChangeRow:
    version = len(changes_of(uow.session, order.id)) + 1
    if version > CHANGES_MAX:
        raise ChangeConflict(f"order {order.number} was changed {CHANGES_MAX} times; place a new one")
    row = OrderChangeRow(
        order_id=order.id,
        version=version,
        number=f"{order.number[:32]}-{version:02}",
        kind=ChangeKind.CANCEL if request.cancel else ChangeKind.CHANGE,
        state=ChangeState.REQUESTED,
        content=to_json(request),
        reason=request.reason,
        requested_at=now,
    )
    uow.session.add(row)
    uow.session.flush()
    return row


def _ask(
    uow: UnitOfWork,
    gateway: Gateway,
    partnership: Partnership,
    booked: Booked,
    row: OrderChangeRow,
    request: ChangeRequest,
) -> None:
    order = booked.progress.order
    record = order_change(order, request, number=row.number, version=row.version, issued=gateway.now())
    message = compose(uow, gateway, partnership, ORDCHG, record, business_key=order.number)
    row.message_id = message.id
    asked = replace(booked.progress, asked=ASKED[row.kind])
    reason = f"{row.kind.value} {row.number} requested, ORDCHG queued"
    order_book.save(uow, partnership, booked, asked, cause=message.subject, reason=reason, now=gateway.now())
    _tell(uow, booked, row, "order.change_requested", request.reason, gateway.now())


def settle(
    uow: UnitOfWork,
    partnership: Partnership,
    booked: Booked,
    row: OrderChangeRow,
    state: ChangeState,
    why: str,
    now: datetime,
) -> OrderProgress:
    """Close a change: accepted, it takes effect on the order as it stands now. Gives the order afterwards."""
    row.state, row.settled_at, row.settled_by = state, now, why
    uow.session.flush()
    after = replace(booked.progress, asked=None)
    if state is ChangeState.ACCEPTED:
        after = agreed(after, from_json(ChangeRequest, row.content))
    reason = f"{row.kind.value} {row.number} {state.value}: {why}"
    order_book.save(uow, partnership, booked, after, cause=f"change:{row.number}", reason=reason, now=now)
    _tell(uow, booked, row, f"order.change_{state.value}", why, now)
    return after


def answered(
    uow: UnitOfWork, partnership: Partnership, booked: Booked, confirmation: OrderConfirmation, now: datetime
) -> bool:
    """Settle the open change if the ORDRSP answers it, with yes or no to all of it; say whether it did."""
    row = open_change(uow.session, booked.row.id)
    if row is None:
        return False
    before = booked.row.answered_at is not None and booked.row.answered_at <= row.requested_at
    said = answer_to(confirmation, row.number, cancels=row.kind is ChangeKind.CANCEL, answered_before=before)
    if said is None:
        return False
    state = ChangeState.ACCEPTED if said else ChangeState.REFUSED
    settle(uow, partnership, booked, row, state, f"ORDRSP {confirmation.number}", now)
    return True


def agreed_by_lines(uow: UnitOfWork, partnership: Partnership, booked: Booked, why: str, now: datetime) -> None:
    """Close a change that the order has come to by itself: an ORDRSP said, line by line, what we asked for."""
    row = open_change(uow.session, booked.row.id)
    if row is None:
        return
    unasked = replace(booked.progress, asked=None)
    if agreed(unasked, from_json(ChangeRequest, row.content)) == unasked:
        settle(uow, partnership, booked, row, ChangeState.ACCEPTED, why, now)


def overtaken(uow: UnitOfWork, partnership: Partnership, booked: Booked, why: str, now: datetime) -> bool:
    """Refuse an open cancellation whose goods had left; say whether there was one."""
    row = open_change(uow.session, booked.row.id)
    if row is None or row.kind is not ChangeKind.CANCEL:
        return False
    if not any(line.quantities.shipped or line.quantities.overshipped for line in booked.progress.lines):
        return False
    settle(uow, partnership, booked, row, ChangeState.REFUSED, f"the goods had left: {why}", now)
    return True


def refused_by_partner(uow: UnitOfWork, partnership: Partnership, message_id: str, why: str, now: datetime) -> None:
    """The partner's CONTRL or APERAK refuses the ORDCHG: the change is refused, the order stands as it was."""
    row = uow.session.scalar(
        select(OrderChangeRow).where(
            OrderChangeRow.message_id == message_id, OrderChangeRow.state == ChangeState.REQUESTED
        )
    )
    if row is None:
        return
    order = uow.session.get_one(OrderRow, row.order_id, with_for_update=True)
    settle(uow, partnership, Booked(order, order_book.progress_of(order)), row, ChangeState.REFUSED, why, now)


def _tell(uow: UnitOfWork, booked: Booked, row: OrderChangeRow, kind: str, why: str, now: datetime) -> None:
    body = {"kind": row.kind.value, "version": row.version, "number": row.number, "why": why}
    order_book.tell(uow, booked.row, kind, {**body, "lines": row.content.get("lines", [])}, now)
    uow.record_event("order.change", booked.row.subject, None, row.state, f"{row.number}: {why}"[:500], body, now)
