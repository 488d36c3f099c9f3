"""`edi-gateway db`: the schema of the database, and its backup."""

from __future__ import annotations

from pathlib import Path

import click

from edi_gateway.cli.frame import UserError, json_option, load_config, print_json, user_errors


@click.group()
def db() -> None:
    """Bring the database to the schema of this version; back it up, restore it."""


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


@db.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--with-keys", is_flag=True, help="Also our private keys: whoever reads the backup can then be us.")
@json_option
def backup(folder: Path, with_keys: bool, as_json: bool) -> None:
    """Back up database and payloads into FOLDER, new or empty, while the gateway runs.

    Exit code 1 if a payload that the database names was not there.
    """
    from edi_gateway.gateway.app import utc_now
    from edi_gateway.gateway.backup import BackupFault, back_up

    with user_errors(BackupFault, OSError):
        done = back_up(load_config(), folder, utc_now(), with_keys=with_keys)
    if as_json:
        counts = {"payloads": len(done.payloads), "keys": len(done.keys), "missing": list(done.missing)}
        print_json({"folder": str(folder), "made_at": done.made_at, "database": done.database, **counts})
    else:
        click.echo(f"{folder}: the database, {len(done.payloads)} payload files, {len(done.keys)} key files")
        for sha256 in done.missing:
            click.echo(f"payload {sha256} was not there; run `edi-gateway archive verify`", err=True)
    if not as_json:
        click.echo(_KEYS_IN if done.keys else _KEYS_OUT, err=True)
    if done.missing:
        click.get_current_context().exit(1)


_KEYS_IN = "it holds our private keys: keep it as safe as the gateway itself, or encrypt it"
_KEYS_OUT = "it holds no private keys: keep those, and their passphrase, apart, or nothing that comes in can be opened"


@db.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@json_option
def restore(folder: Path, as_json: bool) -> None:
    """Put a backup back into the data folder, which must be empty, and verify it; exit code 1 if a fault is found."""
    from edi_gateway.gateway.backup import BackupFault
    from edi_gateway.gateway.backup import restore as put_back

    with user_errors(BackupFault, OSError):
        verdict = put_back(load_config(), folder)
    if as_json:
        counts = {"payloads": verdict.payloads, "purged": verdict.purged, "events": verdict.events}
        print_json({"intact": verdict.intact, **counts, "faults": [fault.text for fault in verdict.faults]})
    else:
        for fault in verdict.faults:
            click.echo(f"{fault.subject}: {fault.text}; {fault.remedy}", err=True)
        word = "as they were written" if verdict.intact else f"{len(verdict.faults) + verdict.left_out} faults"
        click.echo(f"restored: {verdict.payloads} payloads, {verdict.events} events: {word}")
    if not verdict.intact:
        click.get_current_context().exit(1)
