"""NAD and its group: parties, their references and contacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.marketplace.parties import (
    Contact,
    Party,
)
from edi_gateway.messages.tree import Group
from edi_gateway.translators._machinery import (
    ROLES,
    Claimed,
    Nested,
    Reading,
    RecordMapping,
    Row,
    Values,
    Writing,
)
from edi_gateway.translators.rows.cells import Cell, Components
from edi_gateway.translators.rows.pieces import join_pieces, split_text, without_empty_end
from edi_gateway.translators.rows.references import Ref, References
from edi_gateway.translators.values import remember

_NAD: Claimed = frozenset(
    [
        *((1, 1), (2, 1), (2, 3), (6, 1), (7, 1), (7, 4), (8, 1), (9, 1)),
        *((3, component) for component in range(1, 6)),
        *((4, component) for component in range(1, 6)),
        *((5, component) for component in range(1, 5)),
    ]
)
_NAD_CELLS = (("city", 6), ("postcode", 8), ("country", 9))
NAME_CHARACTERS = 35
NAME_PARTS_MAX = 5
STREET_LINES_MAX = 4
REGION_CODE_CHARACTERS_MAX = 9


KNOWN_CHARACTERS_MAX = 512
_known_parties: dict[str, Values] = {}
"""What the text of a NAD said: messages name the same parties again and again."""


class NameAndAddress(Row):
    """NAD: identifier, name (C080, or C058 where a partner sends no other) and address."""

    tags = ("NAD",)
    places: Mapping[str, str] = {"role": "NAD 3035"}

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        if values:
            reading.leave(segment)  # a group has one trigger
            return
        keeps = reading.reads_text and reading.lineage is None and 0 < len(segment.raw) <= KNOWN_CHARACTERS_MAX
        keeps = keeps and reading.roles is ROLES
        known = _known_parties.get(segment.raw) if keeps else None
        if known is not None:
            values.update(known)
            return
        unmapped_before = len(reading.unmapped)
        self._read(segment, values, reading)
        if keeps and len(reading.unmapped) == unmapped_before:
            remember(_known_parties, segment.raw, dict(values))

    def _read(self, segment: Segment, values: Values, reading: Reading) -> None:
        elements = segment.elements
        count = len(elements)
        role = reading.roles.get(elements[1][0]) if count > 1 else None
        if role is not None:
            values["role"] = role
            if reading.lineage is not None:
                reading.trace("role", segment, 1, 1)
        if count > 2:
            self._take("identifier", 2, 1, segment, values, reading)
            if len(elements[2]) > 2:
                self._take("agency", 2, 3, segment, values, reading)
        if count > 3:
            self._read_address(segment, values, reading)
        reading.leave_beyond(segment, _NAD)

    @staticmethod
    def _take(name: str, element: int, component: int, segment: Segment, values: Values, reading: Reading) -> None:
        text = segment.elements[element][component - 1]
        if text:
            values[name] = text
            if reading.lineage is not None:
                reading.trace(name, segment, element, component)

    def _read_address(self, segment: Segment, values: Values, reading: Reading) -> None:
        elements = segment.elements
        count = len(elements)
        self._read_name(segment, values, reading)
        for name, element in _NAD_CELLS:
            if count > element:
                self._take(name, element, 1, segment, values, reading)
        if count > 7:
            component = 1 if elements[7][0] or len(elements[7]) < 4 else 4
            self._take("region", 7, component, segment, values, reading)
            if component == 1:
                reading.leave_component(segment, 7, 4)

    @staticmethod
    def _read_name(segment: Segment, values: Values, reading: Reading) -> None:
        elements = segment.elements
        name = join_pieces(elements[4][:5]) if len(elements) > 4 else ""
        street = without_empty_end(elements[5][:4]) if len(elements) > 5 else []
        unstructured = without_empty_end(elements[3][:5])
        name_element, street_element = 4, 5
        if unstructured and (name or street):
            for component in range(1, 1 + len(unstructured)):
                reading.leave_component(segment, 3, component)
        elif unstructured:
            name, street = unstructured[0], unstructured[1:]
            name_element = street_element = 3
        if name:
            values["name"] = name
        if street:
            values["street"] = tuple(street)
        if reading.lineage is not None:
            if name:
                _trace_filled("name", segment, name_element, 1 if name_element == 3 else NAME_PARTS_MAX, reading)
            if street:
                first = 2 if street_element == 3 else 1
                _trace_filled("street", segment, street_element, first + STREET_LINES_MAX - 1, reading, first)

    def write(self, record: Party, writing: Writing) -> None:
        names = split_text(record.name, NAME_CHARACTERS)
        if len(names) > NAME_PARTS_MAX:
            raise writing.refuse("name", f"a name has at most {NAME_CHARACTERS * NAME_PARTS_MAX} characters")
        if len(record.street) > STREET_LINES_MAX:
            raise writing.refuse("street", f"an address has at most {STREET_LINES_MAX} lines")
        region: str | tuple[str, ...] = record.region
        if writing.form.region_has_name and len(record.region) > REGION_CODE_CHARACTERS_MAX:
            region = ("", "", "", record.region)
        writing.add(
            "NAD",
            writing.role_codes.get(record.role.value, record.role.value),
            (record.identifier, "", record.agency),
            "",
            names,
            record.street or "",
            record.city,
            region,
            record.postcode,
            record.country,
        )


def _trace_filled(name: str, segment: Segment, element: int, last: int, reading: Reading, first: int = 1) -> None:
    """Every component of an element that says something is a source of the value."""
    for component in range(first, last + 1):
        if segment.get(element, component):
            reading.trace_part(name, segment, element, component)


class Communication(Row):
    """COM: number or address, and its channel (3155)."""

    tags = ("COM",)
    table: Mapping[str, str] = {"TE": "phone", "EM": "email"}

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        claimed = set()
        for element in range(1, len(segment.elements)):  # D.01B may hold several
            name = self.table.get(segment.get(element, 2))
            if name is not None and name not in values and segment.get(element, 1):
                values[name] = segment.get(element, 1)
                claimed |= {(element, 1), (element, 2)}
                if reading.lineage is not None:
                    reading.trace(name, segment, element, 1)
        reading.leave_beyond(segment, frozenset(claimed))

    def write(self, record: Contact, writing: Writing) -> None:
        for channel, name in self.table.items():
            if getattr(record, name):
                writing.add("COM", (getattr(record, name), channel))


CONTACT = RecordMapping(Contact, (Components("CTA", Cell(1, 1, "function"), Cell(2, 2, "name")), Communication()))

PARTY_REFERENCES: Mapping[str, Ref] = {
    "VA": Ref("vat_id"),
    "XA": Ref("registration"),
    "GN": Ref("registration", written=False),
}
PARTY = RecordMapping(Party, (NameAndAddress(), References(PARTY_REFERENCES), Nested("CTA", "contacts", CONTACT)))


class Parties(Nested):
    """NAD and its group for each role (3035) that the records know; a group of another role has no field."""

    def __init__(self, name: str = "parties", mapping: RecordMapping[Party] = PARTY) -> None:
        super().__init__("NAD", name, mapping)

    def read_group(self, group: Group, values: Values, reading: Reading) -> None:
        children: list[Any] = group.children
        if children[0].get(1) in reading.roles:
            super().read_group(group, values, reading)
        else:
            reading.leave_all(children)
