"""MIME to the byte, over streams that are cut anywhere."""

import base64
import io
import quopri
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.as2.errors import MimeMalformed
from edi_gateway.as2.fields import Parameterised
from edi_gateway.as2.headers import Headers
from edi_gateway.as2.mime import (
    CHUNK_BYTES,
    DELIMITER_LINE_BYTES_MAX,
    HEADER_BLOCK_BYTES_MAX,
    PARTS_MAX,
    Multipart,
    base64_length,
    base64_lines,
    canonical_line_ends,
    chunks_of,
    collected,
    decoded,
    looks_like_base64,
    multipart_boundary,
    read_entity,
)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


SIZES = [1, 2, 3, 7, 1000]

ENTITIES = [
    ("usual", b"Content-Type: a/b\r\n\r\n", b"body"),
    ("bare LF", b"Content-Type: a/b\n\n", b"body\nmore"),
    ("no headers", b"\r\n", b"body"),
    ("no headers, bare LF", b"\n", b"body"),
    ("empty body", b"Content-Type: a/b\r\n\r\n", b""),
    ("body starts with a blank line", b"Content-Type: a/b\r\n\r\n", b"\r\n\r\nbody"),
    ("folded", b"Content-Type: a/b;\r\n\tx=y\r\nA: b\r\n\r\n", b"body"),
]


@pytest.mark.parametrize(("block", "body"), [(b, c) for _, b, c in ENTITIES], ids=[n for n, _, _ in ENTITIES])
@pytest.mark.parametrize("size", SIZES)
def test_an_entity_is_its_header_block_and_its_body_to_the_byte(block, body, size):
    entity = read_entity(cut(block + body, size))
    assert entity.block == block
    assert b"".join(entity.body.chunks()) == body


def test_013_folded_headers_inside_mime_are_read_and_kept():
    """OpenAS2 PR #71: folded headers in the signed part must stay for the MIC."""
    entity = read_entity([b'Content-Type: multipart/signed;\r\n boundary="b";\r\n\tmicalg=sha1\r\n\r\n'])
    assert entity.block.count(b"\r\n") == 4
    assert entity.content_type.get("boundary") == "b"
    assert entity.content_type.get("micalg") == "sha1"


@pytest.mark.parametrize("excess", [0, 1])
def test_the_header_block_is_bounded(excess):
    line = b"X: " + b"y" * (HEADER_BLOCK_BYTES_MAX - 7 + excess) + b"\r\n\r\n"
    assert len(line) == HEADER_BLOCK_BYTES_MAX + excess
    if excess:
        with pytest.raises(MimeMalformed, match="headers"):
            read_entity(cut(line, 999))
    else:
        assert read_entity(cut(line, 999)).block == line


@pytest.mark.parametrize("data", [b"", b"Content-Type: a/b", b"Content-Type: a/b\r\n"])
def test_an_entity_without_the_end_of_its_headers_is_refused(data):
    with pytest.raises(MimeMalformed, match="blank line"):
        read_entity([data])


def parts_of(data: bytes, size: int = 1000, boundary: bytes = b"b") -> list[bytes]:
    return [b"".join(part) for part in Multipart(cut(data, size), boundary).parts()]


