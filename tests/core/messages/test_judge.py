"""Files to verdicts: what was agreed, which directory, one bad message among good ones, streaming."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.edifact.events import FileFinding
from edi_gateway.edifact.verdict import Address, InterchangeVerdict, MessageVerdict
from edi_gateway.messages import JudgingPolicy
from edi_gateway.messages.judge import InterchangeBegun, judge, resolve, stream
from tests.core.messages.provocations import RECIPIENT, SENDER, interchange
from tests.core.messages.texts import ORDER, codes, message


def faults(verdict: InterchangeVerdict) -> list[tuple[str, str | None, int | None]]:
    """(0085, segment, element) of each error of the interchange's own envelope."""
    return [(f.contrl, f.segment, f.element) for f in verdict.findings if f.is_error]


def judged(data: bytes, policy: JudgingPolicy | None = None) -> InterchangeVerdict:
    (verdict,) = judge([data], policy or JudgingPolicy())
    return verdict


def test_a_clean_interchange_is_valid_and_holds_the_trees() -> None:
    verdict = judged(interchange())
    assert verdict.valid
    assert verdict.header.sender == Address(SENDER, "14")
    (order,) = verdict.messages
    assert order.findings == []
    assert len(order.tree.groups("LIN")) == 2


@pytest.mark.parametrize(
    "policy, header, expected",
    [
        ({"known_senders": frozenset({Address("X", "14")})}, {}, ("23", "UNB", 3)),
        ({"our_addresses": frozenset({Address("X", "14")})}, {}, ("7", "UNB", 4)),
        ({"accept_test": False}, {"test": "1"}, ("25", "UNB", 12)),
        ({"is_repeated": lambda header: True}, {}, ("26", "UNB", 6)),
    ],
)
def test_what_is_not_agreed_rejects_the_interchange(
    policy: dict[str, object], header: dict[str, str], expected: tuple[str, str, int]
) -> None:
    """UCI 4 with 23, 7, 25, 26 at its place in UNB."""
    verdict = judged(interchange(**header), JudgingPolicy(**policy))
    assert faults(verdict) == [expected]
    assert verdict.rejected


def test_what_is_agreed_passes() -> None:
    policy = JudgingPolicy(
        known_senders=frozenset({Address(SENDER, "14")}),
        our_addresses=frozenset({Address(RECIPIENT, "14")}),
        agreed_types=frozenset({"ORDERS"}),
        is_repeated=lambda header: False,
    )
    assert judged(interchange(test="1"), policy).valid


def test_the_policy_is_found_by_the_header_of_each_interchange() -> None:
    data = interchange() + interchange(reference="IC2")
    policies = {"IC1": JudgingPolicy(agreed_types=frozenset()), "IC2": JudgingPolicy()}
    verdicts = list(judge([data], lambda header: policies[header.control_reference]))
    assert [verdict.valid for verdict in verdicts] == [False, True]


@pytest.mark.parametrize(
    "identifier, policy, code, contrl",
    [
        ("IFTMIN:D:96A:UN", JudgingPolicy(), "D351", "17"),
        ("ORDERS:D:96A:UN", JudgingPolicy(agreed_types=frozenset({"INVOIC"})), "D354", "17"),
        ("ORDERS:D:93A:UN", JudgingPolicy(), "D352", "14"),
        ("ORDERS:D::UN", JudgingPolicy(), "D352", "14"),
        ("ORDERS:D::UN", JudgingPolicy(directories={"INVOIC": "D.96A"}), "D352", "14"),
    ],
)
def test_a_message_that_cannot_be_judged_is_refused_at_its_header(
    identifier: str, policy: JudgingPolicy, code: str, contrl: str
) -> None:
    verdict = judged(interchange(ORDER.replace("ORDERS:D:96A:UN", identifier)), policy)
    (refused,) = verdict.messages
    (finding,) = refused.findings
    assert (finding.code, finding.contrl, finding.segment, finding.position, finding.element) == (
        code,
        contrl,
        "UNH",
        1,
        3,
    )
    assert finding.offset is not None
    assert refused.tree is None
    assert not verdict.rejected  # its neighbours are processed


@pytest.mark.parametrize("identifier", ["ORDERS:0:96A:UN", "ORDERS:S:96a:UN:EAN005", "ORDERS:D: 96A:ZZ"])
def test_the_release_alone_tells_the_directory(identifier: str) -> None:
    """0052, 0051 and 0057 are written wrongly too often to ask them."""
    found, refusal = resolve(message(ORDER.replace("ORDERS:D:96A:UN:EAN008", identifier)).header)
    assert refusal is None
    assert found.directory.name == "D.96A"


def test_a_directory_may_be_supposed_by_agreement() -> None:
    policy = JudgingPolicy(directories={"ORDERS": "D.96A"})
    verdict = judged(interchange(ORDER.replace(":96A:", "::")), policy)
    assert codes(verdict.messages[0]) == ["D353"]
    assert verdict.valid
    assert verdict.messages[0].tree is not None


