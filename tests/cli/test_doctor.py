"""`edi-gateway doctor transmission`: the words, the JSON and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edi_gateway.cli import main
from edi_gateway.config import load
from edi_gateway.gateway.keys import open_keys
from tests.house import House
from tests.partner import NOW, key_of


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A message as it ought to be, and one that is signed with a certificate that is not pinned."""
    monkeypatch.chdir(tmp_path)
    house = House(tmp_path / "data", migrated=True)
    house.post(house.message())
    stranger = house.partner.signed(house.partner.entity(), key=key_of("VENDOR 2027"))
    house.post(house.partner.post(house.partner.encrypted(stranger), "<2@vendor.example>"))
    keys = open_keys(load(None))
    ours = house.partner.gateway_key
    keys.import_key(ours.to_p12(b"secret"), now=NOW, password=b"secret")
    yield house
    house.close()


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["doctor", *arguments])
    assert "Traceback" not in result.output
    return result


def test_nothing_failed_is_exit_0(house: House) -> None:
    result = run("transmission", house.rows()[0].id)
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "Nothing failed.")


def test_why_it_failed_is_exit_1(house: House) -> None:
    result = run("transmission", house.rows()[1].id)
    assert result.exit_code == 1
    assert "failed signer-not-pinned" in result.output
    assert key_of("VENDOR 2027").certificate.fingerprint in result.output
    assert 'switch in partner.toml, [as2]: signing_certificates = […, { file = "…" }]' in result.output


def test_in_french(house: House) -> None:
    result = run("transmission", house.rows()[1].id, "--language", "fr")
    assert "échec signer-not-pinned" in result.output
    assert "La signature elle-même est juste." in result.output


def test_as_json(house: House) -> None:
    result = run("transmission", house.rows()[1].id, "--json")
    document = json.loads(result.output)
    assert (document["failed"], document["state"]) == (True, "refused")
    first = document["diagnoses"][0]
    assert (first["code"], first["note"]) == ("signer-not-pinned", False)
    assert first["switch"].startswith("signing_certificates")
    assert first["values"]["fingerprint"] == key_of("VENDOR 2027").certificate.fingerprint
    assert {"found", "expected", "advice"} <= set(first)


def test_an_unknown_one_is_exit_2(house: House) -> None:
    result = run("transmission", "nothing")
    assert (result.exit_code, "no transmission nothing" in result.stderr) == (2, True)


def test_the_group_alone_shows_its_commands() -> None:
    assert "transmission" in run("--help").output


def test_the_installation_is_looked_at_without_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDI_GATEWAY_PORT", "0")
    result = run()
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "3 ok, 4 to look at, 0 wrong")
    document = json.loads(run("installation", "--json").output)
    assert document["ok"] is True
    assert {"check", "code", "verdict", "found", "advice"} == document["checks"][0].keys()


def test_what_is_wrong_with_the_installation_is_exit_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gateway.toml").write_text("api_token = 'of-twenty-characters-or-more'")
    (tmp_path / "gateway.toml").chmod(0o644)
    result = run("--language", "fr")
    assert (result.exit_code, result.output.splitlines()[-1]) == (1, "0 bons, 0 à voir, 1 mauvais")
    assert "chmod 600 gateway.toml" in result.output
    assert "of-twenty" not in result.output


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_gateway_that_others_reach_does_not_start_without_a_secret(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"EDI_GATEWAY_HOST": "0.0.0.0", "EDI_GATEWAY_DATABASE_URL": "postgresql://127.0.0.1:1/edi"}
    result = CliRunner().invoke(main, [command], env=environment)
    assert (result.exit_code, "no secret is configured" in result.stderr) == (2, True)
