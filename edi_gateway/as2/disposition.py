"""The disposition of an MDN as a value: parsed, compared, rendered (RFC 4130 §7.5, RFC 3798 §3.2.6).

`CATALOGUE` holds every disposition that this gateway sends. Everything that the standards, the historic
constructions of RFC 4130 §7.5.4 and real products write is accepted on reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum


class ActionMode(StrEnum):
    """Whether a person or a program disposed of the message."""

    MANUAL = "manual-action"
    AUTOMATIC = "automatic-action"


class SendingMode(StrEnum):
    """Whether a person or a program sent the MDN."""

    MANUALLY = "MDN-sent-manually"
    AUTOMATICALLY = "MDN-sent-automatically"


class DispositionType(StrEnum):
    """AS2 uses `processed` and `failed`; the others are those of RFC 2298 and 3798, and never mean success."""

    PROCESSED = "processed"
    FAILED = "failed"
    DISPLAYED = "displayed"
    DISPATCHED = "dispatched"
    DELETED = "deleted"
    DENIED = "denied"


class Modifier(StrEnum):
    """The disposition modifier. `OTHER` stands for one we do not know; its text is the extension."""

    ERROR = "error"
    WARNING = "warning"
    FAILURE = "failure"
    OTHER = ""


# As they are written on the wire (RFC 4130 §7.5.4: `failed/Failure: unsupported format`).
_SPELLING = {Modifier.ERROR: "error", Modifier.WARNING: "warning", Modifier.FAILURE: "Failure"}

EXTENSION_LENGTH_MAX = 512


class DispositionMalformed(ValueError):
    """The text is no disposition: `mode; type[/modifier[: extension]]` was expected."""


@dataclass(frozen=True, slots=True)
class Disposition:
    """What became of a message: type, modifier, and what the modifier is about."""

    type: DispositionType
    modifier: Modifier | None = None
    extension: str = ""
    action: ActionMode = ActionMode.AUTOMATIC
    sending: SendingMode = SendingMode.AUTOMATICALLY

    @property
    def is_positive(self) -> bool:
        """`processed`, also with a warning (RFC 4130 §7.5.3: a warning is success)."""
        return self.type is DispositionType.PROCESSED and self.modifier in (None, Modifier.WARNING)

    @property
    def is_warning(self) -> bool:
        return self.is_positive and self.modifier is Modifier.WARNING

    @property
    def status(self) -> str:
        """Type, modifier and extension, without the modes: `processed/error: decryption-failed`."""
        if self.modifier is None:
            return self.type.value
        if self.modifier is Modifier.OTHER:
            return f"{self.type.value}/{self.extension}"
        modifier = f"{self.type.value}/{_SPELLING[self.modifier]}"
        return f"{modifier}: {self.extension}" if self.extension else modifier

    def render(self) -> str:
        """The value of the `Disposition` field."""
        return f"{self.action.value}/{self.sending.value}; {self.status}"

    def agrees_with(self, other: Disposition) -> bool:
        """The same status, whatever the modes and the case of the extension."""
        return self.status.lower() == other.status.lower()

    def explained_by(self, errors: Iterable[str], warnings: Iterable[str], failures: Iterable[str]) -> Disposition:
        """The disposition with the extension that stands in separate Error, Warning or Failure fields.

        RFC 4130 §7.5.4 shows `processed/error` with `Error: authentication-failed`, and `failed` alone with
        `Failure: sender-equals-receiver`.
        """
        if self.extension:
            return self
        told = {
            Modifier.ERROR: next(iter(errors), ""),
            Modifier.WARNING: next(iter(warnings), ""),
            Modifier.FAILURE: next(iter(failures), ""),
        }
        modifier = self.modifier
        if modifier is None and self.type is DispositionType.FAILED and told[Modifier.FAILURE]:
            modifier = Modifier.FAILURE
        return replace(self, modifier=modifier, extension=told[modifier]) if modifier in told else self

    @classmethod
    def parse(cls, text: str) -> Disposition:
        """Read a `Disposition` field in any case and spacing; DispositionMalformed if it is none."""
        modes, separator, status = text.partition(";")
        if not separator:
            modes, status = "", text
        action, sending = _parse_modes(modes) if separator else (ActionMode.AUTOMATIC, SendingMode.AUTOMATICALLY)
        name, _, rest = status.partition("/")
        try:
            type_ = DispositionType(name.strip().lower())
        except ValueError:
            raise DispositionMalformed(f"unknown disposition type in {text[:100]!r}") from None
        modifier, extension = _parse_modifier(rest)
        return cls(type_, modifier, extension, action, sending)


def _parse_modes(text: str) -> tuple[ActionMode, SendingMode]:
    compact = re.sub(r"\s+", "", text).lower()
    action, _, sending = compact.partition("/")
    try:
        return (
            ActionMode(action),
            next(mode for mode in SendingMode if mode.value.lower() == sending),
        )
    except (ValueError, StopIteration):
        raise DispositionMalformed(f"unknown disposition mode {text[:100]!r}") from None


def _parse_modifier(text: str) -> tuple[Modifier | None, str]:
    text = " ".join(text.split())[:EXTENSION_LENGTH_MAX]
    if not text:
        return None, ""
    name, _, extension = text.partition(":")
    try:
        return Modifier(name.strip().lower() or "?"), extension.strip()
    except ValueError:
        return Modifier.OTHER, text


def _error(extension: str) -> Disposition:
    return Disposition(DispositionType.PROCESSED, Modifier.ERROR, extension)


def _failure(extension: str) -> Disposition:
    return Disposition(DispositionType.FAILED, Modifier.FAILURE, extension)


PROCESSED = Disposition(DispositionType.PROCESSED)

# RFC 4130 §7.5.3: the content could not be processed.
AUTHENTICATION_FAILED = _error("authentication-failed")
DECOMPRESSION_FAILED = _error("decompression-failed")
DECRYPTION_FAILED = _error("decryption-failed")
INSUFFICIENT_MESSAGE_SECURITY = _error("insufficient-message-security")
INTEGRITY_CHECK_FAILED = _error("integrity-check-failed")
UNEXPECTED_PROCESSING_ERROR = _error("unexpected-processing-error")

# draft-ietf-ediint-rfc4130bis §8.5.4.
DUPLICATE_FILENAME = _error("duplicate-filename")
ILLEGAL_FILENAME = _error("illegal-filename")
INVALID_MESSAGE_ID = _error("invalid-message-id")
UNKNOWN_TRADING_RELATIONSHIP = _error("unknown-trading-relationship")

# RFC 4130 §7.5.4: success, but something is odd.
DUPLICATE_DOCUMENT = Disposition(DispositionType.PROCESSED, Modifier.WARNING, "duplicate-document")

# RFC 4130 §7.5.3 and §7.5.4: the request itself cannot be served.
UNSUPPORTED_FORMAT = _failure("unsupported format")
UNSUPPORTED_MIC_ALGORITHMS = _failure("unsupported MIC-algorithms")
SENDER_EQUALS_RECEIVER = _failure("sender-equals-receiver")

CATALOGUE: tuple[Disposition, ...] = (
    PROCESSED,
    AUTHENTICATION_FAILED,
    DECOMPRESSION_FAILED,
    DECRYPTION_FAILED,
    INSUFFICIENT_MESSAGE_SECURITY,
    INTEGRITY_CHECK_FAILED,
    UNEXPECTED_PROCESSING_ERROR,
    DUPLICATE_FILENAME,
    ILLEGAL_FILENAME,
    INVALID_MESSAGE_ID,
    UNKNOWN_TRADING_RELATIONSHIP,
    DUPLICATE_DOCUMENT,
    UNSUPPORTED_FORMAT,
    UNSUPPORTED_MIC_ALGORITHMS,
    SENDER_EQUALS_RECEIVER,
)
