"""`edi-gateway events`: the log of what happened, and the proof that nobody changed it."""

from __future__ import annotations

from typing import Any

import click

from edi_gateway.cli.frame import json_option, load_config, open_database, print_json, print_table
from edi_gateway.store.events import Event, recent_events, verify_chain

_HEADERS = ("Number", "At", "Kind", "Subject", "From", "To", "Reason")
LIMIT_MAX = 10_000


@click.group()
def events() -> None:
    """List events; verify the chain of their hashes."""


@events.command("list")
@click.option("--subject", default="", help="Only of this one, such as transmission:ID.")
@click.option("--kind", default="", help="Only kinds that begin so, such as alert or transmission.")
@click.option("--limit", type=click.IntRange(1, LIMIT_MAX), default=50, show_default=True, help="The newest so many.")
@json_option
def list_events(subject: str, kind: str, limit: int, as_json: bool) -> None:
    """List events, newest first."""
    with open_database(load_config()) as database, database.read() as view:
        rows = recent_events(view.session, limit=limit, subject=subject, kind=kind)
    if as_json:
        print_json([event_json(row) for row in rows])
        return
    print_table(_HEADERS, map(_cells, rows), empty="No event.")


@events.command()
@json_option
def verify(as_json: bool) -> None:
    """Walk the whole log; exit code 1 if an event was changed, removed or inserted."""
    with open_database(load_config()) as database, database.read() as view:
        verdict = verify_chain(view.session)
    if as_json:
        document = {"intact": verdict.intact, "events": verdict.events}
        print_json(document | {"broken_at": verdict.broken_at, "why": verdict.why})
    elif verdict.intact:
        click.echo(f"{verdict.events} events, as they were written")
    else:
        click.echo(f"event {verdict.broken_at}: {verdict.why}; {verdict.events} before it are as they were written")
    if not verdict.intact:
        click.get_current_context().exit(1)


def event_json(row: Event) -> dict[str, Any]:
    """One event as JSON."""
    return {
        "number": row.number,
        "at": row.at.isoformat(),
        "kind": row.kind,
        "subject": row.subject,
        "from": row.from_state,
        "to": row.to_state,
        "reason": row.reason,
        "details": row.details,
        "hash": row.hash,
    }


def _cells(row: Event) -> tuple[str, ...]:
    at = row.at.strftime("%Y-%m-%d %H:%M:%S")
    return (str(row.number), at, row.kind, row.subject, row.from_state or "", row.to_state or "", row.reason)
