"""Why a signature does not count: by whom it is, over what it is, and what would have to be otherwise.

Each thought is tried on the bytes themselves: another certificate is named only if it verifies the signature, another
extent of the content or other line ends only if the digest then agrees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain

from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.certificates import Certificate
from edi_gateway.as2.cms import SignatureRefusal, SignatureRefused, SignerInfo, verify
from edi_gateway.as2.diagnosis.catalogue import Code
from edi_gateway.as2.diagnosis.value import (
    Diagnosis,
    Known,
    Standing,
    Switch,
    certificate_values,
    diagnosed,
    known_as,
    pinned_names,
)
from edi_gateway.as2.dissection import SignaturePart
from edi_gateway.as2.mic import digests_of
from edi_gateway.as2.mime import canonical_line_ends
from edi_gateway.as2.relationship import Relationship
from edi_gateway.partnership import DatedCertificate

ANY_DIGEST = frozenset(Digest) - {Digest.MD5}

Chunks = Callable[[], Iterator[bytes]]


def explain_signature(
    part: SignaturePart,
    error: SignatureRefused,
    relationship: Relationship,
    known: Sequence[Known],
) -> Diagnosis:
    """Why `cms.verify` refused the signature."""
    return _BY_REASON[error.reason](part, error, relationship, known)


def explain_dates(part: SignaturePart, relationship: Relationship, now: datetime) -> Diagnosis | None:
    """The certificate of the signature that was not valid at `now`, of those that are pinned."""
    pinned = relationship.verifying_certificates()
    for certificate in (c for signer in part.signed.signers for c in signer.signer.among(pinned)):
        if not certificate.valid_at(now):
            code = Code.CERTIFICATE_EXPIRED if now > certificate.not_after else Code.CERTIFICATE_NOT_YET_VALID
            switch = Switch("accept_expired_certificates", value=True)
            return diagnosed(code, switch, at=now, **certificate_values(certificate))
    return None


def canonical_diagnosis() -> Diagnosis:
    """The signature is over canonical text, the message holds bare LF."""
    return diagnosed(Code.CONTENT_CANONICAL, Switch("accept_canonicalised", value=True))


# --- one reason each ------------------------------------------------------------------------------------------------


def _empty(
    part: SignaturePart, error: SignatureRefused, relationship: Relationship, known: Sequence[Known]
) -> Diagnosis:
    return diagnosed(Code.SIGNATURE_EMPTY, pinned=pinned_names(relationship))


def _algorithm(
    part: SignaturePart, error: SignatureRefused, relationship: Relationship, known: Sequence[Known]
) -> Diagnosis:
    return diagnosed(Code.SIGNATURE_ALGORITHM, reason=error.diagnosis)


def _weak_key(
    part: SignaturePart, error: SignatureRefused, relationship: Relationship, known: Sequence[Known]
) -> Diagnosis:
    return diagnosed(Code.KEY_TOO_WEAK, reason=error.diagnosis)


def _weak_digest(
    part: SignaturePart, error: SignatureRefused, relationship: Relationship, known: Sequence[Known]
) -> Diagnosis:
    accepted = ", ".join(sorted(relationship.accepted_digests))
    refused = {digest for signer in part.signed.signers if (digest := signer.digest)} - relationship.accepted_digests
    names = ", ".join(sorted(refused)) or "MD5"
    is_forbidden = relationship.policy.version >= "1.3" and any(digest.weak for digest in refused)
    if not refused or Digest.MD5 in refused or is_forbidden:
        return diagnosed(Code.DIGEST_BROKEN, digest=names, accepted=accepted)
    switch = Switch("accepted_digests", relationship.policy.accepted_digests | {digest.value for digest in refused})
    return diagnosed(Code.DIGEST_NOT_ACCEPTED, switch, digest=names, accepted=accepted)


def _unknown_signer(
    part: SignaturePart, error: SignatureRefused, relationship: Relationship, known: Sequence[Known]
) -> Diagnosis:
    signer = _stranger(part.signed.signers, relationship)
    for entry in known_as(signer.signer, known):
        if entry.standing is not Standing.PINNED and _made_by(part, entry.certificate):
            return _by_known(entry, relationship)
    for certificate in part.embedded:
        if _made_by(part, certificate):
            return _by_embedded(certificate, relationship)
    return diagnosed(Code.SIGNER_UNKNOWN, signer=signer.signer, pinned=pinned_names(relationship))


def _stranger(signers: Iterable[SignerInfo], relationship: Relationship) -> SignerInfo:
    """The first signer that is not pinned; the first of all where each of them is."""
    found = tuple(signers)
    pinned = relationship.verifying_certificates()
    return next((signer for signer in found if not signer.signer.among(pinned)), found[0])


def _by_known(entry: Known, relationship: Relationship) -> Diagnosis:
    values = certificate_values(entry.certificate) | {
        "pinned": pinned_names(relationship),
        "owner": entry.owner,
        "removed": entry.until or "?",
    }
    if entry.standing in (Standing.OURS, Standing.OURS_FORMER):
        return diagnosed(Code.SIGNER_IS_US, None, **values)
    code = Code.SIGNER_FORMER if entry.standing is Standing.FORMER else Code.SIGNER_OTHER_PARTNER
    return diagnosed(code, _pin(entry.certificate, relationship), **values)


def _by_embedded(certificate: Certificate, relationship: Relationship) -> Diagnosis:
    values = certificate_values(certificate) | {"pinned": pinned_names(relationship)}
    return diagnosed(Code.SIGNER_NOT_PINNED, _pin(certificate, relationship), **values)


def _pin(certificate: Certificate, relationship: Relationship) -> Switch:
    added = DatedCertificate(pem=certificate.pem)
    return Switch("signing_certificates", (*relationship.policy.signing_certificates, added))


def _bad_signature(
    part: SignaturePart, error: SignatureRefused, relationship: Relationship, known: Sequence[Known]
) -> Diagnosis:
    pinned = relationship.verifying_certificates()
    for certificate in part.embedded:
        if certificate not in pinned and _made_by(part, certificate):
            return _by_embedded(certificate, relationship)
    if variation := _variation(part, pinned):
        return variation
    signer = _stranger(part.signed.signers, relationship)
    return diagnosed(
        Code.SIGNATURE_BROKEN, signer=signer.signer, reason=error.diagnosis, pinned=pinned_names(relationship)
    )


def _changed(
    part: SignaturePart, error: SignatureRefused, relationship: Relationship, known: Sequence[Known]
) -> Diagnosis:
    pinned = relationship.verifying_certificates()
    if variation := _variation(part, pinned):
        return variation
    signer = part.signed.signers[0]
    digest = signer.digest or Digest.SHA256
    found = digests_of(part.chunks(), [digest])[digest]
    subject = next((c.subject for c in signer.signer.among(pinned)), "?")
    signed = (signer.message_digest or b"").hex()
    return diagnosed(Code.CONTENT_CHANGED, digest=digest, found=found.hex(), signed=signed, subject=subject)


_Explain = Callable[[SignaturePart, SignatureRefused, Relationship, Sequence[Known]], Diagnosis]

_BY_REASON: Mapping[SignatureRefusal, _Explain] = {
    SignatureRefusal.NO_SIGNER: _empty,
    SignatureRefusal.UNKNOWN_SIGNER: _unknown_signer,
    SignatureRefusal.BAD_SIGNATURE: _bad_signature,
    SignatureRefusal.CONTENT_CHANGED: _changed,
    SignatureRefusal.BAD_ATTRIBUTES: _algorithm,
    SignatureRefusal.WEAK_DIGEST: _weak_digest,
    SignatureRefusal.WEAK_KEY: _weak_key,
    SignatureRefusal.UNKNOWN_ALGORITHM: _algorithm,
    SignatureRefusal.ALGORITHM_MISMATCH: _algorithm,
}


# --- tried on the bytes ---------------------------------------------------------------------------------------------


def _made_by(part: SignaturePart, certificate: Certificate) -> bool:
    """Whether the key of the certificate made the signature, whatever became of the content since."""
    return _holds(part, part.chunks, [certificate]) is not SignatureRefusal.BAD_SIGNATURE


def _holds(part: SignaturePart, chunks: Chunks, certificates: Sequence[Certificate]) -> SignatureRefusal | None:
    """Why the signature does not hold over these bytes by one of these certificates; None if it does."""
    known: dict[Digest, bytes] = {}

    def digest_of(digest: Digest) -> bytes:
        if digest not in known:
            known.update(digests_of(chunks(), [digest]))
        return known[digest]

    alone = [signer for signer in part.signed.signers if signer.signer.among(certificates)]
    if not alone:
        return SignatureRefusal.BAD_SIGNATURE
    try:
        verify(part.signed, digest_of, certificates, ANY_DIGEST)
    except SignatureRefused as refused:
        return SignatureRefusal.BAD_SIGNATURE if refused.reason in _NOT_BY_THIS_KEY else refused.reason
    return None


_NOT_BY_THIS_KEY = frozenset(
    {
        SignatureRefusal.BAD_SIGNATURE,
        SignatureRefusal.UNKNOWN_SIGNER,
        SignatureRefusal.ALGORITHM_MISMATCH,
        SignatureRefusal.WEAK_KEY,
    }
)


def _variation(part: SignaturePart, pinned: Sequence[Certificate]) -> Diagnosis | None:
    """The other bytes that the signature is over, if they are found."""
    for code, chunks in _variations(part):
        if _holds(part, chunks, pinned) is None:
            return canonical_diagnosis() if code is Code.CONTENT_CANONICAL else diagnosed(code)
    return None


def _variations(part: SignaturePart) -> Iterator[tuple[Code, Chunks]]:
    yield Code.CONTENT_CANONICAL, lambda: canonical_line_ends(part.chunks())
    yield Code.CONTENT_BARE_LINE_FEEDS, lambda: bare_line_feeds(part.chunks())
    yield Code.CONTENT_BARE_LINE_FEEDS, lambda: chain((part.block,), bare_line_feeds(_body_of(part)))
    yield Code.CONTENT_WITHOUT_LAST_LINE_BREAK, lambda: without_last_line_break(part.chunks())
    yield Code.CONTENT_WITH_LAST_LINE_BREAK, lambda: chain(part.chunks(), (b"\r\n",))
    yield Code.CONTENT_WITHOUT_HEADERS, lambda: _body_of(part)


def _body_of(part: SignaturePart) -> Iterator[bytes]:
    chunks = part.chunks()
    next(chunks)  # the header block
    yield from chunks


_LINE_BREAK = re.compile(rb"\r\n")


def bare_line_feeds(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks with every CRLF as LF."""
    held = b""
    for chunk in chunks:
        data = held + chunk
        held = b"\r" if data.endswith(b"\r") else b""
        yield _LINE_BREAK.sub(b"\n", data[: len(data) - len(held)])
    yield held


def without_last_line_break(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks without the CRLF or LF at their end, if there is one."""
    held = b""
    for chunk in chunks:
        data = held + chunk
        held = data[-2:]
        yield data[:-2]
    yield held.removesuffix(b"\n").removesuffix(b"\r")
