"""`edi-gateway tokens`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edi_gateway.cli import main


@pytest.fixture
def run(tmp_path: Path):
    file = tmp_path / "gateway.toml"
    file.write_text(f'data_dir = "{tmp_path}/data"\npartners_dir = "{tmp_path}/partners"\n')

    def command(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--config", str(file), "tokens", *arguments])

    return command


def test_a_token_is_made_listed_and_revoked(run) -> None:
    made = run("create", "shop", "--role", "marketplace", "--days", "30", "--json")
    assert made.exit_code == 0, made.output
    token = json.loads(made.stdout)["token"]
    listed = run("list", "--json")
    assert token not in listed.stdout
    (shown,) = json.loads(listed.stdout)["tokens"]
    assert (shown["name"], shown["state"], shown["last_used_at"]) == ("shop", "active", None)
    assert "shop" in run("list").stdout
    assert run("revoke", "shop").exit_code == 0
    assert json.loads(run("list", "--json").stdout)["tokens"][0]["state"] == "revoked"


def test_the_token_alone_stands_on_stdout(run) -> None:
    made = run("create", "shop", "--role", "read-only")
    assert made.stdout.strip().startswith("edig_")
    assert len(made.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("create", "v", "--role", "vendor"), "partner"),
        (("create", "v", "--role", "vendor", "--partner", "nobody"), "nobody"),
        (("revoke", "nobody"), "no token"),
        (("create", "v", "--role", "king"), "king"),
    ],
)
def test_what_cannot_be_done_is_said(run, arguments: tuple[str, ...], word: str) -> None:
    refused = run(*arguments)
    assert refused.exit_code == 2
    assert word in refused.output
    assert "Traceback" not in refused.output