def test_acknowledgements_need_no_agreement() -> None:
    contrl = "UNH+1+CONTRL:D:3:UN'UCI+1+A:14+B:14+7'UNT+3+1'"
    assert judged(interchange(contrl), JudgingPolicy(agreed_types=frozenset({"INVOIC"}))).valid


def test_one_bad_message_does_not_touch_its_neighbours() -> None:
    bad = ORDER.replace("BGM+220+PO1+9'", "").replace("UNT+15+1", "UNT+14+2").replace("UNH+1", "UNH+2")
    third = ORDER.replace("UNH+1", "UNH+3").replace("UNT+15+1", "UNT+15+3")
    data = interchange(ORDER + bad + third).replace(b"UNZ+1", b"UNZ+3").replace(b"\n", b"")
    verdict = judged(data)
    assert [message.valid for message in verdict.messages] == [True, False, True]
    assert not verdict.rejected
    assert [verdict.accepts(message) for message in verdict.messages] == [True, False, True]


def test_findings_of_reader_and_judge_stand_in_the_order_of_the_message() -> None:
    verdict = judged(interchange(ORDER.replace("BGM+220+PO1+9'", "").replace("UNT+15", "UNT+16")))
    assert codes(verdict.messages[0]) == ["D301", "S242"]


def test_a_fault_that_the_reader_reported_is_not_reported_again() -> None:
    note = "FTX+AAI+++" + "x" * 70_000
    verdict = judged(interchange(ORDER.replace("NAD+BY", f"{note}'NAD+BY").replace("UNT+15", "UNT+16")))
    assert [(f.contrl, f.position, f.element) for f in verdict.messages[0].findings] == [("39", 4, 5)]


def test_what_is_no_edifact_is_one_verdict_without_header() -> None:
    (verdict,) = judge([b"ISA*00*"])
    assert verdict.header is None
    assert verdict.rejected
    assert [finding.code for finding in verdict.findings] == ["S202"]


def test_findings_outside_interchanges_go_to_the_nearest_one() -> None:
    first, second = judge([b"DOC+..'\r\n" + interchange() + interchange(reference="IC2") + b"rubbish"])
    assert [finding.code for finding in first.findings] == ["S203"]
    assert [finding.code for finding in second.findings] == ["S204"]


def test_the_stream_keeps_nothing_but_what_an_acknowledgement_needs() -> None:
    bad = ORDER.replace("BGM+220+PO1+9'", "").replace("UNT+15+1", "UNT+14+2").replace("UNH+1", "UNH+2")
    third = ORDER.replace("UNH+1", "UNH+3").replace("UNT+15+1", "UNT+15+3")
    data = interchange(ORDER + bad + third).replace(b"UNZ+1", b"UNZ+3").replace(b"\n", b"")
    begun, good, faulty, _, ended, *rest = stream([data])
    assert rest == []
    assert isinstance(begun, InterchangeBegun)
    assert isinstance(good, MessageVerdict)
    assert good.valid
    assert isinstance(faulty, MessageVerdict)
    assert isinstance(ended, InterchangeVerdict)
    first, second = ended.messages  # the first one, and that at fault
    assert first.header.reference == "1"
    assert second.findings == faulty.findings
    assert [(kept.message.segments, kept.tree) for kept in ended.messages] == [([], None), ([], None)]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_cut_of_the_bytes_gives_the_same_verdicts(data: st.DataObject) -> None:
    whole = b"junk" + interchange(ORDER.replace("BGM+220+PO1+9'", "")) + interchange(reference="IC2") + b"\x1a"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert list(map(_shown, judge(pieces))) == list(map(_shown, judge([whole])))


def _shown(verdict: InterchangeVerdict) -> object:
    return [finding.as_json() for finding in verdict.all_findings()]


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=400), st.integers(0, 600), st.integers(0, 60))
def test_no_bytes_raise(noise: bytes, at: int, cut: int) -> None:
    """Rubbish alone, and rubbish in the place of a part of a good interchange."""
    good = interchange()
    for data in (noise, good[:at] + noise + good[at + cut :]):
        for judgement in stream([data]):
            if isinstance(judgement, FileFinding):
                judgement.finding.text("fr")
            elif isinstance(judgement, MessageVerdict | InterchangeVerdict):
                assert all(finding.as_json("fr")["text"] for finding in judgement.findings)


def test_what_is_clean_under_one_decimal_mark_is_judged_anew_under_the_other() -> None:
    comma = interchange(ORDER.replace("12.50", "12,50"))
    without_una = comma.removeprefix(b"UNA:+.? '")
    for data, expected in ((without_una, False), (comma, True), (without_una, False)):
        (verdict,) = judge([data])
        assert ("D326" in {finding.code for finding in verdict.all_findings()}) is expected
