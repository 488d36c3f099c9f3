"""Guidelines: what a user community or a partner demands beyond the directory, as data.

A guideline only narrows: it makes parts mandatory or forbids them, shortens values, and picks codes. Its
rows name places by a path, in the words of the trade:

    BGM/1225                the message function, in BGM
    DTM+137                 the date of the document: a DTM whose first value is 137
    NAD+SU/RFF+VA           the VAT number of the supplier, in the group that NAD opens
    LIN/QTY+21/6060         the quantities ordered, in the line groups

Groups are named by their trigger, so a path holds in every directory that has the same shape. A guideline
speaks of agreement, not of syntax: its findings have no 0085 code, and are answered by APERAK.

`shipped` gives the guidelines of a name that come with the gateway, `agreed` those of a partnership.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from edi_gateway.edifact.findings import Finding, Rule, Severity
from edi_gateway.edifact.segment import Segment
from edi_gateway.messages import rules
from edi_gateway.messages._directory import Node
from edi_gateway.messages._elements import SegmentLayout
from edi_gateway.messages._specification import MessageSpecification
from edi_gateway.messages.tree import Group

if TYPE_CHECKING:
    from edi_gateway.partnership import GuidelineRow, Partnership

SHIPPED: dict[str, tuple[str, ...]] = {
    "eancom": ("eancom-1997.json", "eancom-2002.json", "eancom-2002-s3.json", "eancom-2002-s4.json")
}
"""Guidelines that come with the gateway: name -> files, for the directories and syntax versions that it covers."""

EVERY = "every"
"""In a file that comes with the gateway: the rows that hold for each of its messages."""

ROWS_MAX = 2_000
"""Rows of one guideline."""

AGREED_KEPT = 1_000
"""Partners whose guidelines are kept as they were read."""

_STEP = re.compile(r"([A-Z]{3})(?:\+([^/+]+))?")
_ELEMENT = re.compile(r"[0-9]{4}|[CS][0-9]{3}")

LayoutOf = Callable[[str], SegmentLayout | None]


class GuidelineError(ValueError):
    """A guideline cannot be understood; the text says which row, and what was expected."""


class Status(StrEnum):
    """What a guideline says about the presence of a part."""

    MANDATORY = "mandatory"
    DEPENDENT = "dependent"  # a component that is mandatory where its composite is there
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Step:
    """A tag of a path; `qualifier` is the first value that the segment must have, "" for any."""

    tag: str
    qualifier: str = ""

    def fits(self, segment: Segment) -> bool:
        return segment.tag == self.tag and (not self.qualifier or segment.get(1) == self.qualifier)


@dataclass(frozen=True, slots=True)
class Restriction:
    """One row: a place, and what is demanded there. Without an element it is about the segment itself."""

    path: str
    groups: tuple[Step, ...]
    segment: Step
    element: str = ""
    status: Status | None = None
    length_max: int | None = None
    codes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Guideline:
    """Restrictions by message type. `directory` and `syntax_version` ("3", "4") are those it covers, None for any."""

    name: str
    restrictions: Mapping[str, tuple[Restriction, ...]]
    severity: Severity = Severity.ERROR
    directory: str | None = None
    syntax_version: str | None = None

    def covers(self, specification: MessageSpecification) -> bool:
        return self.directory in (None, specification.directory.name) and self.syntax_version in (
            None,
            specification.syntax_version,
        )

    @classmethod
    def read(
        cls,
        name: str,
        messages: Mapping[str, Mapping[str, Mapping[str, object]]],
        severity: Severity = Severity.ERROR,
        directory: str | None = None,
        syntax_version: str | None = None,
    ) -> Guideline:
        """Read the rows of a guideline: message type -> path -> `status`, `length_max`, `codes`.

        Raises GuidelineError.
        """
        if sum(len(rows) for rows in messages.values()) > ROWS_MAX:
            raise GuidelineError(f"{name}: more than {ROWS_MAX} rows")
        restrictions = {
            message_type: tuple(_read_row(f"{name}, {message_type}", path, row) for path, row in rows.items())
            for message_type, rows in messages.items()
        }
        return cls(name, restrictions, severity, directory, syntax_version)


@cache
def shipped(name: str) -> tuple[Guideline, ...]:
    """The guidelines of that name which come with the gateway. Raises GuidelineError if there are none."""
    if name not in SHIPPED:
        raise GuidelineError(f"no guideline {name!r} comes with the gateway; there are: {', '.join(SHIPPED)}")
    folder = resources.files("edi_gateway.messages.directories")
    documents = [json.loads(folder.joinpath(file).read_text("utf-8")) for file in SHIPPED[name]]
    return tuple(_read_shipped(document) for document in documents)


def _read_shipped(document: dict[str, Any]) -> Guideline:
    messages = document["messages"]
    every = messages.pop(EVERY, {})
    return Guideline.read(
        document["name"],
        {name: {**every, **rows} for name, rows in messages.items()},
        Severity(document["severity"]),
        document["directory"],
        document.get("syntax_version"),
    )


def agreed(partnership: Partnership) -> tuple[Guideline, ...]:
    """The guidelines by which a partner's messages are judged. Raises GuidelineError for what its file refuses."""
    edifact = partnership.edifact
    return _agreed(partnership.name, edifact.guidelines, edifact.guideline)


