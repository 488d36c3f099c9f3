"""A signature over content that was stored, verified as the partnership has agreed, with a diagnosis where it fails.

What `cms.verify` demands (at least one signer, every one of them by a pinned certificate) is only half of it: the
certificate has to be valid at the date, and a digest that differs is compared with that of the canonical text, because
software that signs text in CRLF and sends it in bare LF is the most frequent cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.cms import SignatureRefusal, SignatureRefused, SignedData, VerifiedSigner, verify
from edi_gateway.as2.disposition import AUTHENTICATION_FAILED, INTEGRITY_CHECK_FAILED
from edi_gateway.as2.errors import As2Refusal
from edi_gateway.as2.mic import digests_of
from edi_gateway.as2.mime import canonical_line_ends, chunks_of
from edi_gateway.as2.opened import SignedWith
from edi_gateway.as2.relationship import Relationship

LineEnds = Callable[[Iterable[bytes]], Iterator[bytes]]


class SignedContent:
    """What a signature covers: a header block, and a body in scratch space. Digests are taken when asked for."""

    def __init__(self, block: bytes, body: BinaryIO, known: Mapping[Digest, bytes], line_ends: LineEnds = iter) -> None:
        self._block = block
        self._body = body
        self._known = dict(known)
        self._line_ends = line_ends

    def digest(self, digest: Digest) -> bytes:
        if digest not in self._known:
            self._known |= digests_of(self._line_ends(self._chunks()), [digest])
        return self._known[digest]

    def canonical(self) -> SignedContent:
        """The same with bare LF as CRLF (RFC 8551 §3.1.1)."""
        return SignedContent(self._block, self._body, {}, canonical_line_ends)

    @property
    def known(self) -> Mapping[Digest, bytes]:
        """The digests taken so far."""
        return self._known

    def _chunks(self) -> Iterator[bytes]:
        yield self._block
        self._body.seek(0)
        yield from chunks_of(self._body)


@dataclass(frozen=True, slots=True)
class Verified:
    """A signature that counts. `content` is what it covers, canonical where only that agrees."""

    signed_with: SignedWith
    content: SignedContent
    notes: tuple[str, ...]


def verify_content(signed: SignedData, content: SignedContent, relationship: Relationship, now: datetime) -> Verified:
    """Verify; SignatureRefused or As2Refusal if the signature does not count."""
    signers, found = _signers(signed, content, relationship)
    notes = [] if found is content else ["the signature covers the content with bare LF as CRLF"]
    notes += _check_dates(signers, relationship, now)
    first = signers[0]
    certificate = first.certificate
    signed_with = SignedWith(first.digest, first.scheme, certificate.fingerprint, certificate.subject)
    return Verified(signed_with, found, tuple(notes))


def _signers(
    signed: SignedData, content: SignedContent, relationship: Relationship
) -> tuple[tuple[VerifiedSigner, ...], SignedContent]:
    certificates, accepted = relationship.verifying_certificates(), relationship.accepted_digests
    try:
        return verify(signed, content.digest, certificates, accepted), content
    except SignatureRefused as error:
        if error.reason is not SignatureRefusal.CONTENT_CHANGED:
            raise
        refusal = error
    canonical = content.canonical()
    try:
        signers = verify(signed, canonical.digest, certificates, accepted)
    except SignatureRefused:
        raise refusal from None
    if not relationship.policy.accept_canonicalised:
        raise As2Refusal(
            INTEGRITY_CHECK_FAILED,
            refusal.public,
            "the digest agrees after LF to CRLF: the partner signs canonical text but sends bare LF; "
            "accept_canonicalised = true would accept it",
        )
    return signers, canonical


def _check_dates(signers: tuple[VerifiedSigner, ...], relationship: Relationship, now: datetime) -> list[str]:
    """What is to be noted of certificates that are not valid at the date; As2Refusal unless that is agreed."""
    notes = []
    for certificate in (signer.certificate for signer in signers):
        if certificate.valid_at(now):
            continue
        span = f"{certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}"
        text = f"signed with the certificate {certificate.subject} ({certificate.fingerprint}), valid {span}"
        if not relationship.policy.accept_expired_certificates:
            raise As2Refusal(
                AUTHENTICATION_FAILED,
                "The signature was made with a certificate that is not valid at this date.",
                f"{text}; accept_expired_certificates = true would accept it",
            )
        notes.append(text)
    return notes
