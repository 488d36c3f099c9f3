"""`edi-gateway keys`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edi_gateway.as2.certificates import Certificate, load_certificates
from edi_gateway.cli import main


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
