"""`edi-gateway messages`: EDIFACT messages that came and went, their findings, and trying an exception again."""

from __future__ import annotations

from typing import Any

import click

from edi_gateway.cli.frame import (
    UserError,
    json_option,
    load_config,
    open_database,
    print_json,
    print_table,
    user_errors,
)
from edi_gateway.gateway import overview
from edi_gateway.partnership import Direction
from edi_gateway.store.documents import Message, MessageState, recent_messages

_LIST = ("Message", "Partner", "Way", "Type", "Document", "State", "At", "Reason")
_FINDINGS = ("Code", "Severity", "Where", "Text", "Hint")
REASON_CHARACTERS_SHOWN = 80


@click.group()
def messages() -> None:
    """List and show messages; try an exception again."""


@messages.command("list")
@click.option("--partner", help="Only this trading partner.")
@click.option("--direction", type=click.Choice([way.value for way in Direction]), help="Only what came, or went.")
@click.option("--type", "message_type", help="Only this message type, such as ORDRSP.")
@click.option("--state", type=click.Choice([state.value for state in MessageState]), help="Only in this state.")
@click.option("--order", help="Only messages about this order.")
@click.option("--overdue", is_flag=True, help="Only messages of ours whose CONTRL did not come in time.")
@click.option(
    "--limit",
    type=click.IntRange(1, overview.PAGE_ROWS_MAX),
    default=overview.PAGE_ROWS,
    show_default=True,
    help="At most so many, the newest first.",
)
@json_option
def list_messages(
    partner: str | None,
    direction: str | None,
    message_type: str | None,
    state: str | None,
    order: str | None,
    overdue: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List messages, newest first."""
    with open_database(load_config()) as database, database.read() as reading:
        rows = recent_messages(
            reading.session,
            limit=limit,
            partnership=partner,
            direction=Direction(direction) if direction else None,
            type=message_type,
            state=MessageState(state) if state else None,
            business_key=order,
            overdue=overdue,
        )
    shown = [overview.message_summary(row) for row in rows]
    if as_json:
        print_json({"messages": shown})
        return
    print_table(_LIST, (_list_row(message) for message in shown), empty="no messages")


def _list_row(message: dict[str, Any]) -> tuple[str, ...]:
    return (
        message["id"],
        message["partner"],
        message["direction"],
        message["type"],
        message["document_number"],
        message["state"],
        message["at"][:19],
        message["reason"][:REASON_CHARACTERS_SHOWN],
    )


@messages.command()
@click.argument("id")
@click.option("--language", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="Of the findings.")
@json_option
def show(id: str, language: str, as_json: bool) -> None:
    """Show one message: its envelope, its findings, its record."""
    with open_database(load_config()) as database, database.read() as reading:
        row = reading.session.get(Message, id)
        if row is None:
            raise UserError(f"there is no message {id}; `edi-gateway messages list` shows the messages")
        shown = overview.message_json(reading.session, row, language)
    if as_json:
        print_json(shown)
        return
    envelope = shown["interchange"]
    click.echo(
        f"{shown['type']} {shown['document_number']} ({shown['directory']}), {shown['state']}: {shown['reason']}"
    )
    click.echo(
        f"interchange {envelope['control_reference']} from {envelope['sender']} to {envelope['recipient']},"
        f" transmission {envelope['transmission_id']}"
    )
    findings = [*envelope["findings"], *shown["findings"]]
    print_table(_FINDINGS, (_finding_row(finding) for finding in findings), empty="no findings")
    for answer in shown["acknowledgements"]:
        click.echo(f"APERAK {answer['direction']} {answer['document_number']} of {answer['at'][:19]}: {answer['id']}")
    if shown["record"] is not None:
        print_json(shown["record"])
    for left in shown["unmapped"]:
        place = f", element {left['element']}, component {left['component']}" if "element" in left else ""
        click.echo(f"no field: {left['segment']} at segment {left['position']}{place}: {_shown(left['text'])}")


def _shown(text: str) -> str:
    """Text from a file: control characters in it must not reach the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _finding_row(finding: dict[str, Any]) -> tuple[str, ...]:
    place = [finding["segment"], finding["position"], finding["element"], finding["component"]]
    where = " ".join(str(part) for part in place if part is not None) or finding["path"] or ""
    return (finding["code"], finding["severity"], where, finding["text"], finding["hint"])


@messages.command()
@click.argument("id")
@json_option
def replay(id: str, as_json: bool) -> None:
    """Try a message again that is an exception or waits, after its cause was mended."""
    from edi_gateway.gateway.app import open_gateway
    from edi_gateway.gateway.marketplace_side import HANDLERS
    from edi_gateway.gateway.take_in import NotReplayable
    from edi_gateway.gateway.take_in import replay as try_again

    config = load_config()
    with open_database(config):  # says what is wrong with the database before the gateway is opened
        pass
    gateway = open_gateway(config, handlers=HANDLERS)
    try:
        with user_errors(NotReplayable):
            state = try_again(gateway, id)
    finally:
        gateway.close()
    if as_json:
        print_json({"id": id, "state": state.value})
    else:
        click.echo(f"message {id} is {state.value} now")
    if state is not MessageState.APPLIED:
        click.get_current_context().exit(1)
