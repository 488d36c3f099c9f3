"""Certificates that were accepted by message (CEM): where they join a partnership, and that they stay there.

The folder of a partner does not name them. They stand in the revision in force, and `keep` takes them over into the
one that is made from the folder; `without` takes one out again. What the folder does name, it dates itself. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from edi_gateway.as2.algorithms import KeyTransport
from edi_gateway.as2.certificates import Certificate, WeaknessKind, load_certificates, weaknesses
from edi_gateway.as2.exchange import Usage
from edi_gateway.partner_file import CERTIFICATES_MAX, check_transport
from edi_gateway.partnership import As2Policy, DatedCertificate, Partnership, TlsTrust

_Entries = tuple[DatedCertificate, ...]


class CannotJoin(ValueError):
    """A certificate that cannot be one of the partnership's; the text says why and what to do."""


def check(certificate: Certificate, usages: Iterable[Usage], partnership: Partnership, now: datetime) -> None:
    """Raises CannotJoin for one that must not, or cannot, be used as the partnership is agreed."""
    faults = [fault for fault in weaknesses(certificate, now) if fault.kind is not WeaknessKind.NOT_YET_VALID]
    if grave := [fault.text for fault in faults if fault.fatal]:
        raise CannotJoin(f"{certificate.subject} must not be used: {', '.join(grave)}; reject it")
    transport = KeyTransport.parse(partnership.as2.key_transport)
    if Usage.ENCRYPTION in usages and transport is not None:
        try:
            check_transport(transport, certificate, certificate.subject)
        except ValueError as error:
            raise CannotJoin(str(error)) from None


def with_certificate(
    partnership: Partnership, certificate: Certificate, usages: Iterable[Usage], use_from: datetime
) -> Partnership:
    """The partnership with one more certificate where it is used. Those that are there stay. Raises CannotJoin.

    A server's certificate joins only pinned ones, a client's only where client certificates are asked for: else the
    partnership does not look at them.
    """
    as2, new = partnership.as2, DatedCertificate(pem=certificate.pem, use_from=use_from.isoformat(timespec="seconds"))
    undated = DatedCertificate(pem=certificate.pem)
    for usage in usages:
        match usage:
            case Usage.SIGNATURE:
                as2 = replace(as2, signing_certificates=_joined(as2.signing_certificates, new))
            case Usage.ENCRYPTION:
                as2 = replace(as2, encryption_certificates=_joined(as2.encryption_certificates, new))
            case Usage.TLS_SERVER if as2.tls.trust is TlsTrust.PINNED:
                as2 = replace(as2, tls=replace(as2.tls, certificates=_joined(as2.tls.certificates, undated)))
            case Usage.TLS_CLIENT if as2.access.client_certificates:
                clients = _joined(as2.access.client_certificates, undated)
                as2 = replace(as2, access=replace(as2.access, client_certificates=clients))
    return replace(partnership, as2=as2)


def keep(wanted: Partnership, present: Partnership, accepted: Iterable[str], now: datetime) -> Partnership:
    """`wanted`, with what was accepted by message and serves in `present`, the revision in force. Raises CannotJoin.

    `accepted` are the SHA-256 of what an operator accepted of this partner. One that has expired is left out, and so
    are all of them where another AS2 name stands under the same name: whoever that is, it was not accepted of them.
    """
    if wanted.as2.their_id != present.as2.their_id:
        return wanted
    pems = {entry.pem for entry in _all(present.as2) if _lasts(entry, frozenset(accepted), now)}
    as2, was = wanted.as2, present.as2
    as2 = replace(
        as2,
        signing_certificates=_kept(as2.signing_certificates, was.signing_certificates, pems),
        encryption_certificates=_kept(as2.encryption_certificates, was.encryption_certificates, pems),
    )
    if as2.tls.trust is TlsTrust.PINNED and was.tls.trust is TlsTrust.PINNED:
        as2 = replace(as2, tls=replace(as2.tls, certificates=_kept(as2.tls.certificates, was.tls.certificates, pems)))
    if as2.access.client_certificates:
        clients = _kept(as2.access.client_certificates, was.access.client_certificates, pems)
        as2 = replace(as2, access=replace(as2.access, client_certificates=clients))
    return replace(wanted, as2=as2)


def without(partnership: Partnership, certificate: Certificate) -> Partnership:
    """The partnership without that certificate, wherever it stands. Raises CannotJoin where no other is left."""
    as2, pem = partnership.as2, certificate.pem
    as2 = replace(
        as2,
        signing_certificates=_without(as2.signing_certificates, pem),
        encryption_certificates=_without(as2.encryption_certificates, pem),
        tls=replace(as2.tls, certificates=_without(as2.tls.certificates, pem)),
        access=replace(as2.access, client_certificates=_without(as2.access.client_certificates, pem)),
    )
    return replace(partnership, as2=as2)


def _all(as2: As2Policy) -> _Entries:
    connection = (*as2.tls.certificates, *as2.access.client_certificates)
    return (*as2.signing_certificates, *as2.encryption_certificates, *connection)


def _lasts(entry: DatedCertificate, accepted: frozenset[str], now: datetime) -> bool:
    certificate = load_certificates(entry.pem)[0]
    return certificate.fingerprint in accepted and certificate.not_after >= now


def _kept(entries: _Entries, present: _Entries, pems: set[str]) -> _Entries:
    for entry in present:
        if entry.pem in pems:
            entries = _joined(entries, entry)
    return entries


def _without(entries: _Entries, pem: str) -> _Entries:
    left = tuple(entry for entry in entries if entry.pem != pem)
    if entries and not left:
        raise CannotJoin("it is the only certificate for its use; put another one beside it before")
    return left


def _joined(entries: _Entries, new: DatedCertificate) -> _Entries:
    if any(entry.pem == new.pem for entry in entries):
        return entries
    if len(entries) >= CERTIFICATES_MAX:
        raise CannotJoin(f"{CERTIFICATES_MAX} certificates are pinned already; take those away that have ended")
    return (*entries, new)
