"""Writing DER (ITU-T X.690 §10): the few types that CMS needs.

Each function returns a whole encoded element; structures are nested calls. Nothing is parsed here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

SEQUENCE = 0x30
SET = 0x31
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = b"\x05\x00"
OBJECT_IDENTIFIER = 0x06
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
CONSTRUCTED = 0x20

END_OF_CONTENTS = b"\x00\x00"


def context(number: int) -> int:
    """The identifier octet of a constructed context-specific element: `[number]`."""
    return 0xA0 | number


def implicit(number: int) -> int:
    """The identifier octet of a primitive context-specific element: `[number] IMPLICIT`."""
    return 0x80 | number


def length(size: int) -> bytes:
    """The length octets of a definite length."""
    if size < 0x80:
        return bytes((size,))
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def element(tag: int, *parts: bytes) -> bytes:
    """An element with that identifier octet, its content being the parts one after the other."""
    content = b"".join(parts)
    size = len(content)
    return bytes((tag, size)) + content if size < 0x80 else bytes((tag,)) + length(size) + content


def header(tag: int, size: int) -> bytes:
    """Identifier and length only: the `size` bytes of content follow by themselves."""
    return bytes((tag,)) + length(size)


def indefinite(tag: int) -> bytes:
    """The start of an element of indefinite length (BER); `END_OF_CONTENTS` must follow its content."""
    return bytes((tag, 0x80))


def sequence(*parts: bytes) -> bytes:
    return element(SEQUENCE, *parts)


def set_of(*parts: bytes, tag: int = SET) -> bytes:
    """A SET OF, sorted as DER asks (X.690 §11.6)."""
    return element(tag, *sorted(parts))


def integer(value: int) -> bytes:
    """An INTEGER; some issuers do give negative serial numbers."""
    return element(INTEGER, value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True))


def octet_string(value: bytes) -> bytes:
    return element(OCTET_STRING, value)


def bit_string(value: bytes) -> bytes:
    """A BIT STRING of whole bytes."""
    return element(BIT_STRING, b"\x00", value)


@cache
def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER from its dotted form, which is a constant of ours."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return element(OBJECT_IDENTIFIER, *(_base_128(arc) for arc in (first * 40 + second, *rest)))


def _base_128(arc: int) -> bytes:
    octets = [arc & 0x7F]
    while arc := arc >> 7:
        octets.append(0x80 | (arc & 0x7F))
    return bytes(reversed(octets))


def algorithm(dotted: str, parameters: bytes = b"") -> bytes:
    """An AlgorithmIdentifier; without `parameters` the field is absent."""
    return element(SEQUENCE, oid(dotted), parameters)


def attribute(dotted: str, *values: bytes) -> bytes:
    """A CMS Attribute: its type, and the set of its values (RFC 5652 §5.3)."""
    return sequence(oid(dotted), set_of(*values))


def time(moment: datetime) -> bytes:
    """A Time: UTCTime until 2049, GeneralizedTime from 2050 (RFC 5652 §11.3), whole seconds, in UTC."""
    moment = moment.astimezone(UTC)
    if 1950 <= moment.year < 2050:
        return element(UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())
    return element(GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())
