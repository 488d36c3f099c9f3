"""Alerts of the log, told to people by e-mail and to machines by webhook: one for each kind and subject in a window.

Whether an alert repeats an earlier one is read off the log itself: of the same kind and subject in the same window (a
day of UTC at the default of 24 hours) the first one counts. So nothing is remembered but the number of the last event
that was told. It is put down after the mail server has taken the mail: a crash between the two tells a digest once
more, under the same Message-ID, and never loses one. The feed's number is put down with what it is about, so that a
webhook hears of each once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from edi_gateway.config import Alerts
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.secret_files import SecretError, read_private
from edi_gateway.store.business import put_into_feed
from edi_gateway.store.documents import Counter, count_up_to
from edi_gateway.store.events import Event
from edi_gateway.transport.mail import Mail, MailError, MailServer, hand_in

INTERVAL = timedelta(minutes=1)
PREFIX = "alert."
EVENTS_MAX = 1000
"""Alerts that one turn looks at; the next one goes on."""
LINES_MAX = 100
"""Alerts that a digest spells out; it says how many more there are."""
REASON_CHARACTERS_MAX = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAILED, _FED = "alerts:mailed", "alerts:fed"

_log = structlog.get_logger(__name__)


def tell(gateway: Gateway) -> None:
    """Tell what has not been told yet, where the configuration says so."""
    alerts = gateway.config.alerts
    if alerts.feed == "yes":
        _feed(gateway, alerts)
    if alerts.smtp_host:
        _mail(gateway, alerts)


def untold(session: Session, after: int, alerts: Alerts) -> tuple[list[Event], int | None]:
    """The alerts after an event that repeat no earlier one, and the number of the last that was looked at."""
    looked = list(
        session.scalars(
            select(Event)
            .where(Event.number > after, Event.kind.startswith(PREFIX, autoescape=True))
            .order_by(Event.number)
            .limit(EVENTS_MAX)
        )
    )
    wanted = [event for event in looked if alerts.wants(event.kind)]
    window = timedelta(hours=alerts.repeat_hours)
    fresh = [event for event in wanted if not _repeats(session, event, window)]
    return fresh, looked[-1].number if looked else None


def _repeats(session: Session, event: Event, window: timedelta) -> bool:
    """Whether an earlier event of the same window says the same."""
    begins = _EPOCH + (event.at - _EPOCH) // window * window
    earlier = select(Event.number).where(
        Event.subject == event.subject, Event.kind == event.kind, Event.number < event.number, Event.at >= begins
    )
    return session.scalar(earlier.limit(1)) is not None


def _position(session: Session, name: str, now: datetime, alerts: Alerts) -> int:
    """The last event that was told; at the first turn the last one before this window, so that no history is told."""
    counter = session.get(Counter, name)
    if counter is not None:
        return counter.value
    before = select(func.max(Event.number)).where(Event.at < now - timedelta(hours=alerts.repeat_hours))
    return session.scalar(before) or 0


def _feed(gateway: Gateway, alerts: Alerts) -> None:
    with gateway.database.write() as uow:
        uow.hold(_FED)
        fresh, last = untold(uow.session, _position(uow.session, _FED, gateway.now(), alerts), alerts)
        if last is None or not count_up_to(uow.session, _FED, last):
            return
        for event in fresh:
            put_into_feed(
                uow,
                {
                    "key": f"alert/{event.number}",
                    "kind": event.kind,
                    "partnership": "",
                    "order_number": "",
                    "at": event.at,
                    "body": {"subject": event.subject, "reason": event.reason, "details": event.details},
                },
            )
        uow.commit()


def _mail(gateway: Gateway, alerts: Alerts) -> None:
    with gateway.database.read() as view:
        fresh, last = untold(view.session, _position(view.session, _MAILED, gateway.now(), alerts), alerts)
    if last is None:
        return
    if fresh:
        try:
            hand_in(_server(alerts), digest(gateway, alerts, fresh))
        except (MailError, SecretError) as error:
            _log.warning("alerts not mailed, tried again in a minute", alerts=len(fresh), error=str(error))
            return
    with gateway.database.write() as uow:
        count_up_to(uow.session, _MAILED, last)
        uow.commit()


def _server(alerts: Alerts) -> MailServer:
    password = alerts.smtp_password.get_secret_value() if alerts.smtp_password is not None else ""
    if alerts.smtp_password_file is not None:
        password = read_private(alerts.smtp_password_file).decode("utf-8", "replace").strip()
    return MailServer(alerts.smtp_host, alerts.smtp_port, alerts.smtp_security, alerts.smtp_user, password)


def digest(gateway: Gateway, alerts: Alerts, fresh: Sequence[Event]) -> Mail:
    """One mail for all that is new."""
    name = gateway.config.identity.as2_id
    subject = f"[{name}] {fresh[0].kind} {fresh[0].subject}" if len(fresh) == 1 else f"[{name}] {len(fresh)} alerts"
    lines = [_line(event) for event in fresh[:LINES_MAX]]
    if len(fresh) > LINES_MAX:
        lines.append(f"and {len(fresh) - LINES_MAX} more")
    lines.append(f"All of them: edi-gateway events list --kind alert\nThe gateway: {gateway.config.public_url}\n")
    host = alerts.sender.rpartition("@")[2]
    message_id = f"<alerts-{fresh[0].number}-{fresh[-1].number}@{host}>"
    return Mail(alerts.sender, alerts.recipient_list, _plain(subject)[:200], "\n\n".join(lines), message_id)


def _line(event: Event) -> str:
    reason = _plain(event.reason)[:REASON_CHARACTERS_MAX]
    return f"{event.at:%Y-%m-%d %H:%M:%S} UTC  {event.kind}\n{_plain(event.subject)}\n{reason}"


def _plain(text: str) -> str:
    """Partners' words may hold line breaks; in a header they would be another header."""
    return "".join(character if character.isprintable() else " " for character in text)
