"""The fast path: it may only pass what the exact judgement passes."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.messages import specification
from edi_gateway.messages._elements import judge_segment
from edi_gateway.messages._shapes import SHAPES_MAX, SIGHTINGS_BEFORE_COMPILING, TEXTS_REMEMBERED_MAX, Shapes
from tests.core.messages.generator import Generator, written
from tests.core.messages.texts import segment

D96A = specification("ORDERS", "D.96A")
SEPARATORS = Separators(decimal_marks=".")
TAGS = ("BGM", "DTM", "NAD", "LIN", "PIA", "IMD", "QTY", "MOA", "PRI", "TAX", "FTX", "RFF", "GIN", "CUX", "LOC")


def taught(*texts: str) -> Shapes:
    """Shapes that have seen these segments often enough to know them."""
    shapes = Shapes(SEPARATORS)
    for text in texts:
        for _ in range(SIGHTINGS_BEFORE_COMPILING):
            read = segment(text)
            shapes.learn(read, D96A.layout(read.tag))
    return shapes


def suspected(shapes: Shapes, text: str) -> bool:
    return list(shapes.suspects([segment(text)])) != []


def test_a_shape_passes_other_values_of_the_same_form() -> None:
    shapes = taught("QTY+21:5", "PIA+5+SKU-1:SA")
    assert not suspected(shapes, "QTY+21:6")
    assert not suspected(shapes, "QTY+21:-1234.5")
    assert not suspected(shapes, "PIA+5+anything at all:SA")


def test_a_shape_passes_nothing_else() -> None:
    shapes = taught("QTY+21:5", "PIA+5+SKU-1:SA")
    for text in ("QTY+12:5", "QTY+21:5O", "QTY+21:", "QTY+21:5:PCE", "QTY+21:1234567890123456", "QTY+21:05",
                 "QTY+21:5,5", "QTY+21:5+", "QTY+21:5'", "PIA+5+" + "x" * 36 + ":SA", "PIA+5+x:SA+y:BP"):  # fmt: skip
        assert suspected(shapes, text), text


def test_a_qualified_value_is_judged_each_time() -> None:
    shapes = taught("LIN+1++3760123450010:EN", "DTM+2:20261122:102")
    assert not suspected(shapes, "LIN+2++3760123450027:EN")
    assert suspected(shapes, "LIN+2++3760123450028:EN")
    assert not suspected(shapes, "DTM+2:20261231:102")
    assert suspected(shapes, "DTM+2:20261232:102")


def test_released_characters_are_values() -> None:
    shapes = taught("IMD+F++:::x")
    assert not suspected(shapes, "IMD+F++:::1?+1 ?: a ?' ??")
    assert suspected(shapes, "IMD+F++:::" + "?+" * 36)
    assert suspected(shapes, "IMD+F?+++:::x")


def test_what_is_remembered_is_bounded() -> None:
    shapes = Shapes(SEPARATORS)
    layout = D96A.layout("RFF")
    for number in range(TEXTS_REMEMBERED_MAX + 100):
        shapes.learn(segment(f"RFF+ON:{number}"), layout)
    assert len(shapes._texts) <= TEXTS_REMEMBERED_MAX
    several = taught(*(f"RFF+{code}:1" for code in sorted(D96A.directory.codes("1153"))[: SHAPES_MAX + 10]))
    assert len(several._tags["RFF"].texts) == SHAPES_MAX


@st.composite
def damaged(draw: st.DrawFn) -> tuple[Segment, str]:
    """A generated segment, and its text with a few characters changed."""
    random = Random(draw(st.integers(0, 2**16)))
    made = Generator(D96A, random, 0.5).segment(draw(st.sampled_from(TAGS)))
    characters = list(made.raw)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(3, len(characters)))
        piece = draw(st.sampled_from(["", "+", ":", "0", "7", ".", ",", "-", "A", "é", " ", "9" * 40, "x" * 80, "²"]))
        characters[place : place + draw(st.integers(0, 2))] = list(piece)
    return made, "".join(characters)


@settings(deadline=None, max_examples=400)
@given(damaged())
def test_whatever_a_shape_passes_is_clean(case: tuple[Segment, str]) -> None:
    made, text = case
    assert written(made) == made.raw
    layout = D96A.layout(made.tag)
    learnt = [made.raw] if judge_segment(made, layout, ".") == [] else []  # a date without its format has a finding
    if not suspected(taught(*learnt), text):
        read = segment(text)
        assert judge_segment(read, D96A.layout(read.tag), ".") == []
