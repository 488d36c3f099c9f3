"""What holds for any interchange, and for any bytes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.edifact.reader import MessageRead, ReaderLimits, read
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.edifact.separators import una
from edi_gateway.edifact.tokens import split
from edi_gateway.edifact.verdict import InterchangeHeader, Message, MessageHeader
from edi_gateway.edifact.writer import rewrite, write_interchange, write_segment
from tests.core.edifact.readings import feed_in_pieces, gather, read_file, shown, shown_segment
from tests.core.edifact.strategies import bodies, headers, plain_texts, rubble, segments, separators

Messages = list[tuple[MessageHeader, list[Segment]]]

some = settings(deadline=None, max_examples=80)
many = settings(deadline=None, max_examples=200)


@many
@given(rubble)
def test_any_bytes_are_read_without_an_error_and_to_an_end(data: bytes) -> None:
    file = gather(read([data]))
    assert all(interchange.ended is not None for interchange in file.interchanges)
    assert file.interchanges or file.findings


@many
@given(rubble, st.data())
def test_any_split_of_any_bytes_gives_the_same(data: bytes, draw: st.DataObject) -> None:
    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=6))
    assert shown(feed_in_pieces(data, cuts)) == shown(feed_in_pieces(data, []))


@some
@given(rubble)
def test_byte_by_byte_gives_the_same(data: bytes) -> None:
    assert shown(feed_in_pieces(data, range(len(data)))) == shown(feed_in_pieces(data, []))


@some
@given(rubble, st.integers(1, 60), st.data())
def test_small_limits_change_nothing_about_splits(data: bytes, longest: int, draw: st.DataObject) -> None:
    limits = ReaderLimits(segment_bytes_max=longest, message_segments_max=5)
    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=6))
    assert shown(feed_in_pieces(data, cuts, limits)) == shown(feed_in_pieces(data, [], limits))


@some
@given(st.lists(st.one_of(rubble, st.just(b"A" * 70 + b"\n")), max_size=8).map(b"".join), st.data())
def test_long_and_wrapped_rubble_is_split_at_will(data: bytes, draw: st.DataObject) -> None:
    data = b"UNB+UNOC:3+A+B+261122:0450+R'UNH+1+ORDERS:D:96A:UN'" + data * 30
    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=6))
    assert shown(feed_in_pieces(data, cuts)) == shown(feed_in_pieces(data, []))


@some
@given(headers(), bodies(), separators())
def test_what_was_written_is_read(header: InterchangeHeader, messages: Messages, service: Separators) -> None:
    (interchange,) = read_file(write_interchange(header, messages, service)).interchanges
    assert interchange.codes == []
    assert interchange.started.header == header
    assert interchange.started.separators == service
    assert [(message.header, message.segments[1:-1]) for message in interchange.messages] == messages
    assert not any(message.findings for message in interchange.messages)


@some
@given(headers("4"), bodies(version="4"), separators(version="4"))
def test_repetitions_of_syntax_4_are_read_too(
    header: InterchangeHeader, messages: Messages, service: Separators
) -> None:
    (interchange,) = read_file(write_interchange(header, messages, service)).interchanges
    assert [(message.header, message.segments[1:-1]) for message in interchange.messages] == messages


@some
@given(headers(), bodies(), separators())
def test_writing_what_was_read_gives_the_same_bytes(
    header: InterchangeHeader, messages: Messages, service: Separators
) -> None:
    data = write_interchange(header, messages, service)
    assert b"".join(rewrite(read([data]))) == data


@some
@given(headers("4"), bodies(version="4"), separators(version="4"))
def test_writing_what_was_read_gives_the_same_bytes_in_syntax_4(
    header: InterchangeHeader, messages: Messages, service: Separators
) -> None:
    data = write_interchange(header, messages, service)
    assert b"".join(rewrite(read([data]))) == data


@some
@given(headers(), bodies(), st.sampled_from([b"\r\n", b"\n", b"\r"]))
def test_line_ends_between_segments_change_nothing(
    header: InterchangeHeader, messages: Messages, line_end: bytes
) -> None:
    flat = write_interchange(header, messages)
    service = Separators()
    lines = [write_segment(segment, service).encode("latin-1") for segment in _all_segments(flat)]
    data = una(service).encode() + b"".join(line + line_end for line in lines)
    read_back = read_file(data).interchanges[0]
    assert [message.segments for message in read_back.messages] == [
        message.segments for message in read_file(flat).interchanges[0].messages
    ]
    assert not any(message.findings for message in read_back.messages)


@some
@given(headers(), bodies(), separators())
def test_offsets_name_the_bytes_of_each_segment(
    header: InterchangeHeader, messages: Messages, service: Separators
) -> None:
    data = write_interchange(header, messages, service)
    place = len(una(service))
    for segment in _all_segments(data):
        assert segment.offset == place
        end = place + len(segment.raw)
        assert data[place:end].decode("latin-1") == segment.raw
        assert split(segment.raw, service).elements == segment.elements
        place = end + 1
    assert place == len(data)


@some
@given(headers(), bodies(), separators(), separators())
def test_other_service_characters_change_nothing_in_the_result(
    header: InterchangeHeader, messages: Messages, one: Separators, other: Separators
) -> None:
    results = [
        [segment.elements for segment in _all_segments(write_interchange(header, messages, service))]
        for service in (one, other)
    ]
    assert results[0] == results[1]


@some
@given(st.lists(st.tuples(headers(), bodies(), separators()), min_size=1, max_size=3))
def test_interchanges_joined_give_what_each_gives_apart(
    several: list[tuple[InterchangeHeader, Messages, Separators]],
) -> None:
    files = [write_interchange(*each) for each in several]
    joined = read_file(b"".join(files)).interchanges
    apart = [read_file(data).interchanges[0] for data in files]
    assert [interchange.started.header for interchange in joined] == [header for header, _, _ in several]
    assert [[message.segments for message in interchange.messages] for interchange in joined] == [
        [message.segments for message in interchange.messages] for interchange in apart
    ]


@some
@given(headers(), bodies(), st.data())
def test_damage_to_one_message_touches_no_other(
    header: InterchangeHeader, messages: Messages, draw: st.DataObject
) -> None:
    data = write_interchange(header, messages)
    before = [event.message for event in read([data]) if isinstance(event, MessageRead)]
    victim = draw.draw(st.sampled_from(before))
    unt = victim.segments[-1]
    damaged = data[: unt.offset + 4] + b"9" + data[unt.offset + 4 :]  # UNT+3 becomes UNT+93
    after = [event.message for event in read([damaged]) if isinstance(event, MessageRead)]
    for one, other in zip(before, after, strict=True):
        assert [finding.code for finding in other.findings] == (["S242"] if one is victim else [])


@many
@given(plain_texts, separators())
def test_any_text_survives_writing_and_reading(text: str, service: Separators) -> None:
    segment = Segment("FTX", [["FTX"], ["AAI"], [text]])
    written = write_segment(segment, service)
    assert split(written[:-1], service).elements == segment.elements


@many
@given(segments())
def test_trailing_empties_mean_nothing(segment: Segment) -> None:
    longer = Segment(segment.tag, [*segment.elements[:-1], [*segment.elements[-1], "", ""], [""], ["", ""]])
    assert write_segment(longer) == write_segment(segment)


def _all_segments(data: bytes) -> list[Segment]:
    """Service segments too."""
    (interchange,) = read_file(data).interchanges
    assert interchange.ended is not None
    assert interchange.ended.segment is not None
    inside = [segment for message in interchange.messages for segment in message.segments]
    return [interchange.started.segment, *inside, interchange.ended.segment]


def test_a_segment_equals_what_its_text_splits_to() -> None:
    (first, *_) = _all_segments(b"UNB+UNOC:3+A+B+261122:0450+R'UNH+1+ORDERS:D:96A:UN'BGM+220'UNT+3+1'UNZ+1+R'")
    assert shown_segment(first)[1] == "UNB+UNOC:3+A+B+261122:0450+R"


@some
@given(rubble)
def test_elements_and_components_are_those_of_the_segments(data: bytes) -> None:
    def messages() -> list[Message]:
        return [event.message for event in read([data]) if isinstance(event, MessageRead)]

    for whole, once, split_up in zip(messages(), messages(), messages(), strict=True):
        segments = [(segment.offset, segment.elements) for segment in whole.segments]
        assert whole.count == once.count == len(segments)
        assert list(split_up.components()) == segments
        separator = next((s.separators.component for s in whole.segments if s.separators), ":")
        elements = [
            (offset, [part.split(separator) if isinstance(part, str) else part for part in parts])
            for offset, parts in once.elements()
        ]
        assert elements == segments
