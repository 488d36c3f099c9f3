"""`edi-gateway worker` and `serve --web-only`: only where there is a queue for several machines."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from edi_gateway.cli import main


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", [["worker"], ["serve", "--web-only"]])
def test_with_sqlite_the_server_does_the_work_itself(command: list[str]) -> None:
    result = CliRunner().invoke(main, command)
    assert result.exit_code != 0
    assert "postgresql" in result.output.lower()


def test_a_queue_that_does_not_exist_is_named() -> None:
    environment = {"EDI_GATEWAY_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}
    result = CliRunner().invoke(main, ["worker", "--queues", "unpack,despatch"], env=environment)
    assert result.exit_code != 0
    assert "despatch" in result.output


def test_procrastinate_needs_postgresql() -> None:
    result = CliRunner().invoke(main, ["config", "show"], env={"EDI_GATEWAY_WORK_RUNNER": "procrastinate"})
    assert result.exit_code != 0
    assert "postgresql://" in result.output
