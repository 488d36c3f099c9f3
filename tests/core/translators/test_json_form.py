"""The JSON form of the records."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edi_gateway.marketplace.order import Order
from edi_gateway.translators.json_form import (
    ERRORS_MAX,
    RecordInvalid,
    from_json,
    json_schema,
    to_json,
    validate_record,
)

from . import strategies

ORDER: dict[str, Any] = {
    "number": "MP4K7QX1",
    "issued": "2026-11-22",
    "currency": "EUR",
    "parties": [{"role": "BY", "identifier": "3760000000017", "agency": "9"}],
    "lines": [{"number": 1, "item": {"gtin": "3760123450010"}, "quantity": "10"}],
}


def refused(data: Any) -> list[tuple[str, str]]:
    with pytest.raises(RecordInvalid) as caught:
        validate_record(Order, data)
    return caught.value.errors


@given(
    record=st.one_of(
        strategies.orders(),
        strategies.confirmations(),
        strategies.shipments(),
        strategies.invoices(),
        strategies.inventory_reports(),
    )
)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_record_survives_json(record: Any) -> None:
    assert from_json(type(record), json.loads(json.dumps(to_json(record)))) == record


def test_midnight_stays_a_time_and_a_date_a_date() -> None:
    order = validate_record(Order, {**ORDER, "issued": "2026-11-22T01:00:00+01:00", "cancel_after": "2026-11-30"})

    assert order.issued == datetime(2026, 11, 22, tzinfo=UTC)
    assert order.cancel_after == date(2026, 11, 30)
    assert to_json(order)["issued"] == "2026-11-22T00:00:00Z"


def test_decimals_are_strings_and_keep_their_cents() -> None:
    order = validate_record(Order, {**ORDER, "total_net": "125.00"})

    assert order.total_net == Decimal("125.00")
    assert to_json(order)["total_net"] == "125.00"


def test_every_fault_is_named_with_its_path() -> None:
    line = {"number": "one", "item": {"gtn": "3760123450010"}, "quantity": 1.5}

    errors = refused({**ORDER, "issued": "22/11/2026", "lines": [*ORDER["lines"], line], "colour": "red"})

    assert [path for path, _ in errors] == [
        "colour",
        "issued",
        "lines[1]/item/gtn",
        "lines[1]/number",
        "lines[1]/quantity",
    ]


@pytest.mark.parametrize(
    "moment",
    [
        "2026-11-22T09:15:00",
        "2026-11-22T09:15:00.5Z",
        "2026-02-30",
        "20261122",
        1795305600,
        True,
        [],
        "0001-01-01T00:00:00+01:00",
    ],
)
def test_a_moment_is_a_date_or_a_time_with_its_offset(moment: Any) -> None:
    assert [path for path, _ in refused({**ORDER, "issued": moment})] == ["issued"]


@pytest.mark.parametrize("quantity", [1.5, "NaN", "Infinity", "ten", None, {}])
def test_a_quantity_is_exact(quantity: Any) -> None:
    lines = [{**ORDER["lines"][0], "quantity": quantity}]

    assert [path for path, _ in refused({**ORDER, "lines": lines})] == ["lines[0]/quantity"]


@pytest.mark.parametrize("data", [None, [], "order", 1, {}])
def test_what_is_no_order_at_all_is_refused(data: Any) -> None:
    assert refused(data)


def test_a_document_full_of_faults_names_a_bounded_number() -> None:
    errors = refused({**ORDER, **{f"key{number}": 1 for number in range(ERRORS_MAX + 1)}})

    assert len(errors) == ERRORS_MAX


def test_the_schema_forbids_unknown_keys_and_names_the_mandatory_ones() -> None:
    schema = json_schema(Order)

    order = schema["$defs"]["Order"] if "$ref" in schema else schema
    assert set(order["required"]) == {"number", "issued", "currency", "parties", "lines"}
    assert order["additionalProperties"] is False
