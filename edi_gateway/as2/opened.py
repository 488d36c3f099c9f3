"""What comes out of opening a transmission: its content, an MDN, or a refusal. Values, and nothing that acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO

from edi_gateway.as2.algorithms import Cipher, Digest, KeyTransport, SignatureScheme
from edi_gateway.as2.disposition import PROCESSED, Disposition
from edi_gateway.as2.mic import Mic
from edi_gateway.as2.report import Report
from edi_gateway.partnership import Compression


@dataclass(frozen=True, slots=True)
class SignedWith:
    """The signature that was verified."""

    digest: Digest
    scheme: SignatureScheme
    fingerprint: str  # SHA-256 of the pinned certificate, hex
    subject: str


@dataclass(frozen=True, slots=True)
class EncryptedWith:
    """The encryption that was opened."""

    cipher: Cipher
    key_transport: KeyTransport
    fingerprint: str  # SHA-256 of our certificate that it was encrypted for, hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A transmission whose content may be processed. The caller closes `payload`."""

    payload: BinaryIO  # at its start
    size: int
    content_type: str
    filename: str  # safe to show and to offer for download; "" if there is none
    filename_received: str  # as the partner wrote it, for the record
    mic: Mic
    digests: Mapping[Digest, bytes]
    signed_with: SignedWith | None = None
    encrypted_with: EncryptedWith | None = None
    compressed: Compression = Compression.NONE
    notes: tuple[str, ...] = ()  # what was tolerated
    disposition: Disposition = PROCESSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A transmission, or an MDN, that is not accepted."""

    disposition: Disposition
    explanation: str  # for the partner
    diagnosis: str  # for the operator
    mic: Mic | None = None
    is_report: bool = False  # then no receipt is due
    signed_with: SignedWith | None = None
    encrypted_with: EncryptedWith | None = None
    notes: tuple[str, ...] = ()
    cause: Exception | None = field(default=None, compare=False, repr=False)  # what `diagnosis` makes words of


class Trust(StrEnum):
    """How far the words of an MDN can be relied on."""

    SIGNED = "signed"  # by a certificate that is pinned for this partnership
    UNSIGNED = "unsigned"
    BROKEN = "broken"  # signed, but the signature does not hold: the report is for the diagnosis only


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedReport:
    """An MDN that could be read."""

    report: Report
    trust: Trust
    signer: SignedWith | None = None
    diagnosis: str = ""
    notes: tuple[str, ...] = ()


Outcome = Opened | OpenedReport | Refused
