"""Why a message of a partner was refused, and what would accept it: opened again from the kept bytes.

One reason after the other: where a switch of the partnership would accept what was found, the message is opened again
with it, so that the next reason comes to light, and so that no switch is named that would not help.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import BinaryIO

from edi_gateway.as2.algorithms import Cipher, Digest
from edi_gateway.as2.certificates import choose
from edi_gateway.as2.cms import (
    AlgorithmRefused,
    DecompressionFailed,
    DecryptionFailed,
    InflateLimit,
    Malformed,
    SignatureRefused,
)
from edi_gateway.as2.diagnosis.catalogue import Code
from edi_gateway.as2.diagnosis.signature import canonical_diagnosis, explain_dates, explain_signature
from edi_gateway.as2.diagnosis.value import (
    Diagnosis,
    Known,
    Standing,
    Switch,
    certificate_values,
    diagnosed,
    known_as,
    our_names,
    pinned_names,
)
from edi_gateway.as2.disposition import INTEGRITY_CHECK_FAILED, INVALID_MESSAGE_ID, SENDER_EQUALS_RECEIVER
from edi_gateway.as2.dissection import Dissection, dissect
from edi_gateway.as2.errors import As2Refusal, MimeMalformed, RelationshipFault
from edi_gateway.as2.fields import FieldMalformed
from edi_gateway.as2.headers import Headers, Request, read_request
from edi_gateway.as2.inbound import open_transmission
from edi_gateway.as2.layers import Layer
from edi_gateway.as2.mime import Spool
from edi_gateway.as2.opened import Opened, Refused
from edi_gateway.as2.relationship import Relationship

REASONS_MAX = 6
RATIO_POSSIBLE_MAX = 1 << 20  # zlib gives about 1:1030 of a whole, and more of its first bytes
EXPIRES_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A message as it was kept, and the agreement that it was judged by."""

    headers: Headers
    body: Callable[[], BinaryIO]  # opens the raw body at its start
    relationship: Relationship
    known: Sequence[Known]
    spool: Spool
    at: datetime  # when it came

    def agreeing(self, switch: Switch) -> Case:
        """The same case under an agreement with this line changed. RelationshipFault if it contradicts itself."""
        relationship = self.relationship
        policy = switch.applied(relationship.policy)
        return replace(self, relationship=Relationship.of(policy, relationship.our_keys))


def explain_headers(headers: Headers) -> Diagnosis | None:
    """What is wrong with the AS2 headers alone; None if nothing is."""
    try:
        read_request(headers)
    except As2Refusal as refused:
        return _of_headers(refused)
    return None


def _of_headers(refused: As2Refusal) -> Diagnosis:
    request = refused.request
    if request is not None and refused.disposition == INVALID_MESSAGE_ID:
        return diagnosed(Code.MESSAGE_ID_INVALID, message_id=request.message_id or "–", reason=refused.diagnosis)
    if request is not None and refused.disposition == SENDER_EQUALS_RECEIVER:
        return diagnosed(Code.SENDER_IS_RECEIVER, name=request.as2_from)
    return diagnosed(Code.HEADERS_UNREADABLE, reason=refused.diagnosis)


def explain_message(case: Case) -> tuple[Diagnosis, ...]:
    """Every reason that is found, in the order in which they are met; notes alone if it is accepted."""
    if wrong := explain_headers(case.headers):
        return (wrong,)
    request = read_request(case.headers)
    found: list[Diagnosis] = []
    for _ in range(REASONS_MAX):
        reason, notes = _reason(case, request)
        if reason is None:
            if found:
                return (*found, diagnosed(Code.SWITCHED_ON))
            return notes
        found.append(reason)
        if reason.switch is None:
            break
        try:
            case = case.agreeing(reason.switch)
        except RelationshipFault:
            break
    return tuple(found)


def _reason(case: Case, request: Request) -> tuple[Diagnosis | None, tuple[Diagnosis, ...]]:
    """Why it is refused under this agreement; or None, with what is to be noted."""
    with case.body() as body:
        outcome = open_transmission(request, case.headers, body, case.relationship, case.spool, case.at)
    if isinstance(outcome, Opened):
        outcome.payload.close()
        return None, tuple(_notes(case, request, outcome))
    if not isinstance(outcome, Refused):
        return None, ()
    with case.body() as body, _dissected(case, body) as dissection:
        return _explained(case, request, outcome, dissection), ()


