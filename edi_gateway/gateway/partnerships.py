"""Which partnership a transmission, an interchange or an order belongs to.

The partnerships are read from the store once and kept until a newer revision stands there, also when another
process applied it. Keys and certificates are parsed once a revision, never once a message.
"""

from __future__ import annotations

from edi_gateway.as2.relationship import Relationship
from edi_gateway.edifact.verdict import Address
from edi_gateway.gateway.keys import KeyStore
from edi_gateway.partnership import Partnership
from edi_gateway.store.database import Database


class Partnerships:
    """The look-ups. Each gives None for what is unknown or suspended."""

    def __init__(self, database: Database, keys: KeyStore) -> None:
        raise NotImplementedError

    def by_as2(self, as2_from: str, as2_to: str) -> Partnership | None:
        """The partnership of what arrives: `as2_from` is theirs, `as2_to` ours; case-sensitive (RFC 4130 §6.2)."""
        raise NotImplementedError

    def by_name(self, name: str) -> Partnership | None:
        raise NotImplementedError

    def by_edifact(self, sender: Address, recipient: Address) -> Partnership | None:
        """The partnership of an interchange that arrives: UNB S002 is theirs, S003 ours."""
        raise NotImplementedError

    def all(self) -> tuple[Partnership, ...]:
        """Every active partnership, by name."""
        raise NotImplementedError

    def relationship(self, partnership: Partnership) -> Relationship:
        """The partnership as the AS2 engine needs it, with parsed certificates and our keys."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Look at the store again at the next look-up, without waiting."""
        raise NotImplementedError
