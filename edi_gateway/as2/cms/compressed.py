"""CompressedData (RFC 3274): deflating and inflating as streams, inflating with two bounds.

A bomb is stopped by whichever bound it meets first: the absolute size, or the ratio of what came out to
what went in. Neither needs more memory than one piece.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from edi_gateway.as2.cms import ber, der
from edi_gateway.as2.cms.chunks import Frame, closing, measured, opening, segments
from edi_gateway.as2.cms.content import ContentType, enter_content, leave_content
from edi_gateway.as2.cms.errors import AlgorithmRefused, DecompressionFailed, InflateLimit
from edi_gateway.as2.cms.parameters import read_algorithm

ZLIB_OID = "1.2.840.113549.1.9.16.3.8"

INFLATED_BYTES_MAX = 2 * 1024**3
RATIO_MAX = 200
RATIO_GRACE_BYTES = 1024 * 1024  # an honest run of zeros may be small and shrink a lot
LEVEL = 1  # on EDIFACT three times as fast as zlib's default of 6, for a result an eighth larger
OUTPUT_BYTES_MAX = 256 * 1024  # given on at once

_FRAMES = (
    Frame(der.SEQUENCE, der.oid(ContentType.COMPRESSED.value)),
    Frame(der.context(0)),
    Frame(der.SEQUENCE, der.integer(0) + der.algorithm(ZLIB_OID)),
    Frame(der.SEQUENCE, der.oid(ContentType.DATA.value)),
    Frame(der.context(0)),
)


def inflate(
    chunks: Iterable[bytes], bytes_max: int = INFLATED_BYTES_MAX, ratio_max: int = RATIO_MAX
) -> Iterator[bytes]:
    """The content of a CompressedData, in pieces, none of which may be believed before the end was reached.

    `InflateLimit` at the first piece beyond `bytes_max`, or beyond `ratio_max` times what was read (once
    more than `RATIO_GRACE_BYTES` have come out). `DecompressionFailed` if it is not what zlib wrote,
    `AlgorithmRefused` if it is compressed otherwise, `Malformed` if it is no CompressedData.
    """
    source = ber.Source(chunks)
    enter_content(source, ContentType.COMPRESSED)
    source.element("version").integer()
    algorithm = read_algorithm(source.element("compressionAlgorithm"))
    if algorithm.oid != ZLIB_OID:
        raise AlgorithmRefused(algorithm.oid, f"compressed with {algorithm.oid}, which is not zlib")
    source.enter(der.SEQUENCE, "encapContentInfo")
    source.element("eContentType", der.OBJECT_IDENTIFIER).oid()
    source.enter(der.context(0), "eContent")
    yield from _inflated(source.octets("eContent"), bytes_max, ratio_max)
    source.leave()
    source.leave()
    leave_content(source)


def _inflated(pieces: Iterable[bytes | memoryview], bytes_max: int, ratio_max: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj()
    taken = given = 0
    for piece in pieces:
        if inflater.eof:
            raise DecompressionFailed("bytes behind the end of the compressed content")
        taken += len(piece)
        for out in _outputs(inflater, piece):
            given += len(out)
            _check_bounds(given, taken, bytes_max, ratio_max)
            yield out
    if not inflater.eof or inflater.unused_data:
        raise DecompressionFailed("the compressed content is truncated, or continues behind its end")


def _outputs(inflater: zlib._Decompress, piece: bytes | memoryview) -> Iterator[bytes]:
    """What one piece inflates to, in bounded parts. A full part may mean that more waits inside of zlib."""
    out = _part(inflater, piece)
    while len(out) == OUTPUT_BYTES_MAX:
        yield out
        out = _part(inflater, inflater.unconsumed_tail)
    if out:
        yield out


def _part(inflater: zlib._Decompress, piece: bytes | memoryview) -> bytes:
    try:
        return inflater.decompress(piece, OUTPUT_BYTES_MAX)
    except zlib.error as error:
        raise DecompressionFailed(f"the compressed content is damaged: {error}") from None


def _check_bounds(given: int, taken: int, bytes_max: int, ratio_max: int) -> None:
    if given > bytes_max:
        raise InflateLimit(f"it inflates to more than {bytes_max} bytes", bytes_max)
    by_ratio = max(taken * ratio_max, RATIO_GRACE_BYTES)
    if given > by_ratio:
        raise InflateLimit(f"{taken} bytes inflate to more than {ratio_max} times as many", by_ratio)


def compress(content: Iterable[bytes], level: int = LEVEL) -> Iterator[bytes]:
    """The content as the bytes of a CompressedData: DER if it shrinks to `WHOLE_BYTES_MAX` or less, else BER."""
    chunks, size = measured(_deflated(content, level), None)
    yield opening(_FRAMES, der.OCTET_STRING, size)
    yield from segments(chunks, size)
    yield closing(_FRAMES, {}, size)


def _deflated(content: Iterable[bytes], level: int) -> Iterator[bytes]:
    deflater = zlib.compressobj(level)
    for chunk in content:
        out = deflater.compress(chunk)
        if out:
            yield out
    yield deflater.flush()
