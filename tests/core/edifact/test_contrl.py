"""CONTRL out and in: the right code at the right level, in the sender's version, and never for a CONTRL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edi_gateway.edifact import contrl, rules
from edi_gateway.edifact.contrl import Action, ContrlUnreadable, ReportedError
from edi_gateway.edifact.findings import Finding, Level, Rule, Severity
from edi_gateway.edifact.reader import GroupEnded, InterchangeEnded, InterchangeStarted, MessageRead, read
from edi_gateway.edifact.segment import Segment
from edi_gateway.edifact.verdict import (
    Address,
    GroupVerdict,
    InterchangeVerdict,
    Message,
    MessageHeader,
    MessageVerdict,
)
from edi_gateway.edifact.writer import write_interchange, write_segment
from edi_gateway.messages.judge import judge
from tests.core.edifact.provocations import GROUP, MESSAGE, PROVOCATIONS, UNG
from tests.core.edifact.readings import BODY, UNB, UNH, read_file

SECOND = MESSAGE.replace("UNH+1", "UNH+2").replace("+4+1'", "+4+2'")
UNZ = "UNZ+1+REF1'"


def verdict_of(text: str) -> InterchangeVerdict:
    """What the envelopes alone say of an interchange."""
    started, verdict = None, None
    messages: list[MessageVerdict] = []
    groups: list[GroupVerdict] = []
    for event in read([text.encode("latin-1")]):
        match event:
            case InterchangeStarted():
                started = event
            case MessageRead(message):
                messages.append(MessageVerdict(message, message.findings))
            case GroupEnded(group, findings, _):
                groups.append(GroupVerdict(group, list(findings)))
            case InterchangeEnded(findings, _):
                assert started is not None
                verdict = InterchangeVerdict(started.header, started.separators, messages, list(findings), groups)
    assert verdict is not None
    return verdict


def written(segments: list[Segment]) -> str:
    return "".join(write_segment(segment) for segment in segments)


def with_findings(*findings: Finding) -> InterchangeVerdict:
    """A clean interchange of two messages, the first of which was found to have these faults."""
    verdict = verdict_of(UNB + MESSAGE + SECOND + "UNZ+2+REF1'")
    verdict.messages[0].findings.extend(findings)
    return verdict


def fault(code: str | None, severity: Severity = Severity.ERROR, level: Level = Level.STRUCTURE) -> Rule:
    return Rule("D999", level, severity, "text", "texte", "hint", "conseil", code)


UCI_7 = "UCI+REF1+3012345000004:14+3098765000001:14+7'"
UCM_1 = "UCM+1+ORDERS:D:96A:UN:EAN008+4"


# What is answered


def test_a_clean_interchange_is_acknowledged_in_one_segment() -> None:
    assert written(contrl.answer(verdict_of(UNB + MESSAGE + UNZ))) == UCI_7


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (UNB + MESSAGE + "UNZ+2+REF1'", "29+UNZ+2"),
        (UNB + MESSAGE + "UNZ+1+OTHER'", "28+UNZ+3"),
        (UNB + MESSAGE, "13+UNZ"),
        (UNB.replace("UNOC", "UNOZ") + MESSAGE + UNZ, "2+UNB+2"),
        (UNB.replace("UNOC:3", "UNOC:9") + MESSAGE + UNZ, "2+UNB+2"),
        (UNB + "UNZ+0+REF1'", "32+UNB"),
        (UNB + MESSAGE + BODY + UNZ, "33"),
        (UNB + GROUP + SECOND + UNZ, "30+UNH"),
        (UNB.replace(":0450", ":") + MESSAGE + UNZ, "13+UNB+5:2"),
    ],
)
def test_faults_of_the_interchange_reject_all_of_it(broken: str, error: str) -> None:
    """CONTRL D:3, UCI: 0083 = 4, one error, its segment and its place; nothing else."""
    assert written(contrl.answer(verdict_of(broken))) == UCI_7.replace("+7'", f"+4+{error}'")


def test_separators_that_cannot_work_reject_the_interchange() -> None:
    answer = written(contrl.answer(verdict_of("UNA++.? '" + UNB + MESSAGE + UNZ)))
    assert answer == UCI_7.replace("+7'", "+4+22+UNA'")


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (MESSAGE.replace("UNT+4", "UNT+5"), "+29+UNT+2"),
        (MESSAGE.replace("UNT+4+1", "UNT+4+7"), "+28+UNT+3"),
        (UNH + BODY, "+13+UNT"),
    ],
)
def test_faults_of_a_message_envelope_reject_the_message(broken: str, error: str) -> None:
    answer = written(contrl.answer(verdict_of(UNB + broken + SECOND + "UNZ+2+REF1'")))
    assert answer == f"{UCI_7}{UCM_1}{error}'"


def test_a_repeated_message_reference_rejects_the_second_message() -> None:
    answer = written(contrl.answer(verdict_of(UNB + MESSAGE + MESSAGE + "UNZ+2+REF1'")))
    assert answer == f"{UCI_7}{UCM_1}+26+UNH+2'"


@pytest.mark.parametrize(
    ("finding", "below"),
    [
        (Finding(fault("13"), "BGM", 1), "UCS+1+13'"),
        (Finding(fault("15"), "ZZZ", 3), "UCS+3+15'"),
        (Finding(fault("35"), "BGM", 3), "UCS+3+35'"),
        (Finding(fault("36"), "LIN", 9), "UCS+9+36'"),
        (Finding(fault("13"), "DTM", 3, 2, 1), "UCS+3'UCD+13+2:1'"),
        (Finding(fault("37"), "QTY", 10, 2, 2), "UCS+10'UCD+37+2:2'"),
        (Finding(fault("16"), "BGM", 2), "UCS+2+16'"),
        (Finding(fault("39"), "BGM", 2, 3), "UCS+2'UCD+39+3'"),
        (Finding(fault(None, level=Level.SYNTAX), "BGM", 2), "UCS+2+18'"),
    ],
)
def test_faults_of_segments_and_elements_stand_below_their_message(finding: Finding, below: str) -> None:
    """UCM repeats no code of a lower level (ISO 9735-4: one error a level)."""
    assert written(contrl.answer(with_findings(finding))) == f"{UCI_7}{UCM_1}'{below}"


def test_several_faults_are_reported_in_the_order_of_the_message() -> None:
    answer = contrl.answer(
        with_findings(
            Finding(fault("37"), "QTY", 10, 2, 2),
            Finding(fault("13"), "BGM", 1),
            Finding(fault("12"), "QTY", 10, 2, 1),
            Finding(fault("35"), "QTY", 10),
            Finding(fault("13"), "DTM", 1),
        )
    )
    assert written(answer) == (f"{UCI_7}{UCM_1}'UCS+1+13'UCS+1+13'UCS+10+35'UCD+37+2:2'UCD+12+2:1'")


def test_a_fault_of_unt_and_others_below_are_reported_together() -> None:
    verdict = verdict_of(UNB + MESSAGE.replace("UNT+4", "UNT+5") + UNZ)
    verdict.messages[0].findings.append(Finding(fault("15"), "ZZZ", 3))
    assert written(contrl.answer(verdict)) == f"{UCI_7}{UCM_1}+29+UNT+2'UCS+3+15'"


@pytest.mark.parametrize(
    "finding",
    [
        Finding(fault("12", Severity.WARNING), "BGM", 2, 2, 1),
        Finding(fault("12", level=Level.BUSINESS), "LIN", 5),
        Finding(fault("12", level=Level.IDENTIFIER), "LIN", 5),
        Finding(fault(None), "BGM", 2),  # agreed beyond the directory: a matter of APERAK
        Finding(fault("12"), "BGM", 2).with_severity(Severity.WARNING),
    ],
)
def test_warnings_and_business_findings_are_no_matter_of_contrl(finding: Finding) -> None:
    assert written(contrl.answer(with_findings(finding))) == UCI_7


def test_a_warning_that_a_partnership_grades_as_an_error_is_reported() -> None:
    graded = Finding(fault("21", Severity.WARNING, Level.SYNTAX), "FTX", 4, 5, 1).with_severity(Severity.ERROR)
    assert written(contrl.answer(with_findings(graded))) == f"{UCI_7}{UCM_1}'UCS+4'UCD+21+5:1'"


@pytest.mark.parametrize("count", [999, 1000])
def test_segments_reported_of_one_message_are_bounded(count: int) -> None:
    answer = contrl.answer(with_findings(*(Finding(fault("15"), "ZZZ", position) for position in range(2, 2 + count))))
    assert sum(segment.tag == "UCS" for segment in answer) == contrl.SEGMENTS_PER_MESSAGE_MAX


@pytest.mark.parametrize("count", [99, 100])
def test_elements_reported_of_one_segment_are_bounded(count: int) -> None:
    answer = contrl.answer(with_findings(*(Finding(fault("16"), "FTX", 2, place) for place in range(2, 2 + count))))
    assert sum(segment.tag == "UCD" for segment in answer) == contrl.ELEMENTS_PER_SEGMENT_MAX


# Functional groups


def test_a_rejected_group_is_named_and_its_messages_are_not() -> None:
    answer = contrl.answer(verdict_of(UNB + GROUP.replace("UNE+1", "UNE+2") + UNZ))
    assert written(answer) == f"{UCI_7}UCF+G1+A+B+4+29+UNE+2'"


def test_a_rejected_message_of_a_group_stands_below_its_group() -> None:
    group = f"{UNG}{MESSAGE.replace('UNT+4', 'UNT+5')}{SECOND}UNE+2+G1'"
    assert written(contrl.answer(verdict_of(UNB + group + UNZ))) == f"{UCI_7}UCF+G1+A+B+7'{UCM_1}+29+UNT+2'"


def test_a_clean_group_is_not_named() -> None:
    assert written(contrl.answer(verdict_of(UNB + GROUP + UNZ))) == UCI_7


# Whether, to whom, in which version


def unb(request: str = "", version: str = "3") -> str:
    date = "20261122" if version == "4" else "261122"
    return f"UNB+UNOC:{version}+S:14:SR+R:ZZ+{date}:0450+REF1++++{request}'"


@pytest.mark.parametrize(("request_code", "needed"), [("1", True), ("2", True), ("", False), ("0", False)])
def test_an_answer_is_needed_where_it_is_asked_for(request_code: str, *, needed: bool) -> None:
    verdict = verdict_of(unb(request_code) + MESSAGE + UNZ)
    assert contrl.needs_answer(verdict) is needed
    assert contrl.needs_answer(verdict, agreed=True)


def test_a_contrl_is_never_answered() -> None:
    message = "UNH+1+CONTRL:D:3:UN'UCI+X+A+B+7'UNT+3+1'"
    verdict = verdict_of(unb("1") + message + UNZ)
    assert not contrl.needs_answer(verdict, agreed=True)
    assert not contrl.needs_answer(verdict_of(unb("1") + message + "UNZ+9+REF1'"), agreed=True)


def test_a_bad_contrl_among_others_is_not_reported() -> None:
    message = "UNH+1+CONTRL:D:3:UN'UCI+X+A+B+7'UNT+9+1'"
    verdict = verdict_of(unb("1") + message + SECOND + "UNZ+2+REF1'")
    assert contrl.needs_answer(verdict)
    assert [segment.tag for segment in contrl.answer(verdict)] == ["UCI"]


def test_an_interchange_without_a_readable_header_has_nobody_to_answer() -> None:
    verdict = replace(verdict_of(UNB + MESSAGE + UNZ), header=None)
    assert not contrl.needs_answer(verdict, agreed=True)
    with pytest.raises(ValueError, match="UNB"):
        contrl.answer(verdict)


def test_messages_without_an_interchange_have_nobody_to_answer() -> None:
    assert not contrl.needs_answer(verdict_of(MESSAGE), agreed=True)


@pytest.mark.parametrize(
    ("version", "directory", "header"),
    [
        ("1", "D:96A:UN:EAN008", ("2", "2", "EAN002")),
        ("2", "D:96A:UN", ("2", "2", "")),
        ("3", "D:96A:UN:EAN008", ("2", "2", "EAN002")),  # EANCOM 1997 has CONTRL 2:2 in syntax 3 too
        ("3", "D:01B:UN:EAN010", ("D", "3", "EAN004")),
        ("3", "D:96A:UN", ("D", "3", "")),
        ("4", "D:01B:UN:EAN011", ("4", "1", "")),
        ("9", "D:96A:UN", ("D", "3", "")),
    ],
)
def test_the_answer_is_written_in_the_version_of_the_sender(
    version: str, directory: str, header: tuple[str, str, str]
) -> None:
    message = MESSAGE.replace("D:96A:UN:EAN008", directory)
    answer = contrl.contrl_header(verdict_of(unb(version=version) + message + UNZ), "77")
    assert (answer.version, answer.release, answer.association) == header
    assert (answer.reference, answer.type, answer.agency) == ("77", "CONTRL", "UN")


@pytest.mark.parametrize(
    ("broken", "subject"),
    [
        (MESSAGE.replace("UNH+1+", "UNH++"), "UCM+0+ORDERS:D:96A:UN:EAN008+4+13+UNH+2'"),
        (MESSAGE.replace("ORDERS:D:96A:UN:EAN008", ""), "UCM+1+0:0:0:UN+4+13+UNH+3:1'"),
        (MESSAGE.replace("UNH+1+", f"UNH+{'9' * 20}+"), f"UCM+{'9' * 14}+ORDERS:D:96A:UN:EAN008+4+28+UNT+3'"),
    ],
)
def test_what_cannot_be_repeated_as_it_was_sent_is_repeated_as_far_as_it_fits(broken: str, subject: str) -> None:
    """UCM needs 0062 and S009 (CONTRL D:3); an answer that breaks its own table would be no answer."""
    assert written(contrl.answer(verdict_of(UNB + broken + UNZ))) == UCI_7 + subject


def test_the_envelope_of_the_answer_goes_back_and_asks_for_nothing() -> None:
    verdict = verdict_of("UNB+UNOC:3+S:14:SR+R:ZZ+261122:0450+REF1++++1++1'" + MESSAGE + UNZ)
    header = contrl.envelope(verdict, date="261123", time="1000", control_reference="77")
    assert (header.sender, header.recipient) == (Address("R", "ZZ"), Address("S", "14", "SR"))
    assert (header.date, header.time, header.control_reference) == ("261123", "1000", "77")
    assert header.acknowledgement_request == ""
    assert header.is_test


def test_the_answer_to_an_unknown_syntax_is_written_in_one_that_is_known() -> None:
    verdict = verdict_of(UNB.replace("UNOC:3", "UNOZ:9") + MESSAGE + UNZ)
    header = contrl.envelope(verdict, date="261123", time="1000", control_reference="77")
    assert (header.syntax_identifier, header.syntax_version) == ("UNOC", "3")


def test_where_only_a_receipt_is_asked_only_a_receipt_is_given() -> None:
    clean = verdict_of(unb("2", "4") + MESSAGE + UNZ)
    assert written(contrl.answer(clean)) == "UCI+REF1+S:14:SR+R:ZZ+8'"
    assert clean.header is not None
    assert written(contrl.receipt(clean.header)) == "UCI+REF1+S:14:SR+R:ZZ+8'"
    broken = verdict_of(unb("2", "4") + MESSAGE.replace("UNT+4", "UNT+5") + UNZ)
    assert written(contrl.answer(broken)).startswith("UCI+REF1+S:14:SR+R:ZZ+7'UCM+1")


# What partners answer


def acknowledgement(body: str, version: str = "D:3") -> contrl.Acknowledgement:
    segments = body.count("'") + 2
    text = f"UNB+UNOC:3+P+US+261122:0450+X'UNH+1+CONTRL:{version}:UN'{body}UNT+{segments}+1'UNZ+1+X'"
    return contrl.read(read_file(text).interchanges[0].messages[0])


@pytest.mark.parametrize("version", ["2:2", "D:3", "4:1", "D:93A"])
def test_a_plain_acknowledgement_is_understood(version: str) -> None:
    said = acknowledgement("UCI+REF1+US:14+P:14+7'", version)
    assert (said.control_reference, said.sender, said.recipient) == ("REF1", Address("US", "14"), Address("P", "14"))
    assert said.positive
    assert said.accepts("1")
    assert not said.rejected


@pytest.mark.parametrize("action", ["4", "6"])
def test_a_rejection_of_the_interchange_is_understood(action: str) -> None:
    said = acknowledgement(f"UCI+REF1+US+P+{action}+29+UNZ+2'")
    assert said.rejected
    assert not said.positive
    assert not said.accepts("1")
    assert said.error == ReportedError("29", "UNZ", 2, None)


@pytest.mark.parametrize("action", ["1", "2", "3", "5", "7"])
def test_withdrawn_codes_of_acceptance_are_understood(action: str) -> None:
    assert acknowledgement(f"UCI+REF1+US+P+{action}'").positive


def test_a_receipt_settles_nothing() -> None:
    said = acknowledgement("UCI+REF1+US+P+8'")
    assert said.is_receipt
    assert not said.positive
    assert not said.accepts("1")


def test_rejected_messages_are_found_with_their_errors() -> None:
    said = acknowledgement(
        "UCI+REF1+US+P+7'UCM+1+ORDERS:D:96A:UN:EAN008+4'UCS+3+13'UCS+10'UCD+37+2:2'UCD+12+3'"
        "UCM+2+ORDERS:D:96A:UN+4+29+UNT+2'"
    )
    assert [said.accepts(reference) for reference in ("1", "2", "3")] == [False, False, True]
    assert not said.positive
    first, second = said.messages
    assert first.header == MessageHeader("1", "ORDERS", "D", "96A", "UN", "EAN008")
    assert [(report.position, report.error) for report in first.segments] == [(3, ReportedError("13")), (10, None)]
    assert first.segments[1].elements == (ReportedError("37", "", 2, 2), ReportedError("12", "", 3, None))
    assert second.error == ReportedError("29", "UNT", 2, None)


def test_rejections_below_a_group_are_found_under_its_reference() -> None:
    said = acknowledgement("UCI+REF1+US+P+7'UCF+G1+US+P+7'UCM+1+ORDERS:D:96A:UN+4'UCF+G2+US+P+4+29+UNE+2'")
    assert [group.rejected for group in said.groups] == [False, True]
    assert not said.accepts("1", "G1")
    assert said.accepts("2", "G1")
    assert not said.accepts("1", "G2")
    assert not said.positive


def test_an_unknown_action_is_neither_acceptance_nor_rejection() -> None:
    said = acknowledgement("UCI+REF1+US+P+99'")
    assert said.action is None
    assert not said.positive
    assert not said.rejected
    assert not said.accepts("1")


@pytest.mark.parametrize("body", ["", "UCM+1+ORDERS:D:96A:UN+4'", "BGM+220'"])
def test_a_contrl_that_names_no_interchange_cannot_be_read(body: str) -> None:
    with pytest.raises(ContrlUnreadable, match="UCI"):
        acknowledgement(body)


def test_another_message_is_no_contrl() -> None:
    with pytest.raises(ContrlUnreadable, match="ORDERS"):
        contrl.read(Message(MessageHeader("1", "ORDERS", "D", "96A"), [Segment("UCI", [["UCI"], ["X"]])]))


@pytest.mark.parametrize(
    "broken",
    [
        UNB + MESSAGE + UNZ,
        UNB + MESSAGE + "UNZ+2+REF1'",
        UNB + MESSAGE.replace("UNT+4", "UNT+5") + SECOND + "UNZ+2+REF1'",
        UNB + f"{UNG}{MESSAGE.replace('UNT+4', 'UNT+5')}{SECOND}UNE+2+G1'" + UNZ,
    ],
)
def test_what_we_answer_reads_as_we_meant_it(broken: str) -> None:
    verdict = verdict_of(broken)
    envelope = contrl.envelope(verdict, date="261123", time="1000", control_reference="77")
    data = write_interchange(envelope, [(contrl.contrl_header(verdict, "1"), contrl.answer(verdict))])
    (interchange,) = read_file(data).interchanges
    assert interchange.codes == []
    said = contrl.read(interchange.messages[0])
    assert said.control_reference == "REF1"
    assert said.rejected is verdict.rejected
    for message in verdict.messages:
        group = message.message.group
        assert said.accepts(message.header.reference, group.reference if group else "") is verdict.accepts(message)


def test_the_actions_that_reject() -> None:
    assert {action for action in Action if action.rejects} == {Action.REJECTED, Action.ENVELOPE_REJECTED}


def test_every_syntax_error_has_a_code_of_its_own() -> None:
    """But those of the file itself, which no CONTRL can speak of."""
    assert {rule.code for rule in rules.RULES if rule.severity is Severity.ERROR and rule.contrl is None} == {
        "S201", "S202", "S207", "S208", "S209",
    }  # fmt: skip


# Our answers by the table of CONTRL


def answers_to(data: bytes) -> list[bytes]:
    """The CONTRL interchanges that answer a file, as they would be sent."""
    answers = []
    for verdict in judge([data]):
        if contrl.needs_answer(verdict, agreed=True):
            envelope = contrl.envelope(verdict, date="261123", time="1000", control_reference="77")
            if envelope.syntax_version == "4":
                envelope = replace(envelope, date="20261123")
            answers.append(write_interchange(envelope, [(contrl.contrl_header(verdict, "1"), contrl.answer(verdict))]))
    return answers


def faults_of(data: bytes) -> list[tuple[str, str | None, str | None]]:
    """What is wrong with an answer, but for addresses that it can only repeat."""
    found = [finding for verdict in judge([data]) for finding in verdict.all_findings()]
    return [(f.code, f.segment, f.value) for f in found if f.segment != "UNB" and f.is_error]


@pytest.mark.parametrize("code", PROVOCATIONS)
def test_the_answer_to_any_broken_file_is_a_valid_contrl(code: str) -> None:
    provocation = PROVOCATIONS[code]
    data = provocation.encode("latin-1", "replace") if isinstance(provocation, str) else provocation
    for answer in answers_to(data):
        assert faults_of(answer) == []


@pytest.mark.parametrize("version", ["1", "2", "3", "4"])
def test_a_rejection_is_a_valid_contrl_in_every_version(version: str) -> None:
    broken = MESSAGE.replace("UNT+4", "UNT+5") + SECOND.replace("BGM+220", "BGM+XYZ:::::::9")
    (answer,) = answers_to((unb("1", version).replace("R:ZZ", "R:14") + broken + "UNZ+2+REF1'").encode())
    assert faults_of(answer) == []
    assert answer.count(b"UCM") == 2
