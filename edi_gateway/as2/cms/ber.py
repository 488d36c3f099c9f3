"""Reading BER (ITU-T X.690 §8) with every size bounded: small structures in memory, large ones as a stream.

`Element` is a piece of bytes that are in memory; its children are read when asked for. `Fields` walks
through a SEQUENCE in order. `Source` reads an outer structure from chunks as they arrive, of definite or
indefinite length, and gives the content of its OCTET STRING through without keeping it.

Everything a partner can put there either reads or raises `Malformed` with the byte where it went wrong.
The bounds: depth of nesting, bytes of a structure that is held in memory, octets of a length, bytes of an
INTEGER, elements in one structure. Tags above 30 do not occur in CMS and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache

from edi_gateway.as2.cms import der
from edi_gateway.as2.cms.errors import Malformed

DEPTH_MAX = 32  # CMS needs about ten
LENGTH_OCTETS_MAX = 8
INTEGER_BYTES_MAX = 64  # a serial number has at most 20 (RFC 5280 §4.1.2.2); nothing in CMS is longer
OID_BYTES_MAX = 64
ELEMENTS_MAX = 20_000  # in one structure in memory
STRUCTURE_BYTES_MAX = 1024 * 1024  # of one small structure (SignerInfos, RecipientInfos, certificates)
TRAILING_BYTES_MAX = 1024  # white space that mail software leaves behind the structure
PIECE_BYTES_MAX = 256 * 1024  # of content given on at once, however large the chunks are
GATHERED_BYTES = 64 * 1024  # segments of a constructed OCTET STRING are joined up to this size

_WHITE_SPACE = b" \t\r\n"
_CONSTRUCTED_STRING = der.OCTET_STRING | der.CONSTRUCTED
_INDEFINITE = -1


def _header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Identifier octet, place of the content, its length (or `_INDEFINITE`), of the element at `at`."""
    if at + 2 > end:
        raise Malformed("the structure ends inside an identifier or length", at)
    tag, first = data[at], data[at + 1]
    if tag & 0x1F == 0x1F:
        raise Malformed("a tag number above 30 does not occur in CMS", at)
    if first < 0x80:
        body, size = at + 2, first
    elif first == 0x80:
        if not tag & der.CONSTRUCTED:
            raise Malformed("an indefinite length on a primitive element (X.690 §8.1.3.2)", at)
        return tag, at + 2, _INDEFINITE
    else:
        body = at + 2 + (first & 0x7F)
        if first & 0x7F > LENGTH_OCTETS_MAX:
            raise Malformed(f"a length of more than {LENGTH_OCTETS_MAX} octets", at)
        if body > end:
            raise Malformed("the structure ends inside a length", at)
        size = int.from_bytes(data[at + 2 : body], "big")
    if size > end - body:
        raise Malformed(f"an element claims {size} bytes where {end - body} are left", at)
    return tag, body, size


def _end_of_indefinite(data: bytes, at: int, end: int) -> int:
    """Where the end-of-contents octets of the indefinite element stand whose content begins at `at`."""
    depth, seen = 1, 0
    while True:
        if data[at : at + 2] == der.END_OF_CONTENTS and at + 2 <= end:
            depth -= 1
            if not depth:
                return at
            at += 2
            continue
        _, body, size = _header(data, at, end)
        seen += 1
        if seen > ELEMENTS_MAX:
            raise Malformed(f"more than {ELEMENTS_MAX} elements", at)
        if size == _INDEFINITE:
            depth += 1
            if depth > DEPTH_MAX:
                raise Malformed(f"nested deeper than {DEPTH_MAX}", at)
            at = body
        else:
            at = body + size


