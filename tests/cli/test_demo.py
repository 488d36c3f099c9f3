"""`edi-gateway demo`: its summary, in terminals of any width. What it shows is tested in tests/simulator."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from edi_gateway.cli.demo import _show
from edi_gateway.simulator.demonstration import Story

QUANTITIES = {
    "ordered": "17", "confirmed": "11", "backordered": "2", "rejected": "4", "shipped": "11", "invoiced": "11",
}  # fmt: skip
LEVEL = {
    "article": "03760123450010", "location": "", "gtin": "3760123450010", "supplier_article": "SKU-1", "actual": "148",
    "committed": "10", "reserved": "0", "despatched": "15", "available": "123", "in_transit": "0",
}  # fmt: skip


def story() -> Story:
    line = {
        "number": 1,
        "gtin": "3760123450027",
        "description": "Confiture d'abricot: [3] pots + 1 offert",
        "state": "shipped_part",
        "quantities": QUANTITIES,
    }
    order = {"number": "MP4K7QX2", "state": "partially_shipped", "quantities": QUANTITIES, "lines": [line]}
    return Story(Path("data/demo"), orders=[order], stock_before=[LEVEL], stock_after=[LEVEL])


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_orders_and_stock_can_be_read_at_any_width(width: int) -> None:
    console = Console(file=StringIO(), width=width, highlight=False)
    _show(console, story())
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert max(map(len, shown.splitlines())) <= width
    for whole in ("MP4K7QX2", "partially_shipped", "[3]", "3760123450010"):
        assert whole in shown
    assert "…" not in shown
