"""Messages in words: names and meanings complete in both languages, places right, nothing left out."""

from __future__ import annotations

import json
from importlib import resources
from random import Random

import pytest

from edi_gateway.messages import DIRECTORIES, MESSAGE_TYPES, directory, specification
from edi_gateway.messages._dates import readable
from edi_gateway.messages._directory import Node
from edi_gateway.messages.explain import explain_message, layout_of
from edi_gateway.messages.judge import judge_message
from edi_gateway.messages.names import code_meaning, element_name, segment_name
from tests.core.messages.generator import Generator
from tests.core.messages.texts import ORDER, judged, message, of

SERVICE = ("syntax-3", "syntax-4")
ENVELOPE = ("UNB", "UNG", "UNE", "UNZ")


def tags_in_use() -> set[str]:
    def tags(nodes: tuple[Node, ...]) -> set[str]:
        return {tag for node in nodes for tag in (tags(node.children) if node.children else {node.tag})}

    found = {tag for name in (*DIRECTORIES, *SERVICE) for kind in directory(name).message_types
             for tag in tags(directory(name).message(kind))}  # fmt: skip
    return found | set(ENVELOPE)


def elements_in_use() -> set[str]:
    return {
        component.id
        for name in (*DIRECTORIES, *SERVICE)
        for tag in tags_in_use()
        if (definition := directory(name).segment(tag))
        for element in definition.elements
        for component in element.components
    }


def test_every_segment_and_element_of_the_messages_has_a_name_in_both_languages() -> None:
    for language in ("en", "fr"):
        assert [tag for tag in tags_in_use() if not segment_name(tag, language)] == []
        assert [element for element in elements_in_use() if not element_name(element, language)] == []


def test_meanings_are_of_codes_that_exist() -> None:
    codes = json.loads(resources.files("edi_gateway.messages.names").joinpath("codes.json").read_text("utf-8"))
    for element, meanings in codes.items():
        lists = [codes for name in (*DIRECTORIES, *SERVICE) if (codes := directory(name).codes(element))]
        assert not lists or set(meanings) <= frozenset().union(*lists), element
        assert all(len(names) == 2 and all(names) for names in meanings.values())


def test_what_is_not_carried_has_no_name() -> None:
    assert segment_name("ZZZ", "en") == ""
    assert element_name("9999", "fr") == ""
    assert code_meaning("1001", "999", "en") == ""
    assert code_meaning("9999", "1", "en") == ""


def test_values_with_their_place_name_and_meaning() -> None:
    explained = {one.segment.position: one for one in explain_message(judged(ORDER), "fr")}
    assert explained[3].name == "date, heure ou période"
    assert [(v.element, v.component, v.identifier, v.value, v.meaning) for v in explained[3].values] == [
        (2, 1, "2005", "137", "date du document"),
        (2, 2, "2380", "20261122", "2026-11-22"),
        (2, 3, "2379", "102", "SSAAMMJJ"),
    ]
    (number,) = (value for value in explained[2].values if value.identifier == "1004")
    assert (number.element, number.component, number.value) == (3, None, "PO1")


def test_the_groups_of_a_segment() -> None:
    explained = {one.segment.position: one for one in explain_message(judged(ORDER), "en")}
    assert (explained[10].groups, explained[10].begins_group) == (("SG25[2]",), True)
    assert (explained[11].groups, explained[11].begins_group) == (("SG25[2]",), False)
    assert (explained[12].groups, explained[12].begins_group) == (("SG25[2]", "SG28[1]"), True)


def test_a_message_that_cannot_be_judged_is_explained_all_the_same() -> None:
    verdict = judge_message(message(ORDER.replace("ORDERS:D:96A", "IFTMIN:D:99B").replace("CUX", "ZZZ+1+x:y'CUX")))
    explained = list(explain_message(verdict, "en"))
    assert [one.segment for one in explained] == verdict.message.segments
    assert explained[1].values[0].name == "kind of document"
    unknown = explained[5]
    assert (unknown.name, [(v.identifier, v.value) for v in unknown.values]) == (
        "",
        [("", "1"), ("", "x"), ("", "y")],
    )


def test_repetitions_are_explained_after_the_value_they_repeat() -> None:
    read = message("UNH+1+ORDERS:D:01B:UN'COM+1:TE'UNT+3+1'")
    read.segments[1].repeats = {1: [["2", "EM"]]}
    _, com, _ = explain_message(judge_message(read, syntax_version="4"), "en", "4")
    assert [(value.element, value.value) for value in com.values] == [(2, "1"), (2, "TE"), (2, "2"), (2, "EM")]


@pytest.mark.parametrize("name", [name for name in MESSAGE_TYPES if name != "CONTRL"])
@pytest.mark.parametrize("directory_name", DIRECTORIES)
def test_no_value_is_left_out(name: str, directory_name: str) -> None:
    segments = Generator(specification(name, directory_name), Random(5), 0.3).message()
    for one in explain_message(judged(of(segments)), "en"):
        values = [value for components in one.segment.elements[1:] for value in components if value]
        assert [value.value for value in one.values] == values
        assert all(value.name for value in one.values)


@pytest.mark.parametrize(
    "format_code, value, expected",
    [
        ("102", "20261122", "2026-11-22"),
        ("203", "202611220915", "2026-11-22 09:15"),
        ("204", "20261122091530", "2026-11-22 09:15:30"),
        ("102", "20261322", ""),
        ("718", "20261122-20261130", ""),
        ("", "20261122", ""),
    ],
)
def test_dates_in_words(format_code: str, value: str, expected: str) -> None:
    assert readable(format_code, value) == expected


def test_a_layout_for_any_directory_named() -> None:
    assert len(layout_of("FTX", "D.96A", "3").positions) == 5
    assert layout_of("FTX", "D.99B", "3") == layout_of("FTX", "D.01B", "3")
    assert layout_of("ZZZ", "D.96A", "3") is None
