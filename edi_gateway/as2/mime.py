"""MIME entities over a stream, to the byte (RFC 2045, 2046).

Signatures and MICs cover bytes, so nothing here is ever parsed into a tree and written again: an entity is its
header block as received, and the chunks of its body as they come. Memory is bounded by the chunk, the header
block and the delimiter, whatever the size of the entity.

Tolerated, because senders differ: bare LF as line break, folded headers, a missing header block, text before the
first delimiter and after the last, blank space after a delimiter, base64 that is not declared or declared where
the body is binary. Not tolerated: a multipart without its closing delimiter, which is how a truncated one looks.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from edi_gateway.as2.errors import MimeMalformed
from edi_gateway.as2.fields import Parameterised
from edi_gateway.as2.headers import Headers

CHUNK_BYTES = 256 * 1024
HEADER_BLOCK_BYTES_MAX = 64 * 1024
DELIMITER_LINE_BYTES_MAX = 1024
BOUNDARY_LENGTH_MAX = 200  # RFC 2046 allows 70; some products write more
PARTS_MAX = 1000
QUOTED_PRINTABLE_LINE_BYTES_MAX = 64 * 1024

Spool = Callable[[], BinaryIO]

_BLANK_LINE = re.compile(rb"\r?\n\r?\n|\A\r?\n")


def chunks_of(stream: BinaryIO) -> Iterator[bytes]:
    """The rest of a stream in chunks."""
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def collected(chunks: Iterable[bytes], bytes_max: int, what: str) -> bytes:
    """All chunks as one value; MimeMalformed past the bound."""
    pieces: list[bytes] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > bytes_max:
            raise MimeMalformed(f"{what} is larger than {bytes_max} bytes")
        pieces.append(chunk)
    return b"".join(pieces)


def exhausted(chunks: Iterable[bytes]) -> int:
    """Read to the end, so that a padding or tag at the end is checked; the number of bytes that were left."""
    return sum(len(chunk) for chunk in chunks)


class Window:
    """A stream of chunks with a look ahead: what is looked at is read again by `chunks`."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._ahead = b""
        self._at_end = False

    def peek(self, size: int) -> bytes:
        """At least `size` bytes of what comes next, or all there is."""
        while len(self._ahead) < size and self._fill():
            pass
        return self._ahead

    def take(self, size: int) -> bytes:
        """Consume `size` bytes that `peek` has shown."""
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        return taken

    def more(self) -> bool:
        """Look one chunk further ahead; False at the end of the stream."""
        return self._fill()

    def chunks(self) -> Iterator[bytes]:
        """Everything that is left."""
        while self._ahead or self._fill():
            chunk, self._ahead = self._ahead, b""
            if chunk:
                yield chunk

    def _fill(self) -> bool:
        if self._at_end:
            return False
        chunk = next(self._chunks, None)
        if chunk is None:
            self._at_end = True
            return False
        self._ahead = self._ahead + chunk if self._ahead else bytes(chunk)
        return True


@dataclass(frozen=True, slots=True)
class Entity:
    """A MIME entity: its header block, blank line included, exactly as received, and its body.

    For the outermost entity the headers are those of HTTP and `block` is empty.
    """

    headers: Headers
    block: bytes
    body: Window

    @property
    def content_type(self) -> Parameterised:
        return Parameterised.parse(self.headers.get("Content-Type", "text/plain"))

    @property
    def transfer_encoding(self) -> str:
        return self.headers.get("Content-Transfer-Encoding").partition(";")[0].strip().lower()

    def decoded(self) -> Iterator[bytes]:
        """The body without its content-transfer-encoding."""
        return decoded(self.body.chunks(), self.transfer_encoding)