def _dissected(case: Case, body: BinaryIO) -> Dissection:
    relationship = case.relationship
    return dissect(
        case.headers, body, relationship.decryption_keys(), case.spool, relationship.policy.payload_bytes_max
    )


def _explained(case: Case, request: Request, refused: Refused, dissection: Dissection) -> Diagnosis:
    match refused.cause:
        case As2Refusal() as error:
            return _of_refusal(case, request, error, dissection)
        case SignatureRefused() as error if dissection.signature is not None:
            return explain_signature(dissection.signature, error, case.relationship, case.known)
        case AlgorithmRefused() as error:
            return _of_algorithm(case, error, dissection)
        case InflateLimit() as error:
            return _of_limit(case, request, error, dissection)
        case DecompressionFailed() as error:
            return diagnosed(Code.COMPRESSION_DAMAGED, reason=error.diagnosis)
        case DecryptionFailed():
            return _of_decryption(case, dissection)
        case Malformed() as error:
            return _of_malformed(case, error, dissection)
        case MimeMalformed() | FieldMalformed():
            return _of_mime(case, refused, dissection)
    return diagnosed(Code.CONTENT_UNREADABLE, reason=refused.diagnosis)


# --- what was agreed ------------------------------------------------------------------------------------------------


def _of_refusal(case: Case, request: Request, error: As2Refusal, dissection: Dissection) -> Diagnosis:
    """Which of our own demands it was; each is looked for in what the message is made of."""
    policy = case.relationship.policy
    if receipt := _of_receipt(case.relationship, request):
        return receipt
    if error.disposition == INTEGRITY_CHECK_FAILED:
        return canonical_diagnosis()
    if policy.require_encryption and Layer.ENCRYPTED not in dissection.layers:
        switch = Switch("require_encryption", value=False)
        return diagnosed(Code.NOT_ENCRYPTED, switch, ours=our_names(case.relationship))
    if dissection.signature is not None:
        if dates := explain_dates(dissection.signature, case.relationship, case.at):
            return dates
    elif policy.require_signature and dissection.content is not None:
        return _not_signed(case.relationship)
    if "payload_bytes_max" in error.diagnosis:
        return diagnosed(Code.PAYLOAD_TOO_LARGE, limit=policy.payload_bytes_max)
    return diagnosed(Code.CONTENT_UNREADABLE, reason=error.diagnosis)


def _not_signed(relationship: Relationship) -> Diagnosis:
    return diagnosed(Code.NOT_SIGNED, Switch("require_signature", value=False), pinned=pinned_names(relationship))


def _of_receipt(relationship: Relationship, request: Request) -> Diagnosis | None:
    receipt = request.receipt
    if receipt is None:
        return None
    refusal = receipt.refusal(relationship.accepted_digests)
    if refusal is None:
        if receipt.is_asynchronous and not relationship.allows_delivery_to(receipt.delivery_url or ""):
            agreed = relationship.policy.mdn_url or relationship.policy.url
            switch = Switch("mdn_url", receipt.delivery_url or "")
            return diagnosed(Code.RECEIPT_ADDRESS, switch, asked=receipt.delivery_url, agreed=agreed)
        return None
    if receipt.delivery_url and not receipt.is_asynchronous:
        return diagnosed(Code.RECEIPT_BY_MAIL, asked=receipt.delivery_url)
    if receipt.micalgs and not receipt.digest(relationship.accepted_digests):
        return _of_receipt_digests(relationship, receipt.micalgs)
    return diagnosed(Code.RECEIPT_OPTION, reason=refusal.explanation)


def _of_receipt_digests(relationship: Relationship, names: Sequence[str]) -> Diagnosis:
    wanted = next((d for name in names if (d := Digest.parse(name)) and d is not Digest.MD5), None)
    is_forbidden = wanted is None or (wanted.weak and relationship.policy.version >= "1.3")
    switch = None
    if wanted is not None and not is_forbidden:
        switch = Switch("accepted_digests", relationship.policy.accepted_digests | {wanted.value})
    accepted = ", ".join(sorted(relationship.accepted_digests))
    return diagnosed(Code.RECEIPT_DIGEST, switch, asked=", ".join(names), accepted=accepted)


