"""The engine of the translators: a table of rows, walked in both directions.

A `RecordMapping` is the table of one record: each `Row` ties the segments or the group of one trigger to
fields. Reading goes over the children of a group and hands each to the row of its tag, so the group numbers
of a directory do not matter; writing goes over the rows in order, so the rows stand in the order of the
message. What no row claims is left over, and reported as unmapped.

Reading never raises on bad data: a value that cannot be read becomes `BAD`, and a finding says why.
This is the path of every message: rows look at the common shape of a segment first and cheaply.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Generic, TypeVar

from edi_gateway.edifact.findings import Finding, Rule
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.marketplace.parties import PartyRole
from edi_gateway.messages.tree import Group
from edi_gateway.partnership import Habits
from edi_gateway.translators import rules
from edi_gateway.translators._maker import Maker
from edi_gateway.translators._usual import Usual, UsualGroups, segments_of
from edi_gateway.translators.context import PLAIN, DecodeContext, EncodeContext, NotWritable, Source, Unmapped

R = TypeVar("R")
Values = dict[str, Any]
"""What was read of one record so far: field -> value, lists for fields that repeat, BAD for the unreadable."""

SegmentReader = Callable[[Segment, Values, "Reading"], None]
GroupReader = Callable[[Group, Values, "Reading"], None]
Finish = Callable[[Values, "Reading"], None]
"""Called once all segments of a record are read."""


FINDINGS_MAX = 1_000
"""How many findings of one message are kept."""

Claimed = frozenset[tuple[int, int]]
"""The (element, component) places of a segment that have a field, counted as `Segment.get` does."""


class _Bad:
    """The value of a field that was sent but cannot be read; its finding is already made."""

    def __repr__(self) -> str:
        return "BAD"


BAD = _Bad()


TEXT_VALUE = "([^+:?]+)"
FREE_TEXT_VALUE = r"((?:[^+:?]++|\?.)++)"
"""A component in the text of a segment: where nothing in it is released, and as `unreleased` understands it.

Most segments have a usual shape, and one pattern over the text that was read takes its values out in a fraction
of the time that splitting takes. A row may look for that first where `Reading.reads_text`; any other shape, and
any text with a release, goes the long way.
"""


@dataclass(frozen=True, slots=True)
class Form:
    """What differs between the directories in how a segment is written."""

    gtin_code: str  # 7143 of a GTIN in LIN
    description_characters: int  # 7008
    note_characters: int  # 4440
    region_has_name: bool  # C819/3228 beside the code 3229
    stock_begins_with_inv: bool  # the stock group of INVRPT: INV QTY, else QTY INV
    sales_end_with_uns: bool  # SLSRPT has a summary, and names references before parties


FORMS: Mapping[str, Form] = {
    "D.96A": Form("EN", 35, 70, region_has_name=False, stock_begins_with_inv=False, sales_end_with_uns=False),
    "D.01B": Form("SRV", 256, 512, region_has_name=True, stock_begins_with_inv=True, sales_end_with_uns=True),
}


def unreleased(text: str) -> str:
    """A component of a segment's text without its release characters; such a text holds no control character."""
    return text.replace("??", "\0").replace("?", "").replace("\0", "?") if "?" in text else text


def item_codes(habits: Habits) -> dict[str, tuple[str, int]]:
    """7143 -> field of ItemIdentity, and its place on the ladder of codes for that field: 0 counts most."""
    ladders = (
        ("gtin", habits.gtin),
        ("supplier_article", habits.supplier_article),
        ("buyer_article", habits.buyer_article),
        ("isbn", habits.isbn),
    )
    return {code: (name, rung) for name, codes in ladders for rung, code in enumerate(codes)}


ITEM_CODES = item_codes(PLAIN)
ROLES: Mapping[str, PartyRole] = {role.value: role for role in PartyRole}


def _roles(habits: Habits) -> dict[str, PartyRole]:
    return {theirs: PartyRole(ours) for theirs, ours in habits.parties.items()}


