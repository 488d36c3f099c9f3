"""What the simulated vendor has on its shelves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from edi_gateway.marketplace.inventory import InventoryReport
from edi_gateway.marketplace.parties import ItemIdentity


@dataclass(frozen=True, slots=True)
class Shelf:
    """One article: how many may still be promised, and whether more will ever come."""

    available: Decimal
    discontinued: bool


class Warehouse:
    """Stock by GTIN, or by the vendor's own article number where there is no GTIN.

    A warehouse is computed from the opening report and what was promised since, so that it is the same after a
    restart and after a transaction that was rolled back.
    """

    def __init__(self, opening: InventoryReport, promised: Iterable[tuple[ItemIdentity, Decimal]] = ()) -> None:
        self._shelves: dict[str, Shelf] = {
            article(line.item): Shelf(line.available or Decimal(0), line.discontinued) for line in opening.items
        }
        for item, quantity in promised:
            self._take(item, quantity)

    @property
    def shelves(self) -> Mapping[str, Shelf]:
        return self._shelves

    def shelf(self, item: ItemIdentity) -> Shelf | None:
        """The article's shelf; None for an article that this vendor does not sell."""
        return self._shelves.get(article(item))

    def promise(self, item: ItemIdentity, quantity: Decimal) -> Decimal:
        """Takes up to `quantity` from the shelf and says how much that was."""
        shelf = self.shelf(item)
        if shelf is None or shelf.discontinued:
            return Decimal(0)
        taken = min(quantity, shelf.available)
        self._take(item, taken)
        return taken

    def _take(self, item: ItemIdentity, quantity: Decimal) -> None:
        shelf = self.shelf(item)
        if shelf is not None:
            self._shelves[article(item)] = Shelf(shelf.available - quantity, shelf.discontinued)


def article(item: ItemIdentity) -> str:
    """The key of an article: its GTIN, else the supplier's number."""
    return item.gtin or item.supplier_article
