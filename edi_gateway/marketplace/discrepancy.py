"""How far a quantity differs from what was expected of it (QVR)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

DAMAGED = "124"
TO_BE_RETURNED = "195"
TO_BE_DESTROYED = "196"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """One QVR: a difference, in what (6063), what becomes of it (4221) and why (4295)."""

    quantity: Decimal | None = None  # 6064, signed: negative where less came than was expected
    qualifier: str = ""  # 6063: of which quantity
    treatment: str = ""  # 4221, such as AC over-shipped, AF delivered damaged, BP back order to follow
    reason: str = ""  # 4295, such as AUE, PC
