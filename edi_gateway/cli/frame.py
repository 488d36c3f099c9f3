"""What the commands share: the configuration, errors of the user, and output for people or programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edi_gateway.config import Config


class UserError(click.ClickException):
    """The command cannot do what was asked; the text says why and what to do. Exit code 2, no traceback."""

    exit_code = 2


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")


@contextmanager
def user_errors(*kinds: type[Exception]) -> Iterator[None]:
    """Turns the typed errors of a service, whose texts are written for people, into a UserError."""
    try:
        yield
    except kinds as error:
        raise UserError(str(error)) from None


def load_config() -> Config:
    """The configuration in force for the command that runs: file and variables, checked."""
    from edi_gateway import config  # pydantic is slow to import, and not every command needs it

    with user_errors(config.ConfigError):
        return config.load(click.get_current_context().find_root().obj)


def print_json(document: Any) -> None:
    """One JSON document on stdout, for programs and for people who look."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))
