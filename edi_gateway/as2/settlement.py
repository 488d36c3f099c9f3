"""What an MDN means for the transmission that it is about: judged against what was sent, never by its words alone.

An MDN counts for a transmission only if it names its Message-ID, comes under the swapped names of the same
partnership, is signed by a certificate pinned there where a signed one was asked for, and repeats the digest of
exactly what was sent. Everything else leaves the transmission as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.disposition import Disposition
from edi_gateway.as2.mic import Mic
from edi_gateway.as2.opened import OpenedReport, SignedWith, Trust
from edi_gateway.as2.report import Report


class Outcome(StrEnum):
    """What became of a transmission, as far as its MDN tells."""

    ACKNOWLEDGED = "acknowledged"
    ACKNOWLEDGED_WITH_WARNING = "acknowledged-with-warning"
    REFUSED = "refused"  # the partner could not process it
    MIC_WRONG = "mic-wrong"  # something else arrived than was sent
    MIC_MISSING = "mic-missing"
    UNSIGNED = "unsigned"  # where a signed MDN was asked for: nobody answers for what it says
    UNTRUSTED = "untrusted"  # its signature does not hold
    NOT_OURS = "not-ours"  # about another transmission, or from another partner

    @property
    def is_positive(self) -> bool:
        """The partner has it."""
        return self in (Outcome.ACKNOWLEDGED, Outcome.ACKNOWLEDGED_WITH_WARNING)

    @property
    def is_terminal(self) -> bool:
        """Whether the MDN decides the transmission; the others may be forged, and change no state."""
        return self not in (Outcome.UNSIGNED, Outcome.UNTRUSTED, Outcome.NOT_OURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What must be known of a transmission of ours to judge its MDN."""

    message_id: str
    as2_from: str  # ours
    as2_to: str  # theirs
    digests: Mapping[Digest, bytes]  # of the bytes that the MIC is over
    receipt_signed: bool = True
    mic_required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The judgement on an MDN."""

    outcome: Outcome
    disposition: Disposition
    explanation: str  # for the operator
    mic: Mic | None = None
    signer: SignedWith | None = None


def judge(receipt: OpenedReport, sent: Sent) -> Settlement:
    """What the MDN means for the transmission. The first rule that applies decides."""
    outcome, explanation = _judged(receipt, sent)
    return Settlement(
        outcome=outcome,
        disposition=receipt.report.disposition,
        explanation=explanation,
        mic=receipt.report.mic,
        signer=receipt.signer,
    )


def _judged(receipt: OpenedReport, sent: Sent) -> tuple[Outcome, str]:
    report = receipt.report
    if stranger := _not_about(report, sent):
        return Outcome.NOT_OURS, stranger
    if receipt.trust is Trust.BROKEN:
        return Outcome.UNTRUSTED, f"the signature of the MDN does not hold: {receipt.diagnosis}"
    if sent.receipt_signed and receipt.trust is not Trust.SIGNED:
        status = report.disposition.status
        return (
            Outcome.UNSIGNED,
            f"a signed MDN was asked for, this one is not signed; it says {status!r}{_said(report)}",
        )
    if not report.disposition.is_positive:
        return Outcome.REFUSED, f"the partner answers {report.disposition.status!r}{_said(report)}"
    return _judged_by_mic(report, sent)


def _judged_by_mic(report: Report, sent: Sent) -> tuple[Outcome, str]:
    if report.mic is None:
        if sent.mic_required:
            text = "the MDN is positive but holds no Received-content-MIC; mdn_mic_required = false would accept it"
            return Outcome.MIC_MISSING, text
    elif not report.mic.agrees_with(sent.digests):
        return Outcome.MIC_WRONG, _why_wrong(report.mic, sent.digests)
    if report.disposition.is_warning:
        return Outcome.ACKNOWLEDGED_WITH_WARNING, f"the partner warns: {report.disposition.status!r}{_said(report)}"
    return Outcome.ACKNOWLEDGED, "the MDN is positive" + (f" with the {report.mic.digest} sent" if report.mic else "")


def _not_about(report: Report, sent: Sent) -> str:
    """Why the MDN is not about this transmission; "" if it is. Brackets are ignored, some products strip them."""
    if report.original_message_id.strip("<>") != sent.message_id.strip("<>"):
        return f"the MDN is about {report.original_message_id[:200]!r}, not about {sent.message_id!r}"
    # A synchronous answer may lack the names: then the connection binds it, and its signature.
    for header, found, expected in (
        ("AS2-From", report.as2_from, sent.as2_to),
        ("AS2-To", report.as2_to, sent.as2_from),
    ):
        if found and found != expected:
            return f"{header} of the MDN is {found!r}, expected {expected!r}"
    return ""


def _said(report: Report) -> str:
    """The partner's own words, if there are any."""
    words = next(iter((*report.errors, *report.failures, *report.warnings)), "") or " ".join(report.text.split())
    return f": {words[:500]}" if words else ""


def _why_wrong(mic: Mic, digests: Mapping[Digest, bytes]) -> str:
    if mic.digest is None or mic.digest not in digests:
        known = ", ".join(digest.value for digest in digests)
        return f"the MDN's MIC is under {mic.spelling or 'an algorithm without name'!r}, which is none of {known}"
    same = next((digest for digest, value in digests.items() if value == mic.value), None)
    if same:
        return f"the MDN's MIC is our {same} digest, but called {mic.spelling!r}"
    return f"the MDN's MIC is {mic.render()}, what was sent has {Mic(digests[mic.digest], mic.digest).render()}"
