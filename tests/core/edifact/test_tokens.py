"""Splitting a segment's text: one table, read in both directions where the text is canonical (ISO 9735 §5, §6)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from edi_gateway.edifact import tokens
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.edifact.tokens import Cutter, Splitter
from edi_gateway.edifact.writer import write_segment
from tests.core.edifact.strategies import segments, separators

SEPARATORS = Separators()

CASES = [
    ("BGM", [["BGM"]]),
    ("BGM+220", [["BGM"], ["220"]]),
    ("DTM+137:20261122:102", [["DTM"], ["137", "20261122", "102"]]),
    ("NAD+BY+1::9++Name", [["NAD"], ["BY"], ["1", "", "9"], [""], ["Name"]]),
    ("FTX+?+", [["FTX"], ["+"]]),
    ("FTX+?:", [["FTX"], [":"]]),
    ("FTX+?'", [["FTX"], ["'"]]),
    ("FTX+??", [["FTX"], ["?"]]),
    ("FTX+??+x", [["FTX"], ["?"], ["x"]]),
    ("FTX+???+x", [["FTX"], ["?+x"]]),
    ("FTX+????:x", [["FTX"], ["??", "x"]]),
    ("FTX+?+?+?+", [["FTX"], ["+++"]]),
    ("FTX+a?:b:c?+d+e?'f", [["FTX"], ["a:b", "c+d"], ["e'f"]]),
    ("IMD+F++:::Boîte ?: bleue ??", [["IMD"], ["F"], [""], ["", "", "", "Boîte : bleue ?"]]),
    ("EEE:1:2+x", [["EEE", "1", "2"], ["x"]]),
    ("FTX+5*5", [["FTX"], ["5*5"]]),
    ("FTX+1.5,0", [["FTX"], ["1.5,0"]]),
]


@pytest.mark.parametrize(("text", "elements"), CASES)
def test_a_text_is_split_and_written_again(text: str, elements: list[list[str]]) -> None:
    assert tokens.split(text, SEPARATORS).elements == elements
    assert write_segment(Segment(elements[0][0], elements)) == text + "'"


@pytest.mark.parametrize(("text", "elements"), CASES)
def test_the_lazy_segment_says_the_same(text: str, elements: list[list[str]]) -> None:
    segment = Segment.of_text(text[:3], text, Splitter(SEPARATORS))
    for element, components in enumerate(elements):
        for component, value in enumerate(components, start=1):
            assert segment.get(element, component) == value
        assert segment.get(element, len(components) + 1) == ""
    assert segment.get(len(elements)) == ""
    assert segment.elements == elements
    assert Segment.of_text(text[:3], text, Splitter(SEPARATORS)).elements == elements


@settings(deadline=None)
@given(segments(), separators())
def test_the_fast_way_splits_as_the_exact_one(segment: Segment, service: Separators) -> None:
    text = write_segment(segment, service)[:-1]
    assert Segment.of_text(segment.tag, text, Splitter(service)).elements == tokens.split(text, service).elements


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("BGM+220++", [["BGM"], ["220"], [""], [""]]),
        ("BGM+a::", [["BGM"], ["a", "", ""]]),
        ("", [[""]]),
        ("+x", [[""], ["x"]]),
    ],
)
def test_what_is_not_canonical_is_split_all_the_same(text: str, elements: list[list[str]]) -> None:
    assert tokens.split(text, SEPARATORS).elements == elements


def test_elements_given_to_a_segment_replace_its_text() -> None:
    segment = Segment.of_text("BGM", "BGM+220", Splitter(SEPARATORS))
    segment.elements = [["BGM"], ["231"]]
    assert segment.get(1) == "231"
    assert segment.raw == ""


@pytest.mark.parametrize(
    ("text", "first"), [("FTX+?x", "x"), ("FTX+??x", ""), ("FTX+???x", "x"), ("FTX+?+?\n", "\n"), ("FTX+?*", "*")]
)
def test_a_release_that_was_not_needed_is_noticed(text: str, first: str) -> None:
    assert tokens.split(text, SEPARATORS).released_data == first


def test_the_repetition_separator_may_be_released_where_it_is_in_force() -> None:
    assert tokens.split("FTX+?*", Separators(repetition="*")).released_data == ""


@pytest.mark.parametrize(("text", "dangling"), [("FTX+a?", True), ("FTX+a??", False), ("FTX+a???", True)])
def test_a_release_at_the_end_releases_nothing(text: str, *, dangling: bool) -> None:
    assert tokens.split(text, SEPARATORS).dangling is dangling


def test_repetitions_are_kept_apart_and_their_components_too() -> None:
    split = tokens.split("RFF+ON:1*CT:2*DQ+x*y", Separators(repetition="*"))
    assert split.elements == [["RFF"], ["ON", "1"], ["x"]]
    assert split.repeats == {1: [["CT", "2"], ["DQ"]], 2: [["y"]]}


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("A'B'C", ["A", "B", "C"]),
        ("A?'B'C", ["A?'B", "C"]),
        ("A??'B", ["A??", "B"]),
        ("A???'B'C", ["A???'B", "C"]),
        ("?'?''?'", ["?'?'", "?'"]),
        ("A??'B?'C??", ["A??", "B?'C??"]),
    ],
)
def test_texts_are_cut_at_terminators_that_are_not_released(text: str, pieces: list[str]) -> None:
    assert Cutter(SEPARATORS).cut(text) == pieces


@pytest.mark.parametrize(
    ("text", "plainly"),
    [
        ("A?+B??", True),
        ("A?xB", False),
        ("A?", False),
        ("A???", False),
        ("A??x", True),
        ("A???x", False),
        ("?\n", False),
    ],
)
def test_odd_releases_are_told_from_plain_ones(text: str, *, plainly: bool) -> None:
    assert Cutter(SEPARATORS).releases_plainly(text) is plainly