MULTIPARTS = [
    ("two parts", b"--b\r\none\r\n--b\r\ntwo\r\n--b--\r\n", [b"one", b"two"]),
    ("preamble and epilogue", b"pre\r\n--b\r\none\r\n--b--\r\nepi\r\n--b\r\nno part\r\n", [b"one"]),
    ("bare LF", b"--b\none\n--b\ntwo\n--b--\n", [b"one", b"two"]),
    ("the break before a delimiter belongs to it", b"--b\r\none\r\n\r\n--b--", [b"one\r\n"]),
    ("trailing LF is content", b"--b\r\none\n\r\n--b--", [b"one\n"]),
    ("trailing CR is content", b"--b\r\none\r\r\n--b--", [b"one\r"]),
    ("no last line break", b"--b\r\none\r\n--b--", [b"one"]),
    ("blank space after a delimiter", b"--b \t\r\none\r\n--b--\t \r\n", [b"one"]),
    ("empty part", b"--b\r\n\r\n--b--", [b""]),
    ("empty part without a line of its own", b"--b\r\n--b--", [b""]),
    (
        "a longer line is no delimiter",
        b"--b\r\n--bc\r\n --b\r\nx--b\r\n--b--x\r\n--b--",
        [b"--bc\r\n --b\r\nx--b\r\n--b--x"],
    ),
    ("leading blank line is content", b"--b\r\n\r\none\r\n--b--", [b"\r\none"]),
    ("part of a delimiter at the end", b"--b\r\none\r\n-\r\n--\r\n--b--", [b"one\r\n-\r\n--"]),
]


@pytest.mark.parametrize(("data", "parts"), [(d, p) for _, d, p in MULTIPARTS], ids=[n for n, _, _ in MULTIPARTS])
@pytest.mark.parametrize("size", SIZES)
def test_005_parts_are_exactly_the_bytes_between_the_delimiters(data, parts, size):
    """RFC 2046 §5.1.1."""
    assert parts_of(data, size) == parts


def test_005_the_epilogue_can_be_read():
    multipart = Multipart([b"--b\r\none\r\n--b--\r\nepilogue"], b"b")
    assert [b"".join(part) for part in multipart.parts()] == [b"one"]
    assert b"".join(multipart.epilogue()) == b"epilogue"


@pytest.mark.parametrize(
    "data", [b"", b"no delimiter", b"--b\r\none", b"--b\r\none\r\n--b\r\ntwo", b"--b\r\none\r\n--b"]
)
def test_a_multipart_without_its_end_is_refused(data):
    """A truncated transmission looks like this."""
    with pytest.raises(MimeMalformed, match="closing delimiter"):
        parts_of(data)


@given(
    st.lists(st.binary(max_size=40), min_size=1, max_size=4),
    st.integers(1, 50),
    st.sampled_from([b"\r\n", b"\n"]),
)
@settings(deadline=None, max_examples=300)
def test_any_parts_come_back_however_the_stream_is_cut(parts, size, line_end):
    boundary = b"=_boundary"
    parts = [part.replace(boundary, b"") for part in parts]
    if line_end == b"\n":
        # With bare LF a CR at the end of a part cannot be told from a CRLF before the delimiter.
        parts = [part.rstrip(b"\r") for part in parts]
    data = b"".join(b"--" + boundary + line_end + part + line_end for part in parts) + b"--" + boundary + b"--"
    assert parts_of(data, size, boundary) == parts


def test_parts_that_are_not_read_are_skipped():
    multipart = Multipart([b"--b\r\none\r\n--b\r\ntwo\r\n--b--"], b"b")
    parts = multipart.parts()
    next(parts)
    assert b"".join(next(parts)) == b"two"


def test_the_number_of_parts_is_bounded():
    data = b"--b\r\n\r\n" * (PARTS_MAX + 1) + b"--b--"
    with pytest.raises(MimeMalformed, match="parts"):
        parts_of(data)
    assert len(parts_of(b"--b\r\n\r\n" * (PARTS_MAX - 1) + b"--b--")) == PARTS_MAX - 1


def test_a_line_that_never_ends_after_a_delimiter_is_content():
    """Memory stays bounded by the chunk and the longest delimiter line."""
    line = b"--b" + b" " * (DELIMITER_LINE_BYTES_MAX + 10)
    assert parts_of(b"--b\r\n" + line + b"\r\n--b--", 100) == [line]


@pytest.mark.parametrize(
    "content_type", ["multipart/signed", "multipart/signed; boundary=", "multipart/signed; boundary=" + "x" * 201]
)
def test_a_multipart_needs_a_usable_boundary(content_type):
    with pytest.raises(MimeMalformed, match="boundary"):
        multipart_boundary(Parameterised.parse(content_type))


