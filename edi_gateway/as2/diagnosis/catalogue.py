"""Every reason for which a transmission can fail, in words: what was found, what was expected, what to do.

One table, in English and French: `catalogue.toml`. A note is no failure: something that was tolerated, or that will
fail one day.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from functools import cache
from importlib import resources
from typing import Any, Literal

Language = Literal["en", "fr"]


class Code(StrEnum):
    """What was found. The value is stable: programs may rely on it."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:
        return name.lower().replace("_", "-")

    # Headers and names.
    HEADERS_UNREADABLE = auto()
    MESSAGE_ID_INVALID = auto()
    MESSAGE_ID_REUSED = auto()
    SENDER_IS_RECEIVER = auto()
    NAMES_DIFFER_IN_CASE = auto()
    NAMES_SWAPPED = auto()
    NAMES_SIMILAR = auto()
    NAMES_UNKNOWN = auto()
    PARTNERSHIP_SUSPENDED = auto()
    BODY_TOO_LARGE = auto()
    # The receipt that was asked for.
    RECEIPT_DIGEST = auto()
    RECEIPT_OPTION = auto()
    RECEIPT_ADDRESS = auto()
    RECEIPT_BY_MAIL = auto()
    # Encryption.
    NOT_ENCRYPTED = auto()
    ENCRYPTED_FOR_FORMER_KEY = auto()
    ENCRYPTED_FOR_OTHER_USE = auto()
    ENCRYPTED_FOR_SENDER = auto()
    ENCRYPTED_FOR_OTHER_PARTNER = auto()
    ENCRYPTED_FOR_UNKNOWN = auto()
    CIPHER_NOT_ACCEPTED = auto()
    CIPHER_UNKNOWN = auto()
    KEY_TRANSPORT_UNKNOWN = auto()
    GCM_WITHOUT_TAG = auto()
    UNDECIPHERABLE = auto()
    CMS_IN_PEM = auto()
    CMS_IN_BASE64_TWICE = auto()
    CMS_MISSING = auto()
    CMS_MALFORMED = auto()
    # Signature.
    NOT_SIGNED = auto()
    SIGNER_FORMER = auto()
    SIGNER_OTHER_PARTNER = auto()
    SIGNER_IS_US = auto()
    SIGNER_NOT_PINNED = auto()
    SIGNER_UNKNOWN = auto()
    SIGNATURE_EMPTY = auto()
    SIGNATURE_BROKEN = auto()
    SIGNATURE_ALGORITHM = auto()
    CERTIFICATE_EXPIRED = auto()
    CERTIFICATE_NOT_YET_VALID = auto()
    DIGEST_NOT_ACCEPTED = auto()
    DIGEST_BROKEN = auto()
    KEY_TOO_WEAK = auto()
    CONTENT_CANONICAL = auto()
    CONTENT_BARE_LINE_FEEDS = auto()
    CONTENT_WITHOUT_LAST_LINE_BREAK = auto()
    CONTENT_WITH_LAST_LINE_BREAK = auto()
    CONTENT_WITHOUT_HEADERS = auto()
    CONTENT_CHANGED = auto()
    # Compression and size.
    INFLATE_RATIO = auto()
    INFLATE_SIZE = auto()
    COMPRESSION_DAMAGED = auto()
    PAYLOAD_TOO_LARGE = auto()
    CONTENT_UNREADABLE = auto()
    # After the receipt: the document.
    PAYLOAD_IN_BASE64 = auto()
    PAYLOAD_IN_ARCHIVE = auto()
    PAYLOAD_NOT_PROCESSED = auto()
    # Notes on what was accepted.
    TOLERATED = auto()
    BASE64_NOT_DECLARED = auto()
    SIGNER_PREVIOUS = auto()
    CERTIFICATE_EXPIRES = auto()
    MIC_BY_MESSAGE = auto()
    SWITCHED_ON = auto()
    ACCEPTED_MEANWHILE = auto()
    SENT_AGAIN = auto()
    NOT_KEPT = auto()
    # Their MDN for what we sent.
    MDN_UNREADABLE = auto()
    MDN_NOT_OURS = auto()
    MDN_UNSIGNED = auto()
    MDN_WARNING = auto()
    MDN_OVERDUE = auto()
    MIC_MISSING = auto()
    MIC_ALGORITHM_MISNAMED = auto()
    MIC_ALGORITHM_UNKNOWN = auto()
    MIC_OVER_INFLATED = auto()
    MIC_OVER_COMPRESSED = auto()
    MIC_OVER_PAYLOAD = auto()
    MIC_OVER_HEADERS = auto()
    MIC_OVER_ENCRYPTED = auto()
    MIC_CANONICAL = auto()
    MIC_WRONG = auto()
    THEY_DO_NOT_KNOW_US = auto()
    THEY_DO_NOT_TRUST_OUR_SIGNATURE = auto()
    THEY_CANNOT_DECRYPT = auto()
    THEY_CANNOT_INFLATE = auto()
    THEY_FIND_IT_CHANGED = auto()
    THEY_DEMAND_MORE_SECURITY = auto()
    THEY_CANNOT_GIVE_RECEIPT = auto()
    THEY_KNOW_IT_ALREADY = auto()
    THEY_REFUSE = auto()
    # The wire.
    NOT_REACHED = auto()
    NO_ANSWER = auto()
    ANSWER_WITHOUT_MDN = auto()
    HTTP_REDIRECT = auto()
    HTTP_UNAUTHORISED = auto()
    HTTP_NOT_FOUND = auto()
    HTTP_TOO_LARGE = auto()
    HTTP_REFUSED = auto()
    HTTP_UNAVAILABLE = auto()
    # Our own side.
    OUR_KEY_MISSING = auto()
    THEIR_CERTIFICATE_MISSING = auto()
    NOT_SEALED = auto()
    ON_ITS_WAY = auto()
    UNEXPLAINED = auto()


@dataclass(frozen=True, slots=True)
class Words:
    """A reason in one language: format strings over the values of a `Diagnosis`."""

    found: str
    advice: str
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A reason in every language."""

    en: Words
    fr: Words
    is_note: bool = False

    def words(self, language: Language) -> Words:
        return self.fr if language == "fr" else self.en


@cache
def texts() -> Mapping[Code, Text]:
    """The catalogue; every code has its text."""
    data = tomllib.loads(resources.files(__package__).joinpath("catalogue.toml").read_text("utf-8"))
    return {code: _text(data[code.value]) for code in Code}


def _text(entry: Mapping[str, Any]) -> Text:
    return Text(Words(**entry["en"]), Words(**entry["fr"]), entry.get("note", False))
