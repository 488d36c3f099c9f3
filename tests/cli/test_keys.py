"""`edi-gateway keys`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization

from edi_gateway.as2.certificates import Certificate, generate, load_certificates
from edi_gateway.cli import main
from tests import partner_folders
from tests.partner_folders import vendor_key, write


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, code: int = 0, **environment: str) -> Result:
    result = CliRunner().invoke(main, ["keys", *arguments], env=environment)
    assert result.exit_code == code, result.output
    return result


def generated(*arguments: str) -> dict[str, str]:
    made: dict[str, str] = json.loads(run("generate", "--key", "p-256", "--json", *arguments).output)
    return made


def test_a_key_is_made_listed_and_its_certificate_exported(tmp_path: Path) -> None:
    made = generated("--days", "400")
    assert (made["subject"], made["key"]) == ("CN=MARKETPLACE", "P-256")
    assert json.loads(run("list", "--json").output) == [made]
    assert made["name"] in run("list").output
    (exported,) = load_certificates(run("export-certificate").output)
    assert exported.fingerprint == made["fingerprint"]
    run("export-certificate", made["name"], "--der", "--output", "ours.der")
    assert Certificate.from_der((tmp_path / "ours.der").read_bytes()) == exported


def test_the_next_key_waits_for_its_day() -> None:
    present = generated("--common-name", "Marketplace AS2")
    day = (datetime.now(UTC) + timedelta(days=60)).date()
    coming = generated("--use-from", day.isoformat())
    assert (present["subject"], coming["use_from"]) == ("CN=Marketplace AS2", f"{day}T00:00:00+00:00")
    assert [own["name"] for own in json.loads(run("list", "--json").output)] == [coming["name"], present["name"]]
    (exported,) = load_certificates(run("export-certificate").output)
    assert exported.fingerprint == present["fingerprint"]


def test_no_command_prints_a_private_key() -> None:
    made = generated()
    outputs = [run("list").output, run("list", "--json").output, run("export-certificate", made["name"]).output]
    assert all("PRIVATE KEY" not in output for output in outputs)


def test_without_a_key_one_is_told_how_to_make_it() -> None:
    assert "edi-gateway keys generate" in run("list").output
    assert json.loads(run("list", "--json").output) == []
    assert "edi-gateway keys generate" in run("export-certificate", code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("generate", "--days", "0"), "--days"),
        (("generate", "--days", "3651", "--key", "p-256"), "1 to 3650 days"),
        (("generate", "--key", "rsa-512"), "--key"),
        (("generate", "--use-from", "tomorrow"), "--use-from"),
        (("generate", "--use-from", "2199-01-01", "--key", "p-256"), "when it has expired"),
        (("generate", "--common-name", "x" * 65, "--key", "p-256"), "1 to 64 characters"),
        (("export-certificate", "nobody"), "no key nobody"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], says: str) -> None:
    assert says in run(*arguments, code=2).stderr


def test_a_certificate_that_cannot_be_written_is_said() -> None:
    generated()
    assert "No such file or directory" in run("export-certificate", "-o", "absent/ours.pem", code=2).stderr


@pytest.mark.parametrize("command", ["list", "generate"])
def test_a_passphrase_that_cannot_be_had_is_said(command: str) -> None:
    assert "12 to 4096" in run(command, code=2, EDI_GATEWAY_KEY_PASSPHRASE="short").stderr
    assert "cannot be read" in run(command, code=2, EDI_GATEWAY_KEY_FILE="absent").stderr


def test_the_wrong_passphrase_is_said() -> None:
    generated()
    assert "passphrase of the day" in run("list", code=2, EDI_GATEWAY_KEY_PASSPHRASE="another passphrase").stderr


# --- the next key, and keys made elsewhere -------------------------------------------------------


def with_partners() -> None:
    """Two partners in force; acme's server asks for our TLS certificate."""
    today = vendor_key(made=datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    tls = "[as2.tls]\nclient_certificate = true\n"
    for folder in (partner_folders.folder("acme", 2, new=tls), partner_folders.folder("bolt", 3)):
        files = {"vendor.pem": today.certificate.pem.encode()}
        write(Path("partners"), replace(folder, files=files))
    Path("gateway.toml").write_text('[identity]\nas2_id = "MARKET"\ngln = "9521321000018"\n')
    assert CliRunner().invoke(main, ["partners", "apply"]).exit_code == 0


def test_117_rotate_makes_the_next_key_and_says_who_needs_it() -> None:
    with_partners()
    present = generated()
    made = json.loads(run("rotate", "--key", "p-256", "--json").output)
    starts = datetime.fromisoformat(made["use_from"])
    assert timedelta(days=29) < starts - datetime.now(UTC) <= timedelta(days=30)
    assert [partner["name"] for partner in made["partners"]] == ["acme", "bolt"]
    assert load_certificates(made["certificate"])[0].fingerprint == made["fingerprint"]
    listed = json.loads(run("list", "--json").output)
    assert [own["name"] for own in listed] == [made["name"], present["name"]]
    (exported,) = load_certificates(run("export-certificate").output)  # the present one still signs
    assert exported.fingerprint == present["fingerprint"]


def test_117_rotate_prints_what_to_send_to_partners(tmp_path: Path) -> None:
    with_partners()
    generated()
    day = (datetime.now(UTC) + timedelta(days=45)).date()
    said = run("rotate", "--key", "p-256", "--use-from", day.isoformat(), "--output", "next.pem").output
    (sent,) = load_certificates((tmp_path / "next.pem").read_bytes())
    for part in (f"we use it from {day} 00:00 UTC on", sent.fingerprint, "next.pem", "2 partners need it", "acme"):
        assert part in said
    assert "PRIVATE KEY" not in said


def test_117_rotate_waits_for_the_key_that_waits() -> None:
    generated()
    first = json.loads(run("rotate", "--key", "p-256", "--json").output)
    assert f"{first['name']} waits for its day" in run("rotate", "--key", "p-256", code=2).stderr
    assert len(json.loads(run("list", "--json").output)) == 2
    run("rotate", "--key", "p-256", "--for", "tls")  # another use has a calendar of its own


def test_024_a_tls_key_is_for_the_partners_whose_servers_ask_for_it() -> None:
    with_partners()
    made = json.loads(run("rotate", "--key", "p-256", "--for", "tls", "--in", "0", "--json").output)
    assert made["uses"] == ["tls"]
    assert [partner["name"] for partner in made["partners"]] == ["acme"]
    assert "no key that signs now" in run("export-certificate", code=2).stderr


def test_122_the_list_says_how_many_days_are_left() -> None:
    made = generated("--days", "20")
    assert made["days_left"] in (19, 20)
    assert json.loads(run("list", "--json").output)[0]["days_left"] == made["days_left"]
    assert f" {made['days_left']} " in run("list").output


@pytest.mark.parametrize("how", ["file", "terminal", "wrong"])
def test_120_import_takes_a_p12(tmp_path: Path, how: str) -> None:
    key = generate("Made elsewhere", datetime.now(UTC), 365, "p-256")
    (tmp_path / "ours.p12").write_bytes(key.to_p12(b"of the other program"))
    (tmp_path / "password").write_text("of the other program\n")
    (tmp_path / "password").chmod(0o600)
    arguments = ["keys", "import", "ours.p12", "--json"]
    if how == "file":
        result = CliRunner().invoke(main, [*arguments, "--password-file", "password"])
    else:
        typed = "of the other program\n" if how == "terminal" else "wrong\n"
        result = CliRunner().invoke(main, arguments, input=typed)
    if how == "wrong":
        assert result.exit_code == 2
        assert "does not open with this password" in result.stderr
        assert json.loads(run("list", "--json").output) == []
    else:
        assert json.loads(result.stdout)["fingerprint"] == key.certificate.fingerprint
        assert "of the other program" not in result.output
        assert "here already" in run("import", "ours.p12", "--password-file", "password", code=2).stderr


def test_120_import_takes_pem_with_the_certificate_beside(tmp_path: Path) -> None:
    key = generate("Made elsewhere", datetime.now(UTC), 365, "p-256")
    plain = key.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "ours.key").write_bytes(plain)
    (tmp_path / "ours.crt").write_bytes(key.certificate.der)
    said = run("import", "ours.key", "--certificate", "ours.crt", "--for", "signing").output
    assert "P-256 for signing" in said
    assert "remove ours.key" in said
    assert json.loads(run("list", "--json").output)[0]["uses"] == ["signing"]


def test_a_password_file_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ours.p12").write_bytes(generate("x", datetime.now(UTC), 365, "p-256").to_p12(b"secret"))
    (tmp_path / "password").write_text("secret")
    (tmp_path / "password").chmod(0o644)
    said = run("import", "ours.p12", "--password-file", "password", code=2).stderr
    assert "chmod 600" in said
    assert "No such file" in run("import", "absent.p12", code=2).stderr
