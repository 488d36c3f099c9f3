"""What should have come and has not: seen by the sweep, told once, and treated as was agreed.

Each item is a transaction of its own. `OVERDUE` is what each policy does to an order; every item raises the event
`alert.deadline-overdue` and `deadline.overdue` in the feed, whatever the policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Select, select

from edi_gateway.gateway import deadline_book, order_book, order_changes
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.order_book import Booked
from edi_gateway.marketplace.calendars import calendar_of, due
from edi_gateway.marketplace.fulfilment import LineProgress, OrderMessageState, OrderProgress
from edi_gateway.partnership import DeadlineKind, OverduePolicy, Partnership
from edi_gateway.store.business import ChangeState, open_change
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.deadlines import DeadlineRow, unseen
from edi_gateway.store.transmissions import Transmission, TransmissionDirection, TransmissionKind, TransmissionState

ITEMS_MAX = 500  # in one sweep; the next one takes the rest

UNDELIVERED = (TransmissionState.QUEUED, TransmissionState.SENDING, TransmissionState.AWAITING_MDN)
DELIVERED = (TransmissionState.ACKNOWLEDGED, TransmissionState.SENT, TransmissionState.REFUSED)


@dataclass(frozen=True, slots=True)
class Lapse:
    """A deadline of an order that has passed."""

    uow: UnitOfWork
    gateway: Gateway
    partnership: Partnership
    row: DeadlineRow
    booked: Booked
    now: datetime

    @property
    def reason(self) -> str:
        return f"{self.row.kind.value} was due by {self.row.due_at:%Y-%m-%d %H:%M}Z"

    def save(self, progress: OrderProgress, what: str) -> None:
        order_book.save(
            self.uow,
            self.partnership,
            self.booked,
            progress,
            cause=f"deadline:{self.row.id}",
            reason=f"{what}: {self.reason}",
            now=self.now,
        )


def look(gateway: Gateway) -> None:
    """Open the deadlines that nothing else opens, close those that were met, and treat what is overdue."""
    _undelivered(gateway)
    _reports(gateway)
    with gateway.database.read() as view:
        found = unseen(view.session, gateway.now(), ITEMS_MAX)
    for deadline_id in found:
        _treat(gateway, deadline_id)


def _treat(gateway: Gateway, deadline_id: int) -> None:
    with gateway.database.write() as uow:
        now = gateway.now()
        whose = uow.session.scalar(select(DeadlineRow.partnership).where(DeadlineRow.id == deadline_id))
        uow.hold_business(whose or "")
        row = uow.session.get_one(DeadlineRow, deadline_id, with_for_update=True)
        if row.closed_at is not None or row.overdue_at is not None or row.due_at >= now:
            return  # it came meanwhile
        row.overdue_at = now
        partnership = gateway.partnerships.by_name(row.partnership)
        policy = partnership.deadlines.terms(row.kind).then if partnership else OverduePolicy.REMIND
        details = {"deadline": row.kind.value, "partner": row.partnership, "due_at": row.due_at.isoformat()}
        reason = f"{row.kind.value} from {row.partnership} was due by {row.due_at:%Y-%m-%d %H:%M}Z"
        uow.record_event(
            "alert.deadline-overdue", row.subject, None, None, reason, {**details, "policy": policy.value}, now
        )
        deadline_book.tell_deadline(uow, row, "deadline.overdue", now)
        uow.session.flush()
        if partnership is not None and row.order_number:
            _apply(uow, gateway, partnership, row, policy)
        uow.commit()


def _apply(
    uow: UnitOfWork, gateway: Gateway, partnership: Partnership, row: DeadlineRow, policy: OverduePolicy
) -> None:
    """What was agreed for this deadline, where the order still expects it."""
    treatment = OVERDUE.get((row.kind, policy))
    booked = order_book.load(uow, partnership.name, row.order_number) if treatment else None
    if treatment is not None and booked is not None:
        treatment(Lapse(uow, gateway, partnership, row, booked, gateway.now()))


# --- policies -------------------------------------------------------------------------------------------------------


def _expire(lapse: Lapse) -> Lapse:
    """The order has had no answer in time: it says so, whatever follows."""
    before = lapse.booked.progress
    if before.message is OrderMessageState.EXPIRED:
        return lapse
    expired = replace(before, message=OrderMessageState.EXPIRED)
    lapse.save(expired, "no answer")
    return replace(lapse, booked=Booked(lapse.booked.row, expired))


def _cancel_unanswered(lapse: Lapse) -> None:
    _cancel(_expire(lapse), _without_answer)


def _accept_unanswered(lapse: Lapse) -> None:
    lapse = _expire(lapse)
    order = lapse.booked.progress
    accepted = [
        line.moved(line.quantities.answered(confirmed=line.quantities.wanted))
        for line in order.lines
        if _without_answer(line)
    ]
    lapse.save(order.with_lines(accepted), "silence counts as acceptance")


def _cancel_open(lapse: Lapse) -> None:
    _cancel(lapse, lambda line: line.quantities.is_open)


def _cancel(lapse: Lapse, which: Callable[[LineProgress], bool]) -> None:
    order = lapse.booked.progress
    lines = [line.moved(line.quantities.with_open_cancelled()) for line in order.lines if which(line)]
    lapse.save(order.with_lines(lines), "cancelled")


def _hold(lapse: Lapse) -> None:
    lapse.save(replace(lapse.booked.progress, held=lapse.reason), "held")


def _accept_change(lapse: Lapse) -> None:
    change = open_change(lapse.uow.session, lapse.booked.row.id)
    if change is not None:
        why = f"silence counts as yes: {lapse.reason}"
        order_changes.settle(lapse.uow, lapse.partnership, lapse.booked, change, ChangeState.ACCEPTED, why, lapse.now)


def _without_answer(line: LineProgress) -> bool:
    return line.quantities.is_unanswered


_K, _P = DeadlineKind, OverduePolicy

OVERDUE: Mapping[tuple[DeadlineKind, OverduePolicy], Callable[[Lapse], object]] = {
    (_K.ORDRSP, _P.HOLD): _expire,
    (_K.ORDRSP, _P.CANCEL): _cancel_unanswered,
    (_K.ORDRSP, _P.ACCEPT): _accept_unanswered,
    (_K.SHIP, _P.HOLD): _hold,
    (_K.SHIP, _P.CANCEL): _cancel_open,
    (_K.CANCEL_AFTER, _P.HOLD): _hold,
    (_K.CANCEL_AFTER, _P.CANCEL): _cancel_open,
    (_K.DESADV, _P.HOLD): _hold,
    (_K.ORDCHG, _P.HOLD): _hold,
    (_K.ORDCHG, _P.ACCEPT): _accept_change,
}
"""What else than the event happens to the order."""


# --- deadlines without an order -------------------------------------------------------------------------------------


def _undelivered(gateway: Gateway) -> None:
    """What we sent and is not delivered after the time agreed becomes a deadline; delivered, it is one no longer."""
    now = gateway.now()
    with gateway.database.read() as view:
        late = view.session.scalars(_late_deliveries(gateway, now)).all()
        settled = view.session.scalars(_SETTLED).all()
    if late or settled:
        with gateway.database.write() as uow:
            for row in late:
                _expect_delivery(uow, gateway, row, now)
            for deadline in settled:
                deadline_book.close(uow, uow.session.get_one(DeadlineRow, deadline.id), now)
            uow.commit()


def _late_deliveries(gateway: Gateway, now: datetime) -> Select[Transmission]:
    least = min((each.deadlines.mdn.within for each in gateway.partnerships.all()), default=timedelta())
    known = select(DeadlineRow.id).where(DeadlineRow.kind == DeadlineKind.MDN, DeadlineRow.subject == _SUBJECT)
    return (
        select(Transmission)
        .where(
            Transmission.state.in_(UNDELIVERED),
            Transmission.created_at < now - least,
            Transmission.direction == TransmissionDirection.OUT,
            Transmission.kind == TransmissionKind.MESSAGE,
            ~known.exists(),
        )
        .limit(ITEMS_MAX)
    )


_SUBJECT = "transmission:" + Transmission.id

_SETTLED = (
    select(DeadlineRow)
    .join(Transmission, DeadlineRow.subject == _SUBJECT)
    .where(DeadlineRow.closed_at.is_(None), DeadlineRow.kind == DeadlineKind.MDN, Transmission.state.in_(DELIVERED))
    .limit(ITEMS_MAX)
)
"""The overdue deliveries that have been made after all."""


def _expect_delivery(uow: UnitOfWork, gateway: Gateway, row: Transmission, now: datetime) -> None:
    partnership = gateway.partnerships.by_name(row.partnership or "")
    if partnership is None:
        return
    due_at = due(calendar_of(partnership), partnership.deadlines.mdn, row.created_at)
    if due_at < now:
        deadline_book.expect(uow, DeadlineKind.MDN, row.subject, partnership.name, due_at, now)


def _reports(gateway: Gateway) -> None:
    """A partner who is to send stock reports, and of whom none is expected yet."""
    senders = [each for each in gateway.partnerships.all() if deadline_book.sends(each, "INVRPT")]
    with gateway.database.read() as view:
        known = set(
            view.session.scalars(select(DeadlineRow.partnership).where(DeadlineRow.kind == DeadlineKind.INVRPT))
        )
    missing = [each for each in senders if each.name not in known]
    if missing:
        with gateway.database.write() as uow:
            for partnership in missing:
                deadline_book.report_came(uow, partnership, gateway.now())
            uow.commit()