class Element:
    """One element of bytes in memory. `tag` is its identifier octet."""

    __slots__ = ("_body", "_data", "_end", "_start", "_stop", "tag")

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        end = len(data) if end is None else end
        self.tag, self._body, size = _header(data, start, end)
        self._data, self._start = data, start
        if size == _INDEFINITE:
            self._end = _end_of_indefinite(data, self._body, end)
            self._stop = self._end + 2
        else:
            self._end = self._stop = self._body + size

    @classmethod
    def only(cls, data: bytes) -> Element:
        """The element that fills the bytes; anything behind it is `Malformed`."""
        element = cls(data)
        if element._stop != len(data):
            raise Malformed("bytes behind the end of the structure", element._stop)
        return element

    @property
    def raw(self) -> bytes:
        """The whole encoding as received."""
        return self._data[self._start : self._stop]

    @property
    def content(self) -> bytes:
        """The content octets as received."""
        return self._data[self._body : self._end]

    @property
    def offset(self) -> int:
        return self._start

    @property
    def constructed(self) -> bool:
        return bool(self.tag & der.CONSTRUCTED)

    def children(self) -> Iterator[Element]:
        """The elements inside, in order."""
        if not self.constructed:
            raise Malformed("an element that should hold others is primitive", self._start)
        at = self._body
        for _ in range(ELEMENTS_MAX):
            if at == self._end:
                return
            child = Element(self._data, at, self._end)
            yield child
            at = child._stop
        raise Malformed(f"more than {ELEMENTS_MAX} elements", self._start)

    def only_child(self) -> Element:
        """The one element inside an EXPLICIT tag."""
        child = Element(self._data, self._body, self._end)
        if child._stop != self._end or not self.constructed:
            raise Malformed("exactly one element was expected inside a tag", self._start)
        return child

    def fields(self) -> Fields:
        """The elements inside, to be taken one by one."""
        return Fields(self)

    def expect(self, tag: int, what: str) -> Element:
        """Itself, if it has that identifier octet."""
        if self.tag != tag:
            raise Malformed(f"{what} expected, found tag 0x{self.tag:02x}", self._start)
        return self

    def oid(self) -> str:
        """The dotted form of an OBJECT IDENTIFIER."""
        self.expect(der.OBJECT_IDENTIFIER, "an object identifier")
        if not 1 <= self._end - self._body <= OID_BYTES_MAX:
            raise Malformed(f"an object identifier of no or more than {OID_BYTES_MAX} bytes", self._start)
        dotted = dotted_oid(self.content)
        if dotted is None:
            raise Malformed("an object identifier that ends in the middle of an arc", self._start)
        return dotted

    def integer(self, tag: int = der.INTEGER) -> int:
        """The value of an INTEGER, at most `INTEGER_BYTES_MAX` long."""
        self.expect(tag, "an integer")
        if not 1 <= self._end - self._body <= INTEGER_BYTES_MAX:
            raise Malformed(f"an integer of no or more than {INTEGER_BYTES_MAX} bytes", self._start)
        return int.from_bytes(self.content, "big", signed=True)

    def octets(self, tag: int = der.OCTET_STRING) -> bytes:
        """The value of an OCTET STRING, whole or in segments (X.690 §8.7); `tag` is its primitive identifier."""
        if self.tag == tag:
            return self.content
        self.expect(tag | der.CONSTRUCTED, "an octet string")
        return b"".join(self._segments(1))

    def _segments(self, depth: int) -> Iterator[bytes]:
        if depth > DEPTH_MAX:
            raise Malformed(f"nested deeper than {DEPTH_MAX}", self._start)
        for segment in self.children():
            if segment.tag == der.OCTET_STRING:
                yield segment.content
            else:
                yield from segment.expect(der.OCTET_STRING | der.CONSTRUCTED, "a segment")._segments(depth + 1)

    def bits(self) -> bytes:
        """The value of a BIT STRING of whole bytes."""
        content = self.expect(der.BIT_STRING, "a bit string").content
        if not content or content[0]:
            raise Malformed("a bit string of whole bytes expected", self._start)
        return content[1:]

    def time(self) -> datetime:
        """The moment of a UTCTime or GeneralizedTime in UTC (RFC 5652 §11.3); seconds may be missing."""
        form = _TIME_FORMS.get(self.tag)
        parts = form.fullmatch(self.content) if form else None
        if parts is None:
            raise Malformed("a time in UTC expected", self._start)
        year, month, day, hour, minute, second = (int(part or 0) for part in parts.groups())
        if self.tag == der.UTC_TIME:
            year += 1900 if year >= 50 else 2000  # RFC 5280 §4.1.2.5.1
        try:
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            raise Malformed("a time that does not exist", self._start) from None

    def to_der(self, tag: int | None = None) -> bytes:
        """The distinguished encoding: definite minimal lengths, strings in one piece, sets sorted."""
        return self._to_der(tag, 1)

    def _to_der(self, tag: int | None, depth: int) -> bytes:
        if depth > DEPTH_MAX:
            raise Malformed(f"nested deeper than {DEPTH_MAX}", self._start)
        tag = self.tag if tag is None else tag
        if not self.constructed:
            return der.element(tag, self.content)
        if self.tag == der.OCTET_STRING | der.CONSTRUCTED:
            return der.octet_string(self.octets())
        parts = [child._to_der(None, depth + 1) for child in self.children()]
        return der.set_of(*parts, tag=tag) if tag == der.SET else der.element(tag, *parts)


