"""Certificates that are about to end, ours and those of partners: each alert is given once, as an event.

An alert falls due 30, 14, 7 and 1 days before the end, and at the end (draft rfc4130bis §9). A certificate that is seen
for the first time with five days left gives the one alert that fits, not all that were missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from edi_gateway.as2.certificates import Certificate, KeyUse, load_certificates
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.keys import OwnKey
from edi_gateway.partnership import DatedCertificate, Partnership
from edi_gateway.store.certificates import CertificateAlert
from edi_gateway.store.database import UnitOfWork

ALERT_DAYS = (30, 14, 7, 1)
EXPIRED = 0


@dataclass(frozen=True, slots=True)
class Watched:
    """A certificate, whose it is, and what for."""

    subject: str  # key:<name> or partnership:<name>, as events name it
    certificate: Certificate
    uses: frozenset[KeyUse]
    successor: Certificate | None = None  # of the same owner and use, with a later end

    @property
    def purpose(self) -> str:
        return ", ".join(sorted(self.uses))

    def due(self, now: datetime) -> int | None:
        """Which alert has fallen due: of `ALERT_DAYS` the last one, or `EXPIRED`; None if there is time."""
        left = self.certificate.not_after - now
        if left < timedelta():
            return EXPIRED
        return min((days for days in ALERT_DAYS if left <= timedelta(days=days)), default=None)


def alert_expiring(gateway: Gateway) -> int:
    """Give the alerts that have fallen due and were not given yet; how many there were."""
    now = gateway.now()
    due = [(each, days) for each in watched(gateway) if (days := each.due(now)) is not None]
    with gateway.database.read() as view:
        due = [(each, days) for each, days in due if view.session.get(CertificateAlert, _key(each, days)) is None]
    return sum(_give(gateway, each, days, now) for each, days in due)


def _key(watched: Watched, days: int) -> tuple[str, str, int]:
    return watched.subject, watched.certificate.fingerprint, days


def _give(gateway: Gateway, watched: Watched, days: int, now: datetime) -> bool:
    subject, fingerprint, _ = _key(watched, days)
    with gateway.database.write() as uow:
        row = {"subject": subject, "fingerprint": fingerprint, "days": days, "at": now}
        if not uow.insert_once(CertificateAlert, row):
            return False
        _record(uow, watched, days, now)
        uow.commit()
    return True


def _record(uow: UnitOfWork, watched: Watched, days: int, now: datetime) -> None:
    certificate = watched.certificate
    ends = f"{certificate.not_after:%Y-%m-%d %H:%M} UTC"
    reason = f"{certificate.subject} ({watched.purpose}) " + (
        f"expired on {ends}" if days == EXPIRED else f"expires on {ends}, in {certificate.days_left(now)} days"
    )
    if watched.successor is not None:
        beside = watched.successor
        reason += f"; {beside.fingerprint[:16]} stands beside it, until {beside.not_after:%Y-%m-%d}"
    details = {
        "fingerprint": certificate.fingerprint,
        "not_after": certificate.not_after.isoformat(),
        "days": days,
        "uses": sorted(use.value for use in watched.uses),
        "successor": watched.successor.fingerprint if watched.successor else None,
    }
    kind = "alert.certificate-expired" if days == EXPIRED else "alert.certificate-expiring"
    uow.record_event(kind, watched.subject, None, None, reason, details, now)


def watched(gateway: Gateway) -> Iterator[Watched]:
    """Every certificate that is in use: ours, and those of partners."""
    yield from of_keys(gateway.keys.own_keys())
    for partnership in gateway.partnerships.all():
        yield from of_partnership(partnership)


def of_keys(owned: Iterable[OwnKey]) -> list[Watched]:
    """Our own certificates."""
    found = [Watched(f"key:{own.name}", own.certificate, own.uses) for own in owned]
    return [_with_successor(each, found) for each in found]


def of_partnership(partnership: Partnership) -> list[Watched]:
    """The certificates of a partner, each once, with everything that it is used for."""
    as2 = partnership.as2
    uses: dict[Certificate, set[KeyUse]] = {}
    for use, entries in (
        (KeyUse.SIGNING, as2.signing_certificates),
        (KeyUse.ENCRYPTION, as2.encryption_certificates),
        (KeyUse.TLS, (*as2.tls.certificates, *as2.access.client_certificates)),
    ):
        for entry in entries:
            uses.setdefault(_leaf(entry), set()).add(use)
    subject = f"partnership:{partnership.name}"
    found = [Watched(subject, certificate, frozenset(of)) for certificate, of in uses.items()]
    return [_with_successor(each, found) for each in found]


def _leaf(entry: DatedCertificate) -> Certificate:
    return load_certificates(entry.pem)[0]


def _with_successor(watched: Watched, all_of_owner: Iterable[Watched]) -> Watched:
    later = [
        other.certificate
        for other in all_of_owner
        if watched.uses <= other.uses and other.certificate.not_after > watched.certificate.not_after
    ]
    last = max(later, key=lambda certificate: certificate.not_after, default=None)
    return Watched(watched.subject, watched.certificate, watched.uses, last)
