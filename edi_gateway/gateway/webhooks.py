"""Webhooks: what the shop must hear is POSTed to it, signed, in order, until it says that it has it.

An endpoint takes one event after the other: the next one goes when the one before was answered with 2xx, so that nobody
has to sort. What fails is tried again with growing pauses, the same bytes under the same id; what is not taken before
the deadline parks the endpoint, with an alert, and its events wait there for an operator. A crash while one is
sending leaves a lease that runs out, and then the event goes again: whoever receives knows it by its id.

    EDI-Gateway-Event: the event's id
    EDI-Gateway-Signature: t=<seconds since 1970>,v1=<hex HMAC-SHA256 of "<t>." and the body, by the endpoint's secret>
"""

from __future__ import annotations

import hmac
import io
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from ipaddress import ip_address
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from edi_gateway.config import Config
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.keys import KeyStoreError
from edi_gateway.gateway.orders import UnknownPartner
from edi_gateway.gateway.overview import business_event_json
from edi_gateway.gateway.sealed_secrets import SealBroken, seal, unseal
from edi_gateway.gateway.states import change
from edi_gateway.store.api import EndpointState, WebhookEndpoint, endpoints, events_after
from edi_gateway.store.base import canonical_json
from edi_gateway.store.business import WEBHOOKS, BusinessEvent
from edi_gateway.store.database import UnitOfWork
from edi_gateway.transport.address import AddressRefused, refusal, unresolved
from edi_gateway.transport.http import Outgoing, TransportError

TASK = WEBHOOKS
"""The name of the work; its key is an endpoint's id, or "" for a look at all of them."""

SECRET_PREFIX = "whsec_"  # noqa: S105 - begins every secret, and is none
SECRET_BYTES = 32
ENDPOINTS_MAX = 100
ENDPOINTS_OF_PARTNER_MAX = 10
WAITING_COUNTED_MAX = 1000
REASON_CHARACTERS_MAX = 500

TIMEOUT_SECONDS = 20.0
LEASE = timedelta(minutes=5)
"""Longer than any delivery takes: who holds one longer is gone."""

FIRST_PAUSE = timedelta(seconds=10)
PAUSE_MAX = timedelta(hours=1)
_GONE = 410  # RFC 9110 §15.5.11: likely to be permanent

SIGNATURE_HEADER = "EDI-Gateway-Signature"
EVENT_HEADER = "EDI-Gateway-Event"


class EndpointEvent(StrEnum):
    """What can happen to an endpoint."""

    PARK = "park"
    RETRY = "retry"
    REMOVE = "remove"


ENDPOINTS: Mapping[tuple[EndpointState, EndpointEvent], EndpointState] = {
    (EndpointState.ACTIVE, EndpointEvent.PARK): EndpointState.PARKED,
    (EndpointState.PARKED, EndpointEvent.RETRY): EndpointState.ACTIVE,
    (EndpointState.ACTIVE, EndpointEvent.REMOVE): EndpointState.REMOVED,
    (EndpointState.PARKED, EndpointEvent.REMOVE): EndpointState.REMOVED,
}


class WebhookRefused(Exception):
    """An endpoint that cannot be added; the text says why."""


class UnknownEndpoint(Exception):
    """No endpoint with this id, for this caller."""

    def __init__(self, endpoint_id: str) -> None:
        super().__init__(f"there is no webhook {endpoint_id}; `edi-gateway webhooks list` shows them")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a POST came to: its status, or None where there was no answer, and why it does not count."""

    status: int | None
    reason: str = ""

    @property
    def delivered(self) -> bool:
        return not self.reason


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint."""

    endpoint_id: str
    url: str
    secret: str  # sealed
    number: int
    event_id: str
    body: bytes


# Endpoints.


def add(
    gateway: Gateway, url: str, *, kinds: Sequence[str] = (), partner: str | None = None, after: int | None = None
) -> tuple[WebhookEndpoint, str]:
    """Add an endpoint; gives its row and its secret, which nobody can have again.

    It hears of events after the number `after`; of those that come from now on where that is None. Raises
    WebhookRefused and UnknownPartner.
    """
    _check_url(gateway.config, url)
    if partner is not None and gateway.partnerships.by_name(partner) is None:
        raise UnknownPartner(partner)
    identifier, now = gateway.new_id(), gateway.now()
    secret = SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    sealed = seal(gateway.config, secret.encode(), _place(identifier))
    with gateway.database.write() as uow:
        _check_number(uow.session, partner)
        newest = uow.session.scalar(select(func.max(BusinessEvent.number))) or 0
        row = WebhookEndpoint(
            id=identifier,
            url=url,
            state=EndpointState.ACTIVE,
            kinds=sorted(set(kinds)),
            partnership=partner,
            secret=sealed,
            position=newest if after is None else min(after, newest),
            attempts=0,
            reason="",
            created_at=now,
        )
        uow.session.add(row)
        details = {"kinds": row.kinds, "partnership": partner}
        uow.record_event("webhook_endpoint.state", row.subject, None, row.state, "added", details, now)
        uow.wake(TASK, identifier)
        uow.commit()
        return row, secret


