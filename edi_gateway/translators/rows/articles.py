"""LIN and PIA: the line, and how its article is named."""

from __future__ import annotations

import re
from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.marketplace.parties import (
    ItemIdentity,
)
from edi_gateway.translators import rules
from edi_gateway.translators._machinery import (
    BAD,
    TEXT_VALUE,
    Claimed,
    FinishingRow,
    Reading,
    Row,
    Values,
    Writing,
    append,
)
from edi_gateway.translators._maker import Maker
from edi_gateway.translators._usual import USUAL_VALUE, Capture, Usual
from edi_gateway.translators.rows.cells import CodeCodec
from edi_gateway.translators.values import (
    read_integer,
)

ARTICLE_FIELDS = ("supplier_article", "buyer_article", "isbn")
"""What PIA writes as main identifications (4347 = 5), each by the first code of its ladder."""

GTIN_LENGTHS = frozenset({8, 12, 13, 14})
_LIN_TEXT = re.compile(f"LIN\\+([0-9]{{1,18}})\\+([^+:?]*)\\+{TEXT_VALUE}:{TEXT_VALUE}").fullmatch
_LIN: Claimed = frozenset({(1, 1), (2, 1), (3, 1), (3, 2)})
_LIN_WITH_PARENT: Claimed = _LIN | {(4, 1), (4, 2)}
_USUAL_LIN = re.compile(f"LIN\\+[0-9]{{1,18}}(\\+[^+:?']*)\\+{TEXT_VALUE}:{TEXT_VALUE}").fullmatch
_USUAL_LIN_WITHOUT_ARTICLE = re.compile("LIN\\+[0-9]{1,18}(\\+*)").fullmatch
_NUMBER = Capture("number", read_integer)
_SUB_LINE = "1"  # 5495
_KIND = " kind"  # no field: beside a number, the code that it stood with, where a better one may come


_make_item = Maker(ItemIdentity)


def _identity(kind: str, reading: Reading) -> Capture | None:
    """Where an identity of this kind goes, if it is the only one for its field."""
    rung = reading.item_codes.get(kind)
    return None if rung is None else Capture(f"item/{rung[0]}", str)


def _add_identity(item: Values, code: str, kind: str, reading: Reading) -> str:
    """Put an identity on its ladder; gives the name of the field."""
    rung = reading.item_codes.get(kind)
    if rung is None:
        is_gtin = not kind and code.isdigit() and len(code) in GTIN_LENGTHS
        if is_gtin and "gtin" not in item:
            item["gtin"] = code
            return "gtin"
        return f"others[{append(item, 'others', (kind, code))}]"
    name, step = rung
    if name not in item:
        item[name] = code
        if step:
            item[name + _KIND] = kind
        return name
    before = item.get(name + _KIND)
    if before is None or reading.item_codes[before][1] <= step:
        return f"others[{append(item, 'others', (kind, code))}]"
    index = append(item, "others", (before, item[name]))
    if reading.lineage is not None:
        path = f"{reading.prefix}item/"
        reading.lineage[f"{path}others[{index}]"] = reading.lineage.pop(path + name)
    item[name], item[name + _KIND] = code, kind if step else None
    return name


