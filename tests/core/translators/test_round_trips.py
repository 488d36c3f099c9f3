"""Each record survives being written, checked against its directory, and read again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edi_gateway.marketplace.acknowledgement import ApplicationAcknowledgement
from edi_gateway.marketplace.parties import Contact, Party, PartyRole
from edi_gateway.translators import DecodeContext, EncodeContext, NotWritable, translator

from . import short_strategies, strategies
from .wire import judged, message_of, there_and_back, through_the_wire

RECORDS: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
    "ORDERS": strategies.orders,
    "ORDRSP": strategies.confirmations,
    "DESADV": strategies.shipments,
    "INVOIC": strategies.invoices,
    "INVRPT": strategies.inventory_reports,
    "APERAK": strategies.acknowledgements,
    "ORDCHG": short_strategies.order_changes,
    "RECADV": short_strategies.receiving_advices,
    "REMADV": short_strategies.remittance_advices,
    "SLSRPT": short_strategies.sales_reports,
    "PRICAT": short_strategies.price_catalogues,
}


@pytest.mark.parametrize("directory", ["D.96A", "D.01B"])
@pytest.mark.parametrize("message_type", RECORDS)
@given(data=st.data())
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_record_survives_the_message(message_type: str, directory: str, data: st.DataObject) -> None:
    record = data.draw(RECORDS[message_type]())

    found = there_and_back(message_type, record, directory)

    assert found.findings == []
    assert found.unmapped == []
    assert found.record == record


@pytest.mark.parametrize("message_type", RECORDS)
@given(data=st.data())
@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_record_survives_the_wire(message_type: str, data: st.DataObject) -> None:
    """Service characters, accents and the release character included; read by its text, not by elements."""
    record = data.draw(RECORDS[message_type]())
    found = translator(message_type)
    assert found is not None

    tree, errors = judged(through_the_wire(message_type, found.encode(record, EncodeContext())))

    assert errors == []
    assert found.decode(tree, DecodeContext()).record == record


@given(record=strategies.orders())
@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_numbers_survive_a_decimal_comma(record: Any) -> None:
    assert there_and_back("ORDERS", record, decimal=",").record == record


@given(record=strategies.inventory_reports(), zone=st.sampled_from(("UTC", "Asia/Kolkata")))
@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_times_survive_in_the_partners_zone(record: Any, zone: str) -> None:
    found = translator("INVRPT")
    assert found is not None
    body = found.encode(record, EncodeContext(timezone=zone))
    tree, _ = judged(message_of("INVRPT", body))

    assert found.decode(tree, DecodeContext(timezone=zone)).record == record


@given(record=strategies.acknowledgements(documents=True))
@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_the_documents_that_an_acknowledgement_names_need_d01b(record: ApplicationAcknowledgement) -> None:
    assert there_and_back("APERAK", record, "D.01B").record == record
    if record.documents:
        with pytest.raises(NotWritable, match="has no DOC"):
            there_and_back("APERAK", record, "D.96A")


@pytest.mark.parametrize("more", [{"vat_id": "FR11123456782"}, {"contacts": (Contact(name="M. Durand"),)}])
def test_an_acknowledgement_names_parties_with_nad_alone(more: dict[str, Any]) -> None:
    record = ApplicationAcknowledgement(number="A1", parties=(Party(role=PartyRole.BUYER, **more),))
    with pytest.raises(NotWritable, match=r"parties\[0\]/.*NAD alone"):
        there_and_back("APERAK", record)