def _check_url(config: Config, url: str) -> None:
    """What can be said without asking for the name's addresses; those are looked at with each POST."""
    trusted = config.webhooks.addresses == "any"
    try:
        target = unresolved(url)
    except AddressRefused as error:
        raise WebhookRefused(str(error)) from None
    if not target.secure and not trusted:
        raise WebhookRefused('events are sent by https; webhooks.addresses = "any" allows http')
    try:
        reason = refusal(ip_address(target.host), trusted=trusted)
    except ValueError:  # a name
        return
    if reason:
        raise WebhookRefused(f"{target.host}: {reason}")


def _check_number(session: Session, partner: str | None) -> None:
    if len(endpoints(session, limit=ENDPOINTS_MAX)) >= ENDPOINTS_MAX:
        raise WebhookRefused(f"there are {ENDPOINTS_MAX} endpoints already; remove one")
    of_partner = endpoints(session, limit=ENDPOINTS_OF_PARTNER_MAX, partnership=partner) if partner else ()
    if len(of_partner) >= ENDPOINTS_OF_PARTNER_MAX:
        raise WebhookRefused(f"{partner} has {ENDPOINTS_OF_PARTNER_MAX} endpoints already; remove one")


def find(session: Session, endpoint_id: str, partner: str | None = None, *, lock: bool = False) -> WebhookEndpoint:
    """An endpoint that was not removed, of one partner or of any. Raises UnknownEndpoint."""
    row = session.get(WebhookEndpoint, endpoint_id, with_for_update=lock)
    if row is None or row.state is EndpointState.REMOVED or partner not in (None, row.partnership):
        raise UnknownEndpoint(endpoint_id)
    return row


def remove(gateway: Gateway, endpoint_id: str, partner: str | None = None) -> None:
    """Send nothing more to an endpoint, and forget its secret. Raises UnknownEndpoint."""
    with gateway.database.write() as uow:
        row = find(uow.session, endpoint_id, partner, lock=True)
        row.secret = ""
        _change(uow, row, EndpointEvent.REMOVE, "by request", gateway.now())
        uow.commit()


def retry(gateway: Gateway, endpoint_id: str, partner: str | None = None) -> WebhookEndpoint:
    """Go on with an endpoint at once: a parked one, or one that pauses after a failure. Raises UnknownEndpoint."""
    with gateway.database.write() as uow:
        row = find(uow.session, endpoint_id, partner, lock=True)
        if row.state is EndpointState.PARKED:
            _change(uow, row, EndpointEvent.RETRY, "by request", gateway.now())
        row.attempts, row.first_attempt_at, row.due_at = 0, None, None
        uow.wake(TASK, row.id)
        uow.commit()
        return row


def trial(gateway: Gateway, endpoint_id: str, partner: str | None = None) -> Outcome:
    """Send an event of the kind `webhook.test` now, once, beside the queue. Raises UnknownEndpoint."""
    with gateway.database.read() as view:
        row = find(view.session, endpoint_id, partner)
    event_id = f"webhook.test/{gateway.new_id()}"
    body = {
        "number": 0,
        "id": event_id,
        "kind": "webhook.test",
        "partner": row.partnership or "",
        "order_number": "",
        "at": gateway.now().isoformat(),
        "body": {},
    }
    return _post(gateway, Delivery(row.id, row.url, row.secret, 0, event_id, canonical_json(body).encode()))


def endpoint_json(session: Session, row: WebhookEndpoint) -> dict[str, Any]:
    """An endpoint with how many events wait for it; without its secret."""
    waiting = events_after(row.position, kinds=row.kinds, partnership=row.partnership).limit(WAITING_COUNTED_MAX)
    moments = ("due_at", "created_at", "delivered_at")
    return {
        "id": row.id,
        "url": row.url,
        "state": row.state.value,
        "kinds": row.kinds,
        "partner": row.partnership,
        "position": row.position,
        "waiting": session.scalar(select(func.count()).select_from(waiting.order_by(None).subquery())) or 0,
        "attempts": row.attempts,
        "reason": row.reason,
        **{name: moment.isoformat() if (moment := getattr(row, name)) else None for name in moments},
    }


# Deliveries.


def deliver(gateway: Gateway, endpoint_id: str) -> None:
    """The work: send an endpoint what waits for it, until nothing does or it fails. "" looks at every endpoint."""
    if not endpoint_id:
        with gateway.database.read() as view:
            ready = ready_endpoints(view.session, gateway.now())
        for each in ready:
            gateway.database.wake(TASK, each, None)
        return
    while (delivery := _claim(gateway, endpoint_id)) is not None:
        outcome = _post(gateway, delivery)
        if not _settle(gateway, delivery, outcome):
            return


def ready_endpoints(session: Session, now: datetime) -> list[str]:
    """The endpoints for which something waits that may be sent now."""
    statement = select(WebhookEndpoint.id).where(
        WebhookEndpoint.state == EndpointState.ACTIVE,
        (WebhookEndpoint.due_at.is_(None)) | (WebhookEndpoint.due_at <= now),
        (WebhookEndpoint.lease_until.is_(None)) | (WebhookEndpoint.lease_until <= now),
        exists().where(BusinessEvent.number > WebhookEndpoint.position),
    )
    return list(session.scalars(statement.order_by(WebhookEndpoint.id).limit(ENDPOINTS_MAX)))