class Line(FinishingRow):
    """LIN: the line's number, what is to be done with it (1229), and the article's first identity.

    `action` is the field of 1229 and `actions` its codes; `parent` the field of the line that this one is a
    part of (C829).
    """

    tags = ("LIN",)
    finishes_alike = True

    def __init__(self, *, action: str = "", actions: CodeCodec | None = None, parent: str = "") -> None:
        self.action = action
        self.actions = actions
        self.parent = parent
        self.places = {"number": "LIN 1082"}
        self._claimed = _LIN_WITH_PARENT if parent else _LIN

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        if "item" in values:
            reading.leave(segment)  # a group has one trigger
            return
        reading.line_count += 1
        values["item"] = item = Values()
        match = _LIN_TEXT(segment.raw) if reading.reads_text and reading.lineage is None else None
        if match is not None:
            number, action, code, kind = match.groups()
            values["number"] = read_integer(number)
            if action:
                self._read_action(action, segment, values, reading)
            _add_identity(item, code, kind, reading)
            return
        elements = segment.elements
        count = len(elements)
        number = read_integer(elements[1][0]) if count > 1 else None
        if number is None:
            self._read_odd_number(segment.get(1), segment, values, reading)
        else:
            values["number"] = number
            if reading.lineage is not None:
                reading.trace("number", segment, 1, 1)
        if count > 2 and elements[2][0]:
            self._read_action(elements[2][0], segment, values, reading)
        if count > 3:
            parts = elements[3]
            if parts[0]:
                name = _add_identity(item, parts[0], parts[1] if len(parts) > 1 else "", reading)
                if reading.lineage is not None:
                    reading.trace("item/" + name, segment, 3, 1)
            if count > 4 or len(parts) > 2:
                self._read_rest(segment, values, reading)

    def usual(self, segment: Segment, reading: Reading) -> Usual | None:
        bare = _USUAL_LIN_WITHOUT_ARTICLE(segment.raw)
        if bare is not None:
            return Usual(f"LIN\\+([0-9]{{1,18}}){re.escape(bare[1])}", (_NUMBER,))
        match = _USUAL_LIN(segment.raw)
        article = _identity(match[3], reading) if match is not None else None
        if match is None or article is None:
            return None
        pattern = f"LIN\\+([0-9]{{1,18}}){re.escape(match[1])}\\+{USUAL_VALUE}:{re.escape(match[3])}"
        return Usual(pattern, (_NUMBER, article))

    @staticmethod
    def _read_odd_number(raw: str, segment: Segment, values: Values, reading: Reading) -> None:
        if raw:
            values["number"] = BAD
            reading.report(rules.NOT_AN_INTEGER, segment, 1, 1, value=raw)
        else:
            values["number"] = reading.line_count
            reading.report(rules.LINE_NUMBER_MISSING, segment, 1, 1, expected=str(reading.line_count))

    def _read_action(self, raw: str, segment: Segment, values: Values, reading: Reading) -> None:
        if self.actions is None:
            reading.leave_component(segment, 2, 1)
            return
        values[self.action] = value = self.actions.read(reading.habits.line_actions.get(raw, raw))
        if value is BAD:
            reading.report(self.actions.rule, segment, 2, 1, value=raw, expected=self.actions.expected)
        elif reading.lineage is not None:
            reading.trace(self.action, segment, 2, 1)

    def _read_rest(self, segment: Segment, values: Values, reading: Reading) -> None:
        parent = segment.get(4, 2)
        if self.parent and parent:
            line = read_integer(parent)
            values[self.parent] = BAD if line is None else line
            if line is None:
                reading.report(rules.NOT_AN_INTEGER, segment, 4, 2, value=parent)
            elif reading.lineage is not None:
                reading.trace(self.parent, segment, 4, 2)
        is_usual = segment.get(4) in (_SUB_LINE, "")
        reading.leave_beyond(segment, self._claimed if is_usual else self._claimed - {(4, 1)})

    def finish(self, values: Values, reading: Reading) -> None:
        item = values.get("item")
        if item is not None:
            if "others" in item:
                item["others"] = tuple(item["others"])
            values["item"] = _make_item(item)

    def write(self, record: Any, writing: Writing) -> None:
        action = self.actions.write(getattr(record, self.action), writing) if self.actions else ""
        gtin = "" if writing.habits.gtin_in_pia else record.item.gtin
        parent = getattr(record, self.parent) if self.parent else None
        writing.add(
            "LIN",
            str(record.number),
            action,
            (gtin, _gtin_code(writing)) if gtin else "",
            "" if parent is None else (_SUB_LINE, str(parent)),
        )


def _gtin_code(writing: Writing) -> str:
    """7143 of a GTIN: that of the partner, where it is not the usual one of EANCOM, else the directory's."""
    first = writing.habits.gtin[0]
    return first if first not in USUAL_GTIN_CODES else writing.form.gtin_code


USUAL_GTIN_CODES = frozenset({"EN", "SRV"})
MAIN_IDENTITY = "5"
ADDITIONAL_IDENTITY = "1"
IDENTIFYING = frozenset({MAIN_IDENTITY, ADDITIONAL_IDENTITY})
_PIA_TEXT = re.compile(f"PIA\\+[15]\\+{TEXT_VALUE}:{TEXT_VALUE}").fullmatch
_USUAL_PIA = re.compile("PIA\\+([15])((?:\\+[^+:?']+:[^+:?']+)+)").fullmatch
PIA_IDENTITIES_MAX = 5


class Articles(Row):
    """PIA: the further identities of the line's article. Substitutes (4347 other than 1 and 5) have no field."""

    tags = ("PIA",)

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        item: Values | None = values.get("item")
        match = _PIA_TEXT(segment.raw) if reading.reads_text and reading.lineage is None else None
        if match is not None and item is not None:
            _add_identity(item, match[1], match[2], reading)
            return
        elements = segment.elements
        if item is None or len(elements) < 3 or elements[1][0] not in IDENTIFYING:
            reading.leave(segment)
            return
        for element in range(2, len(elements)):
            parts = elements[element]
            if not parts[0]:
                continue
            name = _add_identity(item, parts[0], parts[1] if len(parts) > 1 else "", reading)
            if reading.lineage is not None:
                reading.trace("item/" + name, segment, element, 1)
            if len(parts) > 2:
                reading.leave_component(segment, element, 3)
                reading.leave_component(segment, element, 4)

    def usual(self, segment: Segment, reading: Reading) -> Usual | None:
        match = _USUAL_PIA(segment.raw)
        if match is None:
            return None
        kinds = [each.partition(":")[2] for each in match[2].split("+")[1:]]
        captures = [_identity(kind, reading) for kind in kinds]
        articles = "".join(f"\\+{USUAL_VALUE}:{re.escape(kind)}" for kind in kinds)
        known = tuple(capture for capture in captures if capture is not None)
        return Usual(f"PIA\\+{match[1]}{articles}", known) if len(known) == len(kinds) else None

    def write(self, record: Any, writing: Writing) -> None:
        item: ItemIdentity = record.item
        codes = {name: getattr(writing.habits, name)[0] for name in ARTICLE_FIELDS}
        own = [(getattr(item, name), code) for name, code in codes.items() if getattr(item, name)]
        if writing.habits.gtin_in_pia and item.gtin:
            own = [*own, (item.gtin, _gtin_code(writing))]
        if own:
            writing.add("PIA", MAIN_IDENTITY, *own)
        others = [(code, kind) for kind, code in item.others]
        for start in range(0, len(others), PIA_IDENTITIES_MAX):
            writing.add("PIA", ADDITIONAL_IDENTITY, *others[start : start + PIA_IDENTITIES_MAX])
