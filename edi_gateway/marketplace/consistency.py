"""What a document says wrong of itself: found in its record alone, without orders, stock or earlier documents.

One row a record: the module whose `findings_of_its_own` looks at it. What a document says wrong of the others (an
unknown order, more than was confirmed) is found where it is applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from edi_gateway.edifact.findings import Finding

MODULES: Mapping[str, str] = {
    "Order": "ordering",
    "OrderConfirmation": "confirming",
    "Shipment": "shipping",
    "InventoryReport": "stock",
    "Invoice": "matching",
}
"""Record -> its module here, imported when first asked for: a command that looks at one file starts sooner."""


def findings_of_its_own(record: object) -> list[Finding]:
    """Every way in which the record disagrees with itself; none for a record that is not in the table."""
    name = MODULES.get(type(record).__name__)
    if name is None:
        return []
    found: list[Finding] = import_module(f"edi_gateway.marketplace.{name}").findings_of_its_own(record)
    return found
