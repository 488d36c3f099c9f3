"""The directories as data: complete, read rightly, and refused clearly when a file is wrong."""

from __future__ import annotations

import json
import re
from importlib import resources

import pytest

from edi_gateway.messages import (
    DIRECTORIES,
    MESSAGE_TYPES,
    UnknownDirectoryError,
    _directory,
    _specification,
    directory,
    message_type,
    specification,
)
from edi_gateway.messages._directory import Format, Node, has_directory, read_format, read_structure

# Segments, groups and deepest level of each message, as the printed tables have them.
SIZES = {
    "D.96A": {
        "ORDERS": (162, 54, 3), "ORDCHG": (166, 56, 3), "ORDRSP": (166, 56, 3), "DESADV": (76, 23, 4),
        "RECADV": (67, 32, 5), "INVOIC": (142, 51, 3), "INVRPT": (50, 17, 5), "SLSRPT": (28, 8, 3),
        "PRICAT": (132, 47, 4), "REMADV": (38, 10, 3), "APERAK": (15, 4, 2),
    },
    "D.01B": {
        "ORDERS": (180, 60, 3), "ORDCHG": (173, 58, 3), "ORDRSP": (171, 56, 3), "DESADV": (90, 25, 4),
        "RECADV": (78, 32, 5), "INVOIC": (179, 53, 3), "INVRPT": (55, 18, 6), "SLSRPT": (57, 14, 4),
        "PRICAT": (179, 60, 5), "REMADV": (48, 14, 4), "APERAK": (17, 5, 2),
    },
}  # fmt: skip


def size(nodes: tuple[Node, ...], level: int = 0) -> tuple[int, int, int]:
    segments, groups, deepest = 0, 0, level
    for node in nodes:
        if node.children is None:
            segments += 1
        else:
            inner = size(node.children, level + 1)
            segments, groups, deepest = segments + inner[0], groups + 1 + inner[1], max(deepest, inner[2])
    return segments, groups, deepest


@pytest.mark.parametrize("name", DIRECTORIES)
def test_all_messages_are_there_in_full(name: str) -> None:
    assert {kind: size(directory(name).message(kind)) for kind in directory(name).message_types} == SIZES[name]


@pytest.mark.parametrize(
    "name, segments, composites, lists, codes", [("D.96A", 127, 161, 207, 6148), ("D.01B", 158, 199, 268, 10228)]
)
def test_the_directories_are_whole(name: str, segments: int, composites: int, lists: int, codes: int) -> None:
    text = resources.files("edi_gateway.messages.directories").joinpath(f"{name.replace('.', '').lower()}.json")
    data = json.loads(text.read_text("utf-8"))
    assert (len(data["segments"]), len(data["composites"]), len(data["codes"])) == (segments, composites, lists)
    assert sum(len(line.split()) for line in data["codes"].values()) == codes


def test_codes_that_begin_with_x_are_codes() -> None:
    """X is also the mark of a code to be deleted; an extractor that takes it off turns XA into A."""
    for name in DIRECTORIES:
        assert {"XA", "XC", "XP"} <= directory(name).codes("1153")


def test_additional_codes_are_of_coded_elements_and_not_in_the_lists_already() -> None:
    folder = resources.files("edi_gateway.messages.directories")
    for name, additional in json.loads(folder.joinpath("additional-codes.json").read_text("utf-8")).items():
        lists = json.loads(folder.joinpath(f"{name.replace('.', '').lower()}.json").read_text("utf-8"))["codes"]
        for element, line in additional.items():
            assert not set(line.split()) & set(lists[element].split()), (name, element)
            assert set(line.split()) <= directory(name).codes(element)


@pytest.mark.parametrize("name", [*DIRECTORIES, "syntax-3", "syntax-4"])
def test_every_definition_can_be_built(name: str) -> None:
    found = directory(name)
    for tag in found.segment_tags:
        assert found.segment(tag).elements
    for kind in found.message_types:
        for tag in re.findall(r"[A-Z]{3}", found._data["messages"][kind]):
            service = directory("syntax-3")
            assert found.segment(tag) or service.segment(tag), tag


def test_every_message_type_has_its_file_and_every_directory_its_messages() -> None:
    for name in MESSAGE_TYPES:
        type_ = message_type(name)
        assert type_.type == name
        assert type_.name_en
        assert type_.name_fr
        where = DIRECTORIES if type_.service_directories is None else ("2.2", "D.3", "4.1")
        assert all(specification(name, directory_name) for directory_name in where)
    assert message_type("IFTMIN") is None


def test_a_group_begins_with_one_mandatory_segment() -> None:
    def groups(nodes: tuple[Node, ...]) -> list[Node]:
        return [g for node in nodes if node.children for g in (node, *groups(node.children))]

    for name in DIRECTORIES:
        for kind in directory(name).message_types:
            for group in groups(directory(name).message(kind)):
                trigger = group.children[0]
                assert (trigger.children, trigger.mandatory, trigger.repeat) == (None, True, 1)


def test_unknown_directories() -> None:
    assert not has_directory("D.99Z")
    assert not has_directory("../../secrets")
    with pytest.raises(UnknownDirectoryError):
        directory("D.93A")
    assert specification("ORDERS", "D.93A") is None
    assert specification("IFTMIN", "D.96A") is None
    assert directory("D.96A").message("IFTMIN") is None
    assert directory("D.96A").segment("ZZZ") is None
    assert directory("D.96A").codes("1004") is None


@pytest.mark.parametrize("text, expected", [("an..35", Format("an", 0, 35)), ("n3", Format("n", 3, 3))])
def test_formats(text: str, expected: Format) -> None:
    assert read_format(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize("text", ["", "x..3", "an", "an..", "an..3x"])
def test_what_is_no_format(text: str) -> None:
    with pytest.raises(ValueError, match="not a representation"):
        read_format(text)


def test_the_notation_of_a_message() -> None:
    bgm, group = read_structure("BGM! (RFF! DTM*5 (LOC!)*2)!*10")
    assert (bgm.name, bgm.mandatory, bgm.repeat) == ("BGM", True, 1)
    assert (group.name, group.tag, group.mandatory, group.repeat) == ("SG1", "RFF", True, 10)
    assert [(child.name, child.repeat) for child in group.children] == [("RFF", 1), ("DTM", 5), ("SG2", 2)]


@pytest.mark.parametrize("line", ["BGM! (RFF!", "BGM! rff", "BGM?"])
def test_what_is_no_segment_table(line: str) -> None:
    with pytest.raises(ValueError, match=r"not a segment table|not closed"):
        read_structure(line)


def test_names_from_headers_fill_no_cache() -> None:
    """A header may name any type and directory; what is not carried must leave nothing behind."""
    caches = (_directory._read, _directory._files, _specification._build, _specification._load_type)
    specification("ORDERS", "D.96A")
    before = [cache.cache_info().currsize for cache in caches]
    for number in range(300):
        specification(f"X{number}", "D.96A")
        specification("ORDERS", f"D.{number}X")
        specification("ORDERS", f"{number}.96A")
        assert not has_directory(f"D.{number}")
    assert [cache.cache_info().currsize for cache in caches] == before
