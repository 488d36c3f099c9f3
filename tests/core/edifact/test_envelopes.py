"""Counts, references, order and completeness of UNB/UNZ, UNG/UNE and UNH/UNT (ISO 9735 §6.1, annex B)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from edi_gateway.edifact.reader import GroupEnded, GroupStarted, MessageRead, read
from edi_gateway.edifact.verdict import Address, GroupHeader
from tests.core.edifact.provocations import GROUP, MESSAGE, UNG
from tests.core.edifact.readings import BODY, ORDER, UNB, UNH, codes, read_file, read_order

END = "UNZ+1+REF1'"


def test_the_header_of_an_interchange_is_read_element_by_element() -> None:
    unb = "UNB+UNOC:3+S:14:SR+R:ZZ:RR+261122:0915+REF1+PW:AA+EANCOM+A+1+AGREED+1'"
    header = read_file(f"{unb}{MESSAGE}{END}").interchanges[0].started.header
    assert header.sender == Address("S", "14", "SR")
    assert header.recipient == Address("R", "ZZ", "RR")
    assert (header.syntax_identifier, header.syntax_version) == ("UNOC", "3")
    assert (header.date, header.time, header.control_reference) == ("261122", "0915", "REF1")
    assert (header.application_reference, header.priority) == ("EANCOM", "A")
    assert (header.acknowledgement_request, header.agreement) == ("1", "AGREED")
    assert header.is_test


def test_a_message_is_handed_on_with_its_trailer_and_positions() -> None:
    message = read_order(ORDER)
    assert (message.header.reference, message.header.type, message.header.directory) == ("1", "ORDERS", "D.96A")
    assert message.header.association == "EAN008"
    assert [(segment.tag, segment.position) for segment in message.segments] == [
        ("UNH", 1), ("BGM", 2), ("DTM", 3), ("UNT", 4),
    ]  # fmt: skip


def test_a_message_is_handed_on_as_soon_as_its_trailer_is_read() -> None:
    def chunks() -> Iterator[bytes]:
        yield (UNB + MESSAGE).encode()
        raise AssertionError("the reader asked for more before it handed the message on")

    events = read(chunks())
    next(events)
    assert isinstance(next(events), MessageRead)


@pytest.mark.parametrize(
    ("broken", "code", "contrl", "element", "value", "expected"),
    [
        (ORDER.replace("UNT+4", "UNT+9"), "S242", "29", 2, "9", "4"),
        (ORDER.replace("UNT+4+1", "UNT+4+7"), "S243", "28", 3, "7", "1"),
        (ORDER.replace("UNT+4", "UNT+x"), "S242", "29", 2, "x", "4"),
    ],
)
def test_a_wrong_unt_says_what_it_says_and_what_was_found(
    broken: str, code: str, contrl: str, element: int, value: str, expected: str
) -> None:
    message = read_order(broken)
    finding = next(finding for finding in message.findings if finding.code == code)
    assert (finding.segment, finding.position, finding.element) == ("UNT", 4, element)
    assert (finding.contrl, finding.value, finding.expected) == (contrl, value, expected)


@pytest.mark.parametrize(
    ("broken", "code", "contrl", "element", "value", "expected"),
    [
        (ORDER.replace("UNZ+1", "UNZ+3"), "S262", "29", 2, "3", "1"),
        (ORDER.replace("UNZ+1+REF1", "UNZ+1+REF2"), "S263", "28", 3, "REF2", "REF1"),
    ],
)
def test_a_wrong_unz_says_what_it_says_and_what_was_found(
    broken: str, code: str, contrl: str, element: int, value: str, expected: str
) -> None:
    (interchange,) = read_file(broken).interchanges
    assert interchange.ended is not None
    (finding,) = interchange.ended.findings
    assert (finding.code, finding.segment, finding.element) == (code, "UNZ", element)
    assert (finding.contrl, finding.value, finding.expected) == (contrl, value, expected)
    assert interchange.messages[0].findings == []


@pytest.mark.parametrize("count", ["04", "0004"])
def test_leading_zeros_of_a_count_are_no_fault(count: str) -> None:
    assert read_order(ORDER.replace("UNT+4", f"UNT+{count}")).findings == []


def test_a_missing_unt_is_a_fault_of_its_message_only() -> None:
    second = MESSAGE.replace("UNH+1", "UNH+2").replace("+4+1'", "+4+2'")
    (interchange,) = read_file(UNB + UNH + BODY + second + "UNZ+2+REF1'").interchanges
    assert [codes(message.findings) for message in interchange.messages] == [["S241"], []]
    assert interchange.codes == []
    finding = interchange.messages[0].findings[0]
    assert (finding.segment, finding.position, finding.contrl) == ("UNT", 3, "13")


def test_a_missing_unz_is_a_fault_of_the_interchange() -> None:
    (interchange,) = read_file(UNB + MESSAGE).interchanges
    assert interchange.codes == ["S261"]
    assert interchange.messages[0].findings == []


def test_a_message_reference_used_twice_is_a_fault_of_the_second_message() -> None:
    (interchange,) = read_file(UNB + MESSAGE + MESSAGE + "UNZ+2+REF1'").interchanges
    assert [codes(message.findings) for message in interchange.messages] == [[], ["S244"]]
    finding = interchange.messages[1].findings[0]
    assert (finding.contrl, finding.segment, finding.element, finding.value) == ("26", "UNH", 2, "1")


def test_the_same_reference_in_two_interchanges_is_no_fault() -> None:
    assert [codes(i.messages[0].findings) for i in read_file(ORDER + ORDER).interchanges] == [[], []]


def test_groups_are_read_with_their_messages() -> None:
    events = list(read([(UNB + GROUP + END).encode()]))
    started = next(event for event in events if isinstance(event, GroupStarted))
    message = next(event.message for event in events if isinstance(event, MessageRead))
    ended = next(event for event in events if isinstance(event, GroupEnded))
    assert started.group == GroupHeader(
        "ORDERS", Address("A"), Address("B"), "G1", "261122", "0450", "UN", "D", "96A", ""
    )
    assert message.group is started.group is ended.group
    assert ended.findings == ()


def test_unz_counts_groups_where_there_are_groups() -> None:
    second = MESSAGE.replace("UNH+1", "UNH+2").replace("+4+1'", "+4+2'")
    group = f"{UNG}{MESSAGE}{second}UNE+2+G1'"
    assert read_file(UNB + group + END).interchanges[0].codes == []
    assert read_file(UNB + group + "UNZ+2+REF1'").interchanges[0].codes == ["S262"]


@pytest.mark.parametrize(
    ("group", "code", "contrl"),
    [
        (GROUP.replace("UNE+1", "UNE+2"), "S252", "29"),
        (GROUP.replace("UNE+1+G1", "UNE+1+G9"), "S253", "28"),
        (GROUP.replace("UNE+1+G1'", ""), "S251", "13"),
        (UNG + "UNE+0+G1'", "S254", "32"),
    ],
)
def test_faults_of_a_group_are_its_own(group: str, code: str, contrl: str) -> None:
    (interchange,) = read_file(UNB + group + END).interchanges
    (finding,) = interchange.groups[0].findings
    assert (finding.code, finding.contrl) == (code, contrl)
    assert interchange.codes == []
    assert not any(message.findings for message in interchange.messages)


@pytest.mark.parametrize("body", [GROUP + MESSAGE, MESSAGE + GROUP])
def test_groups_and_messages_are_not_mixed(body: str) -> None:
    (interchange,) = read_file(UNB + body + END).interchanges
    assert interchange.codes == ["S265"]
    assert interchange.ended is not None
    assert interchange.ended.findings[0].contrl == "30"


def test_a_group_holds_one_message_type() -> None:
    (interchange,) = read_file(UNB + GROUP.replace("UNH+1+ORDERS", "UNH+1+INVOIC") + END).interchanges
    (finding,) = interchange.groups[0].findings
    assert (finding.code, finding.contrl, finding.is_error) == ("S255", "31", False)


def test_segments_outside_of_messages_are_reported_once_a_run() -> None:
    (interchange,) = read_file(UNB + BODY + MESSAGE + BODY + BODY + END).interchanges
    assert interchange.codes == ["S266", "S266"]
    assert interchange.ended is not None
    assert [finding.segment for finding in interchange.ended.findings] == ["BGM", "BGM"]
    assert interchange.messages[0].findings == []


def test_segments_outside_of_messages_inside_a_group_are_faults_of_the_group() -> None:
    (interchange,) = read_file(UNB + UNG + MESSAGE + BODY + "UNE+1+G1'" + END).interchanges
    assert codes(interchange.groups[0].findings) == ["S266"]


@pytest.mark.parametrize("stray", ["UNT+4+1'", "UNE+1+G1'"])
def test_a_trailer_without_its_header_is_a_stray_segment(stray: str) -> None:
    assert read_file(UNB + MESSAGE + stray + END).interchanges[0].codes == ["S266"]


def test_an_interchange_without_messages_is_empty() -> None:
    (interchange,) = read_file(UNB + "UNZ+0+REF1'").interchanges
    assert interchange.codes == ["S264"]
    assert interchange.ended is not None
    assert interchange.ended.findings[0].contrl == "32"


@pytest.mark.parametrize(
    ("unb", "element", "component", "identifier"),
    [
        ("UNB+UNOC:3++B:14+261122:0450+REF1'", 3, 1, "0004"),
        ("UNB+UNOC:3+A:14++261122:0450+REF1'", 4, 1, "0010"),
        ("UNB+UNOC:3+A:14+B:14+:0450+REF1'", 5, 1, "0017"),
        ("UNB+UNOC+A:14+B:14+261122:0450+REF1'", 2, 2, "0002"),
    ],
)
def test_mandatory_elements_of_unb(unb: str, element: int, component: int, identifier: str) -> None:
    (interchange,) = read_file(unb + MESSAGE + END).interchanges
    assert interchange.ended is not None
    (finding,) = interchange.ended.findings
    assert (finding.code, finding.contrl, finding.is_error) == ("S271", "13", True)
    assert (finding.element, finding.component, finding.expected) == (element, component, identifier)


def test_a_missing_control_reference() -> None:
    (interchange,) = read_file(UNB.replace("REF1", "") + MESSAGE + "UNZ+1+'").interchanges
    assert interchange.codes == ["S271", "S271"]


@pytest.mark.parametrize(("unh", "element"), [("UNH++ORDERS:D:96A:UN'", 2), ("UNH+1'", 3), ("UNH+1+:D:96A:UN'", 3)])
def test_mandatory_elements_of_unh(unh: str, element: int) -> None:
    (interchange,) = read_file(UNB + unh + BODY + "UNT+4+1'" + END).interchanges
    found = [finding for finding in interchange.messages[0].findings if finding.code == "S271"]
    assert [(finding.segment, finding.element) for finding in found] == [("UNH", element)]