class Reading:
    """One message being read: where its findings, left-overs and sources go."""

    __slots__ = (
        "context",
        "expanded_count",
        "failed",
        "findings",
        "habits",
        "item_codes",
        "last_piece_length",
        "line_count",
        "lineage",
        "noted_count",
        "prefix",
        "reads_text",
        "roles",
        "root",
        "timezone",
        "units",
        "unmapped",
        "usual",
    )

    def __init__(self, context: DecodeContext) -> None:
        self.context = context
        self.timezone = context.timezone
        self.habits = habits = context.habits
        plain = habits is PLAIN or habits == PLAIN
        self.item_codes = ITEM_CODES if plain else item_codes(habits)
        self.roles = ROLES if plain or not habits.parties else {**ROLES, **_roles(habits)}
        self.units = None if plain or not habits.units else habits.units
        self.findings: list[Finding] = []
        self.usual: dict[Any, UsualGroups] | None = None  # by mapping; None where groups are read the long way
        self.reads_text = False  # whether segments hold their text, written with the service characters of level A
        self.noted_count = 0  # findings made so far, those left out as well
        self.unmapped: list[Unmapped] = []
        self.lineage: dict[str, Source] | None = {} if context.lineage else None
        self.prefix = ""  # of the record being read, such as "lines[2]/"
        self.root: Values = {}  # the values of the message's own record, for rows further down
        self.failed = False  # whether a record without a mandatory value was met
        self.line_count = 0  # LIN segments so far
        self.expanded_count = 0  # numbers that ranges stood for, so far
        self.last_piece_length = 0  # of the text that the next piece goes on with

    def report(
        self,
        rule: Rule,
        segment: Segment,
        element: int = 0,
        component: int | None = None,
        *,
        value: str | None = None,
        expected: str | None = None,
    ) -> None:
        """A finding at a place; `element` counts data elements as `Segment.get` does, 0 is the tag."""
        place = element + 1 if element else None
        self.note(Finding(rule, segment.tag, segment.position, place, component, segment.offset, value, expected))

    def note(self, finding: Finding) -> None:
        """Keep a finding, up to a bound, after which one tells that more were left out."""
        self.noted_count += 1
        if self.noted_count <= FINDINGS_MAX:
            self.findings.append(finding)
        elif self.noted_count == FINDINGS_MAX + 1:
            self.findings.append(Finding(rules.FINDINGS_OMITTED, expected=str(FINDINGS_MAX)))

    def trace(self, name: str, segment: Segment, element: int, component: int) -> None:
        """Note the source of a value. Ask `lineage is not None` before: it costs nothing when off."""
        assert self.lineage is not None  # noqa: S101 - the caller's contract, above
        self.lineage[self.prefix + name] = self._source(segment, element, component)

    def trace_part(self, name: str, segment: Segment, element: int, component: int) -> None:
        """Note a further component of a value; the first one is its source."""
        assert self.lineage is not None  # noqa: S101 - as above
        source, first = self._source(segment, element, component), self.lineage.get(self.prefix + name)
        whole = source if first is None else replace(first, parts=(*first.parts, source))
        self.lineage[self.prefix + name] = whole

    def _source(self, segment: Segment, element: int, component: int) -> Source:
        offset = component_offset(segment, element, component, self.context.codec)
        return Source(segment.tag, segment.position, element + 1, component, offset)

    @contextmanager
    def within(self, prefix: str) -> Iterator[None]:
        """Sources noted in here are those of another record than the one in hand."""
        outer, self.prefix = self.prefix, prefix
        yield
        self.prefix = outer

    def leave(self, segment: Segment) -> None:
        """A whole segment has no field; it says so in place of its components."""
        position = segment.position
        while self.unmapped and self.unmapped[-1].position == position and self.unmapped[-1].element is not None:
            self.unmapped.pop()
        self.unmapped.append(Unmapped(segment.tag, segment.position, raw_text(segment)))

    def leave_component(self, segment: Segment, element: int, component: int) -> None:
        text = segment.get(element, component)
        if text:
            self.unmapped.append(Unmapped(segment.tag, segment.position, text, element + 1, component))

    def leave_repeats(self, segment: Segment) -> None:
        """The second and later repetitions of elements (syntax 4) have no field: no message here has any."""
        for element, repetitions in (segment.repeats or {}).items():
            for repetition, components in enumerate(repetitions, start=2):
                for component, text in enumerate(components, start=1):
                    if text:
                        place = (segment.tag, segment.position, text, element + 1, component, repetition)
                        self.unmapped.append(Unmapped(*place))

    def leave_all(self, nodes: Sequence[Segment | Group]) -> None:
        for node in nodes:
            for segment in node.walk() if isinstance(node, Group) else (node,):
                self.leave(segment)

    def leave_beyond(self, segment: Segment, claimed: Claimed) -> None:
        """Every component that is not claimed has no field."""
        leading = _leading(claimed)
        for element, components in enumerate(segment.elements):
            if element == 0 or (element < len(leading) and len(components) <= leading[element]):
                continue
            for index, value in enumerate(components, start=1):
                if value and (element, index) not in claimed:
                    self.leave_component(segment, element, index)


