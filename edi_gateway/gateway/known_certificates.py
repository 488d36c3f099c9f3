"""Every certificate that this gateway has met for a partner: pinned now or before, of others, and our own.

For who explains why a signature or an encryption does not fit, and for the evidence of what was exchanged. None of
these is trusted because it stands here; `as2.relationship` says who is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from edi_gateway.as2.certificates import Certificate, CertificateError, load_certificates
from edi_gateway.as2.cms import CmsError, read_signed_data
from edi_gateway.as2.diagnosis import Known, Standing
from edi_gateway.gateway.app import Gateway
from edi_gateway.partnership import DatedCertificate, Partnership
from edi_gateway.store.database import Reading
from edi_gateway.store.partnerships import PartnershipRevision, history, in_force
from edi_gateway.store.transmissions import former_signatures


def known_certificates(gateway: Gateway, view: Reading, name: str, at: datetime) -> tuple[Known, ...]:
    """Those that can matter to the partnership `name`, by what each was for it at that time, the nearest first."""
    found: dict[tuple[Certificate, Standing], Known] = {}
    for known in _all(gateway, view, name, at):
        found.setdefault((known.certificate, known.standing), known)
    return tuple(found.values())


def _all(gateway: Gateway, view: Reading, name: str, at: datetime) -> Iterator[Known]:
    revisions = history(view.session, name)
    current = next((row for row in revisions if row.valid_from <= at), None)
    if current is not None:
        yield from (Known(certificate, Standing.PINNED, name) for certificate in pinned_in(current.partnership))
    for key in gateway.keys.dated():
        yield Known(key.key.certificate, Standing.OURS)
    yield from _former(revisions, current)
    yield from _others(view, name)
    for seal in former_signatures(view.session, name):
        yield from (Known(certificate, Standing.OURS_FORMER) for certificate in embedded_in(seal.signature))


def _former(revisions: list[PartnershipRevision], current: PartnershipRevision | None) -> Iterator[Known]:
    """Those of earlier or later revisions. One that is pinned for encryption alone is a former one for signatures."""
    verifying = _readable(current.partnership.as2.signing_certificates) if current else ()
    for row in revisions:
        for certificate in pinned_in(row.partnership):
            if row is not current and certificate not in verifying:
                yield Known(certificate, Standing.FORMER, row.name, row.valid_to)


def _others(view: Reading, name: str) -> Iterator[Known]:
    for row in in_force(view.session):
        if row.name != name:
            yield from (Known(certificate, Standing.OTHER, row.name) for certificate in pinned_in(row.partnership))


def pinned_in(partnership: Partnership) -> tuple[Certificate, ...]:
    """The certificates of theirs in a partnership; those that cannot be read are left out."""
    return _readable((*partnership.as2.signing_certificates, *partnership.as2.encryption_certificates))


def _readable(entries: Iterable[DatedCertificate]) -> tuple[Certificate, ...]:
    found: list[Certificate] = []
    for entry in entries:
        try:
            found.append(load_certificates(entry.pem)[0])
        except CertificateError:
            continue
    return tuple(dict.fromkeys(found))


def embedded_in(signature: bytes) -> tuple[Certificate, ...]:
    """The certificates inside of a signature of our own."""
    try:
        return tuple(Certificate.from_der(der) for der in read_signed_data(signature).embedded_certificates)
    except (CmsError, CertificateError):
        return ()
