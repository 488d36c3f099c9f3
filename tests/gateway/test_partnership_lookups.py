"""Which partnership does it belong to? Also after another process changed them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from edi_gateway.edifact.verdict import Address
from edi_gateway.gateway.keys import KeyStore
from edi_gateway.gateway.partnerships import REVISION_SECONDS, Partnerships
from edi_gateway.partnership import Partnership
from edi_gateway.store import partnerships as store
from edi_gateway.store.database import Database
from edi_gateway.store.partnerships import PartnershipState
from tests.databases import database_url
from tests.partner_folders import NOW, gln, partnership

ACME, BOLT = partnership("acme", 2), partnership("bolt", 3)
OURS = "9521321000018"


@dataclass
class Place:
    """A database, keys, a clock that only the test moves, and the look-ups on them."""

    folder: Path
    database: Database
    keys: KeyStore
    seconds: float = 0.0
    partnerships: Partnerships = field(init=False)

    def __post_init__(self) -> None:
        self.partnerships = Partnerships(self.database, self.keys, lambda: self.seconds)

    def put(self, *partnerships: Partnership, state: PartnershipState = PartnershipState.ACTIVE) -> None:
        """As another process does it."""
        with self.database.write() as uow:
            store.put_in_force(uow.session, [(each, state) for each in partnerships], NOW)
            uow.commit()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    database = Database(database_url(tmp_path))
    database.create_all()
    yield Place(tmp_path, database, KeyStore(tmp_path, b"correct horse battery"))
    database.close()


def test_by_as2_names_case_sensitive(place: Place) -> None:
    place.put(ACME, BOLT)
    assert place.partnerships.by_as2("VENDOR-2", "MARKET") == ACME
    assert place.partnerships.by_as2("vendor-2", "MARKET") is None  # RFC 4130 §6.2
    assert place.partnerships.by_as2("VENDOR-2", "OTHER") is None
    assert place.partnerships.by_as2("MARKET", "VENDOR-2") is None


def test_by_name_and_all_in_order(place: Place) -> None:
    place.put(BOLT, ACME)
    assert place.partnerships.by_name("bolt") == BOLT
    assert place.partnerships.by_name("nobody") is None
    assert place.partnerships.all() == (ACME, BOLT)


@pytest.mark.parametrize(
    ("sender", "recipient", "found"),
    [
        (Address(gln(2), "14"), Address(OURS, "14"), True),
        (Address(gln(2)), Address(OURS), True),  # 0007 left out
        (Address(gln(2), "14", "ROUTE"), Address(OURS, "14"), True),
        (Address(gln(2), "ZZ"), Address(OURS, "14"), False),
        (Address(gln(2), "14"), Address(OURS, "ZZ"), False),
        (Address(OURS, "14"), Address(gln(2), "14"), False),
        (Address("", ""), Address(OURS, "14"), False),
    ],
)
def test_by_edifact_addresses(place: Place, sender: Address, recipient: Address, found: bool) -> None:
    place.put(ACME, BOLT)
    assert place.partnerships.by_edifact(sender, recipient) == (ACME if found else None)


def test_an_address_without_qualifier_that_fits_two_fits_none(place: Place) -> None:
    by_own_code = partnership("bolt", 3, new=f"[edifact]\ntheir_id = '{gln(2)}'\ntheir_qualifier = 'ZZ'")
    place.put(ACME, by_own_code)
    assert place.partnerships.by_edifact(Address(gln(2)), Address(OURS)) is None
    assert place.partnerships.by_edifact(Address(gln(2), "ZZ"), Address(OURS)) == by_own_code


def test_a_suspended_partnership_is_not_found(place: Place) -> None:
    place.put(ACME, state=PartnershipState.SUSPENDED)
    assert place.partnerships.by_as2("VENDOR-2", "MARKET") is None
    assert place.partnerships.by_name("acme") is None
    assert place.partnerships.all() == ()


def test_without_partnerships_nothing_is_found(place: Place) -> None:
    assert place.partnerships.by_as2("VENDOR-2", "MARKET") is None


def test_what_another_process_changed_is_seen_after_a_moment(place: Place) -> None:
    place.put(ACME)
    assert place.partnerships.by_name("bolt") is None
    place.put(BOLT)
    place.seconds += REVISION_SECONDS / 2
    assert place.partnerships.by_name("bolt") is None
    place.seconds += REVISION_SECONDS / 2
    assert place.partnerships.by_name("bolt") == BOLT


def test_refresh_looks_at_once(place: Place) -> None:
    assert place.partnerships.all() == ()
    place.put(ACME)
    place.partnerships.refresh()
    assert place.partnerships.all() == (ACME,)


def test_nothing_is_read_again_while_nothing_changes(place: Place) -> None:
    place.put(ACME)
    first = place.partnerships.by_name("acme")
    place.seconds += 10 * REVISION_SECONDS
    assert place.partnerships.by_name("acme") is first


def test_a_relationship_is_made_once_a_revision(place: Place) -> None:
    key = place.keys.generate("MARKET", now=NOW, key="p-256")
    place.put(ACME)
    acme = place.partnerships.by_name("acme")
    assert acme is not None
    relationship = place.partnerships.relationship(acme)
    assert relationship.policy == ACME.as2
    assert relationship.signing_key(NOW) == key.private_key
    assert place.partnerships.relationship(acme) is relationship

    changed = partnership("acme", 2, old="https://vendor2.example/as2", new="https://vendor2.example/new")
    place.put(changed)
    place.partnerships.refresh()
    again = place.partnerships.by_name("acme")
    assert again is not None
    assert place.partnerships.relationship(again).policy.url == "https://vendor2.example/new"


def test_a_new_key_of_ours_makes_a_new_relationship(place: Place) -> None:
    old = place.keys.generate("MARKET", now=NOW, key="p-256")
    place.put(ACME)
    acme = place.partnerships.by_name("acme")
    assert acme is not None
    assert place.partnerships.relationship(acme).signing_key(NOW) == old.private_key
    begins = NOW + timedelta(days=10)
    new = place.keys.generate("MARKET", now=NOW, key="p-256", use_from=begins)
    assert place.partnerships.relationship(acme).signing_key(begins) == old.private_key
    place.seconds += REVISION_SECONDS
    relationship = place.partnerships.relationship(acme)
    assert relationship.signing_key(NOW) == old.private_key
    assert relationship.signing_key(begins) == new.private_key
