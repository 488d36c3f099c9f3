"""`edi-gateway tokens`: who may use the API."""

from __future__ import annotations

import click

from edi_gateway.cli.frame import json_option, open_services, print_json, print_table, user_errors

_HEADERS = ("Name", "Role", "Partner", "State", "Created", "Expires", "Last used")
_ROLES = ("admin", "marketplace", "operator", "finance", "vendor", "read-only", "monitor")


@click.group()
def tokens() -> None:
    """Make, list and revoke tokens of the API."""


@tokens.command()
@click.argument("name")
@click.option("--role", type=click.Choice(_ROLES), required=True, help="What it may do; docs/api.md has the table.")
@click.option("--partner", help="Only this partner's things exist for it; a vendor's token needs it.")
@click.option("--days", type=int, help="It expires after so many days; default: never.")
@json_option
def create(name: str, role: str, partner: str | None, days: int | None, as_json: bool) -> None:
    """Make a token and print it: once, the store keeps its digest alone."""
    from edi_gateway.gateway import tokens as service
    from edi_gateway.gateway.orders import UnknownPartner
    from edi_gateway.store.api import TokenRole

    with open_services() as gateway, user_errors(service.TokenRefused, UnknownPartner):
        row, token = service.create(gateway, name, TokenRole(role), partner=partner, days=days)
        shown = service.token_json(row, gateway.now())
    if as_json:
        print_json({**shown, "token": token})
        return
    click.echo(token)
    click.echo(f"token {name!r}, role {role}: keep it now, it is not shown again", err=True)


@tokens.command("list")
@json_option
def list_tokens(as_json: bool) -> None:
    """List the tokens; none of them can be read back."""
    from edi_gateway.gateway.tokens import token_json
    from edi_gateway.store.api import tokens as every_token

    with open_services() as gateway, gateway.database.read() as view:
        shown = [token_json(row, gateway.now()) for row in every_token(view.session)]
    if as_json:
        print_json({"tokens": shown})
        return
    columns = ("name", "role", "partner", "state", "created_at", "expires_at", "last_used_at")
    print_table(_HEADERS, (tuple((row[name] or "")[:19] for name in columns) for row in shown), empty="no tokens")


@tokens.command()
@click.argument("name")
@json_option
def revoke(name: str, as_json: bool) -> None:
    """Put a token out of use, at once and for good."""
    from edi_gateway.gateway import tokens as service

    with open_services() as gateway, user_errors(service.TokenRefused):
        shown = service.token_json(service.revoke(gateway, name), gateway.now())
    if as_json:
        print_json(shown)
    else:
        click.echo(f"token {name!r} is revoked")