@lru_cache(maxsize=1_024)
def _leading(claimed: Claimed) -> tuple[int, ...]:
    """By element, how many of its first components are all claimed: a shorter element needs no closer look."""
    counts = [0]
    for element in range(1, 1 + max((element for element, _ in claimed), default=0)):
        component = 1
        while (element, component) in claimed:
            component += 1
        counts.append(component - 1)
    return tuple(counts)


_TO_RELEASE = str.maketrans({character: "?" + character for character in "?+:'"})


def raw_text(segment: Segment) -> str:
    """The segment as text, with the default service characters of level A."""
    return "+".join(
        ":".join(component.translate(_TO_RELEASE) for component in components) for components in segment.elements
    )


def component_offset(segment: Segment, element: int, component: int, codec: str) -> int:
    """The offset in the file of a component's first byte; that of the segment where its text was not kept."""
    separators = segment.separators or Separators()
    elements = _places(segment.raw, separators.element, separators.release, 0, len(segment.raw))
    if element >= len(elements):
        return segment.offset
    components = _places(segment.raw, separators.component, separators.release, *elements[element])
    begin = components[min(component, len(components)) - 1][0]
    return segment.offset + len(segment.raw[:begin].encode(codec, "replace"))


def _places(text: str, separator: str, release: str, begin: int, end: int) -> list[tuple[int, int]]:
    """Where the parts of a text begin and end that a separator keeps apart, unless it is released."""
    places, at = [], begin
    while at < end:
        if release and text[at] == release:
            at += 1
        elif text[at] == separator:
            places.append((begin, at))
            begin = at + 1
        at += 1
    return [*places, (begin, end)]


class Writing:
    """One message being written: its segments so far. `path` names the record in hand, for what is not writable."""

    __slots__ = ("context", "form", "habits", "path", "role_codes", "root", "segments", "unit_codes")

    def __init__(self, context: EncodeContext, root: Any) -> None:
        if context.directory not in FORMS:
            raise NotWritable("", f"directory {context.directory} cannot be written, only {', '.join(FORMS)}")
        self.context = context
        self.habits = context.habits
        self.role_codes = {ours: theirs for theirs, ours in self.habits.parties.items()}
        self.unit_codes = {ours: theirs for theirs, ours in self.habits.units.items()}
        self.form = FORMS[context.directory]
        self.root = root
        self.path = ""
        self.segments: list[Segment] = []

    def add(self, tag: str, *elements: str | Sequence[str]) -> None:
        """A segment; each element is a value or the components of a composite. Trailing empties are left out."""
        parts: list[list[str]] = [[tag]]
        parts += [[element] if isinstance(element, str) else _trimmed(element) for element in elements]
        while len(parts) > 1 and parts[-1] == [""]:
            parts.pop()
        self.segments.append(Segment(tag, parts))

    def unit(self, code: str) -> str:
        """The unit (6411) as it is sent: not at all where it is the one that is meant."""
        return "" if code == self.habits.unit else self.unit_codes.get(code, code)

    def refuse(self, name: str, why: str) -> NotWritable:
        return NotWritable(self.path + name, why)


def _trimmed(components: Sequence[str]) -> list[str]:
    parts = list(components)
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts or [""]


class Row(ABC):
    """The segments, or the groups, of some tags and the fields that they carry.

    `places` says for each mandatory field where it stands in the message, in the field's own words.
    """

    tags: tuple[str, ...] = ()
    places: Mapping[str, str] = {}

    @abstractmethod
    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        """Take what the segment says into the values, or leave it."""

    def read_group(self, group: Group, values: Values, reading: Reading) -> None:
        """A group whose trigger alone matters; the rest of it has no field."""
        children: list[Any] = group.children
        self.read(children[0], values, reading)
        if len(children) > 1:
            reading.leave_all(children[1:])

    def usual(self, segment: Segment, reading: Reading) -> Usual | None:
        """How to read the like of a segment by its text, where nothing is to be said of it; None if it is not usual.

        Stands in the class that has `read`, of which it says the same.
        """
        return None

    @abstractmethod
    def write(self, record: Any, writing: Writing) -> None:
        """Add the segments of the record's fields, or raise NotWritable."""


