"""The archive: a payload that is missing or altered, and an event that was changed, are found and named."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import text

from edi_gateway.gateway import archive
from edi_gateway.gateway.archive import ArchiveVerdict
from tests.house import House

LARGE = b"UNB+UNOC:3+3012345000004:14+3098765000002:14+261122:1200+1'\r\n" + b"NAD+BY'\r\n" * 7_500 + b"UNZ+0+1'"


def verified(house: House) -> ArchiveVerdict:
    return archive.verify(house.gateway.database, house.gateway.payloads)


@pytest.fixture
def large(house: House) -> House:
    """With one message whose payload is a file."""
    house.post(house.message(LARGE))
    return house


def test_what_was_kept_is_intact(large: House) -> None:
    verdict = verified(large)
    assert verdict.intact
    assert verdict.payloads == 2  # as it came, and what was in it
    assert verdict.bytes > 2 * len(LARGE)
    assert verdict.events == 1


def test_a_payload_that_is_missing_is_named_with_what_carries_it(large: House) -> None:
    row = large.only()
    large.gateway.payloads.path(row.payload_sha256 or "").unlink()
    (fault,) = verified(large).faults
    assert fault.subject == f"payload:{row.payload_sha256}"
    assert fault.needed_by == (row.id,)
    assert "is not there" in fault.text
    assert "backup" in fault.remedy


@pytest.mark.parametrize(
    ("change", "says"), [(lambda data: b"X" + data[1:], "was altered"), (lambda data: data[:-1], "has")]
)
def test_a_payload_that_was_changed_on_the_disk_is_named(large: House, change: object, says: str) -> None:
    path = large.gateway.payloads.path(large.only().payload_sha256 or "")
    data = path.read_bytes()
    os.chmod(path, 0o600)
    path.write_bytes(change(data))  # type: ignore[operator]
    (fault,) = verified(large).faults
    assert says in fault.text


def test_a_small_payload_that_was_changed_in_its_row_is_named(house: House) -> None:
    house.post(house.message())
    with house.gateway.database.engine.begin() as connection:
        connection.execute(
            text("UPDATE payload SET content = :c WHERE sha256 = :s"), {"c": b"\0", "s": house.only().raw_sha256}
        )
    (fault,) = verified(house).faults
    assert "has 1 bytes" in fault.text


def test_an_event_that_was_changed_is_named(house: House) -> None:
    house.post(house.message())
    house.post(house.message(message_id="<2@vendor.example>"))
    with house.gateway.database.engine.begin() as connection:
        connection.execute(text("UPDATE event SET to_state = 'refused' WHERE number = 2"))
    (fault,) = verified(house).faults
    assert fault.subject == "event:2"
    assert "the 1 events before it" in fault.remedy


def test_faults_beyond_the_bound_are_counted(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "FAULTS_MAX", 1)
    house.post(house.message())
    with house.gateway.database.engine.begin() as connection:
        connection.execute(text("UPDATE payload SET content = NULL"))
    verdict = verified(house)
    assert (len(verdict.faults), verdict.left_out) == (1, 1)
