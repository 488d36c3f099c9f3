"""Personal data in a record, masked in its JSON form: what is left says what was traded, and no longer with whom.

A consumer is named as a party of the delivery or of the bill; people of a company are named as contacts; and a note
may say anything. Identifiers, countries, references, articles, quantities and amounts stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edi_gateway.marketplace.parties import PartyRole

MASK = "***"

CONSUMER_ROLES = frozenset(
    {
        PartyRole.DELIVERY_PARTY,
        PartyRole.SHIP_TO,
        PartyRole.INVOICEE,
        PartyRole.ULTIMATE_CONSIGNEE,
        PartyRole.ULTIMATE_CUSTOMER,
        PartyRole.PAYER,
        PartyRole.BILL_AND_SHIP_TO,
        PartyRole.CONSIGNEE,
    }
)
"""Roles in which a record may name a consumer; in the others stand companies of the trade."""

_OF_PARTY = ("name", "street", "city", "region", "postcode", "vat_id", "registration")
_OF_CONTACT = ("name", "phone", "email")
_OF_NOTE = ("text",)


def masked(record: Any) -> Any:
    """The JSON form of a record with its personal data masked. Doing it twice changes nothing."""
    if isinstance(record, Mapping):
        hidden = _hidden(record)
        return {name: _veiled(value) if name in hidden else masked(value) for name, value in record.items()}
    return [masked(item) for item in record] if isinstance(record, list) else record


def _hidden(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields of this object that name somebody: it is a party, a contact, a note, or none of them."""
    if "role" in record and "street" in record:
        return _OF_PARTY if record["role"] in CONSUMER_ROLES else ()
    if "phone" in record and "email" in record:
        return _OF_CONTACT
    return _OF_NOTE if "subject" in record and "text" in record else ()


def _veiled(value: Any) -> Any:
    if isinstance(value, list):
        return [_veiled(item) for item in value]
    return MASK if value else value
