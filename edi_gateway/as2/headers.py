"""HTTP and MIME headers, and the request that the headers of a transmission make (RFC 4130 §6).

Header names are compared without case, values are kept as received. Whatever a value holds, it becomes a field
of a frozen `Request` and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from edi_gateway.as2.disposition import (
    INVALID_MESSAGE_ID,
    SENDER_EQUALS_RECEIVER,
    UNEXPECTED_PROCESSING_ERROR,
)
from edi_gateway.as2.errors import As2Refusal
from edi_gateway.as2.fields import (
    MESSAGE_ID_LENGTH_ADVISED,
    FieldMalformed,
    Parameterised,
    check_message_id,
    decoded_words,
    has_control_character,
    parse_as2_name,
    received_filename,
    unfolded,
)
from edi_gateway.as2.receipt import ReceiptRequest, parse_options

PRODUCT: Final = "edi-gateway:0.1.0"  # AS2-Product, draft §6.2: name:major.minor[.patch]
HEADER_COUNT_MAX = 256
HEADER_LENGTH_MAX = 16 * 1024

# A second, different value of one of these would let two programs on the way see two messages.
_SINGLE = (
    "AS2-From",
    "AS2-To",
    "Message-ID",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Receipt-Delivery-Option",
)


class Feature(StrEnum):
    """Registered tokens of EDIINT-Features (RFC 6017, RFC 6362 §3)."""

    MULTIPLE_ATTACHMENTS = "multiple-attachments"
    CEM = "CEM"
    RELIABILITY = "AS2-Reliability"


class Headers:
    """Headers in their order, found by name without regard to case; a name may occur more than once."""

    __slots__ = ("_items", "_values")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items = tuple((name, value) for name, value in items)
        self._values: dict[str, list[str]] = {}
        for name, value in self._items:
            self._values.setdefault(name.lower(), []).append(value)

    def get(self, name: str, default: str = "") -> str:
        """The first value of the name."""
        values = self._values.get(name.lower())
        return values[0] if values else default

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(self._values.get(name.lower(), ()))

    def one(self, name: str) -> str:
        """The value of a header that may occur only once; FieldMalformed if it has different values."""
        values = set(self.all(name))
        if len(values) > 1:
            raise FieldMalformed(f"{name} occurs {len(self.all(name))} times with different values")
        return next(iter(values), "")

    def without(self, *names: str) -> Headers:
        dropped = {name.lower() for name in names}
        return Headers((name, value) for name, value in self._items if name.lower() not in dropped)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._items == other._items

    def __hash__(self) -> int:
        return hash(self._items)

    def __repr__(self) -> str:
        return f"Headers({list(self._items)!r})"

    @classmethod
    def parse(cls, block: bytes) -> Headers:
        """Read header lines as they stand in a MIME entity, folds undone; lines that are no header are skipped."""
        lines: list[str] = []
        for line in block.decode("latin-1").replace("\r\n", "\n").split("\n"):
            if line[:1] in (" ", "\t") and lines:
                lines[-1] += line
            elif line:
                lines.append(line)
        pairs = (line.partition(":") for line in lines)
        return cls((name.strip(), value.strip()) for name, colon, value in pairs if colon and name.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the headers of a transmission say. Names are unquoted; the Message-ID is byte-exact as received."""

    as2_from: str
    as2_to: str
    message_id: str
    content_type: str
    transfer_encoding: str = ""
    subject: str = ""
    date: str = ""
    version: str = "1.0"
    product: str = ""
    features: frozenset[Feature] = frozenset()
    filename: str = ""  # as received, of the outermost entity; data, never a path
    receipt: ReceiptRequest | None = None
    notes: tuple[str, ...] = ()  # what was tolerated

    @property
    def version_number(self) -> tuple[int, int]:
        return parse_version(self.version)


def parse_version(text: str) -> tuple[int, int]:
    """The numbers of an AS2-Version; FieldMalformed if it has none."""
    major, dot, minor = text.strip().partition(".")
    if not (dot and major.isascii() and major.isdecimal() and minor.isascii() and minor.isdecimal()) or len(text) > 9:
        raise FieldMalformed(f"AS2-Version is 1.0 to 1.3, not {text[:40]!r}")
    return int(major), int(minor)