@lru_cache(maxsize=AGREED_KEPT)
def _agreed(partner: str, names: tuple[str, ...], rows: tuple[GuidelineRow, ...]) -> tuple[Guideline, ...]:
    """Those that come with the gateway, and the partner's own, a guideline for each severity."""
    own: dict[Severity, dict[str, dict[str, Mapping[str, object]]]] = {}
    for row in rows:
        own.setdefault(Severity(row.severity), {}).setdefault(row.message, {})[row.path] = demands(row)
    return (
        *(guideline for name in names for guideline in shipped(name)),
        *(Guideline.read(partner, messages, severity) for severity, messages in own.items()),
    )


def demands(row: GuidelineRow) -> Mapping[str, object]:
    """A partner's row as `Guideline.read` takes it: what it says, without what it leaves open."""
    said = {"status": row.status, "length_max": row.length_max, "codes": row.codes}
    return {name: value for name, value in said.items() if value}


def misplaced(restriction: Restriction, specification: MessageSpecification) -> str:
    """Why a message has no such place, "" if it has: a row about nothing would silently demand nothing."""
    levels: list[Sequence[Node]] = [specification.nodes]
    for step in restriction.groups:
        levels = [node.children for level in levels for node in level if node.tag == step.tag and node.children]
        if not levels:
            return f"no segment group of {specification.message_type} begins with {step.tag} there"
    tag, element = restriction.segment.tag, restriction.element
    if not any(node.tag == tag for level in levels for node in level):
        return f"{specification.message_type} of {specification.directory.name} has no {tag} there"
    layout = specification.layout(tag)
    if element and (layout is None or not list(_places(layout, element))):
        return f"{tag} of {specification.directory.name} has no data element {element}"
    return ""


def _read_row(where: str, path: str, row: Mapping[str, object]) -> Restriction:
    where = f"{where}, {path}"
    unknown = set(row) - {"status", "length_max", "codes"}
    if unknown or not row:
        raise GuidelineError(f"{where}: expected status, length_max or codes, not {', '.join(sorted(unknown)) or '{}'}")
    *tags, last = path.split("/")
    element = last if _ELEMENT.fullmatch(last) and tags else ""
    steps = [_read_step(where, text) for text in (tags if element else [*tags, last])]
    restriction = Restriction(
        path,
        tuple(steps[:-1]),
        steps[-1],
        element,
        _read_status(where, row.get("status")),
        _read_length(where, row.get("length_max")),
        _read_codes(where, row.get("codes")),
    )
    if not element and restriction.status is Status.DEPENDENT:
        raise GuidelineError(f"{where}: dependent is of a data element; end the path with its number")
    if not element and (restriction.length_max is not None or restriction.codes is not None):
        raise GuidelineError(f"{where}: length_max and codes are of a data element; end the path with its number")
    return restriction


def _read_step(where: str, text: str) -> Step:
    match = _STEP.fullmatch(text)
    if match is None:
        raise GuidelineError(f"{where}: {text!r} is no segment tag; expected such as LIN, QTY+21 or NAD+SU/RFF+VA")
    return Step(match[1], match[2] or "")


def _read_status(where: str, value: object) -> Status | None:
    if value is None:
        return None
    if value not in [status.value for status in Status]:
        raise GuidelineError(f"{where}: status is {value!r}; expected mandatory, dependent or forbidden")
    return Status(str(value))