def read_entity(chunks: Iterable[bytes]) -> Entity:
    """Read the header block of an entity; the body follows as a stream."""
    window = Window(chunks)
    searched = 0
    while True:
        ahead = window.peek(1)
        if match := _BLANK_LINE.search(ahead, max(0, searched - 3)):
            break
        if len(ahead) > HEADER_BLOCK_BYTES_MAX:
            raise MimeMalformed(f"no end of the MIME headers within {HEADER_BLOCK_BYTES_MAX} bytes")
        searched = len(ahead)
        if not window.more():
            raise MimeMalformed("a MIME entity without the blank line that ends its headers")
    if match.end() > HEADER_BLOCK_BYTES_MAX:
        raise MimeMalformed(f"MIME headers of more than {HEADER_BLOCK_BYTES_MAX} bytes")
    block = window.take(match.end())
    return Entity(Headers.parse(block), block, window)


# --- multipart (RFC 2046 §5.1) ---------------------------------------------------------------------------------


def multipart_boundary(content_type: Parameterised) -> bytes:
    """The boundary parameter of a multipart type; MimeMalformed if it is missing or too long."""
    boundary = content_type.get("boundary")
    if not boundary or len(boundary) > BOUNDARY_LENGTH_MAX or not boundary.isascii():
        raise MimeMalformed(f"{content_type.main} without a usable boundary: {boundary[:80]!r}")
    return boundary.encode("ascii")


class Multipart:
    """The parts of a multipart body, one after the other, each the exact bytes between its delimiters.

    The line break before a delimiter belongs to the delimiter. A part has to be read before the next one is
    asked for; what the reader leaves of it is skipped.
    """

    def __init__(self, chunks: Iterable[bytes], boundary: bytes) -> None:
        self._window = Window(chunks)
        self._mark = b"--" + boundary
        self._is_closed = False

    def parts(self) -> Iterator[Iterator[bytes]]:
        """The parts, as streams of chunks; the preamble is skipped."""
        exhausted(self._until_delimiter())
        for _ in range(PARTS_MAX):
            if self._is_closed:
                return
            part = self._until_delimiter()
            yield part
            exhausted(part)
        raise MimeMalformed(f"a multipart of more than {PARTS_MAX} parts")

    def epilogue(self) -> Iterator[bytes]:
        """What follows the closing delimiter."""
        return self._window.chunks()

    def _until_delimiter(self) -> Iterator[bytes]:
        """Chunks up to the next delimiter line, which is consumed."""
        is_start = True
        while True:
            delimiter = self._find(is_start)
            if delimiter is not None:
                if delimiter.start:
                    yield self._window.take(delimiter.start)
                self._window.take(delimiter.end - delimiter.start)
                self._is_closed = delimiter.is_closing
                return
            # The line break and the dashes of a delimiter may be the last that was read so far.
            ready = len(self._window.peek(1)) - len(self._mark) - 2
            if ready > 0:
                is_start = False
                yield self._window.take(ready)
            if not self._window.more():
                raise MimeMalformed("a multipart that ends without its closing delimiter")

    def _find(self, is_start: bool) -> _Delimiter | None:
        """The next delimiter in what has been read; reads on where the end of its line is missing."""
        at = 0
        while True:
            ahead = self._window.peek(1)
            at = ahead.find(self._mark, at)
            if at < 0:
                return None
            if ahead[at - 1 : at] == b"\n" or (at == 0 and is_start):
                end = ahead.find(b"\n", at, at + DELIMITER_LINE_BYTES_MAX) + 1
                if not end and len(ahead) - at < DELIMITER_LINE_BYTES_MAX and self._window.more():
                    continue
                rest = ahead[at + len(self._mark) : end or len(ahead)].rstrip(b" \t\r\n")
                if rest in (b"", b"--") and (end or len(ahead) - at < DELIMITER_LINE_BYTES_MAX):
                    return _Delimiter(_before_line_break(ahead, at), end or len(ahead), rest == b"--")
            at += 1


@dataclass(frozen=True, slots=True)
class _Delimiter:
    """Where a delimiter stands in the window, its line breaks included, and whether it is the last."""

    start: int
    end: int
    is_closing: bool