def read_request(headers: Headers) -> Request:
    """The request that the headers of a POST make; As2Refusal if they do not make one.

    The refusal holds a `request` when a receipt can be made in spite of it, else None (then the answer is 400).
    """
    headers = _checked(headers)
    try:
        names = parse_as2_name(headers.one("AS2-From")), parse_as2_name(headers.one("AS2-To"))
        single = {name: headers.one(name) for name in _SINGLE}
    except FieldMalformed as error:
        raise As2Refusal(UNEXPECTED_PROCESSING_ERROR, f"AS2 headers (RFC 4130 §6.2): {error}") from None
    request = Request(
        as2_from=names[0],
        as2_to=names[1],
        message_id=single["Message-ID"],
        content_type=single["Content-Type"],
        transfer_encoding=single["Content-Transfer-Encoding"].strip().lower(),
        subject=decoded_words(headers.get("Subject")),
        date=headers.get("Date"),
        version=headers.get("AS2-Version").strip() or "1.0",
        product=headers.get("AS2-Product"),
        features=parse_features(headers.get("EDIINT-Features")),
        filename=received_filename(headers.get("Content-Disposition"), single["Content-Type"]),
        receipt=read_receipt_request(headers),
    )
    _check(request)
    return replace(request, notes=tuple(_notes(request)))


def _checked(headers: Headers) -> Headers:
    """Unfold what was folded (some peers fold HTTP headers) and refuse control characters and excess."""
    if len(headers) > HEADER_COUNT_MAX:
        raise As2Refusal(UNEXPECTED_PROCESSING_ERROR, f"More than {HEADER_COUNT_MAX} headers.")
    lines = [(name, unfolded(value).strip()) for name, value in headers]
    for name, value in lines:
        if has_control_character(value) or has_control_character(name):
            raise As2Refusal(UNEXPECTED_PROCESSING_ERROR, f"Control characters in the header {name[:60]!r}.")
        if len(value) > HEADER_LENGTH_MAX:
            raise As2Refusal(UNEXPECTED_PROCESSING_ERROR, f"The header {name[:60]!r} is too long.")
    return Headers(lines)


def read_receipt_request(headers: Headers) -> ReceiptRequest | None:
    """The receipt that is asked for, or None. An MDN never asks for one (RFC 3798 §3)."""
    if "Disposition-Notification-To" not in headers or is_report(headers.get("Content-Type")):
        return None
    return ReceiptRequest(
        notify=headers.get("Disposition-Notification-To"),
        options=parse_options(headers.get("Disposition-Notification-Options")),
        delivery_url=headers.get("Receipt-Delivery-Option") or None,
    )


def is_report(content_type: str) -> bool:
    """Whether an entity of this type is an MDN (RFC 3798 §3)."""
    parsed = Parameterised.parse(content_type)
    if parsed.main == "multipart/report":
        return parsed.get("report-type", "disposition-notification").lower() == "disposition-notification"
    return parsed.main == "message/disposition-notification"


def parse_features(value: str) -> frozenset[Feature]:
    """The registered tokens among those announced; unknown ones are ignored (RFC 6017 §3)."""
    known = {feature.value.lower(): feature for feature in Feature}
    return frozenset(known[token] for piece in value.split(",") if (token := piece.strip().lower()) in known)


def _check(request: Request) -> None:
    """Refuse what can be answered with an MDN."""
    try:
        check_message_id(request.message_id)
    except FieldMalformed as error:
        raise As2Refusal(INVALID_MESSAGE_ID, f"{error}.", request=request) from None
    try:
        major, _ = request.version_number
    except FieldMalformed as error:
        raise As2Refusal(UNEXPECTED_PROCESSING_ERROR, f"{error}.", request=request) from None
    if major != 1:
        raise As2Refusal(UNEXPECTED_PROCESSING_ERROR, f"AS2-Version {request.version} is not 1.x.", request=request)
    if request.as2_from == request.as2_to:
        raise As2Refusal(SENDER_EQUALS_RECEIVER, "AS2-From and AS2-To are the same name.", request=request)


def _notes(request: Request) -> Iterator[str]:
    if len(request.message_id) > MESSAGE_ID_LENGTH_ADVISED:
        yield f"Message-ID of {len(request.message_id)} characters, more than the advised {MESSAGE_ID_LENGTH_ADVISED}"
    if not (request.message_id.startswith("<") and request.message_id.endswith(">")):
        yield "Message-ID without angle brackets"