# --- encryption and compression -------------------------------------------------------------------------------------


def _of_algorithm(case: Case, error: AlgorithmRefused, dissection: Dissection) -> Diagnosis:
    relationship = case.relationship
    accepted = ", ".join(sorted(relationship.accepted_ciphers))
    head = dissection.envelope
    if head is not None and head.cipher is None:
        return diagnosed(Code.CIPHER_UNKNOWN, cipher=error.name, accepted=accepted)
    if head is not None and head.cipher not in relationship.accepted_ciphers and head.cipher is not None:
        return diagnosed(
            Code.CIPHER_NOT_ACCEPTED, _accepting(relationship, head.cipher), cipher=head.cipher, accepted=accepted
        )
    if Layer.COMPRESSED in dissection.layers:
        return diagnosed(Code.COMPRESSION_DAMAGED, reason=error.diagnosis)
    return diagnosed(Code.KEY_TRANSPORT_UNKNOWN, name=error.name)


def _accepting(relationship: Relationship, cipher: Cipher) -> Switch | None:
    if cipher.weak and relationship.policy.version >= "1.3":
        return None  # AS2 1.3 forbids it (draft rfc4130bis §6.1)
    return Switch("accepted_ciphers", relationship.policy.accepted_ciphers | {cipher.value})


def _of_limit(case: Case, request: Request, error: InflateLimit, dissection: Dissection) -> Diagnosis:
    policy = case.relationship.policy
    inflated = dissection.inflated
    if inflated is None or error.limit >= policy.payload_bytes_max:
        return diagnosed(Code.INFLATE_SIZE, limit=policy.payload_bytes_max)
    return diagnosed(
        Code.INFLATE_RATIO,
        _ratio_that_suffices(case, request, max(inflated.ratio, policy.inflate_ratio_max)),
        ratio=inflated.ratio,
        inflated=inflated.inflated_bytes,
        limit=policy.inflate_ratio_max,
    )


def _ratio_that_suffices(case: Case, request: Request, ratio: int) -> Switch | None:
    """The ratio is judged while the content arrives, and may then be higher than that of the whole."""
    while ratio <= RATIO_POSSIBLE_MAX:
        switch = Switch("inflate_ratio_max", ratio)
        relaxed = case.agreeing(switch)
        with relaxed.body() as body:
            outcome = open_transmission(request, case.headers, body, relaxed.relationship, case.spool, case.at)
        if isinstance(outcome, Opened):
            outcome.payload.close()
        if not (isinstance(outcome, Refused) and isinstance(outcome.cause, InflateLimit)):
            return switch
        ratio += ratio // 4 + 1
    return None


def _of_decryption(case: Case, dissection: Dissection) -> Diagnosis:
    """For whom it is encrypted, which anybody can read, and who that is."""
    head = dissection.envelope
    if head is None:
        return diagnosed(Code.CONTENT_UNREADABLE, reason=str(dissection.fault or ""))
    if head.cipher is not None and head.cipher.authenticated is not head.has_tag:
        return diagnosed(Code.GCM_WITHOUT_TAG, cipher=head.cipher)
    ours = our_names(case.relationship)
    keys = [key.certificate for key in case.relationship.decryption_keys()]
    for certificate in (c for reference in head.recipients for c in reference.among(keys)):
        return diagnosed(Code.UNDECIPHERABLE, None, cipher=head.cipher or "", **certificate_values(certificate))
    for entry in (entry for reference in head.recipients for entry in known_as(reference, case.known)):
        values = certificate_values(entry.certificate) | {"ours": ours, "owner": entry.owner}
        return diagnosed(_RECIPIENTS[entry.standing], None, **values)
    recipients = ", ".join(map(str, head.recipients)) or "–"
    return diagnosed(Code.ENCRYPTED_FOR_UNKNOWN, recipients=recipients, ours=ours)


