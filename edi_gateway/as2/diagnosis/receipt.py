"""Why an MDN of a partner is no receipt for what we sent, and what it says where it is a negative one.

A MIC that differs is looked for among everything that it could have been computed over: what the partner's software did
is then said, not guessed.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from edi_gateway.as2.cms import CmsError, SignatureRefused, compress
from edi_gateway.as2.diagnosis.catalogue import Code
from edi_gateway.as2.diagnosis.signature import (
    bare_line_feeds,
    canonical_diagnosis,
    explain_dates,
    explain_signature,
)
from edi_gateway.as2.diagnosis.value import Diagnosis, Known, Switch, diagnosed, pinned_names
from edi_gateway.as2.disposition import INTEGRITY_CHECK_FAILED, Disposition
from edi_gateway.as2.dissection import Dissection, dissect
from edi_gateway.as2.errors import As2Refusal
from edi_gateway.as2.headers import Headers
from edi_gateway.as2.inbound import open_report
from edi_gateway.as2.mic import TABLE_DIGESTS, Mic, digests_of
from edi_gateway.as2.mime import Spool, canonical_line_ends
from edi_gateway.as2.opened import OpenedReport, Refused
from edi_gateway.as2.relationship import Relationship
from edi_gateway.as2.report import REPORT_BYTES_MAX
from edi_gateway.as2.settlement import Outcome, Sent, Settlement, judge
from edi_gateway.as2.verification import SignedContent, verify_content
from edi_gateway.partnership import Compression

Chunks = Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentCase:
    """What we sent, as far as it explains its receipt. The streams are read from their start, each time anew."""

    sent: Sent
    relationship: Relationship
    known: Sequence[Known]
    spool: Spool
    compression: Compression
    signed: bool
    encrypted: bool
    signed_by: str  # our certificate, for people; "" where it was not signed
    encrypted_for: str  # theirs
    algorithms: str
    payload: Chunks  # the document
    entity_head: bytes  # the header block around the document
    entity_body: Chunks  # the document in its transfer encoding
    raw: Chunks  # the body as it travelled


def explain_receipt(case: SentCase, headers: Headers, body: bytes, at: datetime) -> tuple[Diagnosis, ...]:
    """Why this answer of the partner does not acknowledge the transmission; nothing if it does."""
    opened = open_report(headers, io.BytesIO(body), case.relationship, case.spool, at)
    if isinstance(opened, Refused):
        return (diagnosed(Code.MDN_UNREADABLE, reason=opened.diagnosis),)
    settlement = judge(opened, case.sent)
    explain = _BY_OUTCOME.get(settlement.outcome)
    if settlement.outcome is Outcome.UNTRUSTED:
        return (_untrusted(case, headers, body, at, opened),)
    return (explain(case, opened, settlement),) if explain else ()


def _untrusted(case: SentCase, headers: Headers, body: bytes, at: datetime, opened: OpenedReport) -> Diagnosis:
    """The signature of the MDN, looked at as that of a message."""
    stream = io.BytesIO(body)
    with dissect(headers, stream, case.relationship.decryption_keys(), case.spool, REPORT_BYTES_MAX) as dissection:
        return _of_signature(case, dissection, at) or diagnosed(Code.MDN_UNREADABLE, reason=opened.diagnosis)


def _of_signature(case: SentCase, dissection: Dissection, at: datetime) -> Diagnosis | None:
    part = dissection.signature
    if part is None:
        return None
    try:
        verify_content(part.signed, SignedContent(part.block, part.body, {}), case.relationship, at)
    except SignatureRefused as error:
        return explain_signature(part, error, case.relationship, case.known)
    except As2Refusal as error:
        if error.disposition == INTEGRITY_CHECK_FAILED:
            return canonical_diagnosis()
        return explain_dates(part, case.relationship, at)
    except CmsError as error:
        return diagnosed(Code.SIGNATURE_ALGORITHM, reason=error.diagnosis)
    return None


def _not_ours(case: SentCase, opened: OpenedReport, settlement: Settlement) -> Diagnosis:
    return diagnosed(Code.MDN_NOT_OURS, reason=settlement.explanation)


def _unsigned(case: SentCase, opened: OpenedReport, settlement: Settlement) -> Diagnosis:
    switch = Switch("mdn_signed", value=False)
    return diagnosed(Code.MDN_UNSIGNED, switch, disposition=settlement.disposition.status)


def _mic_missing(case: SentCase, opened: OpenedReport, settlement: Settlement) -> Diagnosis:
    return diagnosed(Code.MIC_MISSING, Switch("mdn_mic_required", value=False))


def _warning(case: SentCase, opened: OpenedReport, settlement: Settlement) -> Diagnosis:
    return diagnosed(Code.MDN_WARNING, disposition=settlement.disposition.status, said=_said(opened))


def _said(opened: OpenedReport) -> str:
    """The partner's own words."""
    report = opened.report
    return next(iter((*report.errors, *report.failures, *report.warnings)), "") or report.text


# --- a MIC that differs ---------------------------------------------------------------------------------------------