BODIES = [b"", b"a", b"ab", b"abc", bytes(range(256)) * 5, b"\r\n" * 100, b"=\xe9 trailing \t\r\n"]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("encoding", ["", "7bit", "8bit", "binary", "base64", "quoted-printable"])
def test_004_every_transfer_encoding_is_undone(body, size, encoding):
    """RFC 4130 §5.2.1, RFC 2045 §6."""
    encoded = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring}.get(encoding, bytes)(body)
    assert b"".join(decoded(cut(encoded, size), encoding)) == body


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"YWJj!", "base64"),
        (b"YWJ", "base64"),
        (b"YQ==YWJj", "base64"),
        (b"YWJj", "x-uuencode"),
    ],
)
def test_a_broken_or_unknown_encoding_is_refused(data, encoding):
    with pytest.raises(MimeMalformed):
        b"".join(decoded(cut(data, 4), encoding))


def test_a_quoted_printable_line_is_bounded():
    with pytest.raises(MimeMalformed, match="quoted-printable"):
        for _ in decoded(iter([b"x" * 1000] * 100), "quoted-printable"):
            pass


@given(st.binary(max_size=500), st.integers(1, 100))
@settings(deadline=None, max_examples=200)
def test_base64_lines_are_those_of_the_standard(data, size):
    written = b"".join(base64_lines(cut(data, size)))
    assert written == base64.encodebytes(data).replace(b"\n", b"\r\n")
    assert len(written) == base64_length(len(data))
    assert b"".join(decoded([written], "base64")) == data


@pytest.mark.parametrize(
    ("prefix", "is_base64"),
    [(b"MIIB\r\nabc", True), (b"0\x80\x06\x09", False), (b"0\x82\x01\x00", False), (b"", False), (b"\r\n", False)],
)
def test_base64_is_told_from_ber(prefix, is_base64):
    assert looks_like_base64(prefix) is is_base64


@given(st.lists(st.sampled_from([b"\r", b"\n", b"a", b"\r\n"]), max_size=20), st.integers(1, 4))
@settings(deadline=None, max_examples=200)
def test_canonical_line_ends_do_not_depend_on_the_cut(pieces, size):
    data = b"".join(pieces)
    whole = b"".join(canonical_line_ends([data]))
    assert b"".join(canonical_line_ends(cut(data, size))) == whole
    assert b"\n" not in whole.replace(b"\r\n", b"")


def test_header_lines_that_are_none_are_skipped():
    read = Headers.parse(b"no colon\r\n: no name\r\nContent-Type: a/b\r\n")
    assert list(read) == [("Content-Type", "a/b")]


def test_a_value_is_collected_up_to_its_bound():
    assert collected([b"12", b"34"], 4, "it") == b"1234"
    with pytest.raises(MimeMalformed, match="larger than 4"):
        collected([b"12", b"345"], 4, "it")


def test_a_stream_is_read_in_chunks_from_where_it_stands():
    stream = io.BytesIO(b"x" * (2 * CHUNK_BYTES + 5))
    stream.seek(5)
    assert [len(chunk) for chunk in chunks_of(stream)] == [CHUNK_BYTES, CHUNK_BYTES]


def test_076_a_large_part_passes_in_bounded_pieces():
    size = 8 * 1024 * 1024

    def stream():
        yield b"--b\r\n"
        for _ in range(size // CHUNK_BYTES):
            yield b"-" * CHUNK_BYTES
        yield b"\r\n--b--\r\n"

    part = next(Multipart(stream(), b"b").parts())
    lengths = [len(chunk) for chunk in part]
    assert sum(lengths) == size
    assert max(lengths) <= 2 * CHUNK_BYTES
    assert all(a + b > 0 for a, b in pairwise(lengths))
