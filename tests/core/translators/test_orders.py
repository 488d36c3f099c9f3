"""ORDERS, both ways."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from edi_gateway.marketplace.order import Order

from .strategies import orders
from .wire import there_and_back


@pytest.mark.parametrize("directory", ["D.96A", "D.01B"])
@given(record=orders())
@settings(deadline=None, max_examples=60)
def test_an_order_survives_the_wire(directory: str, record: Order) -> None:
    found = there_and_back("ORDERS", record, directory)

    assert found.findings == []
    assert found.unmapped == []
    assert found.record == record
