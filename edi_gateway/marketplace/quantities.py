"""The quantities of one order line, and the state that follows from them.

A `LineQuantities` cannot be built in breach of the invariants: what was ordered is always wholly
accounted for (unanswered, confirmed, back-ordered, refused, cancelled), nothing confirmed ships twice,
nothing is invoiced that was not shipped, nothing is credited that was not invoiced. Each movement
gives a new value.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


class QuantitiesBroken(ValueError):
    """A movement that would break an invariant of an order line: a fault of the caller, never of a document."""


class LineState(StrEnum):
    """What an order line has come to; follows from its quantities."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    PARTIAL = "partial"
    BACKORDERED = "backordered"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    SHIPPED_PART = "shipped_part"
    SHIPPED = "shipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineQuantities:
    """All in the unit of the order line.

    `overshipped` is what arrived beyond what was confirmed; `shipped` never holds it, so that an
    invoice is capped at what was agreed. `withdrawn` is what of `cancelled` we took back ourselves: no answer of the
    vendor brings it back.
    """

    ordered: Decimal
    confirmed: Decimal = ZERO
    backordered: Decimal = ZERO
    rejected: Decimal = ZERO
    cancelled: Decimal = ZERO
    shipped: Decimal = ZERO
    overshipped: Decimal = ZERO
    invoiced: Decimal = ZERO
    credited: Decimal = ZERO
    withdrawn: Decimal = ZERO

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 0:
                raise QuantitiesBroken(f"{field.name} is below zero: {self}")
        for holds, what in (
            (self.unanswered >= 0, "more is answered than was ordered"),
            (self.shipped <= self.confirmed, "more is shipped than was confirmed"),
            (self.invoiced <= self.shipped + self.overshipped, "more is invoiced than was shipped"),
            (self.credited <= self.invoiced, "more is credited than was invoiced"),
            (self.withdrawn <= self.cancelled, "more is withdrawn than was cancelled"),
        ):
            if not holds:
                raise QuantitiesBroken(f"{what}: {self}")

    @property
    def unanswered(self) -> Decimal:
        return self.ordered - self.confirmed - self.backordered - self.rejected - self.cancelled

    @property
    def wanted(self) -> Decimal:
        """What the vendor is asked for: as ordered, less what we took back."""
        return self.ordered - self.withdrawn

    @property
    def is_unanswered(self) -> bool:
        """Whether the vendor has said nothing of the line yet."""
        return self.unanswered == self.wanted > 0

    @property
    def to_ship(self) -> Decimal:
        """Confirmed and not yet shipped: what stock is reserved for."""
        return self.confirmed - self.shipped

    @property
    def is_open(self) -> bool:
        """Whether anything is still to be answered or to be shipped."""
        return self.unanswered + self.to_ship + self.backordered > 0

    @property
    def state(self) -> LineState:
        if self.shipped > 0:
            settled = self.to_ship == self.backordered == self.unanswered == 0
            return LineState.SHIPPED if settled else LineState.SHIPPED_PART
        if self.confirmed == self.wanted > 0:
            return LineState.CONFIRMED
        if self.confirmed > 0:
            return LineState.PARTIAL
        if self.backordered > 0:
            return LineState.BACKORDERED
        if self.unanswered > 0:
            return LineState.OPEN
        return LineState.REJECTED if self.rejected >= self.cancelled else LineState.CANCELLED

    def answered(
        self,
        *,
        confirmed: Decimal = ZERO,
        backordered: Decimal = ZERO,
        rejected: Decimal = ZERO,
        cancelled: Decimal = ZERO,
    ) -> LineQuantities:
        """As a (new) answer of the vendor states it; replaces the answer before, not what we withdrew.

        Only before anything shipped.
        """
        if self.shipped or self.overshipped:
            raise QuantitiesBroken(f"an answer after the goods were shipped: {self}")
        cancelled += self.withdrawn
        return replace(self, confirmed=confirmed, backordered=backordered, rejected=rejected, cancelled=cancelled)

    def with_shipment(self, quantity: Decimal) -> LineQuantities:
        """After a shipment: it fills what was confirmed, then back orders (which it thereby confirms).

        What is left over is `overshipped`.
        """
        from_backorder = min(self.backordered, max(ZERO, quantity - self.to_ship))
        agreed = min(quantity, self.to_ship + from_backorder)
        return replace(
            self,
            confirmed=self.confirmed + from_backorder,
            backordered=self.backordered - from_backorder,
            shipped=self.shipped + agreed,
            overshipped=self.overshipped + quantity - agreed,
        )

    def with_rest_backordered(self) -> LineQuantities:
        """What was confirmed and did not ship becomes a back order."""
        return replace(self, confirmed=self.shipped, backordered=self.backordered + self.to_ship)

    def with_rest_cancelled(self) -> LineQuantities:
        """What was confirmed or back-ordered and did not ship is cancelled."""
        rest = self.to_ship + self.backordered
        return replace(self, confirmed=self.shipped, backordered=ZERO, cancelled=self.cancelled + rest)

    def with_open_cancelled(self) -> LineQuantities:
        """Everything that has not shipped is cancelled by us, answered or not."""
        return self.reduced_by(self.unanswered + self.backordered + self.to_ship)

    def reduced_by(self, quantity: Decimal) -> LineQuantities:
        """So much of what has not shipped is cancelled: first what is unanswered, then back orders, then the rest."""
        if quantity > self.unanswered + self.backordered + self.to_ship:
            raise QuantitiesBroken(f"{quantity} are cancelled, more than are open: {self}")
        answered = max(ZERO, quantity - self.unanswered)
        from_backorder = min(self.backordered, answered)
        return replace(
            self,
            cancelled=self.cancelled + quantity,
            withdrawn=self.withdrawn + quantity,
            backordered=self.backordered - from_backorder,
            confirmed=self.confirmed - (answered - from_backorder),
        )

    def without_shipment(self, quantity: Decimal, over: Decimal) -> LineQuantities:
        """After a shipment of `quantity` turned out not to have left: it is to be shipped again. `over` of it was
        beyond what was confirmed."""
        return replace(self, shipped=self.shipped - (quantity - over), overshipped=self.overshipped - over)

    def with_invoiced(self, quantity: Decimal) -> LineQuantities:
        return replace(self, invoiced=self.invoiced + quantity)

    def with_credited(self, quantity: Decimal) -> LineQuantities:
        return replace(self, credited=self.credited + quantity)