def _mic_wrong(case: SentCase, opened: OpenedReport, settlement: Settlement) -> Diagnosis:
    mic = settlement.mic
    if mic is None:
        return _mic_missing(case, opened, settlement)
    asked = case.relationship.digest
    same = next((digest for digest, value in case.sent.digests.items() if value == mic.value), None)
    if same is not None:
        return diagnosed(Code.MIC_ALGORITHM_MISNAMED, digest=same, named=mic.spelling or "–", asked=asked)
    if found := _mic_over(case, mic):
        return found
    if mic.digest not in case.sent.digests:
        known = ", ".join(digest.value for digest in case.sent.digests)
        return diagnosed(Code.MIC_ALGORITHM_UNKNOWN, named=mic.spelling or "–", known=known, asked=asked)
    sent = Mic(case.sent.digests[mic.digest], mic.digest).render() if mic.digest else ""
    return diagnosed(Code.MIC_WRONG, found=mic.render(), sent=sent)


def _mic_over(case: SentCase, mic: Mic) -> Diagnosis | None:
    """What the MIC was computed over instead, under whichever algorithm."""
    for code, change, chunks in _extents(case):
        if mic.value in digests_of(chunks, TABLE_DIGESTS).values():
            return diagnosed(code, change=change)
    return None


def _extents(case: SentCase) -> Iterator[tuple[Code, str, Iterable[bytes]]]:
    """Everything that software is known to take for what the MIC is over."""
    is_plain = not case.signed and not case.encrypted and case.compression is Compression.NONE
    around = Code.MIC_OVER_HEADERS if is_plain else Code.MIC_OVER_INFLATED
    yield around, "", _entity(case)
    yield Code.MIC_OVER_PAYLOAD, "", case.payload()
    if case.compression is not Compression.NONE:
        yield Code.MIC_OVER_COMPRESSED, "", compress(_entity(case))
    if case.encrypted:
        yield Code.MIC_OVER_ENCRYPTED, "", case.raw()
    for change, converted in (("LF > CRLF", canonical_line_ends), ("CRLF > LF", bare_line_feeds)):
        yield Code.MIC_CANONICAL, change, converted(_entity(case))
        yield Code.MIC_CANONICAL, change, chain((case.entity_head,), converted(case.entity_body()))
        yield Code.MIC_CANONICAL, change, converted(case.payload())


def _entity(case: SentCase) -> Iterator[bytes]:
    yield case.entity_head
    yield from case.entity_body()


# --- a negative MDN -------------------------------------------------------------------------------------------------

_BY_EXTENSION: Mapping[str, Code] = {
    "authentication-failed": Code.THEY_DO_NOT_TRUST_OUR_SIGNATURE,
    "decryption-failed": Code.THEY_CANNOT_DECRYPT,
    "decompression-failed": Code.THEY_CANNOT_INFLATE,
    "integrity-check-failed": Code.THEY_FIND_IT_CHANGED,
    "insufficient-message-security": Code.THEY_DEMAND_MORE_SECURITY,
    "signed-message-required": Code.THEY_DEMAND_MORE_SECURITY,  # OpenAS2's own word
    "unknown-trading-relationship": Code.THEY_DO_NOT_KNOW_US,
    "unknown-trading-partner": Code.THEY_DO_NOT_KNOW_US,
    "sender-equals-receiver": Code.THEY_DO_NOT_KNOW_US,
    "unsupported format": Code.THEY_CANNOT_GIVE_RECEIPT,
    "unsupported mic-algorithms": Code.THEY_CANNOT_GIVE_RECEIPT,
    "unsupported-mic-algorithm": Code.THEY_CANNOT_GIVE_RECEIPT,
    "duplicate-document": Code.THEY_KNOW_IT_ALREADY,
    "duplicate-filename": Code.THEY_KNOW_IT_ALREADY,
}


def _refused(case: SentCase, opened: OpenedReport, settlement: Settlement) -> Diagnosis:
    disposition: Disposition = settlement.disposition
    code = _BY_EXTENSION.get(disposition.extension.strip().lower(), Code.THEY_REFUSE)
    policy = case.relationship.policy
    return diagnosed(
        code,
        disposition=disposition.status,
        said=_said(opened),
        message_id=case.sent.message_id,
        as2_from=case.sent.as2_from,
        as2_to=case.sent.as2_to,
        ours=case.signed_by or "–",
        theirs=case.encrypted_for or "–",
        algorithms=case.algorithms,
        compression=case.compression,
        sent=case.algorithms or "–",
        asked=f"mdn_mode = {policy.mdn_mode}, {case.relationship.digest}",
        pinned=pinned_names(case.relationship),
    )


_Explain = Callable[[SentCase, OpenedReport, Settlement], Diagnosis]

_BY_OUTCOME: Mapping[Outcome, _Explain] = {
    Outcome.ACKNOWLEDGED_WITH_WARNING: _warning,
    Outcome.REFUSED: _refused,
    Outcome.MIC_WRONG: _mic_wrong,
    Outcome.MIC_MISSING: _mic_missing,
    Outcome.UNSIGNED: _unsigned,
    Outcome.NOT_OURS: _not_ours,
}
