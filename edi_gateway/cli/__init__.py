"""The `edi-gateway` command. Each command lives in a module of its own, imported only when it is called.

Exit codes: 0 done; 1 done, and the answer is "no" (a document with errors, a check that failed); 2 not done:
wrong arguments, wrong configuration, nothing there (a line on stderr says what to do).
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

import click

from edi_gateway import failpoints

# name -> ("module:attribute" of the click command, one line of help). Adding a command is adding a row.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("edi_gateway.cli.demo:demo", "Let orders travel to a simulated vendor and back; play scenarios."),
    "validate": ("edi_gateway.cli.validate:validate", "Judge EDIFACT files; say what is wrong, where, and what to do."),
    "explain": ("edi_gateway.cli.explain:explain", "Show EDIFACT files in words, with what is wrong beside it."),
    "translate": ("edi_gateway.cli.translate:translate", "Print EDIFACT as records with what is wrong; write it."),
    "partners": ("edi_gateway.cli.partners:partners", "Check, apply, list and show trading partners."),
    "keys": ("edi_gateway.cli.keys:keys", "Make, import, rotate and list our own keys."),
    "orders": ("edi_gateway.cli.orders:orders", "List, show, change and cancel orders."),
    "inventory": ("edi_gateway.cli.inventory:inventory", "Stock from CSV or XLSX files, and to them."),
    "messages": ("edi_gateway.cli.messages:messages", "List and show EDIFACT messages; try an exception again."),
    "transmissions": ("edi_gateway.cli.transmissions:transmissions", "List and show AS2 transmissions; send again."),
    "exceptions": ("edi_gateway.cli.exceptions:exceptions", "List what waits for an operator, and what to do."),
    "overdue": ("edi_gateway.cli.overdue:overdue", "List what partners should have sent by now, and have not."),
    "doctor": ("edi_gateway.cli.doctor:doctor", "Say what is wrong with an installation or a transmission."),
    "events": ("edi_gateway.cli.events:events", "List what happened; verify that the log is as it was written."),
    "webhooks": ("edi_gateway.cli.webhooks:webhooks", "Add, list, try and remove URLs that hear of events."),
    "tokens": ("edi_gateway.cli.tokens:tokens", "Make, list and revoke tokens of the API."),
    "archive": ("edi_gateway.cli.archive:archive", "Verify that every payload and event is as it was written."),
    "worker": ("edi_gateway.cli.worker:worker", "Do the work of the gateway on another machine."),
    "serve": ("edi_gateway.cli.serve:serve", "Run the gateway until it is told to stop."),
    "simulate": ("edi_gateway.cli.simulate:simulate", "Run a simulated vendor: test console, load generator."),
    "db": ("edi_gateway.cli.db:db", "Bring the database to the schema of this version."),
    "config": ("edi_gateway.cli.config:config", "Show the configuration in force, and its variables."),
}


class _LazyGroup(click.Group):
    """A group that imports a command's module only when that command runs: `validate` must start fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - a row that names no command is our own fault
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="edi-gateway", prog_name="edi-gateway")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="EDI_GATEWAY_CONFIG",
    show_envvar=True,
    help="The configuration file; default: gateway.toml in the current folder, where there is one.",
)
@click.pass_context
def main(ctx: click.Context, config_file: Path | None) -> None:
    """EDIFACT over AS2 between a marketplace and its vendors."""
    ctx.obj = config_file
    try:
        failpoints.arm(os.environ.get(failpoints.ENVIRONMENT, ""))
    except failpoints.FailpointUnknown as unknown:
        raise click.UsageError(str(unknown)) from None
