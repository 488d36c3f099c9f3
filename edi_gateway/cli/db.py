"""`edi-gateway db`: the schema of the database."""

from __future__ import annotations

import click

from edi_gateway.cli.frame import UserError, json_option, load_config, print_json


@click.group()
def db() -> None:
    """Bring the database to the schema of this version."""


@db.command()
@click.option(
    "--contract", is_flag=True, help="Apply also what takes away, renames or tightens; old nodes must be gone."
)
@json_option
def upgrade(as_json: bool, contract: bool) -> None:
    """Apply the migrations that are missing, whole or not at all. Doing it twice changes nothing.

    Nodes of the version before may work meanwhile. What they, or you, could miss afterwards is refused without
    --contract.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from edi_gateway.store import migrate
    from edi_gateway.store.queue_schema import QueueUnknown

    config = load_config()
    try:
        config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        before, after = migrate.upgrade(config.database_url, contract=contract)
    except (migrate.WouldLoseData, QueueUnknown) as refusal:
        raise UserError(str(refusal)) from None
    except (SQLAlchemyError, OSError) as error:
        raise UserError(f"the database cannot be migrated: {error}; nothing was changed") from None
    if as_json:
        print_json({"before": before, "after": after})
    elif before == after:
        click.echo(f"the database is at {after} already")
    else:
        click.echo(f"the database went from {before or 'nothing'} to {after}")
