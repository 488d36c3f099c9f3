"""Control totals: what CNT says against what the message holds, and elements that depend on each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, InvalidOperation

from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.segment import Segment
from edi_gateway.messages import rules
from edi_gateway.messages._elements import SegmentLayout
from edi_gateway.messages._type import ControlTotal, Count, Dependency, MessageType
from edi_gateway.messages.tree import Group

_VALUE = 2, 2  # CNT C270/6066, as 0098 and 0104 count


def check_totals(message_type: MessageType, segments: Sequence[Segment], tree: Group) -> Iterator[Finding]:
    """Control totals that differ from the message. One finding for each wrong CNT."""
    computed: dict[str, Decimal | None] = {}  # once a qualifier, however often a message repeats CNT
    for segment in segments:
        if segment.tag == "CNT":
            qualifier = segment.get(1, 1)
            total = message_type.control_totals.get(qualifier)
            declared = decimal(segment.get(1, 2))
            if total is None or declared is None:
                continue
            if qualifier not in computed:
                computed[qualifier] = compute(total, segments, tree)
            actual = computed[qualifier]
            if actual is not None and actual != declared:
                yield Finding(
                    rules.CONTROL_TOTAL,
                    segment.tag,
                    segment.position,
                    *_VALUE,
                    offset=segment.offset,
                    value=segment.get(1, 2),
                    expected=f"{actual.normalize():f}",
                )


def compute(total: ControlTotal, segments: Sequence[Segment], tree: Group) -> Decimal | None:
    """What the control total should be; None where a value to be added is no number."""
    if isinstance(total, Count):
        return Decimal([segment.tag for segment in segments].count(total.tag))
    result = Decimal(0)
    for group in _groups(tree, total.group):
        for segment in group.segments(total.tag):
            if segment.get(1, 1) in total.qualifiers:
                value = decimal(segment.get(1, 2))
                if value is None:
                    return None
                result += value
    return result


def check_dependencies(
    dependencies: Sequence[Dependency], segments: Sequence[Segment], layout_of: Callable[[str], SegmentLayout | None]
) -> Iterator[Finding]:
    """Elements that stand without the one that they depend on. Where that one is mandatory, its absence says it all."""
    for segment in segments:
        for row in dependencies:
            if row.tag != segment.tag or not _has(segment, row.element) or _has(segment, row.needs):
                continue
            layout = layout_of(segment.tag)
            # A segment of an older syntax may end before the element that is needed in the newer one.
            known = layout.positions[row.needs - 2 : row.needs - 1] if layout is not None else ()
            if known and not known[0].mandatory:
                yield Finding(
                    rules.DEPENDENCY,
                    segment.tag,
                    segment.position,
                    row.element,
                    offset=segment.offset,
                    value=str(row.element),
                    expected=str(row.needs),
                )


def decimal(value: str) -> Decimal | None:
    """A number as EDIFACT writes it, either decimal mark; None if it is none."""
    try:
        number = Decimal(value.strip().replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _has(segment: Segment, element: int) -> bool:
    return element - 1 < len(segment.elements) and any(segment.elements[element - 1])


def _groups(group: Group, trigger: str) -> Iterator[Group]:
    """All groups with this trigger, at any depth, in the order of the message."""
    for child in group.children:
        if isinstance(child, Group):
            if child.trigger == trigger:
                yield child
            yield from _groups(child, trigger)