class FinishingRow(Row):
    """A row that has something to do once all segments of the record are read.

    `finishes_alike`: what it does depends on no value and nothing outside of the record.
    """

    finishes_alike = False

    @abstractmethod
    def finish(self, values: Values, reading: Reading) -> None: ...


class Section:
    """Opens another part of the message: after this segment, tags mean something else (UNS).

    `is_written` tells of a directory's form whether its message has this part.
    """

    def __init__(
        self, tag: str, text: str, rows: Sequence[Row], *, is_written: Callable[[Form], bool] = lambda form: True
    ) -> None:
        self.tag = tag
        self.text = text
        self.rows = rows
        self.is_written = is_written


class RecordMapping(Generic[R]):
    """The table of one record, and its two directions."""

    def __init__(
        self,
        record_type: type[R],
        rows: Sequence[Row],
        section: Section | None = None,
        finish: Finish | None = None,
    ) -> None:
        self.record_type = record_type
        self._rows = rows
        self._section = section
        self._tables = _tables(rows)
        self._later_tables = _tables(section.rows) if section else self._tables
        all_rows = [*rows, *(section.rows if section else ())]
        self._finishing: list[Finish] = [row.finish for row in all_rows if isinstance(row, FinishingRow)]
        if finish is not None:
            self._finishing.append(finish)
        self._usual_rows = {} if finish or section else _usual_rows(rows)
        self._places = {name: place for row in all_rows for name, place in row.places.items()}
        self._make = Maker(record_type)
        self._required = self._make.required
        self._repeating = self._make.repeating

    def read(self, group: Group, reading: Reading, values: Values | None = None) -> R | None:
        """The record of a group, None if something mandatory is missing. Never raises on bad data."""
        if values is None:
            if reading.usual is not None and self._usual_rows:
                return self._read_usual(group, reading, reading.usual)
            values = {}
        noted_before = reading.noted_count
        self.collect(group, values, reading)
        return self.build(group, values, reading, has_findings=reading.noted_count != noted_before)

    def _read_usual(self, group: Group, reading: Reading, groups: dict[Any, UsualGroups]) -> R | None:
        usual = groups.get(self)
        if usual is None:
            usual = groups[self] = UsualGroups(self._make)
        record: R | None = usual.read(group)
        if record is not None:
            reading.line_count += 1
            return record
        before = reading.noted_count, len(reading.unmapped), reading.line_count + 1
        record = self.read(group, reading, {})
        is_clean = before == (reading.noted_count, len(reading.unmapped), reading.line_count)
        if record is not None and is_clean and usual.is_learning:
            self._learn(group, record, reading, usual)
        return record

    def _learn(self, group: Group, record: R, reading: Reading, usual: UsualGroups) -> None:
        """Let what is usual about the segments of a group be known, if all of them are."""
        segments = segments_of(group)
        told: list[Usual] = []
        for segment in segments:
            row = self._usual_rows.get(segment.tag)
            each = row.usual(segment, reading) if row is not None else None
            if each is None:
                usual.note_miss()
                return
            told.append(each)
        usual.learn(segments, told, record)

    def collect(self, group: Group, values: Values, reading: Reading) -> None:
        """Read the children of a group into the values."""
        segments, groups = self._tables
        section_tag = self._section.tag if self._section else None
        children: list[Any] = group.children
        for child in children:
            if child.__class__ is Segment:
                read = segments.get(child.tag)
                if read is not None:
                    read(child, values, reading)
                elif child.tag == section_tag:
                    segments, groups = self._later_tables
                else:
                    reading.leave(child)
            else:
                read_group = groups.get(child.trigger)
                if read_group is not None:
                    read_group(child, values, reading)
                else:
                    reading.leave_all(child.children)
        for finish in self._finishing:
            finish(values, reading)

    def build(self, group: Group, values: Values, reading: Reading, *, has_findings: bool = True) -> R | None:
        """The record of the values; a mandatory one that is missing becomes a finding, and fails the message."""
        unreadable = drop_bad(values) if has_findings else ()
        for name in self._repeating:
            if name in values:
                values[name] = tuple(values[name])
        try:
            return self._make(values)
        except KeyError:
            reading.failed = True
        for name in self._places:
            if name in self._required and name not in values and name not in unreadable:
                self._report_missing(name, group, reading)
        return None

    def _report_missing(self, name: str, group: Group, reading: Reading) -> None:
        place = self._places[name]
        last = _last_before(group, place[:3])
        reading.note(Finding(rules.FIELD_MISSING, place[:3], last.position, offset=last.offset, expected=place))

    def write(self, record: R, writing: Writing) -> None:
        """The segments of a record, in the order of the rows. Raises NotWritable."""
        for row in self._rows:
            row.write(record, writing)
        if self._section and self._section.is_written(writing.form):
            writing.add(self._section.tag, self._section.text)
            for row in self._section.rows:
                row.write(record, writing)


