"""Segments and groups against their table: missing, misplaced, repeated; ambiguity; the tree."""

from __future__ import annotations

import time

import pytest

from edi_gateway.edifact.segment import Segment
from edi_gateway.messages.tree import Group
from tests.core.messages.texts import ORDER, codes, errors, judged, message

REPORT = """
UNH+1+INVRPT:D:{release}:UN'
BGM+35+R1+9'
DTM+137:20261122:102'
NAD+SU+3760000001014::9'
{lines}
UNT+{count}+1'
"""


def names(group: Group) -> list[str]:
    """The groups of a tree in order, nested ones behind a slash."""
    found = []
    for child in group.children:
        if isinstance(child, Group):
            name = f"{child.name}[{child.occurrence}]:{child.trigger}"
            found += [name, *(f"{name}/{nested}" for nested in names(child))]
    return found


def test_the_tree_names_groups_by_trigger_and_number() -> None:
    tree = judged(ORDER).tree
    assert [group.name for group in tree.groups("LIN")] == ["SG25", "SG25"]
    assert [group.occurrence for group in tree.groups("LIN")] == [1, 2]
    assert [group.segments("NAD")[0].get(1) for group in tree.groups("NAD")] == ["BY", "SU"]
    assert tree.groups("LIN")[1].groups("PRI")[0].first("PRI").get(1, 2) == "20"


def test_a_second_single_segment_group_is_not_skipped() -> None:
    """php-edifact lost the delivery party this way: a trigger that recurs repeats its group."""
    verdict = judged(ORDER.replace("CUX", "NAD+DP+3760000000024::9'CUX"))
    assert len(verdict.tree.groups("NAD")) == 3


@pytest.mark.parametrize(
    "change, expected",
    [
        (("BGM+220+PO1+9'", ""), ("13", "BGM", 1)),
        (("DTM+137:20261122:102'", ""), ("13", "DTM", 2)),
        (("UNS+S'", ""), ("13", "UNS", 12)),
        (("CUX", "ZZZ+1'CUX"), ("15", "ZZZ", 6)),
        (("CUX", "BGM+220'CUX"), ("15", "BGM", 6)),
        (("LIN+2", "UNS+S'LIN+2"), ("15", "LIN", 11)),
        (("BGM+220+PO1+9'", "BGM+220+PO1+9'BGM+220+PO1+9'"), ("35", "BGM", 3)),
        (("CUX+2:EUR:9'", "CUX+2:EUR:9'" * 6), ("36", "CUX", 11)),
        (("QTY+21:8'", "QTY+21:8'" * 11), ("35", "QTY", 21)),
    ],
)
def test_the_0085_code_and_position_of_each_fault(change: tuple[str, str], expected: tuple[str, str, int]) -> None:
    (contrl, segment, position, element, component), *_ = errors(judged(ORDER.replace(*change)))
    assert (contrl, segment, position) == expected
    assert (element, component) == (None, None)


def test_a_segment_that_comes_too_late_is_one_finding() -> None:
    text = ORDER.replace("BGM+220+PO1+9'", "").replace("NAD+BY", "BGM+220+PO1+9'NAD+BY")
    verdict = judged(text)
    assert codes(verdict) == ["D303"]
    assert verdict.findings[0].position == 1
    assert verdict.findings[0].value == "3"


def test_three_faults_give_three_findings_and_the_rest_is_read() -> None:
    text = ORDER.replace("BGM+220+PO1+9'", "").replace("QTY+21:10", "QTY+21:1O").replace("UNS", "ZZZ+1'UNS")
    verdict = judged(text)
    assert errors(verdict) == [
        ("13", "BGM", 1, None, None),
        ("37", "QTY", 7, 2, 2),
        ("15", "ZZZ", 12, None, None),
    ]
    assert len(verdict.tree.groups("LIN")) == 2
    assert list(verdict.tree.walk()) == verdict.message.segments


def test_a_missing_trailer_section_does_not_cost_the_lines() -> None:
    """Without UNS the lines must not all be reported as out of place."""
    verdict = judged(ORDER.replace("UNS+S'\nCNT+2:2'", ""))
    assert errors(verdict) == [("13", "UNS", 12, None, None)]


def test_a_stray_segment_in_the_header_does_not_end_the_header() -> None:
    verdict = judged(ORDER.replace("NAD+BY", "MOA+86:1'NAD+BY"))
    assert errors(verdict) == [("15", "MOA", 4, None, None)]
    assert len(verdict.tree.groups("NAD")) == 2


def test_what_is_missing_inside_a_group_is_named_with_its_path() -> None:
    text = ORDER.replace("UNS+S'", "UNS+S'MOA+79:1'").replace("CNT+2:2'", "CNT+2:2'ALC+A'UNT").split("UNT+15")[0]
    verdict = judged(text.replace("ALC+A'UNT", "ALC+A'") + "UNT+17+1'")
    (finding,) = verdict.findings
    assert (finding.code, finding.segment, finding.position, finding.path) == ("D301", "MOA", 16, "SG54[1]/MOA")


