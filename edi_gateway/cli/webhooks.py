"""`edi-gateway webhooks`: the URLs that hear of events."""

from __future__ import annotations

import click

from edi_gateway.cli.frame import json_option, open_services, print_json, print_table, user_errors

_HEADERS = ("Id", "State", "Partner", "Kinds", "Waiting", "Attempts", "Delivered", "URL", "Reason")


@click.group()
def webhooks() -> None:
    """Add, list, try and remove webhooks; go on with a parked one."""


@webhooks.command()
@click.argument("url")
@click.option("--kind", "kinds", multiple=True, help="Only this kind, such as payment.capturable; repeatable.")
@click.option("--partner", help="Only this partner's events.")
@click.option("--after", type=click.IntRange(0), help="From the event after this number on; default: from now on.")
@json_option
def add(url: str, kinds: tuple[str, ...], partner: str | None, after: int | None, as_json: bool) -> None:
    """Add a URL and print the secret that signs what it gets: once, the store keeps it sealed."""
    from edi_gateway.gateway import webhooks as service
    from edi_gateway.gateway.orders import UnknownPartner

    with open_services() as gateway, user_errors(service.WebhookRefused, UnknownPartner):
        row, secret = service.add(gateway, url, kinds=kinds, partner=partner, after=after)
        with gateway.database.read() as view:
            shown = service.endpoint_json(view.session, row)
    if as_json:
        print_json({**shown, "secret": secret})
        return
    click.echo(secret)
    click.echo(f"webhook {row.id}: keep its secret now, it is not shown again", err=True)


@webhooks.command("list")
@json_option
def list_webhooks(as_json: bool) -> None:
    """List the webhooks with what waits for them."""
    from edi_gateway.gateway.webhooks import ENDPOINTS_MAX, endpoint_json
    from edi_gateway.store.api import endpoints

    with open_services() as gateway, gateway.database.read() as view:
        shown = [endpoint_json(view.session, row) for row in endpoints(view.session, limit=ENDPOINTS_MAX)]
    if as_json:
        print_json({"webhooks": shown})
        return
    rows = (
        (
            row["id"],
            row["state"],
            row["partner"] or "",
            " ".join(row["kinds"]),
            str(row["waiting"]),
            str(row["attempts"]),
            (row["delivered_at"] or "")[:19],
            row["url"],
            row["reason"],
        )
        for row in shown
    )
    print_table(_HEADERS, rows, empty="no webhooks")


@webhooks.command()
@click.argument("endpoint_id", metavar="ID")
def remove(endpoint_id: str) -> None:
    """Send nothing more to a webhook."""
    from edi_gateway.gateway import webhooks as service

    with open_services() as gateway, user_errors(service.UnknownEndpoint):
        service.remove(gateway, endpoint_id)
    click.echo(f"webhook {endpoint_id} is removed")


@webhooks.command()
@click.argument("endpoint_id", metavar="ID")
@json_option
def test(endpoint_id: str, as_json: bool) -> None:
    """Send a webhook an event of the kind webhook.test now; exit code 1 if it does not take it."""
    from edi_gateway.gateway import webhooks as service

    with open_services() as gateway, user_errors(service.UnknownEndpoint):
        outcome = service.trial(gateway, endpoint_id)
    if as_json:
        print_json({"delivered": outcome.delivered, "status": outcome.status, "reason": outcome.reason})
    else:
        click.echo("taken" if outcome.delivered else f"not taken: {outcome.reason}")
    if not outcome.delivered:
        click.get_current_context().exit(1)


@webhooks.command()
@click.argument("endpoint_id", metavar="ID")
def retry(endpoint_id: str) -> None:
    """Go on with a parked webhook, or do not wait out a pause."""
    from edi_gateway.gateway import webhooks as service

    with open_services() as gateway, user_errors(service.UnknownEndpoint):
        service.retry(gateway, endpoint_id)
    click.echo(f"webhook {endpoint_id} goes on; the server sends at its next sweep")
