"""`edi-gateway config`: the configuration in force, and the table of its keys and variables."""

from __future__ import annotations

import click
from sqlalchemy import make_url

from edi_gateway.cli.frame import json_option, load_config, print_json
from edi_gateway.config import variables

_TABLE_HEAD = "| Key | Variable | Default | What it says |\n|---|---|---|---|"


@click.group()
def config() -> None:
    """Show the configuration in force, and its variables."""


@config.command()
@json_option
def show(as_json: bool) -> None:
    """Print every value in force, from defaults, file and variables; secrets are masked."""
    shown = load_config().model_dump(mode="json")
    shown["database_url"] = make_url(shown["database_url"]).render_as_string(hide_password=True)
    if as_json:
        print_json(shown)
        return
    for variable in variables():
        value = shown
        for step in variable.key.split("."):
            value = value[step]
        click.echo(f"{variable.key} = {'' if value is None else value}")


@config.command(name="variables")
@click.option("--markdown", is_flag=True, help="As docs/configuration.md has it.")
@json_option
def list_variables(markdown: bool, as_json: bool) -> None:
    """Print every key with its variable, default and meaning."""
    if as_json:
        print_json([{"key": v.key, "variable": v.name, "default": v.default, "text": v.text} for v in variables()])
    elif markdown:
        click.echo(markdown_table())
    else:
        for variable in variables():
            click.echo(f"{variable.name}\n    {variable.key}: {variable.text}")


def markdown_table() -> str:
    """The table of docs/configuration.md."""
    rows = (f"| `{v.key}` | `{v.name}` | {f'`{v.default}`' if v.default else ''} | {v.text} |" for v in variables())
    return "\n".join((_TABLE_HEAD, *rows))
