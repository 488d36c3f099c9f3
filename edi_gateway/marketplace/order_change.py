"""A change of an order that was sent, or its cancellation (ORDCHG)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from edi_gateway.edifact.findings import Finding
from edi_gateway.marketplace import document_rules as rules
from edi_gateway.marketplace.discrepancy import Discrepancy
from edi_gateway.marketplace.order import ResponseRequired
from edi_gateway.marketplace.parties import (
    ItemIdentity,
    Moment,
    Note,
    Party,
    PartyRole,
    Period,
    QualifiedDate,
    Reference,
    VatRate,
)


class ChangeFunction(StrEnum):
    """BGM 1225 of an ORDCHG: what becomes of the order."""

    CANCEL = "1"
    CHANGE = "4"
    ORIGINAL = "9"
    CANCEL_AND_REISSUE = "17"
    HOLD = "23"
    REFUSED = "27"  # from D.01B on
    ACCEPTED = "29"  # from D.01B on
    COPY = "31"
    CONFIRMED_BY_OTHER_MEANS = "42"


class LineChange(StrEnum):
    """LIN 1229 of an ORDCHG: what becomes of the line."""

    ADDED = "1"
    DELETED = "2"
    CHANGED = "3"
    NO_ACTION = "4"
    NOT_AMENDED = "11"


UNCHANGED = frozenset({LineChange.NO_ACTION, LineChange.NOT_AMENDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChangeLine:
    """One line of a change: the order's line as it is to be from now on, by the order's line number."""

    number: int  # LIN 1082
    action: LineChange | None = None  # LIN 1229
    item: ItemIdentity
    quantity: Decimal | None = None  # QTY 21: the new quantity
    unit: str = "PCE"
    free_quantity: Decimal | None = None  # QTY 192
    pack_size: Decimal | None = None  # QTY 59
    cancelled: Decimal | None = None  # QTY 182
    description: str = ""  # IMD F
    discrepancies: tuple[Discrepancy, ...] = ()  # QVR: by how much, and why
    requested_delivery: Moment | None = None  # DTM 2
    delivery_window: Period | None = None  # DTM 64, 63
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM
    net_amount: Decimal | None = None  # MOA 203
    notes: tuple[Note, ...] = ()
    unit_price: Decimal | None = None  # PRI AAA, net
    list_price: Decimal | None = None  # PRI AAB, gross
    retail_price: Decimal | None = None  # PRI AAE
    price_basis: Decimal = Decimal(1)  # 5284
    references: tuple[Reference, ...] = ()
    vat: VatRate | None = None
    other_quantities: tuple[tuple[str, Decimal], ...] = ()  # (6063, quantity) of any other
    other_prices: tuple[tuple[str, Decimal], ...] = ()  # (5125, price) of any other
    other_amounts: tuple[tuple[str, Decimal], ...] = ()  # (5025, amount) of any other

    @property
    def changes_something(self) -> bool:
        """Whether the line says anything that could differ from the order's."""
        told = (self.quantity, self.unit_price, self.list_price, self.requested_delivery, self.delivery_window)
        return any(value is not None for value in (*told, self.cancelled)) or bool(self.dates or self.discrepancies)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChange:
    """One ORDCHG."""

    number: str  # BGM 1004: of the change
    function: ChangeFunction = ChangeFunction.CHANGE  # BGM 1225
    response_required: ResponseRequired | None = None  # BGM 4343
    issued: Moment  # DTM 137
    order_number: str  # RFF ON
    order_version: str = ""  # RFF ON 4000 (1056 from D.01B on)
    order_date: Moment | None = None  # DTM 171 of RFF ON
    requested_delivery: Moment | None = None  # DTM 2
    delivery_window: Period | None = None  # DTM 64, 63
    cancel_after: Moment | None = None  # DTM 61
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM
    currency: str = ""  # CUX 2
    parties: tuple[Party, ...] = ()
    references: tuple[Reference, ...] = ()  # all but ON
    notes: tuple[Note, ...] = ()
    lines: tuple[OrderChangeLine, ...] = ()
    total_net: Decimal | None = None  # MOA 79
    total: Decimal | None = None  # MOA 86

    @property
    def cancels_order(self) -> bool:
        """Whether the whole order is cancelled, whatever the lines say."""
        return self.function in (ChangeFunction.CANCEL, ChangeFunction.CANCEL_AND_REISSUE)

    def party(self, role: PartyRole) -> Party | None:
        return next((party for party in self.parties if party.role is role), None)

    def faults(self) -> list[Finding]:
        """What a change must not be: without effect, twice about a line, or with an added line that orders nothing."""
        findings = []
        seen: set[int] = set()
        for index, line in enumerate(self.lines):
            if line.number in seen:
                findings.append(Finding(rules.LINE_TWICE, value=str(line.number), path=f"lines[{index}]/number"))
            seen.add(line.number)
            findings += _faults_of_line(line, f"lines[{index}]")
        if self.function is ChangeFunction.CHANGE and not self._changes_something:
            findings.append(Finding(rules.NOTHING_CHANGED, value=self.number, path="lines"))
        return findings

    @property
    def _changes_something(self) -> bool:
        told = (self.requested_delivery, self.delivery_window, self.cancel_after)
        header = any(value is not None for value in told) or bool(self.dates)
        return header or any(line.action not in UNCHANGED for line in self.lines)


def _faults_of_line(line: OrderChangeLine, path: str) -> list[Finding]:
    if line.action is LineChange.ADDED and not line.quantity:
        return [Finding(rules.ADDED_WITHOUT_QUANTITY, value=str(line.number), path=f"{path}/quantity")]
    if line.action is LineChange.CHANGED and not line.changes_something:
        return [Finding(rules.NOTHING_CHANGED, value=str(line.number), path=path)]
    if line.quantity is not None and line.quantity < 0:
        return [Finding(rules.QUANTITY_BELOW_ZERO, value=str(line.quantity), path=f"{path}/quantity")]
    return []
