"""How the article of a line is recognised, and how a document's line finds its order line."""

from __future__ import annotations

from collections.abc import Sequence

from edi_gateway.marketplace.order import OrderLine
from edi_gateway.marketplace.parties import ItemIdentity

# The identity ladder: the first rung that both sides name decides.
_LADDER = ("gtin", "buyer_article", "supplier_article", "isbn")


def article_key(item: ItemIdentity) -> str:
    """One text that names the article within a partnership, "" where the line names none."""
    if item.gtin:
        return item.gtin.zfill(14)
    for rung in _LADDER[1:]:
        if value := getattr(item, rung):
            return f"{rung}:{value}"
    return next((f"{kind}:{value}" for kind, value in item.others), "")


def same_article(one: ItemIdentity, other: ItemIdentity) -> bool | None:
    """Whether both name the same article; None where they have no kind of number in common."""
    for rung in _LADDER:
        mine, yours = getattr(one, rung), getattr(other, rung)
        if mine and yours:
            return bool(_comparable(rung, mine) == _comparable(rung, yours))
    return None


def find_line(lines: Sequence[OrderLine], number: int | None, item: ItemIdentity) -> OrderLine | None:
    """The order line that a document's line speaks of, or None.

    The quoted number decides unless the articles contradict each other and exactly one other line is
    of that article: many vendors number their lines in their own way.
    """
    numbered = next((line for line in lines if line.number == number), None)
    if numbered is not None and same_article(numbered.item, item) is not False:
        return numbered
    of_article = [line for line in lines if same_article(line.item, item)]
    if len(of_article) == 1:
        return of_article[0]
    return numbered


def _comparable(rung: str, value: str) -> str:
    # A GTIN-13 and the same number with a leading zero are one article (GS1 General Specifications §3.3.2).
    return value.zfill(14) if rung == "gtin" else value
