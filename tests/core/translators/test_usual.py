"""Lines that are read by the pattern of lines before them give what reading each of them at length gives."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.messages.judge import judge
from edi_gateway.messages.tree import Group
from edi_gateway.partnership import Habits
from edi_gateway.translators import DecodeContext, _usual, translator
from edi_gateway.translators._maker import Maker
from edi_gateway.translators._usual import PLANS_MAX, SIGHTINGS_BEFORE_COMPILING, Capture, Usual, UsualGroups
from edi_gateway.translators.context import Decoded

from .test_by_text import without_text

USUAL_LINE = (
    "LIN+{n}++376010112648{n}:EN'PIA+5+SKU-{n}:SA'IMD+F++:::Câble n° {n}'QTY+21:{n}:KGM'MOA+203:{n}.29'PRI+AAA:1.43'"
)
ODD_LINES = (
    "LIN+{n}++376010112648{n}:EN'PIA+5+SKU?+{n}:SA'IMD+F++:::L?'a?? {n}'QTY+21:{n}:KGM'MOA+203:{n}.29'PRI+AAA:1.43'",
    "LIN+{n}++376010112648{n}:EN'PIA+5+SKU-{n}:SA'IMD+F++:::x'QTY+21:zwei:KGM'MOA+203:{n}.29'PRI+AAA:1.43'",
    "LIN+{n}++376010112648{n}:EN'PIA+5+SKU-{n}:SA'IMD+F++:::x'QTY+21:{n}:KGM'MOA+203:{n}.29:USD'PRI+AAA:1.43'",
    "LIN+{n}++376010112648{n}:EN'PIA+5+SKU-{n}:SA:Z'IMD+F++:::x'QTY+21:{n}:KGM'MOA+203:1,5'PRI+AAA:1.43'",
    "LIN+{n}++376010112648{n}:EN'PIA+5+SKU-{n}:SA'IMD+F++:::a?'QTY+21:3'QTY+21:{n}:KGM'MOA+203:{n}.29'PRI+AAA:1.43'",
    "LIN+{n}++1:EN'PIA+5+1:SA+2:IN'QTY+21:{n}'DTM+64:20261124:102'DTM+63:20261130:102'TAX+7+VAT+++:::20+S'",
    "LIN+{n}++1:EN'PIA+5+1:SA+2:IN'QTY+21:{n}'DTM+64:20261399:102'DTM+63:20261130:102'TAX+7+VAT+++:::5.5+S'",
    "LIN+{n}'PIA+5+1:SA+2:EN'QTY+21:{n}'DTM+63:2026112420261130:718'TAX+7+VAT+++:::AB+S'",
)


def order(lines: list[str]) -> bytes:
    body = "".join(line.replace("{n}", str(n)) for n, line in enumerate(lines, 1))
    count = 8 + body.replace("?'", "").count("'")
    return (
        "UNB+UNOC:3+3760000000017:14+3760000001014:14+261122:0915+1'UNH+1+ORDERS:D:96A:UN'BGM+220+PO1+9'"
        "DTM+137:20261122:102'NAD+BY+3760000000017::9'CUX+2:EUR:9'"
        f"{body}UNS+S'CNT+2:{len(lines)}'UNT+{count}+1'UNZ+1+1'"
    ).encode("latin-1")


def tree_of(data: bytes) -> Group:
    tree = next(judge([data])).messages[0].tree
    assert isinstance(tree, Group)
    return tree


def decoded(data: bytes, context: DecodeContext, *, at_length: bool) -> Decoded[object]:
    tree = tree_of(data)
    found = translator("ORDERS")
    assert found is not None
    result: Decoded[object] = found.decode(without_text(tree) if at_length else tree, context)
    return result


@given(st.lists(st.sampled_from((*[USUAL_LINE] * 6, *ODD_LINES)), min_size=1, max_size=20))
@settings(deadline=None, max_examples=60)
def test_any_mix_of_lines_reads_as_it_does_at_length(lines: list[str]) -> None:
    data = order(lines)
    for context in (DecodeContext(), DecodeContext(habits=Habits(units={"KGM": "KG"}, unit="KG"))):
        quick, long = (decoded(data, context, at_length=at_length) for at_length in (False, True))
        assert quick.record == long.record
        assert quick.unmapped == long.unmapped
        assert [f.rule for f in quick.findings] == [f.rule for f in long.findings]


def test_lineage_is_told_of_every_line() -> None:
    data = order([USUAL_LINE] * 20)
    quick = decoded(data, DecodeContext(), at_length=False)
    traced = decoded(data, DecodeContext(lineage=True), at_length=False)
    assert traced.record == quick.record
    assert traced.lineage["lines[19]/quantity"].segment == "QTY"
    assert not quick.lineage


def test_a_pattern_is_made_when_it_was_seen_often_enough() -> None:
    habits = Habits()
    usual = UsualGroups(Maker(Habits))
    segments = tree_of(order(["LIN+{n}'"])).groups("LIN")[0].segments("LIN")
    told = [Usual(r"LIN\+([^+:?']+)", (Capture("unit", str),))]
    for _ in range(SIGHTINGS_BEFORE_COMPILING - 1):
        usual.learn(segments, told, replace(habits, unit="1"))
    one = Group("", "LIN", 1, [*segments])
    assert usual.read(one) is None
    usual.learn(segments, told, replace(habits, unit="1"))
    assert usual.read(one) == replace(habits, unit="1")


def test_a_row_that_told_wrongly_is_not_believed() -> None:
    usual = UsualGroups(Maker(Habits))
    segments = tree_of(order(["LIN+{n}'"])).groups("LIN")[0].segments("LIN")
    for _ in range(SIGHTINGS_BEFORE_COMPILING):
        usual.learn(segments, [Usual(r"LIN\+([^+:?']+)", (Capture("unit", str),))], Habits(unit="another"))
    assert usual.read(Group("", "LIN", 1, [*segments])) is None


def test_patterns_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = UsualGroups(Maker(Habits))
    segments = tree_of(order(["LIN+{n}'"])).groups("LIN")[0].segments("LIN")
    for number in range(PLANS_MAX):
        assert usual.is_learning
        for _ in range(SIGHTINGS_BEFORE_COMPILING):
            usual.learn(segments, [Usual(rf"LIN\+([^+:?']+)(?#{number})", (Capture("unit", str),))], Habits(unit="1"))
    assert not usual.is_learning
    monkeypatch.setattr(_usual, "MISSES_MAX", 2)
    tired = UsualGroups(Maker(Habits))
    tired.note_miss()
    assert tired.is_learning
    tired.note_miss()
    assert not tired.is_learning


def test_a_repeated_element_of_syntax_4_is_not_read_as_one_value() -> None:
    data = order(["LIN+1++376:EN'QTY+21:3*22:4'IMD+F++:::a*b'"]).replace(b"UNOC:3", b"UNOC:4")
    quick, long = (decoded(data, DecodeContext(), at_length=at_length) for at_length in (False, True))
    assert quick.record is not None
    assert (quick.record, quick.findings, quick.unmapped) == (long.record, long.findings, long.unmapped)
