"""What can be wrong with a CMS structure, and nothing else is ever raised for what a partner sent.

`str(error)` is the public text: one fixed sentence for each class, safe to send in a receipt. What an
operator needs stands in `error.diagnosis` and must never reach the partner: it may name our keys,
and the difference between two diagnoses can be an oracle.

The AS2 side chooses its disposition by class (and for signatures by `reason`):

| error | disposition modifier (RFC 4130 §7.5.3) |
|---|---|
| `Malformed` | that of the layer being opened: decryption-failed, authentication-failed, decompression-failed |
| `SignatureRefused` | see `SignatureRefusal` |
| `AlgorithmRefused` | insufficient-message-security |
| `DecryptionFailed` | decryption-failed |
| `DecompressionFailed`, `InflateLimit` | decompression-failed |
| `UnsuitableKey` | none: it is our own configuration that does not fit |
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class CmsError(Exception):
    """The family."""

    public: ClassVar[str] = "The message could not be processed."

    def __init__(self, diagnosis: str) -> None:
        super().__init__(self.public)
        self.diagnosis = diagnosis


class Malformed(CmsError):
    """Not the structure it should be: truncated, not BER, too deep, too long, or a field is missing.

    `offset` counts bytes from the start of the structure that was being read, where it is known.
    """

    public = "The cryptographic message is malformed."

    def __init__(self, diagnosis: str, offset: int | None = None) -> None:
        super().__init__(diagnosis if offset is None else f"{diagnosis} (at byte {offset})")
        self.offset = offset


class SignatureRefusal(StrEnum):
    """Why a signature does not count. The comment names the disposition modifier it leads to."""

    NO_SIGNER = "no-signer"  # authentication-failed: SignedData without any SignerInfo
    UNKNOWN_SIGNER = "unknown-signer"  # authentication-failed: by no certificate pinned for this partnership
    BAD_SIGNATURE = "bad-signature"  # authentication-failed
    CONTENT_CHANGED = "content-changed"  # integrity-check-failed: the digest differs
    BAD_ATTRIBUTES = "bad-attributes"  # authentication-failed: a mandatory signed attribute is missing or wrong
    WEAK_DIGEST = "weak-digest"  # insufficient-message-security: not among the accepted
    WEAK_KEY = "weak-key"  # insufficient-message-security: RSA below 2048 bits, or an unknown curve
    UNKNOWN_ALGORITHM = "unknown-algorithm"  # authentication-failed
    ALGORITHM_MISMATCH = "algorithm-mismatch"  # authentication-failed: two fields name different algorithms


class SignatureRefused(CmsError):
    """The signature is not one of the partner's over this content."""

    public = "The signature could not be verified."

    def __init__(self, reason: SignatureRefusal, diagnosis: str) -> None:
        super().__init__(diagnosis)
        self.reason = reason


class AlgorithmRefused(CmsError):
    """A cipher or key transport that is unknown or that this partnership does not accept.

    Raised before any key is touched. `name` is our name for it, or its object identifier.
    """

    public = "The message uses an algorithm that is not accepted."

    def __init__(self, name: str, diagnosis: str) -> None:
        super().__init__(diagnosis)
        self.name = name


class DecryptionFailed(CmsError):
    """It did not decrypt. One text and one time class whether key, padding or tag was wrong.

    Only "not encrypted for us", which anybody can see from outside, has a diagnosis of its own.
    """

    public = "The message could not be decrypted."


class DecompressionFailed(CmsError):
    """The compressed content is not what zlib wrote."""

    public = "The message could not be decompressed."


class InflateLimit(DecompressionFailed):
    """It would inflate to more than is allowed. `limit` is the bound in bytes that was reached."""

    public = "The message inflates to more than is accepted."

    def __init__(self, diagnosis: str, limit: int) -> None:
        super().__init__(diagnosis)
        self.limit = limit


class UnsuitableKey(CmsError):
    """A key or certificate of the configuration cannot do what is asked of it."""

    public = "The key does not fit the algorithm."