_TIME_FORMS = {
    der.UTC_TIME: re.compile(rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z"),
    der.GENERALIZED_TIME: re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d{1,9})?Z"),
}


@lru_cache(maxsize=512)
def dotted_oid(content: bytes) -> str | None:
    """The dotted form of the content octets of an OBJECT IDENTIFIER; `None` if the last arc is cut off."""
    arcs, arc = [], 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    if not arcs or content[-1] & 0x80:
        return None
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


class Fields:
    """The fields of a SEQUENCE, taken in the order of its definition."""

    __slots__ = ("_children", "_next", "_parent")

    def __init__(self, parent: Element) -> None:
        self._parent = parent
        self._children = parent.children()
        self._next = next(self._children, None)

    def take(self, what: str, tag: int | None = None) -> Element:
        """The next field, which must be there, and have that tag if one is given."""
        field = self._next
        if field is None:
            raise Malformed(f"{what} is missing", self._parent.offset)
        if tag is not None:
            field.expect(tag, what)
        self._next = next(self._children, None)
        return field

    def optional(self, *tags: int) -> Element | None:
        """The next field if it has one of these tags."""
        field = self._next
        if field is None or field.tag not in tags:
            return None
        self._next = next(self._children, None)
        return field

    def rest(self) -> Iterator[Element]:
        """The fields that are left."""
        while self._next is not None:
            yield self.take("a field")

    def end(self) -> None:
        """Nothing more may follow."""
        if self._next is not None:
            raise Malformed("an unexpected field", self._next.offset)


