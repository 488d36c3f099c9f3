"""What the commands share: the configuration, errors of the user, and output for people or programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edi_gateway.config import Config
    from edi_gateway.gateway.app import Gateway
    from edi_gateway.store.database import Database


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


@contextmanager
def open_database(config: Config) -> Iterator[Database]:
    """The gateway's database, closed at the end. A new SQLite file is made ready; any other must be up to date."""
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    from edi_gateway.store import migrate
    from edi_gateway.store.database import Database

    try:
        if config.database_url.startswith("sqlite"):
            config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        present, needed = migrate.state(config.database_url)
        if present is None and config.database_url.startswith("sqlite"):
            migrate.upgrade(config.database_url)
        elif present != needed:
            raise UserError(f"the database is at {present or 'nothing'}, not {needed}: run `edi-gateway db upgrade`")
        database = Database(config.database_url)
    except (SQLAlchemyError, OSError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error  # the driver's words, without the statement
        raise UserError(f"the database cannot be opened: {reason}; check database_url and data_dir") from None
    try:
        yield database
    finally:
        database.close()


@contextmanager
def open_services() -> Iterator[Gateway]:
    """The gateway's services on its database, closed at the end; the work that they leave is the server's."""
    from edi_gateway.gateway.app import open_gateway
    from edi_gateway.gateway.keys import KeyStoreError

    config = load_config()
    with open_database(config), user_errors(KeyStoreError):
        gateway = open_gateway(config)
    try:
        yield gateway
    finally:
        gateway.close()


def print_json(document: Any) -> None:
    """One JSON document on stdout, for programs and for people who look."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


PLAIN_WIDTH = 240
"""Characters a line of a table that does not go to a terminal: nothing may be cut off on its way to `grep`."""


def print_table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """A table on stdout, or the line `empty` where there are no rows. The first column is never folded."""
    from rich.console import Console  # slow to import, and --json does not need it
    from rich.table import Table

    table = Table(*headers, box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.overflow = "fold"
    for row in rows:
        table.add_row(*row)
    console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    console.print(table if table.row_count else empty)
