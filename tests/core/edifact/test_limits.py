"""Whatever arrives, without end too, is read to a bound, which a finding names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.edifact.limits import ReaderLimits
from edi_gateway.edifact.reader import read
from tests.core.edifact.readings import BODY, ORDER, UNB, UNH, codes, feed_in_pieces, gather, order, read_file, shown

MESSAGE = f"{UNH}{BODY}UNT+4+1'"
LIMITS = ReaderLimits(
    segment_bytes_max=200,
    message_segments_max=20,
    message_bytes_max=2_000,
    barren_bytes_max=100_000,
    barren_segments_max=100_000,
)

ENDLESS = {
    "blanks before": ("", "\r\n"),
    "zeros": ("", "\0"),
    "junk before": ("", "ab"),
    "blanks after": (ORDER, "\n"),
    "zeros after": (ORDER, "\0"),
    "junk after": (ORDER, "UNB?"),
    "blanks in a message": (UNB + UNH, " "),
    "empty segments": (UNB + UNH, "'"),
    "a segment": (UNB + UNH, "FTX+?'"),
    "segments of a message": (UNB + UNH, "FTX+AAI'"),
    "segments in no message": (UNB, "FTX+AAI'"),
    "UNT again and again": (UNB, "UNT+1+1'"),
    "messages": (UNB, MESSAGE),
    "messages without an end": (UNB, "UNH+1+ORDERS:D:96A:UN'"),
    "groups": (UNB, "UNG+ORDERS+A+B+261122:0450+1+UN+D:96A'"),
    "interchanges": ("", ORDER),
    "interchanges without an end": ("", UNB),
    "UNA": ("", "UNA:+.? '"),
}


def endless(head: str, rest: str) -> Iterator[bytes]:
    yield head.encode("latin-1")
    piece = rest.encode("latin-1") * (64 * 1024 // len(rest))
    for _ in range(1_000):
        yield piece
    pytest.fail("it is read without end")


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_file_without_end_is_read_to_a_bound_and_a_finding_says_so(kind: str) -> None:
    limits = ReaderLimits(
        message_bytes_max=200_000,
        interchange_messages_max=1_000,
        file_interchanges_max=1_000,
        barren_bytes_max=200_000,
        barren_segments_max=10_000,
    )
    file = gather(read(endless(*ENDLESS[kind]), limits))
    told = set(file.codes).union(*(interchange.codes for interchange in file.interchanges))
    assert told & {"S202", "S208", "S209", "S270"}


@pytest.mark.parametrize(("name", "count"), [("messages", 3), ("messages", 4)])
def test_the_number_of_messages_from_both_sides(name: str, count: int) -> None:
    file = read_file(UNB + MESSAGE * count + f"UNZ+{count}+REF1'", ReaderLimits(interchange_messages_max=3))
    assert ("S270" in file.interchanges[0].codes) == (count > 3)


@pytest.mark.parametrize("count", [3, 4])
def test_the_number_of_interchanges_from_both_sides(count: int) -> None:
    file = read_file(ORDER * count, ReaderLimits(file_interchanges_max=3))
    assert len(file.interchanges) == 3
    assert file.codes == (["S209"] if count > 3 else [])


@pytest.mark.parametrize("surplus", [0, 1])
@pytest.mark.parametrize(
    ("before", "filler", "after"),
    [
        ("", " ", ORDER),
        (ORDER, "x", ORDER),
        (UNB + UNH, "\n", BODY + "UNT+4+1'UNZ+1+REF1'"),
        (UNB + UNH + BODY, "'", "UNT+4+1'UNZ+1+REF1'"),
        (UNB + UNH + "FTX+" + "x" * 196, "x", "'UNT+3+1'UNZ+1+REF1'"),
    ],
)
def test_the_bound_of_what_holds_nothing_from_both_sides(before: str, filler: str, after: str, surplus: int) -> None:
    text = before + filler * (LIMITS.barren_bytes_max + surplus) + after
    assert ("S208" in read_file(text, LIMITS).codes) == bool(surplus)


def test_a_message_of_too_many_bytes_keeps_those_within_the_limit_and_its_neighbours() -> None:
    text = UNB + UNH + "FTX+AAI+++xxxxxxxxx'" * 12 + "UNT+14+1'" + MESSAGE.replace("+1", "+2") + "UNZ+2+REF1'"
    (interchange,) = read_file(text, ReaderLimits(message_bytes_max=100)).interchanges
    assert [codes(message.findings) for message in interchange.messages] == [["S239"], []]
    assert [segment.position for segment in interchange.messages[0].segments] == [1, 2, 3, 4, 14]


@settings(deadline=None, max_examples=12)
@given(st.sampled_from(sorted(ENDLESS)), st.data())
def test_where_a_file_is_cut_does_not_move_the_bound(kind: str, draw: st.DataObject) -> None:
    head, rest = ENDLESS[kind]
    length = draw.draw(st.integers(LIMITS.barren_bytes_max - 20, LIMITS.barren_bytes_max + 2_100))
    data = (head + (rest * (length // len(rest) + 1))[:length] + order()).encode("latin-1")
    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=20))
    assert shown(feed_in_pieces(data, cuts, LIMITS)) == shown(feed_in_pieces(data, [], LIMITS))
