"""Each sample, damaged in every single way: each gives the one error that it must give, at its place, and no other.

Every mandatory segment removed (nested ones too, where their group is there), every mandatory element and component
emptied, every value made one character too long, every count changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random

import pytest

from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.edifact.verdict import InterchangeVerdict, Message, MessageVerdict
from edi_gateway.edifact.writer import write_segment
from edi_gateway.messages import DIRECTORIES, MESSAGE_TYPES, MessageSpecification, specification
from edi_gateway.messages._directory import Node
from edi_gateway.messages.judge import judge, judge_message, resolve
from edi_gateway.messages.tree import Group
from tests.core.messages import texts
from tests.core.messages.generator import Generator
from tests.core.messages.texts import errors

SAMPLES = sorted((Path(__file__).parents[3] / "samples").glob("*.edi"))
ENVELOPE = frozenset({"UNH", "UNT"})

Place = tuple[str | None, str | None, int | None, int | None, int | None]


@pytest.fixture(params=SAMPLES, ids=lambda path: path.stem)
def sample(request: pytest.FixtureRequest) -> list[MessageVerdict]:
    return _messages(request.param)


@cache
def _messages(path: Path) -> list[MessageVerdict]:
    return [message for interchange in judge([path.read_bytes()]) for message in interchange.messages]


def _judged(message: Message, segments: Sequence[Segment]) -> MessageVerdict:
    """The message with these segments, numbered anew."""
    fresh = [
        Segment(each.tag, each.elements, position, 0, each.repeats, write_segment(each, Separators())[:-1])
        for position, each in enumerate(segments, 1)
    ]
    return judge_message(Message(message.header, fresh))


def _specification(message: Message) -> MessageSpecification:
    found, _ = resolve(message.header)
    assert found is not None
    return found


def _mandatory(group: Group, nodes: Sequence[Node], path: str = "") -> Iterator[Segment]:
    """The segments that may not be left out of the groups that are there; the first of a group is the group."""
    for node in nodes:
        if node.children:
            for inner in group.groups(node.tag):
                if inner.name == node.name:
                    yield from _mandatory(inner, node.children[1:])
        elif node.mandatory:
            alone = group.segments(node.tag)
            if len(alone) == 1 and node.tag not in ENVELOPE:
                yield alone[0]


def _is_missed(message: MessageVerdict, left_out: Segment) -> bool:
    """Whether the message without this segment has that one error, at the last segment before its place.

    Without UNS the first segments of the summary may be read as the last of the detail: then it stands after them.
    """
    segments = message.message.segments
    place = segments.index(left_out)
    verdict = _judged(message.message, [*segments[:place], *segments[place + 1 :]])
    (error,) = errors(verdict)
    later = len(segments) - place if left_out.tag == "UNS" else 1
    return any(error == ("13", left_out.tag, place + more, None, None) for more in range(later))


def test_every_mandatory_segment_removed(sample: list[MessageVerdict]) -> None:
    for message in sample:
        assert isinstance(message.tree, Group)
        removed = list(_mandatory(message.tree, _specification(message.message).nodes))
        assert removed
        for segment in removed:
            assert _is_missed(message, segment), segment


@pytest.mark.parametrize("name", [name for name in MESSAGE_TYPES if name != "CONTRL"])
@pytest.mark.parametrize("directory", DIRECTORIES)
def test_every_mandatory_segment_removed_from_deep_groups(name: str, directory: str) -> None:
    found = specification(name, directory)
    assert found is not None
    for seed in (1, 2):
        message = texts.judged(texts.of(Generator(found, Random(seed), 0.25).message()))
        assert isinstance(message.tree, Group)
        for segment in _mandatory(message.tree, found.nodes):
            assert _is_missed(message, segment), segment


def _with_value(segment: Segment, element: int, component: int, value: str) -> Segment:
    elements = [list(components) for components in segment.elements]
    elements[element - 1][component - 1] = value
    return Segment(segment.tag, elements)


def _damaged(message: MessageVerdict, segment: Segment, changed: Segment) -> list[Place]:
    segments = message.message.segments
    return errors(_judged(message.message, [changed if each is segment else each for each in segments]))


def _values(message: MessageVerdict) -> Iterator[tuple[Segment, int, int | None, int, bool, str, int]]:
    """Each value: its segment, its place (0098, 0104), its component, whether it is mandatory, its kind and length."""
    found = _specification(message.message)
    for segment in message.message.segments:
        layout = found.layout(segment.tag)
        if layout is None or segment.tag in ENVELOPE:
            continue
        for element, (definition, values) in enumerate(zip(layout.positions, segment.elements[1:], strict=False), 2):
            for number, (component, value) in enumerate(zip(definition.components, values, strict=False), 1):
                if value:
                    mandatory = component.mandatory and (definition.mandatory or any(values[number:]))
                    place = number if definition.is_composite else None
                    format_ = component.format
                    yield segment, element, place, number, mandatory, format_.kind, format_.length_max


def test_every_value_made_too_long(sample: list[MessageVerdict]) -> None:
    for message in sample:
        for segment, element, place, number, _, kind, length in _values(message):
            value = "1" * (length + 1) if kind == "n" else "X" * (length + 1)
            found = _damaged(message, segment, _with_value(segment, element, number, value))
            assert found == [("39", segment.tag, segment.position, element, place)], segment


def test_every_mandatory_value_left_out(sample: list[MessageVerdict]) -> None:
    for message in sample:
        for segment, element, place, number, mandatory, _, _ in _values(message):
            if not mandatory:
                continue
            changed = _with_value(segment, element, number, "")
            whole = not any(changed.elements[element - 1])
            found = _damaged(message, segment, changed)
            assert found == [("13", segment.tag, segment.position, element, None if whole else place)], segment


def test_every_control_total_changed(sample: list[MessageVerdict]) -> None:
    for message in sample:
        for cnt in (segment for segment in message.message.segments if segment.tag == "CNT"):
            value = str(int(cnt.get(1, 2)) + 1)
            segments = [_with_value(cnt, 2, 2, value) if each is cnt else each for each in message.message.segments]
            verdict = _judged(message.message, segments)
            assert errors(verdict) == []
            assert [(f.code, f.value, f.expected) for f in verdict.findings if f.position == cnt.position] == [
                ("D341", value, cnt.get(1, 2))
            ]


# The envelopes, as bytes.


def _read(text: str) -> InterchangeVerdict:
    (verdict,) = judge([text.encode("latin-1")])
    return verdict


def _said(findings: Sequence[Finding]) -> list[Place]:
    return [(f.contrl, f.segment, f.position, f.element, f.component) for f in findings if f.is_error]


def _grouped(text: str) -> str:
    """The sample with its messages in a functional group."""
    head, _, rest = text.partition("UNH+")
    messages, _, unz = rest.rpartition("UNZ+")
    kind = messages.split("+")[1].split(":")[0]
    ung = f"UNG+{kind}+A+B+261122:0915+G1+UN+D:96A'"
    return f"{head}{ung}UNH+{messages}UNE+{text.count('UNH+')}+G1'UNZ+1+{unz.partition('+')[2]}"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_count_of_the_envelopes_changed(path: Path) -> None:
    text = path.read_bytes().decode("latin-1")
    count = text.count("UNH+")
    assert _said(_read(text.replace(f"UNZ+{count}+", f"UNZ+{count + 1}+")).findings) == [("29", "UNZ", None, 2, None)]
    grouped = _grouped(text)
    assert _read(grouped).valid
    wrong = _read(grouped.replace(f"UNE+{count}+", f"UNE+{count + 1}+"))
    assert _said(wrong.groups[0].findings) == [("29", "UNE", None, 2, None)]
    assert _said(wrong.findings) == []
    for number, message in enumerate(_messages(path)):
        unt = message.message.segments[-1]
        stated = f"UNT+{unt.get(1)}+{unt.get(2)}'"
        found = _read(text.replace(stated, f"UNT+{int(unt.get(1)) + 1}+{unt.get(2)}'"))
        assert _said(found.messages[number].findings) == [("29", "UNT", unt.position, 2, None)]
        assert sum(not each.valid for each in found.messages) == 1
        assert _said(found.findings) == []


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_each_trailer_removed(path: Path) -> None:
    text = path.read_bytes().decode("latin-1")
    unz = text[text.rindex("UNZ+") :]
    assert _said(_read(text.removesuffix(unz)).findings) == [("13", "UNZ", None, None, None)]
    unt = text[text.rindex("UNT+") : text.rindex("UNZ+")]
    found = _read(text.replace(unt, "", 1) if text.count(unt) == 1 else text)
    last = found.messages[-1]
    assert _said(last.findings) == [("13", "UNT", len(last.message.segments), None, None)]
