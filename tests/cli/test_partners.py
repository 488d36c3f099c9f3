"""`edi-gateway partners`: from folders into force, seen from the command line."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edi_gateway import config
from edi_gateway.as2.certificates import Certificate, generate
from edi_gateway.cli import main
from edi_gateway.gateway.app import open_gateway
from edi_gateway.partner_file import Folder
from edi_gateway.store.certificates import CertificateProposal, ProposalDirection, ProposalState
from tests import partner_folders
from tests.partner_folders import vendor_key, write

URL = "https://vendor2.example/as2"


def folder(name: str, number: int = 2, **changes: object) -> Folder:
    """A folder whose certificate is valid today: commands look at the real clock."""
    today = vendor_key(made=datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    made = partner_folders.folder(name, number, **changes)
    return Folder(name=made.name, text=made.text, files={**made.files, "vendor.pem": today.certificate.pem.encode()})


@pytest.fixture(autouse=True)
def in_a_folder_with_two_partners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("gateway.toml").write_text('[identity]\nas2_id = "MARKET"\ngln = "9521321000018"\n')
    write(Path("partners"), folder("acme", 2), folder("bolt", 3))


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["partners", *arguments])
    assert result.exit_code == code, result.output
    return result


def as_json(*arguments: str, code: int = 0) -> dict:
    return json.loads(run(*arguments, "--json", code=code).stdout)


def in_force() -> dict[str, str]:
    return {row["name"]: row["state"] for row in as_json("list")}


# --- check ---------------------------------------------------------------------------------------


def test_check_says_that_all_is_well_and_makes_no_database() -> None:
    assert run("check").output == "2 good, 0 errors, 0 warnings\n"
    assert as_json("check") == {
        "partners": ["acme", "bolt"],
        "problems": [],
        "warnings": [],
        "examples": [],
        "ok": True,
    }
    assert not Path("data").exists()


def test_check_names_every_problem_and_ends_with_1() -> None:
    write(Path("partners"), folder("bolt", 2, old="[as2]", new="[as2]\nx = 1"), folder("coyote", 2))
    shown = run("check", code=1).output
    assert "error: partners/bolt/partner.toml: as2.x: unknown key (expected: one of " in shown
    assert (
        "error: partners/coyote/partner.toml: partner.gln: 9521321000025: the GLN of acme too (expected: its own)"
        in shown
    )
    assert shown.endswith("2 good, 4 errors, 0 warnings\n")
    found = as_json("check", code=1)
    assert found["ok"] is False
    assert found["problems"][0]["file"] == "partners/bolt/partner.toml"
    assert found["problems"][0]["key"] == "as2.x"


def test_check_of_named_partners_and_of_another_folder() -> None:
    assert as_json("check", "bolt")["partners"] == ["bolt"]
    assert "no such partner" in run("check", "coyote", code=1).output
    assert "no such folder" in run("check", "--directory", "elsewhere", code=1).output


# --- apply ---------------------------------------------------------------------------------------


def test_apply_is_idempotent_and_prints_what_it_changes() -> None:
    assert run("apply").output == "+ acme: added\n+ bolt: added\n2 changed, 0 left as they are\n"
    assert run("apply").output == "= acme: unchanged\n= bolt: unchanged\n0 changed, 2 left as they are\n"
    write(Path("partners"), folder("acme", 2, old=URL, new="https://new.example/as2"))
    assert run("apply").output.splitlines() == [
        "~ acme: changed",
        f"    as2.url: {URL} -> https://new.example/as2",
        "= bolt: unchanged",
        "1 changed, 1 left as they are",
    ]
    assert in_force() == {"acme": "active", "bolt": "active"}


def test_a_dry_run_changes_nothing() -> None:
    assert run("apply", "--dry-run").output.endswith("2 would change, 0 left as they are\n")
    assert in_force() == {}
    assert as_json("apply", "--dry-run")["applied"] is False


def test_apply_as_json() -> None:
    run("apply")
    write(Path("partners"), folder("acme", 2, new="[tolerances]\nprice_percent = 2.50"))
    assert as_json("apply") == {
        "applied": True,
        "partners": [
            {
                "name": "acme",
                "change": "changed",
                "fields": [{"field": "tolerances.price_percent", "old": "0", "new": "2.5"}],
            },
            {"name": "bolt", "change": "unchanged", "fields": []},
        ],
        "warnings": [],
    }


def test_apply_refuses_as_a_whole_with_all_errors() -> None:
    write(Path("partners"), folder("bolt", 3, old="[as2]", new="[as2]\nx = 1\ny = 2"))
    refused = run("apply", code=2)
    assert "nothing was applied, 2 to mend" in refused.stderr
    assert "partners/bolt/partner.toml: as2.x: unknown key" in refused.stderr
    assert "partners/bolt/partner.toml: as2.y: unknown key" in refused.stderr
    assert in_force() == {}
    assert run("apply", "acme").output.startswith("+ acme: added")  # by name, the good one can go


def test_a_named_partner_is_held_against_those_in_force() -> None:
    run("apply", "acme")
    write(Path("partners"), folder("bolt", 2))
    assert "the AS2 names of acme too" in run("apply", "bolt", code=2).stderr


def test_a_folder_that_is_gone_is_never_suspended_silently() -> None:
    run("apply")
    Path("partners/bolt").rename("bolt")
    shown = run("apply").output
    assert "? bolt: missing\n    its folder is gone, and it stays in force" in shown
    assert in_force() == {"acme": "active", "bolt": "active"}
    assert "- bolt: suspended" in run("apply", "--suspend-missing").output
    assert in_force() == {"acme": "active", "bolt": "suspended"}
    Path("bolt").rename("partners/bolt")
    assert "+ bolt: resumed" in run("apply").output
    assert in_force() == {"acme": "active", "bolt": "active"}


def test_suspend_missing_does_not_go_with_names() -> None:
    assert "leave the names out" in run("apply", "acme", "--suspend-missing", code=2).stderr


def test_a_database_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    assert "the database cannot be opened" in run("apply", code=2).stderr


# --- list, show, export --------------------------------------------------------------------------


def test_list_shows_what_is_in_force() -> None:
    assert "edi-gateway partners apply" in run("list").output
    run("apply")
    head, acme, bolt = run("list").output.splitlines()
    assert head.split()[:2] == ["Name", "State"]
    assert acme.split()[:6] == ["acme", "active", "VENDOR-2", "9521321000025", "ORDERS:out", "ORDRSP:in"]
    assert bolt.startswith("bolt ")
    (listed, _) = as_json("list")
    assert listed["as2_id"] == "VENDOR-2"
    assert listed["messages"] == [{"type": "ORDERS", "direction": "out"}, {"type": "ORDRSP", "direction": "in"}]


def test_show_prints_every_field_and_the_history() -> None:
    run("apply")
    write(Path("partners"), folder("acme", 2, old=URL, new="https://new.example/as2"))
    run("apply")
    shown = run("show", "acme").output
    assert shown.startswith("acme, active, revision 3 since ")
    assert "  as2.url = https://new.example/as2\n" in shown
    assert "BEGIN CERTIFICATE" not in shown
    history = run("show", "acme", "--history").output.splitlines()
    assert [line.split(",")[0] for line in history] == [
        "revision 3",
        f"    as2.url: {URL} -> https://new.example/as2",
        "revision 1",
    ]
    assert as_json("show", "acme")["document"]["as2"]["url"] == "https://new.example/as2"
    assert [row["revision"] for row in as_json("show", "acme", "--history")] == [3, 1]


@pytest.mark.parametrize("command", ["show", "export"])
def test_a_partner_that_is_not_there_is_said(command: str) -> None:
    assert "edi-gateway partners list" in run(command, "coyote", code=2).stderr


def test_an_exported_folder_applies_without_a_change(tmp_path: Path) -> None:
    run("apply")
    written = run("export", "acme", "--directory", "copy").output.splitlines()
    assert written[0] == "copy/acme/partner.toml"
    assert (tmp_path / "copy" / "acme" / "partner.toml").exists()
    assert run("apply", "acme", "--directory", "copy").output.startswith("= acme: unchanged")
    assert "File exists" in run("export", "acme", "--directory", "copy", code=2).stderr


def test_122_the_list_says_how_many_days_the_certificates_have_left() -> None:
    run("apply")
    (acme, bolt) = as_json("list")
    assert acme["days_left"] in (364, 365)
    (certificate,) = acme["expiry"]
    assert (certificate["fingerprint"], certificate["uses"]) == (acme["certificates"][0], ["encryption", "signing"])
    assert certificate["days_left"] == acme["days_left"] == bolt["days_left"]
    assert f" {acme['days_left']}" in run("list").output


# --- certificates that were proposed by message --------------------------------------------------


def proposed(name: str = "acme") -> Certificate:
    """A certificate that a partner has proposed, as the gateway keeps it."""
    toml = Path("partners/acme/partner.toml")
    toml.write_text(toml.read_text().replace("[as2]", "[as2]\ncertificate_exchange = true"))
    run("apply")
    now = datetime.now(UTC)
    certificate = generate("acme next", now, 365, "p-256").certificate
    with closing(open_gateway(config.load())) as gateway, gateway.database.write() as uow:
        proposal = CertificateProposal(
            id="p1",
            direction=ProposalDirection.IN,
            state=ProposalState.PENDING,
            partnership=name,
            request_id="r1@acme",
            fingerprint=certificate.fingerprint,
            pem=certificate.pem,
            usages=["digitalSignature"],
            respond_by=now,
            created_at=now,
            reason="",
        )
        uow.session.add(proposal)
        uow.commit()
    return certificate


def test_121_a_proposed_certificate_is_listed_and_accepted() -> None:
    assert "No certificate was proposed" in run("certificates", "list").output
    certificate = proposed()
    (listed,) = as_json("certificates", "list", "--state", "pending")
    assert (listed["id"], listed["partner"], listed["usages"]) == ("p1", "acme", ["digitalSignature"])
    assert certificate.fingerprint in run("certificates", "list", "--partner", "acme").output
    said = run("certificates", "accept", "p1").output
    assert "~ acme: changed" in said
    assert certificate.fingerprint in as_json("show", "acme")["certificates"]
    assert "it was accepted" in run("certificates", "accept", "p1", code=2).stderr


def test_an_accepted_certificate_stays_through_a_later_apply_and_is_exported() -> None:
    """CEM: nothing is edited by hand, before or after."""
    certificate = proposed()
    run("certificates", "accept", "p1", "--use-from", "2027-01-02")
    assert "= acme: unchanged" in run("apply").output
    toml = Path("partners/acme/partner.toml")
    toml.write_text(toml.read_text() + "\n[commission]\nrate = 0.2\n")
    assert "~ acme: changed" in run("apply").output
    (entry,) = [e for e in as_json("show", "acme")["document"]["as2"]["signing_certificates"] if e["use_from"]]
    assert (entry["pem"], entry["use_from"]) == (certificate.pem, "2027-01-02T00:00:00+00:00")
    assert certificate.fingerprint[:16] in run("show", "acme").output
    run("export", "acme", "--directory", "copy")
    assert (Path("copy/acme") / f"{certificate.fingerprint[:16]}.pem").read_text() == certificate.pem
    assert "= acme: unchanged" in run("apply", "acme", "--directory", "copy").output


def test_a_certificate_that_is_only_proposed_does_not_join_by_apply() -> None:
    certificate = proposed()
    run("apply")
    assert certificate.fingerprint not in as_json("show", "acme")["certificates"]


def test_an_accepted_certificate_is_withdrawn_and_does_not_come_back() -> None:
    certificate = proposed()
    assert "it is pending" in run("certificates", "withdraw", "p1", "--reason", "stolen", code=2).stderr
    run("certificates", "accept", "p1")
    assert "~ acme: changed" in run("certificates", "withdraw", "p1", "--reason", "stolen").output
    assert certificate.fingerprint not in as_json("show", "acme")["certificates"]
    assert "= acme: unchanged" in run("apply").output
    (row,) = as_json("certificates", "list")
    assert (row["state"], row["reason"]) == ("rejected", "withdrawn: stolen")


def test_121_a_proposed_certificate_is_rejected_with_a_reason() -> None:
    proposed()
    assert "--reason" in run("certificates", "reject", "p1", code=2).stderr
    assert as_json("certificates", "reject", "p1", "--reason", "another one was read to us")["state"] == "rejected"
    assert as_json("certificates", "list")[0]["reason"] == "another one was read to us"
    assert as_json("show", "acme")["revision"] == as_json("list")[0]["revision"]
    assert "no proposal 'p2'" in run("certificates", "reject", "p2", "--reason", "x", code=2).stderr


def test_121_our_next_certificate_is_announced_to_those_who_agreed() -> None:
    proposed()
    keys = ["generate", "--key", "p-256"], ["rotate", "--key", "p-256"]
    for arguments in keys:
        assert CliRunner().invoke(main, ["keys", *arguments]).exit_code == 0
    first = CliRunner().invoke(main, ["keys", "announce", "--json"])
    assert json.loads(first.stdout)["announced_to"] == ["acme"]
    again = CliRunner().invoke(main, ["keys", "announce"])
    assert "announced to nobody" in again.output
    assert "not to acme: it was before" in again.output
    assert "not to bolt: certificate_exchange = false" in again.output
    (ours,) = [row for row in as_json("certificates", "list") if row["direction"] == "out"]
    waiting = json.loads(CliRunner().invoke(main, ["keys", "list", "--json"]).stdout)[0]
    assert (ours["fingerprint"], ours["respond_by"][:10]) == (waiting["fingerprint"], waiting["use_from"][:10])
    refused = CliRunner().invoke(main, ["keys", "announce", "--partner", "nobody"])
    assert (refused.exit_code, "no partner 'nobody'" in refused.stderr) == (2, True)