def _claim(gateway: Gateway, endpoint_id: str) -> Delivery | None:
    """The next event of the endpoint, which is ours to send until the lease ends; None where there is nothing to do."""
    with gateway.database.write() as uow:
        row, now = uow.session.get(WebhookEndpoint, endpoint_id, with_for_update=True), gateway.now()
        if (
            row is None
            or row.state is not EndpointState.ACTIVE
            or _after(row.due_at, now)
            or _after(row.lease_until, now)
        ):
            return None
        following = events_after(row.position, kinds=row.kinds, partnership=row.partnership)
        event = uow.session.scalar(following.limit(1))
        if event is None:
            row.position = max(row.position, uow.session.scalar(select(func.max(BusinessEvent.number))) or 0)
            row.lease_until = None
            uow.commit()
            return None
        row.lease_until = now + LEASE
        row.attempts += 1
        row.first_attempt_at = row.first_attempt_at or now
        uow.commit()
        body = canonical_json(business_event_json(event)).encode()
        return Delivery(row.id, row.url, row.secret, event.number, event.key, body)


def _post(gateway: Gateway, delivery: Delivery) -> Outcome:
    """POST it, signed. No redirect is followed."""
    try:
        secret = unseal(gateway.config, delivery.secret, _place(delivery.endpoint_id))
    except (SealBroken, KeyStoreError) as error:
        return Outcome(None, str(error)[:REASON_CHARACTERS_MAX])
    request = Outgoing(
        url=delivery.url,
        headers=(
            ("Content-Type", "application/json"),
            (EVENT_HEADER, delivery.event_id),
            (SIGNATURE_HEADER, signature(secret, delivery.body, gateway.now())),
        ),
        body=io.BytesIO(delivery.body),
        length=len(delivery.body),
        timeout_seconds=TIMEOUT_SECONDS,
        trusted=gateway.config.webhooks.addresses == "any",
    )
    try:
        answer = gateway.send(request)
    except TransportError as error:
        return Outcome(None, str(error)[:REASON_CHARACTERS_MAX])
    if 200 <= answer.status < 300:
        return Outcome(answer.status)
    return Outcome(answer.status, f"the endpoint answered with {answer.status}")


def signature(secret: bytes, body: bytes, at: datetime) -> str:
    """The value of EDI-Gateway-Signature. The time is signed with the body, so that an old one cannot be replayed."""
    seconds = str(int(at.timestamp()))
    return f"t={seconds},v1={hmac.new(secret, seconds.encode() + b'.' + body, sha256).hexdigest()}"


def _settle(gateway: Gateway, delivery: Delivery, outcome: Outcome) -> bool:
    """Put down what came of it; says whether the next event may go at once."""
    with gateway.database.write() as uow:
        row, now = uow.session.get_one(WebhookEndpoint, delivery.endpoint_id, with_for_update=True), gateway.now()
        row.lease_until = None
        if row.position >= delivery.number:
            uow.commit()
            return True  # our lease ran out, and another has delivered it meanwhile
        if outcome.delivered:
            row.position, row.delivered_at = delivery.number, now
            row.attempts, row.first_attempt_at, row.due_at, row.reason = 0, None, None, ""
        else:
            _failed(uow, gateway, row, delivery, outcome, now)
        uow.commit()
        return outcome.delivered


def _failed(
    uow: UnitOfWork, gateway: Gateway, row: WebhookEndpoint, delivery: Delivery, outcome: Outcome, now: datetime
) -> None:
    row.reason = outcome.reason
    deadline = (row.first_attempt_at or now) + timedelta(hours=gateway.config.webhooks.deadline_hours)
    if row.state is EndpointState.ACTIVE and (now >= deadline or outcome.status == _GONE):
        _change(uow, row, EndpointEvent.PARK, outcome.reason, now)
        details = {"event": delivery.event_id, "attempts": row.attempts, "url": row.url}
        reason = f"event {delivery.number} was not taken: {outcome.reason}"[:REASON_CHARACTERS_MAX]
        uow.record_event("alert.webhook", row.subject, None, None, reason, details, now)
        return
    row.due_at = min(now + pause(row.attempts, gateway.jitter()), max(now, deadline))
    uow.wake(TASK, row.id, row.due_at)


def pause(attempts: int, jitter: float) -> timedelta:
    """How long to wait after so many attempts: doubled each time, spread by half of it to either side."""
    steady = min(FIRST_PAUSE * (1 << min(attempts - 1, 20)), PAUSE_MAX)
    return steady * (0.5 + jitter)


def _change(uow: UnitOfWork, row: WebhookEndpoint, event: EndpointEvent, reason: str, now: datetime) -> None:
    change(uow, row, ENDPOINTS, event, reason=reason, now=now)


def _after(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment > now


def _place(endpoint_id: str) -> str:
    return f"webhook:{endpoint_id}"
