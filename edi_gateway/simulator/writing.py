"""How the simulated vendor writes what it sends: as a gateway does, or wrong on purpose.

What is wrong is written here, by the simulator's own hand: the check that keeps a gateway from sending it is not asked
to look away, it is not part of this way.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.compose import Outgoing, compose, draft, queue_as_written, write
from edi_gateway.marketplace.inventory import InventoryReport
from edi_gateway.partnership import Direction, Partnership
from edi_gateway.simulator.behaviours import DIRECTORIES, Behaviour
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.documents import Message

FAULTS = frozenset({Behaviour.WRONG_COUNTS, Behaviour.BAD_CHECK_DIGITS})

_UNT = re.compile(rb"(?<=')UNT\+([0-9]+)\+")
_CHECKED = re.compile(r"[0-9]{8}|[0-9]{12,14}|[0-9]{18}", re.ASCII)
_NUMBERED = {"LIN": 3, "GIN": 2, "PIA": 2}
"""Tag -> the first element in which GTIN and SSCC stand, the tag being element 0."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a document is written: the transaction, the gateway, the partner, and how it behaves."""

    uow: UnitOfWork
    gateway: Gateway
    partnership: Partnership
    behaviours: Collection[Behaviour] = ()

    def send(self, message_type: str, record: Any, business_key: str) -> Message:
        """Queue a record for the partner. Raises ComposeRefused where even this cannot be written."""
        partnership = in_directory(self.partnership, message_type, self.behaviours)
        if not FAULTS & set(self.behaviours):
            return compose(self.uow, self.gateway, partnership, message_type, record, business_key=business_key)
        outgoing = draft(self.uow, self.gateway, partnership, message_type, record)
        data = faulty(outgoing, self.behaviours)
        return queue_as_written(self.uow, self.gateway, outgoing, data, record, business_key)


def in_directory(partnership: Partnership, message_type: str, behaviours: Collection[Behaviour]) -> Partnership:
    """The partnership as if the directory that the vendor was told to write had been agreed."""
    wanted = next((DIRECTORIES[each] for each in DIRECTORIES if each in behaviours), None)
    if wanted is None:
        return partnership
    messages = tuple(
        replace(agreed, directory=wanted, association="")
        if agreed.type == message_type and agreed.direction is Direction.OUT
        else agreed
        for agreed in partnership.messages
    )
    return replace(partnership, messages=messages)


def faulty(outgoing: Outgoing, behaviours: Collection[Behaviour]) -> bytes:
    """The interchange with the faults that were ordered."""
    body = outgoing.body
    if Behaviour.BAD_CHECK_DIGITS in behaviours:
        body = [_with_bad_check_digits(segment) for segment in body]
    if Behaviour.WRONG_COUNTS in behaviours:
        body = [_with_wrong_count(segment) for segment in body]
    data = write(replace(outgoing, body=body))
    if Behaviour.WRONG_COUNTS in behaviours:
        data = _UNT.sub(lambda found: b"UNT+%d+" % (int(found[1]) + 1), data)
    return data


def older(report: InventoryReport, number: str) -> InventoryReport:
    """The report of the day before: one more of everything."""
    items = tuple(replace(item, actual=(item.actual or Decimal(0)) + 1) for item in report.items)
    return replace(report, number=number, issued=report.issued - timedelta(days=1), reported=None, items=items)


def _with_bad_check_digits(segment: Segment) -> Segment:
    first = _NUMBERED.get(segment.tag)
    if first is None:
        return segment
    elements = [
        [_bad(text) for text in element] if index >= first else element
        for index, element in enumerate(segment.elements)
    ]
    return Segment(segment.tag, elements)


def _bad(text: str) -> str:
    """A GTIN or SSCC with the next check digit; any other text as it is."""
    return text[:-1] + str((int(text[-1]) + 1) % 10) if _CHECKED.fullmatch(text) else text


def _with_wrong_count(segment: Segment) -> Segment:
    if segment.tag != "CNT":
        return segment
    return Segment("CNT", [segment.elements[0], *_one_more(segment.elements[1:])])


def _one_more(elements: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[code, str(Decimal(number) + 1), *unit] for code, number, *unit in elements]
