"""Every component of a message ends in the record, in a finding, or among what has no field; and lineage says where."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from edi_gateway.edifact.segment import Segment
from edi_gateway.messages.tree import Group
from edi_gateway.translators import DecodeContext, Source, translator

from .test_samples import GOOD, interchange

IMPLIED = {
    ("UNH", None, None): "the envelope",
    ("UNT", None, None): "the envelope",
    ("UNS", None, None): "judged with the form",
    ("CNT", None, None): "judged with the form",
    ("CUX", 1, 3): "what the currency is for follows from the message",
}
TOKEN = "9"  # fits wherever the original did, and is a number: what changes is the value, not its form


def messages() -> Iterator[tuple[str, str, Group]]:
    for path in GOOD:
        for message in interchange(path).messages:
            assert isinstance(message.tree, Group)
            yield path.stem, message.header.type, message.tree


MESSAGES = list(messages())
"""Name of the sample, message type, tree."""


def result(message_type: str, tree: Group) -> Any:
    found = translator(message_type)
    assert found is not None
    decoded = found.decode(tree, DecodeContext())
    return decoded.record, decoded.findings, decoded.unmapped


def components(segment: Segment) -> Iterator[tuple[int, int]]:
    for element, values in enumerate(segment.elements[1:], start=1):
        for component, value in enumerate(values, start=1):
            if value:
                yield element, component


def is_implied(tag: str, element: int, component: int) -> bool:
    return (tag, None, None) in IMPLIED or (tag, element, component) in IMPLIED


@pytest.mark.parametrize(("name", "message_type", "tree"), MESSAGES, ids=[name for name, _, _ in MESSAGES])
def test_no_component_is_dropped_silently(name: str, message_type: str, tree: Group) -> None:
    before = result(message_type, tree)
    changed = deepcopy(tree)
    for segment in changed.walk():
        for element, component in components(segment):
            if is_implied(segment.tag, element, component):
                continue
            original = deepcopy(segment.elements)
            segment.elements[element][component - 1] += TOKEN
            segment.elements = segment.elements  # given anew, so the text that was read no longer holds
            assert result(message_type, changed) != before, (segment, element, component)
            segment.elements = original
    assert result(message_type, changed) == before


@pytest.mark.parametrize(("name", "message_type", "tree"), MESSAGES, ids=[name for name, _, _ in MESSAGES])
def test_a_segment_more_is_never_dropped_silently(name: str, message_type: str, tree: Group) -> None:
    before = result(message_type, tree)
    groups = [tree, *(child for child in tree.children if isinstance(child, Group))]
    for group in groups:
        group.children.append(Segment("ZZZ", [["ZZZ"], ["1"]], 99))
        assert result(message_type, tree) != before
        group.children.pop()


def leaves(record: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a record that is not a default, by its path."""
    for field in fields(record):
        value, name = getattr(record, field.name), f"{path}/{field.name}" if path else field.name
        if value == field.default:
            continue
        if is_dataclass(value):
            yield from leaves(value, name)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if is_dataclass(item):
                    yield from leaves(item, f"{name}[{index}]")
                else:
                    yield f"{name}[{index}]", item
        else:
            yield name, value


@pytest.mark.parametrize(("name", "message_type", "tree"), MESSAGES, ids=[name for name, _, _ in MESSAGES])
def test_every_value_tells_the_segment_that_it_came_from(name: str, message_type: str, tree: Group) -> None:
    found = translator(message_type)
    assert found is not None
    decoded = found.decode(tree, DecodeContext(lineage=True))
    by_position = {segment.position: segment for segment in tree.walk()}

    sourceless = [path for path, _ in leaves(decoded.record) if not source_of(path, decoded.lineage)]
    assert sourceless == []
    for path, source in decoded.lineage.items():
        segment = by_position[source.position]
        assert segment.tag == source.segment
        assert segment.get(source.element - 1, source.component), path


def source_of(path: str, lineage: Any) -> Source | None:
    """The source of a value, or of the whole that it is a part of."""
    while path:
        if path in lineage:
            found: Source = lineage[path]
            return found
        path = path[: max(path.rfind("/"), path.rfind("["))] if "/" in path or "[" in path else ""
    return None


def test_lineage_is_empty_unless_it_is_asked_for() -> None:
    _, message_type, tree = MESSAGES[0]
    found = translator(message_type)
    assert found is not None
    assert found.decode(tree, DecodeContext()).lineage == {}
