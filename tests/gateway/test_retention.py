"""Retention: each term, before and after it; holds; the fiscal archive; a purge that dies; and the chain afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from edi_gateway import failpoints
from edi_gateway.config import Retention
from edi_gateway.gateway import archive, retention
from edi_gateway.gateway.retention import Purged
from edi_gateway.store.payloads import PUT_SECONDS_MAX, Payload, PayloadPurged
from edi_gateway.store.transmissions import Transmission
from tests.house import House
from tests.partner import ORDERS

INVOIC = ORDERS.replace(b"ORDERS", b"INVOIC")
LARGE = b"UNB+UNOC:3+3012345000004:14+3098765000002:14+261122:1200+1'\r\n" + b"NAD+BY'\r\n" * 7_500 + b"UNZ+0+1'"


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


@pytest.fixture
def kept(house: House) -> House:
    """With one message that is unpacked."""
    _arrived(house)
    return house


def _arrived(house: House, payload: bytes = ORDERS, types: str = "ORDERS", number: int = 1) -> str:
    assert house.post(house.message(payload, f"<{number}@vendor.example>")).status == 200
    identifier = house.rows()[-1].id
    with house.gateway.database.write() as uow:
        row = uow.session.get_one(Transmission, identifier)
        row.state, row.document_types = "unpacked", types
        uow.commit()
    return identifier


def purged(house: House, *, dry_run: bool = False, **terms: object) -> Purged:
    chosen = Retention.model_validate({"payload_days": 30, "personal_data_days": 60, "record_days": 90, **terms})
    config = house.gateway.config.model_copy(update={"retention": chosen})
    return retention.purge(replace(house.gateway, config=config), dry_run=dry_run)


def verified(house: House) -> archive.ArchiveVerdict:
    return archive.verify(house.gateway.database, house.gateway.payloads)


@pytest.mark.parametrize(("days", "transmissions"), [(30, 0), (31, 1)])
def test_payloads_and_receipts_go_after_their_term(kept: House, days: int, transmissions: int) -> None:
    kept.later(days=days)
    done = purged(kept)
    assert (done.transmissions, done.payloads) == (transmissions, 2 * transmissions)
    row = kept.only()
    assert (row.payloads_purged_at is not None) == bool(transmissions)
    assert (bool(row.message_id), bool(row.payload_sha256)) == (True, True)  # what it was is known for ever
    assert all((receipt.body == b"") == bool(transmissions) for receipt in kept.receipts())
    verdict = verified(kept)
    assert verdict.intact
    assert verdict.purged == 2 * transmissions


def test_what_was_purged_says_so_when_it_is_asked_for(kept: House) -> None:
    kept.later(days=31)
    purged(kept)
    with pytest.raises(PayloadPurged, match="when its term"):
        kept.kept(kept.only().payload_sha256)


def test_a_dry_run_counts_the_same_and_does_nothing(kept: House) -> None:
    kept.later(days=91)
    would, done = purged(kept, dry_run=True), None
    assert verified(kept).purged == 0
    done = purged(kept)
    assert (would.payloads, would.bytes, would.records) == (done.payloads, done.bytes, done.records)
    assert not purged(kept).anything  # a second time there is nothing to do


@pytest.mark.parametrize(("days", "records"), [(90, 0), (91, 1)])
def test_the_reasons_of_events_go_with_the_records_and_the_chain_holds(kept: House, days: int, records: int) -> None:
    kept.later(days=days)
    assert purged(kept).records == records
    (event, *_) = kept.events("transmission.state")  # verifies the chain
    assert (event.content is None) == bool(records)
    assert verified(kept).intact


def test_what_is_missing_is_told_beside_what_was_purged(house: House) -> None:
    _arrived(house)
    house.later(days=31)
    _arrived(house, LARGE, number=2)
    purged(house)
    house.gateway.payloads.path(house.rows()[-1].payload_sha256 or "").unlink()
    verdict = verified(house)
    assert verdict.purged == 2
    assert [fault.text.partition(";")[0] for fault in verdict.faults] == ["is not there"]


def test_an_invoice_stays_to_the_end_of_the_tenth_calendar_year(house: House) -> None:
    _arrived(house, INVOIC, "INVOIC")
    year = house.now.year
    house.now = datetime(year + 10, 12, 31, 23, 59, tzinfo=UTC)
    done = purged(house)
    assert (done.transmissions, done.records, done.fiscal_kept) == (0, 0, 1)
    house.now += timedelta(minutes=1)
    assert (purged(house).transmissions, verified(house).purged) == (1, 2)


def test_the_mdn_that_answers_an_invoice_stays_with_it(house: House) -> None:
    invoice = _arrived(house, INVOIC, "INVOIC")
    other = _arrived(house, number=2)
    with house.gateway.database.write() as uow:
        uow.session.get_one(Transmission, other).answers_id = invoice
        uow.commit()
    house.later(days=400)
    assert purged(house).fiscal_kept == 2


def test_a_payload_that_something_younger_shares_stays(house: House) -> None:
    _arrived(house)
    house.later(days=31)
    _arrived(house, number=2)
    done = purged(house)
    assert (done.transmissions, done.payloads) == (1, 1)  # the encrypted one; the document is the same
    assert house.kept(house.rows()[0].payload_sha256)


@pytest.mark.parametrize("hold", ["vendor", "other, vendor", "*"])
def test_nothing_of_a_partner_under_legal_hold_is_touched(kept: House, hold: str) -> None:
    kept.later(days=4000)
    assert not purged(kept, legal_hold=hold).anything
    assert purged(kept, legal_hold="somebody-else").anything


def test_what_has_not_been_unpacked_is_not_touched(house: House) -> None:
    house.post(house.message())
    house.later(days=4000)
    assert not purged(house).anything


def test_what_comes_again_after_its_purge_is_kept_again(kept: House) -> None:
    kept.later(days=31)
    purged(kept)
    _arrived(kept, number=2)
    assert kept.kept(kept.rows()[-1].payload_sha256)
    verdict = verified(kept)
    assert (verdict.intact, verdict.purged) == (True, 1)


def test_a_message_repeated_after_its_receipt_was_purged_gets_a_new_one(house: House) -> None:
    posted = house.message()
    assert house.post(posted).status == 200
    with house.gateway.database.write() as uow:
        uow.session.get_one(Transmission, house.only().id).state = "unpacked"
        uow.commit()
    house.later(days=31)
    purged(house)
    answer = house.post(posted)
    assert answer.status == 200
    assert b"processed" in answer.body
    assert len(house.rows()) == 1


@pytest.mark.parametrize("edge", ["begun", "committing", "committed"])
def test_a_purge_that_dies_goes_on_where_it_stopped(house: House, edge: str) -> None:
    _arrived(house, LARGE)
    file = house.gateway.payloads.path(house.only().payload_sha256 or "")
    old = file.stat().st_mtime - PUT_SECONDS_MAX - 1
    os.utime(file, (old, old))
    house.later(days=31)
    failpoints.arm(f"retention.purge:{edge}=io-error")
    with pytest.raises(OSError, match="Input/output"):
        purged(house)
    failpoints.arm("")
    assert file.exists()
    assert verified(house).intact
    house.restart()
    purged(house)
    assert not file.exists()
    verdict = verified(house)
    assert (verdict.intact, verdict.purged) == (True, 2)


def test_a_file_that_was_put_again_a_moment_ago_stays(house: House) -> None:
    _arrived(house, LARGE)
    house.later(days=31)
    purged(house)
    row = house.only()
    assert house.gateway.payloads.path(row.payload_sha256 or "").exists()
    with house.gateway.database.read() as view:
        assert view.session.get_one(Payload, row.payload_sha256).purged_at is not None


def test_payloads_may_not_outlive_the_names_in_them() -> None:
    for days in (0, 61):
        with pytest.raises(ValueError, match="payload_days must be"):
            Retention(payload_days=days, personal_data_days=60)
    assert Retention(payload_days=60, personal_data_days=60)
