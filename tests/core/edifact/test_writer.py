"""Writing canonically: what is left out, what is released, what is refused (ISO 9735 §5, §7)."""

from __future__ import annotations

import pytest

from edi_gateway.edifact.characters import CharacterRefused
from edi_gateway.edifact.reader import read
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.edifact.verdict import Address, GroupHeader, InterchangeHeader, MessageHeader
from edi_gateway.edifact.writer import ServiceCharacterRefused, rewrite, write_interchange, write_segment
from tests.core.edifact.provocations import GROUP
from tests.core.edifact.readings import ORDER, UNB, order, read_file

HEADER = InterchangeHeader("UNOC", "3", Address("S", "14"), Address("R", "14"), "261122", "0915", "REF1")
ORDERS = MessageHeader("1", "ORDERS", "D", "96A", "UN", "EAN008")
BGM = Segment("BGM", [["BGM"], ["220"], ["PO1"], ["9"]])


def with_text(text: str) -> Segment:
    return Segment("FTX", [["FTX"], ["AAI"], [], [], [text]])


def test_an_interchange_is_written_with_its_trailers_counted() -> None:
    assert write_interchange(HEADER, [(ORDERS, [BGM])]) == (
        b"UNA:+.? 'UNB+UNOC:3+S:14+R:14+261122:0915+REF1'UNH+1+ORDERS:D:96A:UN:EAN008'BGM+220+PO1+9'UNT+3+1'UNZ+1+REF1'"
    )


def test_una_may_be_left_out() -> None:
    assert write_interchange(HEADER, [(ORDERS, [BGM])], una=False).startswith(b"UNB+UNOC:3+")


def test_a_group_is_written_around_the_messages_and_counted() -> None:
    group = GroupHeader("ORDERS", Address("A"), Address("B"), "G1", "261122", "0450", "UN", "D", "96A")
    written = write_interchange(HEADER, [(ORDERS, [BGM]), (MessageHeader("2", "ORDERS", "D", "96A"), [])], group=group)
    assert b"'UNG+ORDERS+A+B+261122:0450+G1+UN+D:96A'UNH" in written
    assert written.endswith(b"UNT+2+2'UNE+2+G1'UNZ+1+REF1'")
    (interchange,) = read_file(written).interchanges
    assert interchange.codes == []
    assert interchange.groups[0].findings == ()


@pytest.mark.parametrize(
    ("segment", "written"),
    [
        (Segment("BGM", [["BGM"], ["220", "", ""], [""], ["9"], [""], ["", ""]]), "BGM+220++9'"),
        (Segment("BGM", [["BGM"], ["", "", "x", ""]]), "BGM+::x'"),
        (Segment("UNS", [["UNS"]]), "UNS'"),
        (Segment("UNS", [["UNS"], [], [""]]), "UNS'"),
        (Segment("ABC", [["ABC", "1", "2"], ["x"]]), "ABC:1:2+x'"),
    ],
)
def test_empty_elements_and_components_at_an_end_are_left_out(segment: Segment, written: str) -> None:
    assert write_segment(segment) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [("?", "??"), ("+", "?+"), (":", "?:"), ("'", "?'"), ("*", "*"), (",.", ",."), ("?+:'", "???+?:?'")],
)
def test_only_the_service_characters_in_force_are_released(text: str, written: str) -> None:
    """The decimal mark and an unused repetition separator are data: releasing them breaks readers."""
    assert write_segment(with_text(text)) == f"FTX+AAI+++{written}'"


def test_the_repetition_separator_is_released_where_it_is_in_force() -> None:
    service = Separators(repetition="*")
    segment = Segment("RFF", [["RFF"], ["ON", "5*5"]], repeats={1: [["CT", "2"], [""]]})
    assert write_segment(segment, service) == "RFF+ON:5?*5*CT:2'"


def test_a_repeated_element_needs_a_repetition_separator() -> None:
    with pytest.raises(ServiceCharacterRefused, match="RFF, element 2"):
        write_segment(Segment("RFF", [["RFF"], ["ON", "1"]], repeats={1: [["CT", "2"]]}))


def test_a_service_character_in_data_needs_a_release_character() -> None:
    service = Separators(release="")
    assert write_segment(with_text("a?b"), service) == "FTX+AAI+++a?b'"
    with pytest.raises(ServiceCharacterRefused, match=r"FTX, element 5: 'a\+b'"):
        write_segment(with_text("a+b"), service)


@pytest.mark.parametrize(
    ("identifier", "text", "character"),
    [
        ("UNOC", "12 €", "€"),
        ("UNOC", "Œuvre", "Œ"),
        ("UNOA", "lower", "l"),
        ("UNOB", "é", "é"),
        ("UNOB", "a_b", "_"),
        ("UNOC", "two\nlines", "\n"),
        ("UNOY", "nul\x00", "\x00"),
    ],
)
def test_a_character_outside_the_declared_set_is_refused_with_its_place(
    identifier: str, text: str, character: str
) -> None:
    header = InterchangeHeader(identifier, "3", Address("S"), Address("R"), "261122", "0915", "REF1")
    with pytest.raises(CharacterRefused) as refused:
        write_interchange(header, [(ORDERS, [with_text(text)])])
    error = refused.value
    assert (error.segment, error.element, error.value) == ("FTX", 5, text)
    assert (error.character, error.syntax_identifier) == (character, identifier)


@pytest.mark.parametrize(
    ("identifier", "text"),
    [("UNOA", "A-B (1), 2=3"), ("UNOB", "a-b"), ("UNOC", "Étage n° 3"), ("UNOL", "12 €"), ("UNOY", "漢字")],
)
def test_a_text_in_the_declared_set_is_written_and_read(identifier: str, text: str) -> None:
    header = InterchangeHeader(identifier, "3", Address("S"), Address("R"), "261122", "0915", "REF1")
    (interchange,) = read_file(write_interchange(header, [(ORDERS, [with_text(text)])])).interchanges
    assert interchange.messages[0].segments[1].get(4) == text
    assert interchange.messages[0].findings == []


@pytest.mark.parametrize(
    "canonical",
    [
        ORDER,
        order(una="UNA:+.? '"),
        order(una="UNA:+,? '"),
        order(una="UNA:+.?*'"),
        UNB + GROUP + "UNZ+1+REF1'",
        order("ZZZ+unknown:segments+survive'"),
        order("FTX+AAI+++L?'été ?+ ?: ??'", segments=3),
        order(una="UNA:+.? '") + order(una="UNA:+.? '"),
        order(unb="UNB+UNOC:4+A:14:r:s+B:14+20261122:0450+REF1+pw:AA'", una="UNA:+.?*'"),
        order("RFF+ON:1*CT:2'", unb="UNB+UNOC:4+A+B+20261122:0450+REF1'"),
    ],
)
def test_canonical_input_is_written_again_byte_for_byte(canonical: str) -> None:
    data = canonical.encode("latin-1")
    assert b"".join(rewrite(read([data]))) == data


def test_what_is_not_canonical_is_written_so() -> None:
    data = order("BGM+220::+PO1+++'\r\n").encode()
    assert b"".join(rewrite(read([data]))) == order("BGM+220+PO1'").encode()


def test_messages_without_an_interchange_stay_so() -> None:
    bare = order(una="UNA:+.? '").replace(UNB, "").replace("UNZ+1+REF1'", "").encode()
    assert b"".join(rewrite(read([bare]))) == bare


def test_text_under_a_wrong_declaration_is_refused_when_it_is_written_again() -> None:
    with pytest.raises(CharacterRefused):
        list(rewrite(read([ORDER.replace("PO1", "漢字 が").encode()])))
