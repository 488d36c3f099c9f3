"""Each record survives being written, checked against its directory, and read again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import strategies
from .wire import there_and_back

RECORDS: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
    "ORDERS": strategies.orders,
    "ORDRSP": strategies.confirmations,
    "DESADV": strategies.shipments,
    "INVOIC": strategies.invoices,
    "INVRPT": strategies.inventory_reports,
}


@pytest.mark.parametrize("directory", ["D.96A", "D.01B"])
@pytest.mark.parametrize("message_type", RECORDS)
@given(data=st.data())
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_record_survives_the_message(message_type: str, directory: str, data: st.DataObject) -> None:
    record = data.draw(RECORDS[message_type]())

    found = there_and_back(message_type, record, directory)

    assert found.findings == []
    assert found.unmapped == []
    assert found.record == record
