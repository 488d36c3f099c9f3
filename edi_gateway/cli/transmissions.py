"""`edi-gateway transmissions`: what travelled over AS2, and sending it once more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edi_gateway.cli.events import event_json
from edi_gateway.cli.frame import (
    UserError,
    json_option,
    load_config,
    open_database,
    print_json,
    print_table,
    user_errors,
)
from edi_gateway.store.events import events_of
from edi_gateway.store.transmissions import (
    Receipt,
    Transmission,
    TransmissionDirection,
    TransmissionState,
    receipts,
    recent,
)

if TYPE_CHECKING:
    from edi_gateway.gateway.evidence import Bundle

_HEADERS = ("Transmission", "Way", "Partner", "Type", "Size", "State", "Disposition", "Attempts", "At", "Reason")
REASON_CHARACTERS_SHOWN = 80
LIMIT_MAX = 10_000


@click.group()
def transmissions() -> None:
    """List and show transmissions; send one once more; prove one to others."""


@transmissions.command("list")
@click.option("--direction", type=click.Choice([way.value for way in TransmissionDirection]), help="in or out.")
@click.option("--state", type=click.Choice([state.value for state in TransmissionState]), help="Only in this state.")
@click.option("--partner", help="Only this trading partner.")
@click.option("--limit", type=click.IntRange(1, LIMIT_MAX), default=50, show_default=True, help="The newest so many.")
@json_option
def list_transmissions(
    direction: str | None, state: str | None, partner: str | None, limit: int, as_json: bool
) -> None:
    """List transmissions, newest first."""
    with open_database(load_config()) as database, database.read() as view:
        rows = recent(
            view.session,
            limit=limit,
            direction=TransmissionDirection(direction) if direction else None,
            state=TransmissionState(state) if state else None,
            partnership=partner,
        )
    if as_json:
        print_json([transmission_json(row) for row in rows])
        return
    print_table(_HEADERS, map(_cells, rows), empty="No transmission.")


@transmissions.command()
@click.argument("transmission_id", metavar="ID")
@json_option
def show(transmission_id: str, as_json: bool) -> None:
    """Show one transmission with its headers, receipts and events."""
    with open_database(load_config()) as database, database.read() as view:
        row = view.session.get(Transmission, transmission_id)
        if row is None:
            raise UserError(f"no transmission {transmission_id}; `edi-gateway transmissions list` names them")
        document = transmission_json(row) | {
            "headers": row.headers,
            "receipts": [_receipt_json(receipt) for receipt in receipts(view.session, row.id)],
            "events": [event_json(event) for event in events_of(view.session, row.subject)],
        }
    if as_json:
        print_json(document)
    else:
        _print(document)


@transmissions.command()
@click.argument("transmission_id", metavar="ID")
@json_option
def resend(transmission_id: str, as_json: bool) -> None:
    """Send one once more.

    A parked one goes with the same bytes under its Message-ID: nobody knows whether the partner has it. One that was
    decided goes as a new transmission. The running server sends it at its next sweep.
    """
    from edi_gateway.gateway.app import open_gateway
    from edi_gateway.gateway.dispatch import CannotResend
    from edi_gateway.gateway.dispatch import resend as send_again
    from edi_gateway.gateway.keys import KeyStoreError

    config = load_config()
    with open_database(config):
        pass  # it exists and is up to date
    with user_errors(CannotResend, KeyStoreError):
        gateway = open_gateway(config)
        try:
            row = send_again(gateway, transmission_id)
        finally:
            gateway.close()
    if as_json:
        print_json(transmission_json(row))
    else:
        click.echo(f"{row.id} is queued under {row.message_id}")


@transmissions.command()
@click.argument("transmission_id", metavar="ID")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the ZIP; default: evidence-ID.zip in the current folder.",
)
@json_option
def evidence(transmission_id: str, output: Path | None, as_json: bool) -> None:
    """Write a ZIP that proves a transmission to a third party, who needs nothing but openssl.

    It holds the document, what travelled, what was signed with its signature, the MDNs, the certificates, the events,
    and a README with the commands, in French and English.
    """
    bundle, path = _write_evidence(transmission_id, output or Path(f"evidence-{transmission_id}.zip"))
    if as_json:
        print_json({"path": str(path), "files": list(bundle.files), "missing": list(bundle.missing)})
        return
    click.echo(f"{path}: {len(bundle.files)} files; its README.txt says how to verify them")
    for missing in bundle.missing:
        click.echo(f"not shown: {missing}")


def _write_evidence(transmission_id: str, path: Path) -> tuple[Bundle, Path]:
    """Write beside the final name first: a bundle is whole, or it is not there."""
    from edi_gateway.gateway.app import open_gateway
    from edi_gateway.gateway.evidence import write_evidence
    from edi_gateway.gateway.keys import KeyStoreError

    config = load_config()
    with open_database(config):
        pass  # it exists and is up to date
    partial = path.with_name(f"{path.name}.partial")
    with user_errors(KeyStoreError, OSError):
        gateway = open_gateway(config)
        try:
            with partial.open("wb") as file:
                bundle = write_evidence(gateway, transmission_id, file)
            if bundle is not None:
                partial.replace(path)
        finally:
            gateway.close()
            partial.unlink(missing_ok=True)
    if bundle is None:
        raise UserError(f"no transmission {transmission_id}; `edi-gateway transmissions list` names them")
    return bundle, path


def transmission_json(row: Transmission) -> dict[str, Any]:
    """One transmission as JSON, as lists show it."""
    return {
        "id": row.id,
        "direction": row.direction.value,
        "kind": row.kind.value,
        "state": row.state.value,
        "reason": row.reason,
        "partner": row.partnership,
        "type": row.document_types,
        "as2_from": row.as2_from,
        "as2_to": row.as2_to,
        "message_id": row.message_id,
        "at": row.created_at.isoformat(),
        "settled_at": row.settled_at.isoformat() if row.settled_at else None,
        "due_at": row.due_at.isoformat() if row.due_at else None,
        "attempts": row.attempts,
        "disposition": row.disposition,
        "mic": row.mic,
        "signed_with": row.signed_with,
        "encrypted_with": row.encrypted_with,
        "compression": row.compression.value,
        "filename": row.filename,
        "content_type": row.content_type,
        "size": row.payload_size if row.payload_size is not None else row.raw_size,
        "raw_sha256": row.raw_sha256,
        "raw_size": row.raw_size,
        "payload_sha256": row.payload_sha256,
        "payload_size": row.payload_size,
        "answers": row.answers_id,
        "repeats": row.repeats_id,
    }


def _receipt_json(receipt: Receipt) -> dict[str, Any]:
    return {
        "at": receipt.at.isoformat(),
        "message_id": receipt.message_id,
        "disposition": receipt.disposition,
        "outcome": receipt.outcome,
        "mic": receipt.mic,
        "signed_with": receipt.signed_with,
        "size": len(receipt.body),
    }


def _cells(row: Transmission) -> tuple[str, ...]:
    size = row.payload_size if row.payload_size is not None else row.raw_size
    return (
        row.id,
        row.direction.value,
        row.partnership or "?",
        row.document_types or row.kind.value,
        "" if size is None else str(size),
        row.state.value,
        row.disposition or "",
        str(row.attempts),
        row.created_at.strftime("%Y-%m-%d %H:%M:%S"),
        row.reason.removeprefix(f"{row.disposition}: ")[:REASON_CHARACTERS_SHOWN],  # it has a column of its own
    )


def _print(document: dict[str, Any]) -> None:
    """Key by key, then headers, receipts and events."""
    nested = ("headers", "receipts", "events")
    for name, value in document.items():
        if name not in nested and value not in (None, ""):
            click.echo(f"{name}: {value}")
    for name, value in document["headers"]:
        click.echo(f"  {name}: {value}")
    for receipt in document["receipts"]:
        click.echo(f"receipt {receipt['at']}: {receipt['disposition']} ({receipt['outcome']})")
    for event in document["events"]:
        click.echo(f"event {event['number']} {event['at']}: {event['kind']} -> {event['to'] or ''} {event['reason']}")