def _before_line_break(data: bytes, at: int) -> int:
    if data[max(0, at - 2) : at] == b"\r\n":
        return at - 2
    return max(0, at - 1)


# --- content-transfer-encodings (RFC 2045 §6) -------------------------------------------------------------------

IDENTITY_ENCODINGS = frozenset({"", "7bit", "8bit", "binary"})
_BASE64_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n\t ")
_WHITE_SPACE = b"\r\n\t "


def decoded(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The chunks without their content-transfer-encoding; MimeMalformed if it is unknown or broken."""
    if encoding in IDENTITY_ENCODINGS:
        return iter(chunks)
    if encoding == "base64":
        return _from_base64(chunks)
    if encoding == "quoted-printable":
        return _from_quoted_printable(chunks)
    raise MimeMalformed(f"unknown Content-Transfer-Encoding {encoding[:60]!r}")


def looks_like_base64(prefix: bytes) -> bool:
    """Whether the first bytes are base64 rather than BER, which starts with an octet and a length outside of it."""
    return bool(prefix.strip(_WHITE_SPACE)) and _BASE64_ALPHABET.issuperset(prefix)


def _from_base64(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        rest += chunk.translate(None, _WHITE_SPACE)
        ready = len(rest) - len(rest) % 4
        if ready and b"=" not in rest:
            yield _base64_decoded(rest[:ready])
            rest = rest[ready:]
        elif len(rest) > 2 * CHUNK_BYTES and b"=" in rest[:-2]:
            raise MimeMalformed("base64 that goes on after its padding")
    if rest:
        yield _base64_decoded(rest)


def _base64_decoded(data: bytes) -> bytes:
    try:
        return binascii.a2b_base64(data, strict_mode=True)
    except binascii.Error as error:
        raise MimeMalformed(f"broken base64: {error}") from None


def _from_quoted_printable(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        rest += chunk
        ready = rest.rfind(b"\n") + 1
        if ready:
            yield binascii.a2b_qp(rest[:ready])
            rest = rest[ready:]
        elif len(rest) > QUOTED_PRINTABLE_LINE_BYTES_MAX:
            raise MimeMalformed(f"a quoted-printable line of more than {QUOTED_PRINTABLE_LINE_BYTES_MAX} bytes")
    if rest:
        yield binascii.a2b_qp(rest)


BASE64_LINE_LENGTH = 76  # RFC 2045 §6.8
BASE64_LINE_BYTES = 57  # what one line holds


def base64_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks in base64, in lines of 76 characters that end with CRLF."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        ready = len(rest) - len(rest) % BASE64_LINE_BYTES
        if ready:
            yield _lines(rest[:ready])
            rest = rest[ready:]
    if rest:
        yield _lines(rest)


def _lines(data: bytes) -> bytes:
    text = binascii.b2a_base64(data, newline=False)
    starts = range(0, len(text), BASE64_LINE_LENGTH)
    return b"\r\n".join([text[start : start + BASE64_LINE_LENGTH] for start in starts]) + b"\r\n"


def base64_length(size: int) -> int:
    """The length of `size` bytes as `base64_lines` writes them."""
    lines, rest = divmod(size, BASE64_LINE_BYTES)
    return lines * (BASE64_LINE_LENGTH + 2) + ((rest + 2) // 3 * 4 + 2 if rest else 0)


# --- line ends, for diagnosis ---------------------------------------------------------------------------------------

_LONE_LINE_FEED = re.compile(rb"(?<!\r)\n")


def canonical_line_ends(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks with every lone LF as CRLF, the canonical form of text (RFC 8551 §3.1.1)."""
    last = b""
    for chunk in chunks:
        if chunk:
            yield _LONE_LINE_FEED.sub(b"\r\n", last + chunk)[len(last) :]
            last = chunk[-1:] if chunk.endswith(b"\r") else b""
