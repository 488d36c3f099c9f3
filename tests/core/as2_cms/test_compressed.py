"""Compression, and what stops a bomb (RFC 3274, RFC 5402 §3)."""

from __future__ import annotations

import random
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
from asn1crypto import cms as asn1
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.as2 import cms
from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.cms import ContentType, DecompressionFailed, InflateLimit, Malformed, der
from edi_gateway.as2.cms.compressed import OUTPUT_BYTES_MAX, RATIO_GRACE_BYTES, ZLIB_OID
from edi_gateway.as2.cms.content import content_info
from tests.core.as2_cms.material import ORDER, key, pieces, until_refused


def compressed(content: bytes) -> bytes:
    return b"".join(cms.compress(pieces(content, 70_000)))


def around(deflated: bytes, algorithm: str = ZLIB_OID) -> bytes:
    """A CompressedData around bytes of our choosing."""
    inner = der.sequence(der.oid(ContentType.DATA.value), der.element(0xA0, der.octet_string(deflated)))
    return content_info(ContentType.COMPRESSED, der.integer(0), der.algorithm(algorithm), inner)


def inflated(message: bytes, bytes_max: int = 1 << 30, ratio_max: int = 2000) -> bytes:
    return b"".join(cms.inflate([message], bytes_max, ratio_max))


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=5000), st.integers(1, 5000))
def test_037_what_is_compressed_inflates(content: bytes, size: int) -> None:
    assert b"".join(cms.inflate(pieces(compressed(content), size))) == content


@pytest.mark.parametrize("size", [OUTPUT_BYTES_MAX - 1, OUTPUT_BYTES_MAX, OUTPUT_BYTES_MAX + 1, 3 * OUTPUT_BYTES_MAX])
def test_a_content_that_fills_its_parts_exactly_inflates_to_its_end(size: int) -> None:
    for content in (bytes(size), random.Random(size).randbytes(size)):
        assert inflated(compressed(content)) == content


def test_small_results_are_der_and_large_ones_ber() -> None:
    assert asn1.ContentInfo.load(compressed(ORDER), strict=True)["content"].decompressed == ORDER
    noise = random.Random(1).randbytes(1_500_000)
    message = compressed(noise)
    assert message[1] == 0x80
    assert inflated(message) == noise


def test_043_constructed_content_inflates() -> None:
    parts = b"".join(map(der.octet_string, pieces(zlib.compress(ORDER), 5)))
    inner = der.sequence(der.oid(ContentType.DATA.value), der.element(0xA0, der.element(0x24, parts)))
    assert inflated(content_info(ContentType.COMPRESSED, der.integer(0), der.algorithm(ZLIB_OID), inner)) == ORDER


# --- bombs ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """292 kB that inflate to 300 MB."""
    return b"".join(cms.compress((bytes(1_000_000) for _ in range(300)), level=9))


def test_a_bomb_is_stopped_by_the_absolute_bound_at_flat_memory(bomb: bytes) -> None:
    assert len(bomb) < 300_000
    tracemalloc.start()
    given, error = until_refused(cms.inflate([bomb], bytes_max=50_000_000, ratio_max=2000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 50_000_000 - OUTPUT_BYTES_MAX < given <= 50_000_000
    assert isinstance(error, InflateLimit)
    assert error.limit == 50_000_000
    assert peak < 3_000_000


def test_a_bomb_is_stopped_by_the_ratio_early(bomb: bytes) -> None:
    given, error = until_refused(cms.inflate(pieces(bomb, 4096), ratio_max=200))
    assert given <= RATIO_GRACE_BYTES
    assert isinstance(error, InflateLimit)


@pytest.mark.parametrize("excess", [0, 1])
def test_the_absolute_bound_is_exact(excess: int) -> None:
    message = compressed(bytes(100_000))
    if excess:
        with pytest.raises(InflateLimit):
            inflated(message, bytes_max=99_999)
    else:
        assert len(inflated(message, bytes_max=100_000)) == 100_000


def test_a_small_content_that_shrinks_a_lot_is_honest() -> None:
    assert len(b"".join(cms.inflate([compressed(bytes(RATIO_GRACE_BYTES))], ratio_max=10))) == RATIO_GRACE_BYTES
    with pytest.raises(InflateLimit):
        inflated(compressed(bytes(RATIO_GRACE_BYTES + 1)), ratio_max=10)


def test_a_bomb_inside_of_a_bomb_is_inflated_once() -> None:
    inner = compressed(bytes(100_000))
    assert inflated(compressed(inner)) == inner


# --- damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "deflated",
    [
        b"",
        b"not zlib",
        zlib.compress(ORDER)[:-1],
        zlib.compress(ORDER)[:-1] + b"\x00",
        zlib.compress(ORDER) + b"x",
        zlib.compress(ORDER) + zlib.compress(ORDER),
        zlib.compress(ORDER)[2:],
    ],
)
def test_damaged_content_is_decompression_failed(deflated: bytes) -> None:
    with pytest.raises(DecompressionFailed) as caught:
        inflated(around(deflated))
    assert str(caught.value) == "The message could not be decompressed."


def test_bytes_behind_the_end_in_another_piece_are_found_too() -> None:
    deflated = zlib.compress(ORDER)
    parts = der.element(0x24, der.octet_string(deflated), der.octet_string(bytes(70_000)))
    inner = der.sequence(der.oid(ContentType.DATA.value), der.element(0xA0, parts))
    message = content_info(ContentType.COMPRESSED, der.integer(0), der.algorithm(ZLIB_OID), inner)
    with pytest.raises(DecompressionFailed):
        inflated(message)


def test_a_preset_dictionary_is_decompression_failed() -> None:
    deflater = zlib.compressobj(zdict=b"UNH+")
    with pytest.raises(DecompressionFailed):
        inflated(around(deflater.compress(ORDER) + deflater.flush()))


def test_another_algorithm_is_refused_by_name() -> None:
    with pytest.raises(cms.AlgorithmRefused) as caught:
        inflated(around(zlib.compress(ORDER), "1.2.3.4"))
    assert caught.value.name == "1.2.3.4"


def test_another_content_type_is_malformed() -> None:
    with pytest.raises(Malformed):
        inflated(cms.sign(Digest.SHA256.of(ORDER), Digest.SHA256, key()))


def test_the_content_is_taken_as_it_is_needed() -> None:
    taken = 0

    def content() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(200):
            taken += 1
            yield random.Random(taken).randbytes(100_000)

    next(cms.compress(content()))
    assert taken < 20
