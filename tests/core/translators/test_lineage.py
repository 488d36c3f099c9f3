"""Each component of a sample is the source of a value, says what another one means, or has no field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from edi_gateway.edifact.segment import Segment
from edi_gateway.messages.judge import judge
from edi_gateway.messages.tree import Group
from edi_gateway.translators import DecodeContext, Decoded, Source, translator

from .test_nothing_is_lost import MESSAGES, components, is_implied
from .test_samples import GOOD
from .wire import decoded

SAYING_WHICH: dict[str, frozenset[tuple[int, int]]] = {
    "BGM": frozenset({(1, 1)}),  # of ORDCHG and ORDRSP: the message itself says so
    "DTM": frozenset({(1, 1), (1, 3)}),
    "RFF": frozenset({(1, 1)}),
    "LIN": frozenset({(3, 2), (4, 1)}),
    "PIA": frozenset([(1, 1), *((element, 2) for element in range(2, 7))]),
    "IMD": frozenset({(1, 1)}),
    "QTY": frozenset({(1, 1), (1, 3)}),
    "MOA": frozenset({(1, 1), (1, 3)}),
    "PRI": frozenset({(1, 1), (1, 3), (1, 4), (1, 6)}),
    "QVR": frozenset({(1, 2)}),
    "CUX": frozenset({(1, 1)}),
    "TAX": frozenset({(1, 1), (2, 1)}),
    "PCD": frozenset({(1, 1)}),
    "RTE": frozenset({(1, 1)}),
    "RNG": frozenset({(1, 1)}),
    "FII": frozenset({(1, 1)}),
    "COM": frozenset((element, 2) for element in range(1, 4)),
    "LOC": frozenset({(1, 1)}),
    "MEA": frozenset({(1, 1), (2, 1), (3, 1)}),
    "TDT": frozenset({(1, 1)}),
    "GIN": frozenset({(1, 1)}),
}
"""What tells the meaning of the value beside it: qualifiers, formats, units, the kind of a number."""

WITHOUT_VALUE = {("PCI", 1, 1): "says that GIN follows", ("INV", 4, 1): "stock as it is, which is what a report holds"}


def places(sources: Iterator[Source]) -> Iterator[tuple[int, int, int]]:
    for source in sources:
        yield source.position, source.element - 1, source.component
        yield from places(iter(source.parts))


def fates(segment: Segment, element: int, component: int, found: Decoded[Any], told: set[tuple[int, int, int]]) -> int:
    """How many times the component is accounted for."""
    position = segment.position
    is_source = (position, element, component) in told
    left = [each for each in found.unmapped if each.position == position]
    is_left = any(each.element in (None, element + 1) and each.component in (None, component) for each in left)
    selects = (element, component) in SAYING_WHICH.get(segment.tag, ()) and not is_source and not is_left
    has_value = any(place[0] == position for place in told)
    is_idle = (segment.tag, element, component) in WITHOUT_VALUE or is_implied(segment.tag, element, component)
    return is_source + is_left + (selects and has_value) + (is_idle and not (selects and has_value) and not is_source)


@pytest.mark.parametrize(("name", "message_type", "tree"), MESSAGES, ids=[name for name, _, _ in MESSAGES])
def test_each_component_has_one_fate(name: str, message_type: str, tree: Group) -> None:
    found_translator = translator(message_type)
    assert found_translator is not None
    found = found_translator.decode(tree, DecodeContext(lineage=True))
    told = set(places(iter(found.lineage.values())))

    wrong = [
        (segment.position, segment.tag, element, component, segment.get(element, component), count)
        for segment in tree.walk()
        for element, component in components(segment)
        if (count := fates(segment, element, component, found, told)) != 1
    ]
    assert wrong == []


def test_the_samples_hold_both_directories_and_every_type() -> None:
    assert len(Counter(message_type for _, message_type, _ in MESSAGES)) == 11


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_an_offset_is_that_of_the_components_first_byte(path: Any) -> None:
    data = path.read_bytes()
    for message in (message for verdict in judge([data]) for message in verdict.messages):
        kind = translator(message.header.type)
        assert kind is not None
        assert isinstance(message.tree, Group)
        by_position = {segment.position: segment for segment in message.tree.walk()}
        for source in kind.decode(message.tree, DecodeContext(lineage=True)).lineage.values():
            text = by_position[source.position].get(source.element - 1, source.component)
            raw = data[source.offset : source.offset + 2 * len(text)].decode("latin-1")
            assert raw.replace("??", "\0").replace("?", "").replace("\0", "?").startswith(text), source


def test_an_offset_counts_bytes_not_characters() -> None:
    data = (
        "UNB+UNOY:4+A+B+20261122:0915+1'UNH+1+ORDERS:D:96A:UN'BGM+220+É1+9'DTM+137:20261122:102'FTX+AAI+++été:après'"
        "NAD+BY+1::92'CUX+2:EUR:9'LIN+1'QTY+21:1'UNS+S'UNT+10+1'UNZ+1+1'"
    ).encode()
    message = next(judge([data])).messages[0]
    kind = translator("ORDERS")
    assert kind is not None
    assert isinstance(message.tree, Group)

    lineage = kind.decode(message.tree, DecodeContext(lineage=True, codec="utf-8")).lineage

    assert data[lineage["notes[0]/text[1]"].offset :].startswith("après".encode())
    assert data[lineage["issued"].offset :].startswith(b"20261122")


def test_a_name_of_several_components_tells_them_all() -> None:
    found = decoded(
        "ORDERS",
        "BGM+220+1+9\nDTM+137:20261122:102\nNAD+BY+1::92++PLACE:DE MARCHE\nCUX+2:EUR:9\nLIN+1\nQTY+21:1\nUNS+S",
        lineage=True,
    )
    source = found.lineage["parties[0]/name"]
    assert [(part.element, part.component) for part in (source, *source.parts)] == [(5, 1), (5, 2)]


def test_a_repeated_element_beyond_the_first_has_no_field() -> None:
    data = (
        b"UNA:+.?*'UNB+UNOC:4+A+B+20261122:0915+1'UNH+1+ORDERS:D:96A:UN'BGM+220+1*2:x+9'DTM+137:20261122:102'"
        b"NAD+BY+1::92'CUX+2:EUR:9'LIN+1'QTY+21:1'UNS+S'UNT+9+1'UNZ+1+1'"
    )
    message = next(judge([data])).messages[0]
    kind = translator("ORDERS")
    assert kind is not None
    assert isinstance(message.tree, Group)

    left = [each.as_json() for each in kind.decode(message.tree, DecodeContext()).unmapped]

    place = {"segment": "BGM", "position": 2, "element": 3, "repetition": 2}
    assert left == [{**place, "component": 1, "text": "2"}, {**place, "component": 2, "text": "x"}]
