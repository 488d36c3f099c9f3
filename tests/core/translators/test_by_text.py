"""Reading a segment by its text gives what reading it by its elements gives, for right and wrong texts alike."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.edifact.segment import Segment
from edi_gateway.messages.judge import judge
from edi_gateway.messages.tree import Group
from edi_gateway.translators import DecodeContext, translator

from .test_samples import GOOD

SAMPLES = [path.read_bytes() for path in GOOD]
PIECES = [
    b"+",
    b":",
    b"?",
    b"'",
    b"??",
    b"?+",
    b"",
    b" ",
    b"0",
    b"-",
    b",",
    b".",
    b"A",
    b"\xe9",
    b"LIN",
    b"QTY+21:1'",
    b"NAD+",
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sample in which some characters were replaced."""
    data = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data) - 1))
        data = data[:at] + draw(st.sampled_from(PIECES)) + data[at + draw(st.integers(0, 2)) :]
    return data


def without_text(group: Group) -> Group:
    """The same tree, its segments given as elements only."""
    copied = deepcopy(group)
    for segment in copied.walk():
        segment.elements = segment.elements
    return copied


@given(data=damaged())
@settings(deadline=None, max_examples=80)
def test_text_and_elements_say_the_same(data: bytes) -> None:
    for message in (message for verdict in judge([data]) for message in verdict.messages):
        found = translator(message.header.type)
        if found is None or not isinstance(message.tree, Group):
            continue
        by_text = found.decode(message.tree, DecodeContext())
        by_elements = found.decode(without_text(message.tree), DecodeContext())

        assert by_text.record == by_elements.record
        assert by_text.findings == by_elements.findings
        assert by_text.unmapped == by_elements.unmapped


@given(data=damaged())
@settings(deadline=None, max_examples=40)
def test_lineage_changes_nothing_else(data: bytes) -> None:
    for message in (message for verdict in judge([data]) for message in verdict.messages):
        found = translator(message.header.type)
        if found is None or not isinstance(message.tree, Group):
            continue
        plain, traced = (found.decode(message.tree, DecodeContext(lineage=lineage)) for lineage in (False, True))

        assert (plain.record, plain.findings, plain.unmapped) == (traced.record, traced.findings, traced.unmapped)


@given(
    tags=st.lists(
        st.sampled_from(("BGM", "DTM", "NAD", "LIN", "PIA", "QTY", "CPS", "UNS", "MOA", "TAX", "XYZ")), max_size=12
    ),
    elements=st.lists(st.lists(st.text("A1:.?-é", max_size=4), min_size=1, max_size=4), max_size=8),
    message_type=st.sampled_from(("ORDERS", "ORDRSP", "DESADV", "INVOIC", "INVRPT")),
)
@settings(deadline=None, max_examples=80)
def test_no_tree_makes_it_raise(tags: list[str], elements: list[list[str]], message_type: str) -> None:
    found: Any = translator(message_type)
    segments = [Segment(tag, [[tag], *elements], position) for position, tag in enumerate(tags, start=1)]
    flat = Group("", "UNH", 1, [Segment("UNH", [["UNH"]], 1), *segments])
    nested = Group(
        "", "UNH", 1, [Segment("UNH", [["UNH"]], 1), *(Group("SG1", s.tag, 1, [s, *segments]) for s in segments)]
    )

    for tree in (flat, nested):
        for lineage in (False, True):
            found.decode(tree, DecodeContext(lineage=lineage))
