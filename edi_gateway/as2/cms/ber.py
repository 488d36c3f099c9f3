"""Reading BER (ITU-T X.690 §8) with every size bounded: small structures in memory, large ones as a stream.

`Element` is a piece of bytes that are in memory; its children are read when asked for. `Fields` walks
through a SEQUENCE in order. `Source` reads an outer structure from chunks as they arrive, of definite or
indefinite length, and gives the content of its OCTET STRING through without keeping it.

Everything a partner can put there either reads or raises `Malformed` with the byte where it went wrong.
The bounds: depth of nesting, bytes of a structure that is held in memory, octets of a length, bytes of an
INTEGER, elements in one structure. Tags above 30 do not occur in CMS and are refused.
"""

from __future__ import annotations

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

    @property
    def definite(self) -> bool:
        return self._end == self._stop

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
        forms = _TIME_FORMS.get(self.tag)
        if forms is None:
            raise Malformed(f"a time expected, found tag 0x{self.tag:02x}", self._start)
        for form in forms:
            try:
                moment = datetime.strptime(self.content.decode("ascii"), form).replace(tzinfo=UTC)
            except ValueError:
                continue
            # strptime's pivot is 69; X.509 and CMS turn the century at 50.
            return moment if self.tag != der.UTC_TIME or moment.year < 2050 else moment.replace(year=moment.year - 100)
        raise Malformed("a time that is no date, or not in UTC", self._start)

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
    der.UTC_TIME: ("%y%m%d%H%M%SZ", "%y%m%d%H%MZ"),
    der.GENERALIZED_TIME: ("%Y%m%d%H%M%SZ", "%Y%m%d%H%M%S.%fZ"),
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

    __slots__ = ("_at", "_chunks", "_ends", "_view", "offset")

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._view = memoryview(b"")
        self._at = 0  # how much of the view has been taken
        self.offset = 0  # bytes taken in all
        self._ends: list[int] = []  # of each open container; `_INDEFINITE` where only its end marks tell

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

    def _take(self, size: int) -> bytes:
        if not self._fill(size):
            raise Malformed("the message is truncated", self.offset)
        taken = bytes(self._view[self._at : self._at + size])
        self._at += size
        self.offset += size
        return taken

    def _pieces(self, size: int) -> Iterator[memoryview]:
        """The next `size` bytes as they lie in the chunks, without copying."""
        while size:
            if not self._fill(1):
                raise Malformed("the message is truncated", self.offset)
            piece = self._view[self._at : self._at + min(size, PIECE_BYTES_MAX)]
            self._at += len(piece)
            self.offset += len(piece)
            size -= len(piece)
            yield piece

    # -- structure --------------------------------------------------------------------------------

    def _peek_header(self) -> tuple[int, int, int]:
        """Identifier octet, bytes of the header, length of the content, of the element that follows."""
        head = self._peek(2)
        wanted = 2 + (head[1] & 0x7F) if len(head) == 2 and head[1] > 0x80 else 2
        if wanted > 2 + LENGTH_OCTETS_MAX:
            raise Malformed(f"a length of more than {LENGTH_OCTETS_MAX} octets", self.offset)
        head = self._peek(wanted)
        if len(head) < wanted:
            raise Malformed("the message is truncated", self.offset)
        tag, first = head[0], head[1]
        if tag & 0x1F == 0x1F:
            raise Malformed("a tag number above 30 does not occur in CMS", self.offset)
        if first == 0x80 and not tag & der.CONSTRUCTED:
            raise Malformed("an indefinite length on a primitive element (X.690 §8.1.3.2)", self.offset)
        size = first if first < 0x80 else _INDEFINITE if first == 0x80 else int.from_bytes(head[2:], "big")
        if size != _INDEFINITE and self._bound() is not None and self.offset + wanted + size > (self._bound() or 0):
            raise Malformed("an element is longer than the one around it", self.offset)
        return tag, wanted, size

    def _bound(self) -> int | None:
        """Where the innermost container of definite length ends."""
        return next((end for end in reversed(self._ends) if end != _INDEFINITE), None)

    def next_tag(self) -> int | None:
        """The identifier octet of the next element in the open container; `None` at its end."""
        end = self._ends[-1]
        if end != _INDEFINITE:
            if self.offset == end:
                return None
            return self._peek_header()[0]
        if self._peek(2) == der.END_OF_CONTENTS:
            return None
        return self._peek_header()[0]

    def enter(self, tag: int, what: str) -> None:
        """Opens the container that must come next."""
        found, header_bytes, size = self._peek_header()
        if found != tag:
            raise Malformed(f"{what} expected, found tag 0x{found:02x}", self.offset)
        if len(self._ends) >= DEPTH_MAX:
            raise Malformed(f"nested deeper than {DEPTH_MAX}", self.offset)
        self._take(header_bytes)
        self._ends.append(_INDEFINITE if size == _INDEFINITE else self.offset + size)

    def leave(self) -> None:
        """Closes the innermost container, which must be at its end."""
        if self.next_tag() is not None:
            raise Malformed("an unexpected field", self.offset)
        if self._ends.pop() == _INDEFINITE:
            self._take(2)

    def element(self, what: str, tag: int | None = None, bytes_max: int = STRUCTURE_BYTES_MAX) -> Element:
        """The next element as a whole; for what is small by nature."""
        found, header_bytes, size = self._peek_header()
        if tag is not None and found != tag:
            raise Malformed(f"{what} expected, found tag 0x{found:02x}", self.offset)
        if size != _INDEFINITE:
            if size > bytes_max:
                raise Malformed(f"{what} of {size} bytes; {bytes_max} are accepted", self.offset)
            return Element(self._take(header_bytes + size))
        return Element(b"".join(self._indefinite(what, bytes_max)))

    def _indefinite(self, what: str, bytes_max: int) -> Iterator[bytes]:
        """The bytes of an element of indefinite length, found by walking to its end marks."""
        start, depth, seen = self.offset, 0, 0
        while True:
            if depth and self._peek(2) == der.END_OF_CONTENTS:
                yield self._take(2)
                depth -= 1
            else:
                _, header_bytes, size = self._peek_header()
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

    def octets(self, what: str, tag: int = der.OCTET_STRING) -> Iterator[bytes | memoryview]:
        """The content of an OCTET STRING of any length, in pieces; `tag` is its primitive identifier.

        Definite and primitive, or constructed of segments which may themselves be constructed. Take it to
        its end before anything else is read.
        """
        found, header_bytes, size = self._peek_header()
        if found == tag:
            self._take(header_bytes)
            yield from self._pieces(size)
            return
        self.enter(tag | der.CONSTRUCTED, what)
        yield from self._gathered(len(self._ends))

    def _gathered(self, base: int) -> Iterator[bytes | memoryview]:
        """The segments inside the container opened last, small ones joined."""
        waiting: list[memoryview] = []
        held = 0
        for piece in self._segments(base):
            if not held and len(piece) >= GATHERED_BYTES:
                yield piece
                continue
            waiting.append(piece)
            held += len(piece)
            if held >= GATHERED_BYTES:
                yield b"".join(waiting)
                waiting, held = [], 0
        if held:
            yield b"".join(waiting)

    def _segments(self, base: int) -> Iterator[memoryview]:
        """Each segment's bytes; leaves the container at depth `base` at its end."""
        constructed = der.OCTET_STRING | der.CONSTRUCTED
        while len(self._ends) >= base:
            tag = self.next_tag()
            if tag is None:
                self.leave()
            elif tag == constructed:
                self.enter(constructed, "a segment")
            elif tag == der.OCTET_STRING:
                _, header_bytes, size = self._peek_header()
                self._take(header_bytes)
                yield from self._pieces(size)
            else:
                raise Malformed(f"a segment of an octet string expected, found tag 0x{tag:02x}", self.offset)

    def finish(self) -> None:
        """Nothing but white space may follow the structure."""
        for _ in range(TRAILING_BYTES_MAX):
            rest = self._peek(1)
            if not rest:
                return
            if rest not in _WHITE_SPACE:
                break
            self._take(1)
        raise Malformed("bytes behind the end of the message", self.offset)
