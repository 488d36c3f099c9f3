"""From folders into force: checked together, applied as a whole, and told field by field."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from edi_gateway.gateway import onboarding
from edi_gateway.gateway.onboarding import Change, ChangeKind, FieldChange, check, plan, read_folders
from edi_gateway.partnership import Partnership
from edi_gateway.store import partnerships as store
from edi_gateway.store.database import Database
from edi_gateway.store.events import events_of, verify_chain
from tests.databases import database_url
from tests.partner_folders import NOW, OURS, folder, partnership, vendor_key, write

LATER = NOW + timedelta(days=1)
ACME, BOLT = partnership("acme", 2), partnership("bolt", 3)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(database_url(tmp_path))
    database.create_all()
    yield database
    database.close()


def applied(database: Database, *partnerships: Partnership, now=NOW, **options: object) -> dict[str, ChangeKind]:
    """Apply, and say what it did to whom."""
    with database.write() as uow:
        changes = plan(partnerships, store.in_force(uow.session), **options)
        onboarding.apply(uow, changes, now)
        uow.commit()
    return {change.name: change.kind for change in changes}


def planned(database: Database, *partnerships: Partnership) -> list[Change]:
    with database.read() as reading:
        return plan(partnerships, store.in_force(reading.session))


# --- folders -------------------------------------------------------------------------------------


def test_folders_are_read_in_order_with_their_certificates(tmp_path: Path) -> None:
    write(tmp_path, folder("bolt", 3), folder("acme", 2, next_der=b"x", notes_txt=b"not a certificate"))
    (tmp_path / "partner.schema.json").write_text("{}")
    (tmp_path / ".git").mkdir()
    folders, problems = read_folders(tmp_path)
    assert problems == []
    assert [(each.name, sorted(each.files)) for each in folders] == [
        ("acme", ["next.der", "vendor.pem"]),
        ("bolt", ["vendor.pem"]),
    ]


def test_named_folders_only(tmp_path: Path) -> None:
    write(tmp_path, folder("acme", 2), folder("bolt", 3))
    folders, problems = read_folders(tmp_path, ["bolt", "coyote"])
    assert [each.name for each in folders] == ["bolt"]
    assert [str(problem) for problem in problems] == [
        f"{tmp_path}/coyote: no such partner (expected: one of acme, bolt)"
    ]


def test_what_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "latin").mkdir()
    (tmp_path / "latin" / "partner.toml").write_bytes(b'name = "\xe9"')
    folders, problems = read_folders(tmp_path)
    assert folders == []
    assert ["no such file" in problems[0].reason, "cannot be read" in problems[1].reason] == [True, True]
    assert read_folders(tmp_path / "absent")[1][0].reason == "no such folder"


def test_a_huge_certificate_file_is_read_only_so_far(tmp_path: Path) -> None:
    write(tmp_path, folder("acme", next_pem=b"x" * (onboarding.FILE_BYTES_MAX + 100)))
    folders, _ = read_folders(tmp_path)
    assert len(folders[0].files["next.pem"]) == onboarding.FILE_BYTES_MAX + 1


def test_fifty_certificate_files_and_not_one_more(tmp_path: Path) -> None:
    write(tmp_path, folder("acme", **{f"c{number}_pem": b"" for number in range(onboarding.FILES_MAX - 1)}))
    assert read_folders(tmp_path)[1] == []
    (tmp_path / "acme" / "one-more.pem").touch()
    assert read_folders(tmp_path)[1][0].reason == "51 certificate files"


def test_folders_are_held_against_each_other_and_against_what_stays() -> None:
    both = check([folder("acme", 2), folder("bolt", 2)], OURS, NOW)
    assert {problem.key for problem in both.problems} == {"as2.their_id", "edifact.their_id", "partner.gln"}
    alone = check([folder("bolt", 2)], OURS, NOW)
    assert alone.problems == ()
    assert check([folder("bolt", 2)], OURS, NOW, others=[ACME]).problems


def test_problems_of_all_folders_come_together() -> None:
    found = check([folder("acme", new="x = 1"), folder("bolt", 3, new="y = 1"), folder("coyote", 4)], OURS, NOW)
    assert [problem.file for problem in found.problems] == ["acme/partner.toml", "bolt/partner.toml"]
    assert [each.name for each in found.partnerships] == ["coyote"]


# --- plan and apply ------------------------------------------------------------------------------


def test_applying_twice_changes_nothing_the_second_time(database: Database) -> None:
    assert applied(database, ACME, BOLT) == {"acme": ChangeKind.ADDED, "bolt": ChangeKind.ADDED}
    assert applied(database, ACME, BOLT, now=LATER) == {"acme": ChangeKind.UNCHANGED, "bolt": ChangeKind.UNCHANGED}
    with database.read() as reading:
        assert store.latest_revision(reading.session) == 2


def test_a_change_is_told_field_by_field(database: Database) -> None:
    applied(database, ACME)
    coming = vendor_key("rsa-2048", 700).certificate
    line = 'signing_certificates = [{ file = "vendor.pem" }]'
    new = (
        'signing_certificates = [{ file = "vendor.pem" }, { file = "next.pem", use_from = 2027-01-01 }]\n'
        "encryption_certificates = [{ file = 'vendor.pem' }]\n"
        'deadline = "3d"\n'
        'accepted_digests = ["sha-256"]'
    )
    changed = partnership("acme", 2, old=line, new=new, next_pem=coming.pem.encode())
    (change,) = planned(database, changed)
    assert change.kind is ChangeKind.CHANGED
    assert list(change.fields) == [
        FieldChange("as2.accepted_digests", "sha-256, sha-384, sha-512", "sha-256"),
        FieldChange("as2.deadline", "P2D", "P3D"),
        FieldChange(
            "as2.signing_certificates[2]",
            "",
            f"CN=vendor, until 2028-10-01, {coming.fingerprint[:16]}, used from 2027-01-01T00:00:00+00:00",
        ),
    ]


def test_messages_are_told_by_type_and_direction(database: Database) -> None:
    applied(database, ACME)
    changed = partnership(
        "acme", 2, old='type = "ORDRSP"\ndirection = "in"', new='type = "DESADV"\ndirection = "in"\ndirectory = "D.96A"'
    )
    (change,) = planned(database, changed)
    assert list(change.fields) == [
        FieldChange("messages.ORDRSP.in", "D.96A", ""),
        FieldChange("messages.DESADV.in", "", "D.96A"),
    ]


def test_a_folder_that_is_gone_is_reported_and_stays_in_force(database: Database) -> None:
    applied(database, ACME, BOLT)
    assert applied(database, ACME, now=LATER) == {"acme": ChangeKind.UNCHANGED, "bolt": ChangeKind.MISSING}
    with database.read() as reading:
        assert [row.state for row in store.in_force(reading.session)] == ["active", "active"]


def test_a_folder_that_is_gone_suspends_only_when_asked_and_resumes_when_it_is_back(database: Database) -> None:
    applied(database, ACME, BOLT)
    suspended = applied(database, ACME, now=LATER, suspend_missing=True)
    assert suspended["bolt"] is ChangeKind.SUSPENDED
    assert applied(database, ACME, now=LATER, suspend_missing=True) == {"acme": ChangeKind.UNCHANGED}
    assert applied(database, ACME, BOLT, now=LATER)["bolt"] is ChangeKind.RESUMED
    with database.read() as reading:
        assert [row.state for row in store.history(reading.session, "bolt")] == ["active", "suspended", "active"]


def test_applying_some_by_name_leaves_the_others_out_of_account(database: Database) -> None:
    applied(database, ACME, BOLT)
    assert applied(database, ACME, only=["acme"]) == {"acme": ChangeKind.UNCHANGED}


def test_every_change_leaves_an_event_without_certificates(database: Database) -> None:
    applied(database, ACME, BOLT)
    applied(database, ACME, now=LATER, suspend_missing=True)
    applied(database, ACME, BOLT, now=LATER)
    with database.read() as reading:
        events = events_of(reading.session, "partnership:bolt")
        assert verify_chain(reading.session).intact
    assert [(event.kind, event.from_state, event.to_state) for event in events] == [
        ("partnership.added", None, "active"),
        ("partnership.suspended", "active", "suspended"),
        ("partnership.resumed", "suspended", "active"),
    ]
    assert all("BEGIN CERTIFICATE" not in str(event.details) for event in events)


def test_without_commit_nothing_is_applied(database: Database) -> None:
    with database.write() as uow:
        onboarding.apply(uow, plan([ACME], []), NOW)
    with database.read() as reading:
        assert store.in_force(reading.session) == []
