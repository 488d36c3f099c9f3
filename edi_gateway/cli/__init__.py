"""The `edi-gateway` command. Each command lives in a module of its own, imported only when it is called."""

from __future__ import annotations

from importlib import import_module

import click

# name -> (module, one line of help); the module's `command` is the click command.
COMMANDS: dict[str, tuple[str, str]] = {}


class _LazyGroup(click.Group):
    """A group that imports a command's module only when that command runs: `validate` must start fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command = import_module(module).command
        assert isinstance(command, click.Command)  # noqa: S101 - a row of COMMANDS that is not a command is our bug
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="edi-gateway")
def main() -> None:
    """EDIFACT over AS2 between a marketplace and its vendors."""
