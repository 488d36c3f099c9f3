"""pydifact beside us: it must read of well-formed input what we read, and our converters must lose nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from pydifact.segmentcollection import Interchange as PydifactInterchange
from pydifact.segmentcollection import RawSegmentCollection

from edi_gateway.edifact import pydifact as converters
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.edifact.verdict import InterchangeHeader, MessageHeader
from edi_gateway.edifact.writer import write_interchange, write_segment
from tests.core.edifact.provocations import GROUP
from tests.core.edifact.readings import ORDER, UNB, order, read_file
from tests.core.edifact.strategies import bodies, headers

pytestmark = [
    pytest.mark.interop,
    # pydifact warns of segments that its tables lack, and of segments without elements.
    pytest.mark.filterwarnings("ignore::pydifact.exceptions.MissingImplementationWarning"),
    pytest.mark.filterwarnings("ignore::SyntaxWarning"),
]

SAMPLES = Path(__file__).parents[2] / "samples"

Messages = list[tuple[MessageHeader, list[Segment]]]

# pydifact skips a blank at the beginning of a segment's first element and takes line ends away; it knows these
# separators in any role, but not a tag behind a released terminator. What is drawn stays within what it can read.
some = settings(deadline=None, max_examples=60)


def elements_of(segments: list[Segment]) -> list[list[list[str]]]:
    return [segment.elements for segment in segments]


@some
@given(headers(), bodies())
def test_both_read_the_same_of_a_well_formed_interchange(header: InterchangeHeader, messages: Messages) -> None:
    data = write_interchange(header, messages)
    theirs = converters.from_segments(PydifactInterchange.from_str(data.decode("latin-1")).segments)
    ours = [segment for message in read_file(data).interchanges[0].messages for segment in message.segments]
    assert elements_of(theirs) == elements_of(ours)


@some
@given(headers(), bodies())
def test_what_pydifact_writes_we_read_as_it_was(header: InterchangeHeader, messages: Messages) -> None:
    (read,) = read_file(write_interchange(header, messages)).interchanges
    theirs = converters.to_interchange(header, read.messages, una=True)
    (again,) = read_file(theirs.serialize().encode("latin-1")).interchanges
    assert again.codes == []
    assert again.started.header == header
    assert [message.segments for message in again.messages] == [message.segments for message in read.messages]


@some
@given(headers(), bodies())
def test_there_and_back_loses_nothing(header: InterchangeHeader, messages: Messages) -> None:
    (read,) = read_file(write_interchange(header, messages)).interchanges
    theirs = converters.to_interchange(header, read.messages, read.started.separators)
    back_header, separators, back = converters.from_interchange(theirs)
    assert back_header == header
    assert separators == read.started.separators
    assert [message.segments for message in back] == [message.segments for message in read.messages]
    assert [segment.position for segment in back[0].segments] == [
        segment.position for segment in read.messages[0].segments
    ]


def test_a_message_keeps_the_rest_of_its_header() -> None:
    text = ORDER.replace("EAN008'", "EAN008+ACCESS'")
    (message,) = read_file(text).interchanges[0].messages
    theirs = converters.to_message(message)
    assert (theirs.type, theirs.version, theirs.reference_number) == ("ORDERS", "D.96A", "1")
    assert converters.from_message(theirs).segments == message.segments


def test_other_separators_are_carried_over() -> None:
    una = "UNA*@,# !"
    text = una + ORDER.replace("+", "@").replace(":", "*").replace("'", "!")
    theirs = PydifactInterchange.from_str(text)
    header, separators, (message,) = converters.from_interchange(theirs)
    assert separators == Separators("*", "@", ",", "#", "", "!")
    assert header.control_reference == "REF1"
    assert message.segments == read_file(text).interchanges[0].messages[0].segments


def test_any_run_of_segments() -> None:
    theirs = RawSegmentCollection.from_str("LIN+1++123:EN'QTY+21:3'")
    assert [write_segment(segment) for segment in converters.from_segments(theirs.segments)] == [
        "LIN+1++123:EN'",
        "QTY+21:3'",
    ]


def test_what_pydifact_cannot_hold_is_refused() -> None:
    with pytest.raises(converters.NotInPydifact, match="repeated"):
        converters.to_segment(Segment("RFF", [["RFF"], ["ON"]], repeats={1: [["CT"]]}))
    with pytest.raises(converters.NotInPydifact, match="nesting"):
        converters.to_segment(Segment("RFF", [["RFF", "1"], ["ON"]]))
    (grouped,) = read_file(UNB + GROUP + "UNZ+1+REF1'").interchanges
    with pytest.raises(converters.NotInPydifact, match="groups"):
        converters.to_interchange(grouped.started.header, grouped.messages)


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("BGM+220+?'?+?:??'", [["BGM"], ["220"], ["'+:?"]]),
        ("BGM+220++9'", [["BGM"], ["220"], [""], ["9"]]),
        ("NAD+BY+1::9'", [["NAD"], ["BY"], ["1", "", "9"]]),
        ("FTX+AAI+++a:b:c'", [["FTX"], ["AAI"], [""], [""], ["a", "b", "c"]]),
    ],
)
def test_both_split_alike(text: str, elements: list[list[str]]) -> None:
    """Pairs of the kind that pydifact's own tests have."""
    ours = read_file(order(text, segments=3)).interchanges[0].messages[0].segments[1]
    (theirs,) = converters.from_segments(RawSegmentCollection.from_str(text).segments)
    assert ours.elements == theirs.elements == elements


def well_formed_samples() -> list[Path]:
    """Our samples with right envelopes; not those in syntax 4, whose repetitions pydifact lacks."""
    found = []
    for path in sorted(SAMPLES.glob("*.edi")):
        file = read_file(path.read_bytes())
        interchanges = file.interchanges
        clean = not file.findings and not any(interchange.codes or interchange.groups for interchange in interchanges)
        if clean and len(interchanges) == 1 and interchanges[0].started.header.syntax_version != "4":
            found.append(path)
    return found


@pytest.mark.parametrize("path", well_formed_samples(), ids=lambda path: path.stem)
def test_both_read_our_samples_alike(path: Path) -> None:
    data = path.read_bytes()
    (read,) = read_file(data).interchanges
    ours = [write_segment(segment) for message in read.messages for segment in message.segments]
    theirs = converters.from_segments(PydifactInterchange.from_str(data.decode("latin-1")).segments)
    assert [write_segment(segment) for segment in theirs] == ours
