"""What was received of a shipment, and in what condition (RECADV)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from edi_gateway.edifact.findings import Finding
from edi_gateway.marketplace import document_rules as rules
from edi_gateway.marketplace.discrepancy import DAMAGED, TO_BE_DESTROYED, TO_BE_RETURNED, Discrepancy
from edi_gateway.marketplace.parties import ItemIdentity, Moment, Note, Party, PartyRole, QualifiedDate, Reference

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedLine:
    """One LIN: what came of an article, all in `unit`."""

    number: int  # LIN 1082
    item: ItemIdentity
    received: Decimal | None = None  # QTY 48
    accepted: Decimal | None = None  # QTY 194
    despatched: Decimal | None = None  # QTY 12: as it was advised
    ordered: Decimal | None = None  # QTY 21
    delivered: Decimal | None = None  # QTY 46
    free_quantity: Decimal | None = None  # QTY 192
    pack_size: Decimal | None = None  # QTY 59
    unit: str = "PCE"
    description: str = ""  # IMD F
    discrepancies: tuple[Discrepancy, ...] = ()  # QVR
    dates: tuple[QualifiedDate, ...] = ()  # any DTM
    order_number: str = ""  # RFF ON of the line
    order_line: int | None = None  # RFF ON 1156
    despatch_number: str = ""  # RFF AAK of the line
    despatch_line: int | None = None  # RFF AAK 1156
    references: tuple[Reference, ...] = ()
    batch: str = ""  # GIN BX
    serials: tuple[str, ...] = ()  # GIN BN
    other_quantities: tuple[tuple[str, Decimal], ...] = ()  # (6063, quantity) of any other

    @property
    def damaged(self) -> Decimal:
        return self._refused(DAMAGED)

    @property
    def rejected(self) -> Decimal:
        """Not accepted, to be returned or destroyed."""
        return self._refused(TO_BE_RETURNED) + self._refused(TO_BE_DESTROYED)

    @property
    def quantity(self) -> Decimal:
        """What came, by the plainest quantity that was sent."""
        told = (self.received, self.delivered, self.accepted)
        return next((quantity for quantity in told if quantity is not None), ZERO)

    @property
    def quantity_accepted(self) -> Decimal:
        """What was taken over: as it is said, else what came less what was damaged or refused."""
        return self.accepted if self.accepted is not None else self.quantity - self.damaged - self.rejected

    def _refused(self, qualifier: str) -> Decimal:
        variances = [abs(each.quantity or ZERO) for each in self.discrepancies if each.qualifier == qualifier]
        quantities = [quantity for code, quantity in self.other_quantities if code == qualifier]
        return max(sum(variances, ZERO), sum(quantities, ZERO))  # partners may say the same both ways


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedPackage:
    """One CPS: a package of the shipment with what was found in it."""

    number: str  # CPS 7164
    parent: str = ""  # CPS 7166
    level: str = ""  # CPS 7075
    count: int | None = None  # PAC 7224
    packing_level: str = ""  # PAC 7075
    marked: str = ""  # PAC 7233
    type: str = ""  # PAC 7065
    ssccs: tuple[str, ...] = ()  # PCI 33E, GIN BJ; ranges expanded
    lines: tuple[ReceivedLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivingAdvice:
    """One RECADV."""

    number: str  # BGM 1004
    type: str = "632"  # BGM 1001
    function: str = "9"  # BGM 1225
    issued: Moment  # DTM 137
    received: Moment | None = None  # DTM 50
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM
    despatch_number: str = ""  # RFF AAK: the despatch advice
    despatch_date: Moment | None = None  # DTM 171 of RFF AAK
    order_number: str = ""  # RFF ON
    order_date: Moment | None = None  # DTM 171 of RFF ON
    delivery_note: str = ""  # RFF DQ
    references: tuple[Reference, ...] = ()
    notes: tuple[Note, ...] = ()  # FTX, from D.01B on
    parties: tuple[Party, ...]
    packages: tuple[ReceivedPackage, ...] = ()
    total_quantity: Decimal | None = None  # CNT 1

    def lines(self) -> Iterator[ReceivedLine]:
        for package in self.packages:
            yield from package.lines

    def party(self, role: PartyRole) -> Party | None:
        return next((party for party in self.parties if party.role is role), None)

    def faults(self) -> list[Finding]:
        """No quantity below zero; nothing accepted or refused that did not come."""
        findings: list[Finding] = []
        for outer, package in enumerate(self.packages):
            for index, line in enumerate(package.lines):
                findings += _faults_of_line(line, f"packages[{outer}]/lines[{index}]")
        return findings


def _faults_of_line(line: ReceivedLine, path: str) -> Iterator[Finding]:
    for name in ("received", "accepted", "despatched", "ordered", "delivered", "free_quantity"):
        quantity = getattr(line, name)
        if quantity is not None and quantity < 0:
            yield Finding(rules.QUANTITY_BELOW_ZERO, value=str(quantity), path=f"{path}/{name}")
    if line.received is None and line.delivered is None:
        return
    if line.quantity_accepted > line.quantity or line.quantity_accepted < 0:
        accepted, came = str(line.quantity_accepted), str(line.quantity)
        yield Finding(rules.ACCEPTED_NOT_RECEIVED, value=accepted, expected=came, path=f"{path}/accepted")
