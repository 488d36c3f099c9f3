"""The command as a whole: every row of COMMANDS works, and no wrong argument shows a traceback."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from edi_gateway.cli import COMMANDS, main
from edi_gateway.cli.frame import UserError, user_errors


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, arguments, env=environment)


def every_command() -> Iterator[tuple[str, ...]]:
    """Every command and subcommand, as what one types."""
    context = click.Context(main)
    for name in COMMANDS:
        yield (name,)
        command = main.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ((name, inner) for inner in command.list_commands(context))


def assert_refused(result: Result) -> None:
    """Exit code 2, something on stderr, and no traceback."""
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    assert "Error: " in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("words", list(every_command()), ids=" ".join)
def test_every_command_has_help(words: tuple[str, ...]) -> None:
    for flag in ("--help", "-h"):
        shown = run(*words, flag)
        assert shown.exit_code == 0
        assert f"Usage: main {' '.join(words)}" in shown.output.replace("edi-gateway", "main")
        assert len(shown.output.splitlines()) > 3  # a usage line alone is no help


@pytest.mark.parametrize("words", list(every_command()), ids=" ".join)
def test_a_wrong_option_is_named(words: tuple[str, ...]) -> None:
    refused = run(*words, "--no-such-option")
    assert_refused(refused)
    assert "--no-such-option" in refused.stderr


@pytest.mark.parametrize("words", list(every_command()), ids=" ".join)
def test_too_many_arguments_are_no_crash(words: tuple[str, ...]) -> None:
    result = run(*words, *["\x01odd\N{SNOWMAN}"] * 9, EDI_GATEWAY_DATA_DIR="/dev/null/nowhere")
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output


@pytest.mark.parametrize("words", [("partners", "list"), ("keys", "list"), ("config", "show")], ids=" ".join)
def test_a_wrong_configuration_is_named(words: tuple[str, ...], tmp_path: Path) -> None:
    refused = run(*words, EDI_GATEWAY_PORT="http")
    assert_refused(refused)
    assert "EDI_GATEWAY_PORT: 'http' is refused (expected: a valid integer)" in refused.stderr
    file = tmp_path / "mine.toml"
    file.write_text("prot = 1")
    refused = run("--config", str(file), *words)
    assert_refused(refused)
    assert "mine.toml: prot: unknown key (expected: did you mean port?)" in refused.stderr
    assert_refused(run("--config", "absent.toml", *words))


def test_the_summaries_are_sentences() -> None:
    for _, summary in COMMANDS.values():
        assert re.fullmatch(r"[A-Z].{10,90}\.", summary)


def test_the_help_lists_every_command() -> None:
    shown = run("--help").output
    for name, (_, summary) in COMMANDS.items():
        assert re.search(rf"^  {name}\s+{re.escape(summary[:20])}", shown, re.MULTILINE)


def test_an_unknown_command_is_named() -> None:
    refused = run("partner")
    assert_refused(refused)
    assert "No such command 'partner'" in refused.stderr


def test_the_version_is_shown() -> None:
    assert run("--version").output.startswith("edi-gateway, version ")


def test_a_command_is_imported_only_when_it_is_called() -> None:
    script = "import sys; from edi_gateway.cli import main; print(sorted(m for m in sys.modules if '.cli.' in m))"
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert shown.strip() == "[]"


def test_only_the_named_errors_become_errors_of_the_user() -> None:
    with pytest.raises(UserError, match="what to do"), user_errors(KeyError, ValueError):
        raise ValueError("what to do")
    with pytest.raises(TypeError), user_errors(ValueError):
        raise TypeError
