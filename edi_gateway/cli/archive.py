"""`edi-gateway archive`: whether what is kept is still what was written."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from edi_gateway.cli.frame import json_option, load_config, open_database, print_json

_SHOW_EVERY = 500


@click.group()
def archive() -> None:
    """Verify what is kept."""


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
        found = {"events": verdict.events, "left_out": verdict.left_out}
        print_json(counts | found | {"faults": [asdict(fault) for fault in verdict.faults]})
    else:
        for fault in verdict.faults:
            needed = f" (transmission {', '.join(fault.needed_by)})" if fault.needed_by else ""
            click.echo(f"{fault.subject}{needed}: {fault.text}; {fault.remedy}")
        if verdict.left_out:
            click.echo(f"and {verdict.left_out} faults more")
        word = "as they were written" if verdict.intact else f"{len(verdict.faults) + verdict.left_out} faults"
        click.echo(f"{verdict.payloads} payloads ({verdict.bytes} bytes), {verdict.events} events: {word}")
    if not verdict.intact:
        click.get_current_context().exit(1)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() and (done % _SHOW_EVERY == 0 or done == total):
        click.echo(f"\r{done} of {total} payloads", nl=done == total, err=True)