def _tables(rows: Sequence[Row]) -> tuple[dict[str, SegmentReader], dict[str, GroupReader]]:
    segments: dict[str, SegmentReader] = {}
    groups: dict[str, GroupReader] = {}
    for row in rows:
        for tag in row.tags:
            if tag in segments:
                raise ValueError(f"two rows of one table read {tag}")
            segments[tag] = row.read
            groups[tag] = row.read_group
    return segments, groups


def _usual_rows(rows: Sequence[Row]) -> dict[str, Row]:
    """By tag, the rows that can tell what is usual; none if one has more to do in the end than its segments say."""
    if any(isinstance(row, FinishingRow) and not row.finishes_alike for row in rows):
        return {}
    return {tag: row for row in rows if _tells_of_what_it_reads(type(row)) for tag in row.tags}


def _tells_of_what_it_reads(row_type: type[Row]) -> bool:
    """Whether `usual` is of the same class as what reads: one that reads otherwise would have to tell otherwise."""
    of = {name: next(base for base in row_type.__mro__ if name in base.__dict__) for name in ("read", "usual")}
    groups = next(base for base in row_type.__mro__ if "read_group" in base.__dict__)
    return of["read"] is of["usual"] and groups in (Row, of["read"])


def drop_bad(values: Values) -> frozenset[str]:
    """Take the unreadable out of the values; gives the names of their fields."""
    unreadable = frozenset(name for name, value in values.items() if value is BAD)
    for name in unreadable:
        del values[name]
    return unreadable


def _last_before(group: Group, tag: str) -> Segment:
    """Where a missing value is reported: the first segment of its tag if there is one, else the group's trigger."""
    own = (child if isinstance(child, Segment) else next(child.walk()) for child in group.children)
    trigger = next(group.walk())
    return next((segment for segment in own if segment.tag == tag), trigger)


class Nested(Row):
    """A group that is a record of its own, once or many times."""

    def __init__(self, trigger: str, name: str, mapping: RecordMapping[Any]) -> None:
        self.tags = (trigger,)
        self.name = name
        self.mapping = mapping
        self.places = {name: trigger}

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        self.read_group(Group("", segment.tag, 1, [segment]), values, reading)

    def read_group(self, group: Group, values: Values, reading: Reading) -> None:
        present: list[Any] | None = values.get(self.name)
        if present is None:
            present = values[self.name] = []
        if reading.lineage is None:
            present.append(self.mapping.read(group, reading))
            return
        with reading.within(f"{reading.prefix}{self.name}[{len(present)}]/"):
            present.append(self.mapping.read(group, reading))

    def write(self, record: Any, writing: Writing) -> None:
        outer = writing.path
        for index, item in enumerate(getattr(record, self.name)):
            writing.path = f"{outer}{self.name}[{index}]/"
            self.mapping.write(item, writing)
        writing.path = outer


def first_codes(table: Mapping[str, str]) -> list[tuple[str, str]]:
    """Code and field of each field once: the code that is written, where several are understood."""
    return list({name: (code, name) for code, name in reversed(list(table.items()))}.values())[::-1]


def append(values: Values, name: str, item: Any) -> int:
    """Add to a field that repeats; gives the item's index."""
    present: list[Any] | None = values.get(name)
    if present is None:
        values[name] = [item]
        return 0
    present.append(item)
    return len(present) - 1