def test_uns_tells_apart_allowances_of_lines_and_of_the_order() -> None:
    """The groups of ALC before and after UNS have the same trigger."""
    text = ORDER.replace("UNS+S'", "ALC+A'MOA+8:1'UNS+S'").replace("CNT+2:2'", "CNT+2:2'ALC+A'MOA+8:1'MOA+9:1'")
    verdict = judged(text)
    assert verdict.findings == []
    assert [group.name for group in verdict.tree.groups("ALC")] == ["SG54"]
    assert [group.name for group in verdict.tree.groups("LIN")[1].groups("ALC")] == ["SG39"]


def test_inventory_lines_begin_with_quantity_in_d96a_and_with_inv_in_d01b() -> None:
    lines = "LIN+1++3760123450010:EN'{0}LIN+2++3760123450027:EN'{0}"
    old = REPORT.format(release="96A", lines=lines.format("QTY+145:5'INV+1'LOC+18+W'"), count=13)
    new = REPORT.format(release="01B", lines=lines.format("INV+1'QTY+145:5'LOC+18+W'"), count=13).replace("EN'", "SRV'")
    for text, trigger in ((old, "QTY"), (new, "INV")):
        verdict = judged(text)
        assert verdict.findings == []
        assert [len(line.groups(trigger)) for line in verdict.tree.groups("LIN")] == [1, 1]


@pytest.mark.parametrize("after, of_package", [("PCI++X'", True), ("INV+1'LOC+18+W'", False)])
def test_an_ambiguous_quantity_is_read_by_what_follows(after: str, of_package: bool) -> None:
    """D.96A INVRPT: after PAC, QTY may count the package, or begin the next stock figure."""
    lines = f"LIN+1++3760123450010:EN'QTY+145:5'CPS+1'PAC+1'QTY+66:2'{after}"
    verdict = judged(REPORT.format(release="96A", lines=lines, count=11))
    assert verdict.findings == []
    figures = verdict.tree.groups("LIN")[0].groups("QTY")
    assert len(figures) == (1 if of_package else 2)


def test_despatch_advices_nest_packages_and_lines() -> None:
    verdict = judged(
        """UNH+1+DESADV:D:96A:UN'BGM+351+D1+9'CPS+1'PAC+1++201'CPS+2+1'PAC+2++CT'PCI+33E'
        GIN+BJ+340455750695614954'LIN+1++3760123450010:EN'QTY+12:5'RFF+ON:PO1'UNT+12+1'"""
    )
    assert verdict.findings == []
    assert names(verdict.tree) == [
        "SG10[1]:CPS",
        "SG10[1]:CPS/SG11[1]:PAC",
        "SG10[2]:CPS",
        "SG10[2]:CPS/SG11[1]:PAC",
        "SG10[2]:CPS/SG11[1]:PAC/SG13[1]:PCI",
        "SG10[2]:CPS/SG11[1]:PAC/SG13[1]:PCI/SG14[1]:GIN",
        "SG10[2]:CPS/SG15[1]:LIN",
        "SG10[2]:CPS/SG15[1]:LIN/SG16[1]:RFF",
    ]


def test_an_empty_message_has_its_missing_lines() -> None:
    assert errors(judged("UNH+1+ORDERS:D:96A:UN'")) == [
        ("13", "BGM", 1, None, None),
        ("13", "DTM", 1, None, None),
        ("13", "UNS", 1, None, None),
    ]


def test_the_trailer_is_in_place_however_little_there_is() -> None:
    assert errors(judged("UNH+1+INVOIC:D:96A:UN'BGM+380'UNT+3+1'")) == [
        ("13", "DTM", 2, None, None),
        ("13", "UNS", 2, None, None),
        ("13", "MOA", 2, None, None),
    ]


@pytest.mark.parametrize("lines", [10_000])
def test_time_is_linear_in_the_length_of_a_message_also_where_every_line_is_wrong(lines: int) -> None:
    def text(count: int) -> str:
        body = "".join(f"LIN+{n}'ZZZ+1'BGM+1'PRI+AAA:1'QTY+21:1'" for n in range(1, count + 1))
        return f"UNH+1+ORDERS:D:96A:UN'BGM+220'DTM+137:20261122:102'{body}UNS+S'UNT+1+1'"

    def seconds(count: int) -> float:
        prepared = message(text(count))
        start = time.process_time()
        judged(prepared)
        return time.process_time() - start

    seconds(10)
    short, long = seconds(lines // 10), seconds(lines)
    assert long < 30 * short + 0.5


@pytest.mark.parametrize("segment", ["NAD+BY'", "RFF+ON:1'", "DTM+137:20261122:102'", "CNT+1:1'", "CNT+2:0'"])
def test_a_segment_repeated_far_beyond_its_limit_is_reported_once_and_costs_no_more_than_others(segment: str) -> None:
    count = 20_000
    prepared = message(f"UNH+1+ORDERS:D:96A:UN'BGM+220'DTM+137:20261122:102'{segment * count}UNS+S'UNT+1+1'")
    start = time.process_time()
    verdict = judged(prepared)
    assert time.process_time() - start < 4  # weighing each anew, or adding up the message for each CNT, took longer
    assert sum(finding.code in ("D306", "D307") for finding in verdict.findings) <= 1
    assert sum(child.tag == segment[:3] for child in walked(verdict.tree)) >= count


def walked(group: Group) -> list[Segment]:
    """Every segment of the tree."""
    found: list[Segment] = []
    for child in group.children:
        found += walked(child) if isinstance(child, Group) else [child]
    return found
