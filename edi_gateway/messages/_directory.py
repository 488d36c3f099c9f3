"""Directories read from data: definitions of messages, segments, elements and code lists.

Everything is built on first use and kept, so that a run pays only for the message types and segments
that it meets. Adding a directory is adding a file under `directories/`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import cast

EXPANDED_REPEATS_MAX = 99
"""The most positions that one repeatable element is written out to before syntax 4."""

CODE_LISTS_LEFT_TO_PARTNERS = frozenset({"1131", "3055"})
"""Code list (1131) and agency (3055) qualifiers: partners use values of their own there."""

_FORMAT = re.compile(r"(an|a|n)(\.\.)?(\d+)")
_ITEM = re.compile(r"([A-Z0-9]+)(!?)(?:\*(\d+))?")
_NODE = re.compile(r"\s*(\(|([A-Z]{3})(!?)(?:\*(\d+))?|\)(!?)(?:\*(\d+))?)")
_NAME = re.compile(r"[A-Z]\.\d\d[A-Z]|syntax-\d")


class UnknownDirectoryError(LookupError):
    """No data for a directory of that name."""


@dataclass(frozen=True, slots=True)
class Format:
    """A representation such as ``an..35``: character class, least and most characters."""

    kind: str  # "a", "n" or "an"
    length_min: int
    length_max: int

    def __str__(self) -> str:
        return f"{self.kind}{'' if self.length_min else '..'}{self.length_max}"


@dataclass(frozen=True, slots=True)
class Component:
    """A simple data element in its place; `codes` is None where any value may stand."""

    id: str
    mandatory: bool
    format: Format
    codes: frozenset[str] | None = None

    @property
    def codes_are_advisory(self) -> bool:
        return self.id in CODE_LISTS_LEFT_TO_PARTNERS


@dataclass(frozen=True, slots=True)
class Element:
    """A data element of a segment: simple (one component of the same id) or composite."""

    id: str
    mandatory: bool
    repeat: int
    components: tuple[Component, ...]

    @property
    def is_composite(self) -> bool:
        return not self.id[0].isdigit()


@dataclass(frozen=True, slots=True)
class SegmentDefinition:
    """The elements of a segment in order. `expanded` writes repeatable elements out, as syntax 1 to 3 count them."""

    tag: str
    elements: tuple[Element, ...]

    @property
    def expanded(self) -> tuple[Element, ...]:
        positions: list[Element] = []
        for element in self.elements:
            positions.append(element)
            further = Element(element.id, False, element.repeat, element.components)
            positions.extend([further] * (min(element.repeat, EXPANDED_REPEATS_MAX) - 1))
        return tuple(positions)


@dataclass(frozen=True, slots=True)
class Node:
    """A line of a message's segment table: a segment (`children` is None) or a segment group.

    `tag` is the segment's tag, or that of the group's trigger; `name` the tag, or SGn.
    """

    name: str
    tag: str
    mandatory: bool
    repeat: int
    children: tuple[Node, ...] | None = None


class Directory:
    """One directory: its messages, segments and code lists, built as they are asked for."""

    def __init__(self, name: str, data: Mapping[str, Mapping[str, str]], additional_codes: Mapping[str, str]) -> None:
        self.name = name
        self._data = data
        self._additional_codes = additional_codes
        self._segments: dict[str, SegmentDefinition | None] = {}
        self._codes: dict[str, frozenset[str] | None] = {}

    @property
    def message_types(self) -> tuple[str, ...]:
        return tuple(self._data["messages"])

    @property
    def segment_tags(self) -> tuple[str, ...]:
        return tuple(self._data["segments"])

    def message(self, message_type: str) -> tuple[Node, ...] | None:
        """The segment table of a message type, or None if the directory has none."""
        line = self._data["messages"].get(message_type)
        return None if line is None else read_structure(line)

    def segment(self, tag: str) -> SegmentDefinition | None:
        if tag not in self._segments:
            line = self._data["segments"].get(tag)
            self._segments[tag] = None if line is None else SegmentDefinition(tag, tuple(self._elements(line)))
        return self._segments[tag]

    def codes(self, element: str) -> frozenset[str] | None:
        """The code list of a data element, the additional codes of trade practice included; None if it is not coded."""
        if element not in self._codes:
            line = self._data["codes"].get(element)
            additional = self._additional_codes.get(element, "")
            self._codes[element] = None if line is None else frozenset(line.split()).union(additional.split())
        return self._codes[element]

    def _elements(self, line: str) -> Iterator[Element]:
        for identifier, mandatory, repeat in _items(line):
            if identifier in self._data["composites"]:
                composite = self._data["composites"][identifier]
                components = tuple(self._component(c, m) for c, m, _ in _items(composite))
            else:
                components = (self._component(identifier, mandatory),)
            yield Element(identifier, mandatory, repeat, components)

    def _component(self, identifier: str, mandatory: bool) -> Component:
        return Component(identifier, mandatory, read_format(self._data["elements"][identifier]), self.codes(identifier))


def _items(line: str) -> Iterator[tuple[str, bool, int]]:
    for item in line.split():
        match = _ITEM.fullmatch(item)
        if match is None:
            raise ValueError(f"not an element of a directory: {item!r} in {line!r}")
        yield match[1], bool(match[2]), int(match[3] or 1)


@cache
def read_format(text: str) -> Format:
    """Read a representation such as ``an..35`` or ``n3``. Raises ValueError on anything else."""
    match = _FORMAT.fullmatch(text)
    if match is None:
        raise ValueError(f"not a representation: {text!r}")
    length = int(match[3])
    return Format(match[1], 0 if match[2] else length, length)


def read_structure(line: str) -> tuple[Node, ...]:
    """Read a message's segment table from the notation of the directory files."""
    position, group_number = 0, 0
    open_groups: list[tuple[int, list[Node]]] = [(0, [])]
    while position < len(line):
        match = _NODE.match(line, position)
        if match is None:
            raise ValueError(f"not a segment table at {line[position : position + 20]!r}")
        position = match.end()
        if match[1] == "(":
            group_number += 1
            open_groups.append((group_number, []))
        elif match[2]:
            open_groups[-1][1].append(Node(match[2], match[2], bool(match[3]), int(match[4] or 1)))
        else:
            number, children = open_groups.pop()
            group = Node(f"SG{number}", children[0].tag, bool(match[5]), int(match[6] or 1), tuple(children))
            open_groups[-1][1].append(group)
    (_, nodes), *unclosed = open_groups
    if unclosed:
        raise ValueError(f"a group is not closed: {line!r}")
    return tuple(nodes)


def _load(file: str) -> dict[str, Mapping[str, str]]:
    text = resources.files("edi_gateway.messages.directories").joinpath(file).read_text("utf-8")
    return cast(dict[str, Mapping[str, str]], json.loads(text))


def file_of(name: str) -> str:
    """The data file of a directory: ``D.96A`` is in ``d96a.json``."""
    return f"{name.replace('.', '').lower()}.json"


def has_directory(name: str) -> bool:
    """Whether there is data for a directory of that name."""
    return _NAME.fullmatch(name) is not None and file_of(name) in _files()


@cache
def _files() -> frozenset[str]:
    return frozenset(file.name for file in resources.files("edi_gateway.messages.directories").iterdir())


def directory(name: str) -> Directory:
    """The directory of that name, such as ``D.96A`` or ``syntax-3``. Raises UnknownDirectoryError."""
    if not has_directory(name):
        raise UnknownDirectoryError(name)
    return _read(name)


@cache
def _read(name: str) -> Directory:
    additional = cast(Mapping[str, Mapping[str, str]], _load("additional-codes.json"))
    return Directory(name, _load(file_of(name)), additional.get(name, {}))