class Source:
    """An outer structure read from chunks, with the containers it is inside of."""

    __slots__ = ("_at", "_chunks", "_containers", "_header", "_limit", "_view", "offset")

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._view = memoryview(b"")
        self._at = 0  # how much of the view has been taken
        self.offset = 0  # bytes taken in all
        # Of each open container where it ends (`_INDEFINITE` if only its end marks tell), and the limit around it.
        self._containers: list[tuple[int, int | None]] = []
        self._limit: int | None = None  # where the innermost container of definite length ends
        self._header: tuple[int, int, int] | None = None  # of the next element, once it was looked at

    # -- bytes ------------------------------------------------------------------------------------

    def _fill(self, wanted: int) -> bool:
        """Has `wanted` bytes in the view, if the chunks hold that many."""
        left = len(self._view) - self._at
        if left >= wanted:
            return True
        parts: list[bytes | memoryview] = [self._view[self._at :]] if left else []
        for chunk in self._chunks:
            parts.append(chunk)
            left += len(chunk)
            if left >= wanted:
                break
        self._view = memoryview(parts[0] if len(parts) == 1 else b"".join(parts))
        self._at = 0
        return left >= wanted

    def _peek(self, size: int) -> bytes:
        """The next bytes without taking them; fewer at the end."""
        self._fill(size)
        return bytes(self._view[self._at : self._at + size])

    def _advance(self, size: int) -> None:
        self._at += size
        self.offset += size
        self._header = None

    def _take(self, size: int) -> bytes:
        if not self._fill(size):
            raise self._truncated()
        taken = bytes(self._view[self._at : self._at + size])
        self._advance(size)
        return taken

    def _pieces(self, size: int) -> Iterator[memoryview]:
        """The next `size` bytes as they lie in the chunks, without copying."""
        while size:
            if not self._fill(1):
                raise self._truncated()
            piece = self._view[self._at : self._at + min(size, PIECE_BYTES_MAX)]
            self._advance(len(piece))
            size -= len(piece)
            yield piece

    def _truncated(self) -> Malformed:
        return Malformed("the message is truncated", self.offset)

    # -- structure --------------------------------------------------------------------------------

    def _next_header(self) -> tuple[int, int, int]:
        """Identifier octet, bytes of the header, length of the content, of the element that follows."""
        if self._header is None:
            self._header = self._look()
        return self._header

    def _look(self) -> tuple[int, int, int]:
        if not self._fill(2):
            raise self._truncated()
        tag, first = self._view[self._at], self._view[self._at + 1]
        if tag & 0x1F == 0x1F:
            raise Malformed("a tag number above 30 does not occur in CMS", self.offset)
        if first == 0x80:
            if not tag & der.CONSTRUCTED:
                raise Malformed("an indefinite length on a primitive element (X.690 §8.1.3.2)", self.offset)
            return tag, 2, _INDEFINITE
        header_bytes, size = 2, first
        if first > 0x80:
            header_bytes += first & 0x7F
            size = self._long_length(header_bytes)
        if self._limit is not None and self.offset + header_bytes + size > self._limit:
            raise Malformed("an element is longer than the one around it", self.offset)
        return tag, header_bytes, size

    def _long_length(self, header_bytes: int) -> int:
        if header_bytes > 2 + LENGTH_OCTETS_MAX:
            raise Malformed(f"a length of more than {LENGTH_OCTETS_MAX} octets", self.offset)
        if not self._fill(header_bytes):
            raise self._truncated()
        return int.from_bytes(self._view[self._at + 2 : self._at + header_bytes], "big")

    def _at_end_marks(self) -> bool:
        return self._fill(2) and self._view[self._at] == 0 and self._view[self._at + 1] == 0

    def next_tag(self) -> int | None:
        """The identifier octet of the next element in the open container; `None` at its end."""
        end = self._containers[-1][0]
        if self.offset == end or (end == _INDEFINITE and self._at_end_marks()):
            return None
        return self._next_header()[0]

    def enter(self, tag: int, what: str) -> None:
        """Opens the container that must come next."""
        found, header_bytes, size = self._next_header()
        if found != tag:
            raise Malformed(f"{what} expected, found tag 0x{found:02x}", self.offset)
        if len(self._containers) >= DEPTH_MAX:
            raise Malformed(f"nested deeper than {DEPTH_MAX}", self.offset)
        self._advance(header_bytes)
        end = _INDEFINITE if size == _INDEFINITE else self.offset + size
        self._containers.append((end, self._limit))
        if end != _INDEFINITE:
            self._limit = end

    def leave(self) -> None:
        """Closes the innermost container, which must be at its end."""
        if self.next_tag() is not None:
            raise Malformed("an unexpected field", self.offset)
        end, self._limit = self._containers.pop()
        if end == _INDEFINITE:
            self._take(2)
        self._header = None

    def element(self, what: str, tag: int | None = None, bytes_max: int = STRUCTURE_BYTES_MAX) -> Element:
        """The next element as a whole; for what is small by nature."""
        found, header_bytes, size = self._next_header()
        if tag is not None and found != tag:
            raise Malformed(f"{what} expected, found tag 0x{found:02x}", self.offset)
        if size == _INDEFINITE:
            return Element(b"".join(self._to_end_marks(what, bytes_max)))
        if size > bytes_max:
            raise Malformed(f"{what} of {size} bytes; {bytes_max} are accepted", self.offset)
        return Element(self._take(header_bytes + size))

    def _to_end_marks(self, what: str, bytes_max: int) -> Iterator[bytes]:
        """The bytes of an element of indefinite length, found by walking to its end marks."""
        start, depth, seen = self.offset, 0, 0
        while True:
            if depth and self._at_end_marks():
                yield self._take(2)
                depth -= 1
            else:
                _, header_bytes, size = self._next_header()
                seen += 1
                depth += size == _INDEFINITE
                whole = header_bytes + max(size, 0)
                if self.offset - start + whole > bytes_max or seen > ELEMENTS_MAX or depth > DEPTH_MAX:
                    raise Malformed(f"{what} is too large or too deep", self.offset)
                yield self._take(whole)
            if not depth:
                return

    def optional(self, what: str, tag: int) -> Element | None:
        """The next element if it has that tag."""
        return self.element(what, tag) if self.next_tag() == tag else None

    # -- content ----------------------------------------------------------------------------------

    def octets(self, what: str, tag: int = der.OCTET_STRING) -> Iterator[bytes | memoryview]:
        """The content of an OCTET STRING of any length, in pieces; `tag` is its primitive identifier.

        Definite and primitive, or constructed of segments which may themselves be constructed. Take it to
        its end before anything else is read.
        """
        found, header_bytes, size = self._next_header()
        if found == tag:
            self._advance(header_bytes)
            yield from self._pieces(size)
            return
        self.enter(tag | der.CONSTRUCTED, what)
        yield from self._segments()

    def _segments(self) -> Iterator[bytes | memoryview]:
        """The segments inside the container opened last, which is closed at its end."""
        depth = len(self._containers)
        while len(self._containers) >= depth:
            whole = self._short_segments()
            if whole:
                yield b"".join(whole)
                continue
            tag = self.next_tag()
            if tag is None:
                self.leave()
            elif tag == _CONSTRUCTED_STRING:
                self.enter(_CONSTRUCTED_STRING, "a segment")
            elif tag == der.OCTET_STRING:
                _, header_bytes, size = self._next_header()
                self._advance(header_bytes)
                yield from self._pieces(size)
            else:
                raise Malformed(f"a segment of an octet string expected, found tag 0x{tag:02x}", self.offset)

    def _short_segments(self) -> list[memoryview]:
        """The segments below 64 KiB that lie whole in the view, up to `GATHERED_BYTES` of them.

        Streaming writers make segments of 1,000 to 8,192 bytes; taking them one by one costs more than
        decrypting them.
        """
        view, start = self._view, self._at
        end = len(view) if self._limit is None else min(len(view), start + self._limit - self.offset)
        stop = min(end, start + GATHERED_BYTES)
        found, at = [], start
        while at + 4 <= stop and view[at] == der.OCTET_STRING:
            size, body = view[at + 1], at + 2
            if size == 0x82:
                size, body = view[at + 2] << 8 | view[at + 3], at + 4
            elif size >= 0x80:
                break
            if body + size > end:
                break
            at = body + size
            found.append(view[body:at])
        self._advance(at - start)
        return found

    def finish(self) -> None:
        """Nothing but white space may follow the structure."""
        for _ in range(TRAILING_BYTES_MAX):
            rest = self._peek(1)
            if not rest:
                return
            if rest not in _WHITE_SPACE:
                break
            self._advance(1)
        raise Malformed("bytes behind the end of the message", self.offset)
