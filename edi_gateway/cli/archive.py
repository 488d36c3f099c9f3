"""`edi-gateway archive`: whether what is kept is still what was written, and removing what is past its term."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from edi_gateway.cli.frame import json_option, load_config, open_database, open_services, print_json

_SHOW_EVERY = 500


@click.group()
def archive() -> None:
    """Verify what is kept; remove what is past its term."""


@archive.command()
@json_option
def verify(as_json: bool) -> None:
    """Read every payload and every event; exit code 1 if one is missing or not as it was written."""
    from edi_gateway.gateway.app import payload_store
    from edi_gateway.gateway.archive import verify as verified

    config = load_config()
    with open_database(config) as database:
        verdict = verified(database, payload_store(config, database), _progress)
    if as_json:
        counts = {"intact": verdict.intact, "payloads": verdict.payloads, "bytes": verdict.bytes}
        counts["purged"] = verdict.purged
        found = {"events": verdict.events, "left_out": verdict.left_out}
        print_json(counts | found | {"faults": [asdict(fault) for fault in verdict.faults]})
    else:
        for fault in verdict.faults:
            needed = f" (transmission {', '.join(fault.needed_by)})" if fault.needed_by else ""
            click.echo(f"{fault.subject}{needed}: {fault.text}; {fault.remedy}")
        if verdict.left_out:
            click.echo(f"and {verdict.left_out} faults more")
        word = "as they were written" if verdict.intact else f"{len(verdict.faults) + verdict.left_out} faults"
        if verdict.purged:
            click.echo(f"{verdict.purged} payloads were removed on purpose, at the end of their term")
        click.echo(f"{verdict.payloads} payloads ({verdict.bytes} bytes), {verdict.events} events: {word}")
    if not verdict.intact:
        click.get_current_context().exit(1)


@archive.command()
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@json_option
def purge(dry_run: bool, as_json: bool) -> None:
    """Remove or mask what is past its term ([retention]); the server does it once a day.

    Invoices and what proves them stay for their fiscal term; the chain of events holds.
    """
    from edi_gateway.gateway.retention import purge as purged

    with open_services() as gateway:
        done = purged(gateway, dry_run=dry_run)
    counts = {name: value for name, value in asdict(done).items() if name != "files"}
    if as_json:
        print_json(counts)
        return
    word = "would be " if dry_run else ""
    click.echo(
        f"{done.payloads} payloads ({done.bytes} bytes) of {done.transmissions} transmissions {word}removed, "
        f"records of {done.records} transmissions {word}removed, "
        f"{done.orders_masked} orders and {done.messages_masked} messages {word}masked, "
        f"{done.fiscal_kept} transmissions kept as fiscal archive"
    )


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() and (done % _SHOW_EVERY == 0 or done == total):
        click.echo(f"\r{done} of {total} payloads", nl=done == total, err=True)
