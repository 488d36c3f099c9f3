"""The encoding: what is written is DER, what is read is BER, and every size is bounded (X.690)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from edi_gateway.as2.cms import Malformed, ber, der
from edi_gateway.as2.cms.ber import Element, Source
from tests.core.as2_cms.material import pieces

START, END = der.indefinite, der.END_OF_CONTENTS


def source(data: bytes, size: int = 7) -> Source:
    return Source(pieces(data, size))


def octets(data: bytes, size: int = 7) -> bytes:
    """The content of the OCTET STRING that fills the data, read as a stream."""
    reading = source(der.sequence(data), size)
    reading.enter(der.SEQUENCE, "it")
    found = b"".join(reading.octets("it"))
    reading.leave()
    reading.finish()
    return found


# --- writing -------------------------------------------------------------------------------------


@given(st.integers(-(1 << 160), 1 << 160))
def test_integers_are_written_as_another_implementation_writes_them(value: int) -> None:
    assert der.integer(value) == core.Integer(value).dump()
    assert Element.only(der.integer(value)).integer() == value


@given(st.binary(max_size=300))
def test_octet_strings_are_written_as_another_implementation_writes_them(value: bytes) -> None:
    assert der.octet_string(value) == core.OctetString(value).dump()
    assert Element.only(der.octet_string(value)).octets() == value


@given(st.lists(st.integers(0, 1 << 70), max_size=8), st.integers(0, 2), st.integers(0, 39))
def test_object_identifiers_survive(rest: list[int], first: int, second: int) -> None:
    dotted = ".".join(map(str, (first, second, *rest)))
    assert der.oid(dotted) == core.ObjectIdentifier(dotted).dump()
    assert Element.only(der.oid(dotted)).oid() == dotted


def test_sets_are_sorted() -> None:
    assert der.set_of(b"\x04\x01b", b"\x04\x01a") == b"\x31\x06\x04\x01a\x04\x01b"


@pytest.mark.parametrize("year", [1950, 2026, 2049, 2050, 2105])
def test_times_change_their_form_in_2050(year: int) -> None:
    moment = datetime(year, 2, 28, 23, 59, 58, tzinfo=UTC)
    encoded = der.time(moment)
    assert encoded[0] == (der.UTC_TIME if year < 2050 else der.GENERALIZED_TIME)
    assert Element.only(encoded).time() == moment


@pytest.mark.parametrize(
    ("tag", "text"),
    [(0x17, "2611020930Z"), (0x18, "20261102093000.123Z"), (0x17, "261102093000Z")],
)
def test_times_of_others_are_read(tag: int, text: str) -> None:
    assert Element.only(der.element(tag, text.encode())).time() == datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tag", "text"),
    [(0x17, "261302093000Z"), (0x17, "261102093000+0100"), (0x18, "2026"), (0x17, ""), (0x04, "261102093000Z")],
)
def test_times_that_are_none_are_malformed(tag: int, text: str) -> None:
    with pytest.raises(Malformed):
        Element.only(der.element(tag, text.encode())).time()


# --- elements in memory --------------------------------------------------------------------------


def test_043_constructed_octet_strings_are_put_together() -> None:
    inner = der.element(0x24, der.octet_string(b"cd"), der.octet_string(b"ef"))
    whole = START(0x24) + der.octet_string(b"ab") + inner + der.octet_string(b"") + END
    assert Element.only(whole).octets() == b"abcdef"
    assert octets(whole) == b"abcdef"


def test_lengths_need_not_be_minimal() -> None:
    assert Element.only(b"\x04\x84\x00\x00\x00\x02ab").octets() == b"ab"
    assert octets(b"\x04\x88\x00\x00\x00\x00\x00\x00\x00\x02ab") == b"ab"


def test_an_element_is_brought_to_der() -> None:
    ber_set = START(0x31) + b"\x04\x81\x01b" + START(0x24) + der.octet_string(b"a") + END + END
    assert Element.only(ber_set).to_der() == der.set_of(der.octet_string(b"a"), der.octet_string(b"b"))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "ends inside"),
        (b"\x30", "ends inside"),
        (b"\x30\x03\x02\x01", "claims 3 bytes"),
        (b"\x30\x82\x01", "ends inside a length"),
        (b"\x1f\x81\x00\x00", "tag number above 30"),
        (b"\x04\x80\x00\x00", "indefinite length on a primitive"),
        (b"\x04\x89" + b"\x00" * 9, "more than 8 octets"),
        (b"\x04\xff", "more than 8 octets"),
        (b"\x04\x88" + b"\xff" * 8, "claims"),
        (b"\x30\x80\x02\x01\x01", "ends inside"),
        (b"\x02\x01\x01\x00", "behind the end"),
    ],
)
def test_what_is_not_ber_is_malformed(data: bytes, why: str) -> None:
    with pytest.raises(Malformed) as caught:
        Element.only(data)
    assert why in caught.value.diagnosis


@pytest.mark.parametrize("size", [ber.INTEGER_BYTES_MAX, ber.INTEGER_BYTES_MAX + 1])
def test_integers_are_bounded(size: int) -> None:
    element = Element.only(der.element(der.INTEGER, b"\x01" * size))
    if size > ber.INTEGER_BYTES_MAX:
        with pytest.raises(Malformed):
            element.integer()
    else:
        assert element.integer() > 0


def test_integers_and_identifiers_are_not_empty() -> None:
    for tag, read in ((der.INTEGER, Element.integer), (der.OBJECT_IDENTIFIER, Element.oid)):
        with pytest.raises(Malformed):
            read(Element.only(bytes((tag, 0))))


def test_an_identifier_that_ends_in_an_arc_is_malformed() -> None:
    with pytest.raises(Malformed):
        Element.only(b"\x06\x02\x2a\x86").oid()
    with pytest.raises(Malformed):
        Element.only(der.element(6, b"\x2a" * (ber.OID_BYTES_MAX + 1))).oid()


@pytest.mark.parametrize("depth", [ber.DEPTH_MAX, ber.DEPTH_MAX + 1])
def test_depth_is_bounded_in_memory(depth: int) -> None:
    data = START(0x24) * depth + END * depth
    if depth > ber.DEPTH_MAX:
        with pytest.raises(Malformed):
            Element.only(data)
    else:
        assert Element.only(data).octets() == b""


def test_depth_of_definite_nesting_is_bounded() -> None:
    data = b""
    for _ in range(200):
        data = der.element(0x24, data)
    with pytest.raises(Malformed):
        Element.only(data).octets()
    with pytest.raises(Malformed):
        Element.only(data).to_der()


@pytest.mark.parametrize("count", [ber.ELEMENTS_MAX - 1, ber.ELEMENTS_MAX + 1])
def test_the_number_of_elements_is_bounded(count: int) -> None:
    for data in (der.element(0x30, der.NULL * count), START(0x30) + der.NULL * count + END):
        if count > ber.ELEMENTS_MAX:
            with pytest.raises(Malformed):
                list(Element.only(data).children())
        else:
            assert sum(1 for _ in Element.only(data).children()) == count


def test_fields_are_taken_in_order() -> None:
    fields = Element.only(der.sequence(der.integer(1), der.NULL)).fields()
    assert fields.optional(der.SET) is None
    assert fields.take("number").integer() == 1
    with pytest.raises(Malformed):
        fields.take("set", der.SET)
    with pytest.raises(Malformed):
        fields.end()
    fields.take("null")
    fields.end()
    with pytest.raises(Malformed) as caught:
        fields.take("more")
    assert caught.value.diagnosis.startswith("more is missing")


def test_a_tag_holds_exactly_one_element() -> None:
    with pytest.raises(Malformed):
        Element.only(der.element(0xA0, der.NULL, der.NULL)).only_child()
    with pytest.raises(Malformed):
        Element.only(b"\xa0\x00").only_child()


def test_bit_strings_are_of_whole_bytes() -> None:
    assert Element.only(der.bit_string(b"ab")).bits() == b"ab"
    for content in (b"", b"\x03\x08"):
        with pytest.raises(Malformed):
            Element.only(der.element(3, content)).bits()


# --- streams -------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=80), max_size=20), st.integers(1, 200), st.booleans())
def test_043_a_stream_gives_the_same_content_however_it_is_cut(parts: list[bytes], size: int, definite: bool) -> None:
    segments = b"".join(map(der.octet_string, parts))
    whole = der.element(0x24, segments) if definite else START(0x24) + segments + END
    assert octets(whole, size) == b"".join(parts)


def test_large_segments_pass_through_in_pieces() -> None:
    content = bytes(range(256)) * 4096
    whole = START(0x24) + der.octet_string(content) + der.octet_string(b"end") + END
    reading = Source([der.header(der.SEQUENCE, len(whole)), whole])
    reading.enter(der.SEQUENCE, "it")
    found = list(reading.octets("it"))
    assert b"".join(found) == content + b"end"
    assert max(map(len, found)) <= ber.PIECE_BYTES_MAX


def test_a_segment_of_another_type_is_malformed() -> None:
    for wrong in (der.NULL, der.sequence(), der.element(0x26, b"")):
        with pytest.raises(Malformed):
            octets(START(0x24) + der.octet_string(b"a") + wrong + END)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_child_may_not_be_longer_than_its_parent(size: int) -> None:
    reading = source(b"\x30\x04\x30\x05\x02\x01\x01\x02\x01\x01", size)
    reading.enter(der.SEQUENCE, "outer")
    with pytest.raises(Malformed) as caught:
        reading.enter(der.SEQUENCE, "inner")
    assert caught.value.offset == 2


def test_segments_may_not_pass_the_end_of_their_container() -> None:
    with pytest.raises(Malformed):
        octets(b"\x24\x05\x04\x01a\x04\x01" + b"b" * 10, 100)


def test_unexpected_fields_are_found_on_leaving() -> None:
    for data in (der.sequence(der.NULL), START(0x30) + der.NULL + END):
        reading = source(data)
        reading.enter(der.SEQUENCE, "it")
        with pytest.raises(Malformed):
            reading.leave()


@pytest.mark.parametrize("spaces", [0, ber.TRAILING_BYTES_MAX - 1, ber.TRAILING_BYTES_MAX])
def test_white_space_may_follow_and_nothing_else(spaces: int) -> None:
    reading = source(der.NULL + (b"\r\n \t" * spaces)[:spaces])
    reading.element("null")
    if spaces < ber.TRAILING_BYTES_MAX:
        reading.finish()
    else:
        with pytest.raises(Malformed):
            reading.finish()
    for behind in (b"\r\nx", b"\x00"):
        reading = source(der.NULL + behind)
        reading.element("null")
        with pytest.raises(Malformed):
            reading.finish()


def test_structures_held_in_memory_are_bounded() -> None:
    for data in (der.octet_string(b"x" * 100), START(0x24) + der.octet_string(b"x" * 100) + END):
        assert source(data).element("it", bytes_max=len(data)).octets() == b"x" * 100
        with pytest.raises(Malformed):
            source(data).element("it", bytes_max=99)


def test_depth_is_bounded_in_streams() -> None:
    with pytest.raises(Malformed):
        octets(START(0x24) * 100_000, 4096)
    with pytest.raises(Malformed):
        source(START(0x30) * 100_000, 4096).element("it")


def test_a_claimed_length_is_not_allocated() -> None:
    def endless() -> Iterator[bytes]:
        yield b"\x30\x88\x7f" + b"\xff" * 7 + b"\x04\x88\x70" + b"\x00" * 7 + b"abc"

    reading = Source(endless())
    reading.enter(der.SEQUENCE, "it")
    content = reading.octets("it")
    assert bytes(next(content)) == b"abc"
    with pytest.raises(Malformed):
        next(content)
    with pytest.raises(Malformed):
        source(b"\x30\x88" + b"\x7f" * 8).element("it")


def test_very_many_empty_segments_take_no_memory() -> None:
    reading = Source([b"\x30\x80\x24\x80", *([b"\x04\x00" * 50_000] * 4), b"\x00\x00\x00\x00"])
    reading.enter(der.SEQUENCE, "it")
    assert sum(map(len, reading.octets("it"))) == 0
    reading.leave()
