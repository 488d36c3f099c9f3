"""Partnerships as rows: one revision in force a name, and nothing forgotten."""

from __future__ import annotations

import dataclasses
import hashlib
import ssl
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from edi_gateway.partnership import As2Policy, Compression, DatedCertificate, MdnMode, Partnership, Tolerances
from edi_gateway.store import partnerships as store
from edi_gateway.store.base import canonical_json
from edi_gateway.store.database import Database
from edi_gateway.store.partnerships import PartnershipRevision, PartnershipState
from tests.databases import database_url
from tests.partner_folders import NOW, partnership, vendor_key

ACTIVE, SUSPENDED = PartnershipState.ACTIVE, PartnershipState.SUSPENDED
LATER = NOW + timedelta(days=1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(database_url(tmp_path))
    database.create_all()
    yield database
    database.close()


def put(database: Database, *partnerships: Partnership, state: PartnershipState = ACTIVE, now=NOW) -> list[int]:
    with database.write() as uow:
        rows = store.put_in_force(uow.session, [(each, state) for each in partnerships], now)
        uow.commit()
        return [row.revision for row in rows]


def in_force(database: Database) -> list[PartnershipRevision]:
    with database.read() as reading:
        return store.in_force(reading.session)


def renamed(each: Partnership, their_id: str) -> Partnership:
    return dataclasses.replace(each, as2=dataclasses.replace(each.as2, their_id=their_id))


def elaborate() -> Partnership:
    """A partnership in which no field has its default."""
    plain = partnership("acme", 2)
    as2 = dataclasses.replace(
        plain.as2,
        signing_certificates=(
            *plain.as2.signing_certificates,
            DatedCertificate(pem=vendor_key("p-256").certificate.pem, use_from="2027-01-01T00:00:00+00:00"),
        ),
        accepted_digests=frozenset({"sha-1", "sha-256"}),
        compression=Compression.BEFORE_SIGNING,
        mdn_mode=MdnMode.ASYNC,
        retry_first=timedelta(seconds=90),
    )
    edifact = dataclasses.replace(plain.edifact, severities={"S205": "warning", "D301": "off"})
    tolerances = Tolerances(price_absolute=Decimal("0.05"), quantity_percent=Decimal("2.5"))
    return dataclasses.replace(
        plain, as2=as2, edifact=edifact, tolerances=tolerances, commission_rate=Decimal("0.123456789012345678")
    )


@pytest.mark.parametrize("whole", [partnership("acme", 2), elaborate()])
def test_a_partnership_comes_back_as_it_was(database: Database, whole: Partnership) -> None:
    put(database, whole)
    assert [row.partnership for row in in_force(database)] == [whole]


def test_equal_partnerships_are_equal_text() -> None:
    whole = elaborate()
    again = dataclasses.replace(
        whole, as2=dataclasses.replace(whole.as2, accepted_digests=frozenset(["sha-256", "sha-1"]))
    )
    assert canonical_json(store.to_document(whole)) == canonical_json(store.to_document(again))


def test_a_document_of_an_older_version_has_the_defaults_of_what_came_later() -> None:
    document = store.to_document(partnership("acme", 2))
    del document["as2"]["mic_by_request"], document["tolerances"]
    read = store.from_document(document)
    assert read.as2.mic_by_request is As2Policy.__dataclass_fields__["mic_by_request"].default
    assert read.tolerances == Tolerances()


def test_a_new_revision_ends_the_one_before_and_keeps_it(database: Database) -> None:
    first, second = partnership("acme", 2), renamed(partnership("acme", 2), "ACME-NEW")
    assert put(database, first) == [1]
    assert put(database, second, now=LATER) == [2]
    with database.read() as reading:
        newest, oldest = store.history(reading.session, "acme")
    assert (newest.partnership, newest.valid_from, newest.valid_to) == (second, LATER, None)
    assert (oldest.partnership, oldest.valid_from, oldest.valid_to) == (first, NOW, LATER)
    assert [row.revision for row in in_force(database)] == [2]


def test_the_highest_revision_grows_with_every_change(database: Database) -> None:
    with database.read() as reading:
        assert store.latest_revision(reading.session) == 0
    put(database, partnership("acme", 2), partnership("bolt", 3))
    put(database, partnership("acme", 2), state=SUSPENDED, now=LATER)
    with database.read() as reading:
        assert store.latest_revision(reading.session) == 3


def test_rows_carry_the_fingerprints_that_openssl_prints(database: Database) -> None:
    whole = elaborate()
    put(database, whole)
    expected = {
        hashlib.sha256(ssl.PEM_cert_to_DER_cert(entry.pem)).hexdigest() for entry in whole.as2.signing_certificates
    }
    assert set(in_force(database)[0].fingerprints) == expected
    assert len(expected) == 2


def test_two_partnerships_may_swap_their_as2_names(database: Database) -> None:
    acme, bolt = partnership("acme", 2), partnership("bolt", 3)
    put(database, acme, bolt)
    put(database, renamed(acme, "VENDOR-3"), renamed(bolt, "VENDOR-2"), now=LATER)
    assert {row.name: row.their_as2_id for row in in_force(database)} == {"acme": "VENDOR-3", "bolt": "VENDOR-2"}


def test_the_database_refuses_an_as2_pair_that_is_taken(database: Database) -> None:
    put(database, partnership("acme", 2))
    with pytest.raises(IntegrityError, match="our_as2_id"):
        put(database, renamed(partnership("bolt", 3), "VENDOR-2"))
    assert [row.name for row in in_force(database)] == ["acme"]


def test_the_database_refuses_two_revisions_in_force(database: Database) -> None:
    put(database, partnership("acme", 2))
    with database.write() as uow:
        row = in_force(database)[0]
        copy = {
            column.key: getattr(row, column.key)
            for column in PartnershipRevision.__table__.columns
            if column.key != "revision"
        }
        uow.session.add(PartnershipRevision(**copy | {"their_as2_id": "OTHER"}))
        with pytest.raises(IntegrityError, match="name"):
            uow.session.flush()


def test_a_state_that_does_not_exist_is_refused(database: Database) -> None:
    put(database, partnership("acme", 2))
    with database.write() as uow, pytest.raises(IntegrityError, match=r"(?i)check"):
        uow.session.connection().exec_driver_sql("UPDATE partnership_revision SET state = 'gone'")