_RECIPIENTS: Mapping[Standing, Code] = {
    Standing.OURS: Code.ENCRYPTED_FOR_OTHER_USE,
    Standing.OURS_FORMER: Code.ENCRYPTED_FOR_FORMER_KEY,
    Standing.PINNED: Code.ENCRYPTED_FOR_SENDER,
    Standing.FORMER: Code.ENCRYPTED_FOR_SENDER,
    Standing.OTHER: Code.ENCRYPTED_FOR_OTHER_PARTNER,
}


def _of_malformed(case: Case, error: Malformed, dissection: Dissection) -> Diagnosis:
    with case.body() as body:
        size = body.seek(0, 2)
    return diagnosed(Code.CMS_MALFORMED, reason=error.diagnosis, size=size)


def _of_mime(case: Case, refused: Refused, dissection: Dissection) -> Diagnosis:
    """A body that is no CMS structure is looked at; a wrong key leaves what is no MIME entity."""
    if dissection.layers == (Layer.ENCRYPTED,) and dissection.opened_by and dissection.envelope:
        content = dissection.content
        if content is None or not content.block.isascii():
            values = certificate_values(dissection.opened_by.certificate)
            return diagnosed(Code.UNDECIPHERABLE, None, cipher=dissection.envelope.cipher or "", **values)
        if case.relationship.policy.require_signature:
            return _not_signed(case.relationship)
    if isinstance(dissection.fault, MimeMalformed) and "no CMS structure" in str(dissection.fault):
        return _of_start(dissection.outermost)
    return diagnosed(Code.CONTENT_UNREADABLE, reason=refused.diagnosis)


def _of_start(start: bytes) -> Diagnosis:
    if start.lstrip().startswith(b"-----BEGIN"):
        return diagnosed(Code.CMS_IN_PEM)
    if _once_more(start):
        return diagnosed(Code.CMS_IN_BASE64_TWICE)
    return diagnosed(Code.CMS_MISSING, start=repr(start[:24])[1:] if start else "–")


def _once_more(start: bytes) -> bool:
    """Whether base64 gives base64 that begins like a CMS structure."""
    try:
        inner = base64.b64decode(b"".join(start.split())[:40], validate=True)
    except (binascii.Error, ValueError):
        return False
    return inner.startswith(b"M") and inner.isascii()


# --- notes on what is accepted --------------------------------------------------------------------------------------


def _notes(case: Case, request: Request, opened: Opened) -> Iterator[Diagnosis]:
    for note in dict.fromkeys((*request.notes, *opened.notes)):
        if note.startswith("base64 without"):
            yield diagnosed(Code.BASE64_NOT_DECLARED)
        elif not note.startswith("signed with the certificate"):  # said below
            yield diagnosed(Code.TOLERATED, note=note)
    if opened.signed_with is not None:
        yield from _of_signer(case, opened.signed_with.fingerprint)
        yield from _of_mic(case.relationship, request, opened.signed_with.digest)


def _of_signer(case: Case, fingerprint: str) -> Iterable[Diagnosis]:
    pins = case.relationship.signing_certificates
    used = next((pin.certificate for pin in pins if pin.certificate.fingerprint == fingerprint), None)
    if used is None:
        return
    newest = choose([(pin.certificate, pin.use_from) for pin in pins], case.at)
    if newest is not None and newest != used:
        since = next((pin.use_from for pin in pins if pin.certificate == newest), None) or newest.not_before
        values = certificate_values(used) | {"newest": newest.fingerprint, "since": since}
        yield diagnosed(Code.SIGNER_PREVIOUS, None, **values)
    if used.not_after - case.at < EXPIRES_SOON:
        yield diagnosed(Code.CERTIFICATE_EXPIRES, None, **certificate_values(used))


def _of_mic(relationship: Relationship, request: Request, used: Digest) -> Iterable[Diagnosis]:
    asked = request.receipt.digest(relationship.accepted_digests) if request.receipt else None
    if asked not in (None, used) and not relationship.policy.mic_by_request:
        yield diagnosed(Code.MIC_BY_MESSAGE, Switch("mic_by_request", value=True), used=used, asked=asked)
