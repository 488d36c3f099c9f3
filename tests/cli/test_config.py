"""`edi-gateway config`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edi_gateway import config
from edi_gateway.cli import main


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, **environment: str) -> Result:
    result = CliRunner().invoke(main, ["config", *arguments], env=environment)
    assert result.exit_code == 0, result.output
    return result


def test_show_prints_what_is_in_force(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text("port = 9000\n[identity]\nas2_id = 'MARKET'")
    lines = run("show", EDI_GATEWAY_HOST="::1").output.splitlines()
    assert {"port = 9000", "identity.as2_id = MARKET", "host = ::1", "commission.rate = 0.12"} <= set(lines)
    assert len(lines) == len(config.variables())


def test_show_hides_every_secret() -> None:
    secrets = {
        "EDI_GATEWAY_API_TOKEN": "sesame-of-forty-thieves",
        "EDI_GATEWAY_KEY_PASSPHRASE": "sesame-sesame",
        "EDI_GATEWAY_DATABASE_URL": "postgresql://edi:sesame@db.example/edi",
    }
    for flags in ((), ("--json",)):
        shown = run("show", *flags, **secrets).output
        assert "sesame" not in shown
        assert "db.example/edi" in shown


def test_show_as_json() -> None:
    shown = json.loads(run("show", "--json").output)
    assert shown["port"] == 8080
    assert shown["identity"]["as2_id"] == "MARKETPLACE"


def test_variables_are_listed_for_people_programs_and_the_document() -> None:
    assert "EDI_GATEWAY_COMMISSION_RATE\n    commission.rate: fraction" in run("variables").output
    listed = json.loads(run("variables", "--json").output)
    (port,) = [each for each in listed if each["key"] == "port"]
    assert {"variable": "EDI_GATEWAY_PORT", "default": "8080"}.items() <= port.items()
    assert run("variables", "--markdown").output.startswith("| Key | Variable |")