def _read_length(where: str, value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise GuidelineError(f"{where}: length_max is {value!r}; expected a number of characters")
    return value


def _read_codes(where: str, value: object) -> frozenset[str] | None:
    if value is None:
        return None
    codes = value.split() if isinstance(value, str) else value
    if not isinstance(codes, Sequence) or not codes or not all(isinstance(code, str) and code for code in codes):
        raise GuidelineError(f"{where}: codes is {value!r}; expected a list of codes")
    return frozenset(codes)


# Judging


def check_guideline(guideline: Guideline, message_type: str, tree: Group, layout_of: LayoutOf) -> Iterator[Finding]:
    """What a message has against the guideline, row by row."""
    for restriction in guideline.restrictions.get(message_type, ()):
        for context, path in _contexts(tree, restriction.groups, ""):
            for finding in _check_row(restriction, context, path, guideline.name, layout_of):
                yield finding.with_severity(guideline.severity)


def _contexts(group: Group, steps: Sequence[Step], path: str) -> Iterator[tuple[Group, str]]:
    """The groups that the path's group steps lead to, with their place."""
    if not steps:
        yield group, path
        return
    for inner in group.groups(steps[0].tag):
        if steps[0].fits(_trigger(inner)):
            yield from _contexts(inner, steps[1:], f"{path}{inner.name}[{inner.occurrence}]/")


def _trigger(group: Group) -> Segment:
    first = group.children[0]
    assert isinstance(first, Segment)  # noqa: S101 - the matcher opens a group with its trigger
    return first


def _check_row(
    restriction: Restriction, context: Group, path: str, name: str, layout_of: LayoutOf
) -> Iterator[Finding]:
    segments = [segment for segment in _members(context, restriction.segment.tag) if restriction.segment.fits(segment)]
    if restriction.element:
        for segment in segments:
            yield from _check_element(restriction, segment, name, layout_of)
    elif restriction.status is Status.FORBIDDEN:
        for segment in segments:
            yield _finding(rules.GUIDELINE_FORBIDS, segment, restriction, name)
    elif restriction.status is Status.MANDATORY and not segments:
        # Where it should stand is not known; the segment that begins its group is the nearest that is.
        missing = _finding(rules.GUIDELINE_DEMANDS, next(context.walk()), restriction, name)
        yield replace(missing, path=f"{path}{restriction.segment.tag}")


def _members(context: Group, tag: str) -> list[Segment]:
    """A group's own segments with this tag, and the triggers of its groups."""
    return [*context.segments(tag), *(_trigger(group) for group in context.groups(tag))]


def _check_element(restriction: Restriction, segment: Segment, name: str, layout_of: LayoutOf) -> Iterator[Finding]:
    layout = layout_of(segment.tag)
    places = list(_places(layout, restriction.element)) if layout else []
    values = [(place, segment.get(place[0] - 1, place[1] or 1)) for place in places]
    present = [(place, value) for place, value in values if value]
    if places and not present and _demands(restriction, segment, places[0][0]):
        yield _finding(rules.GUIDELINE_DEMANDS, segment, restriction, name, places[0])
    for place, value in present:
        if restriction.status is Status.FORBIDDEN:
            yield _finding(rules.GUIDELINE_FORBIDS, segment, restriction, name, place, value)
        if restriction.length_max is not None and len(value) > restriction.length_max:
            expected = f"an..{restriction.length_max}, {name}"
            yield _finding(rules.GUIDELINE_SHORTENS, segment, restriction, expected, place, value)
        if restriction.codes is not None and value not in restriction.codes:
            expected = f"{' '.join(sorted(restriction.codes))}, {name}"
            yield _finding(rules.GUIDELINE_CODES, segment, restriction, expected, place, value)


def _demands(restriction: Restriction, segment: Segment, element: int) -> bool:
    if restriction.status is Status.DEPENDENT:
        return element - 1 < len(segment.elements) and any(segment.elements[element - 1])
    return restriction.status is Status.MANDATORY


def _places(layout: SegmentLayout, element: str) -> Iterator[tuple[int, int | None]]:
    """Where a data element stands in a segment, as 0098 and 0104 count; a composite's own number is its element."""
    for position, definition in enumerate(layout.positions, 2):
        if definition.id == element:
            yield position, None
        elif definition.is_composite:
            for number, component in enumerate(definition.components, 1):
                if component.id == element:
                    yield position, number


def _finding(
    rule: Rule,
    segment: Segment,
    restriction: Restriction,
    expected: str,
    place: tuple[int, int | None] | None = None,
    value: str | None = None,
) -> Finding:
    element, component = place or (None, None)
    return Finding(
        rule,
        restriction.segment.tag,
        segment.position,
        element,
        component,
        offset=segment.offset,
        value=value if value is not None else restriction.path,
        expected=expected,
    )
