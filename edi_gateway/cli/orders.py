"""`edi-gateway orders`: what the vendors made of the shop's orders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from edi_gateway.cli.frame import UserError, json_option, load_config, open_database, print_json, print_table
from edi_gateway.cli.sheet_files import give, partner_option, take
from edi_gateway.gateway import overview
from edi_gateway.marketplace.fulfilment import OrderState
from edi_gateway.store.business import OrderRow, orders_numbered

_LIST = ("Order", "Partner", "State", "Ordered", "Confirmed", "Back order", "Refused", "Shipped", "Invoiced", "Since")
_LINES = ("Line", "Article", "State", "Ordered", "Confirmed", "Back order", "Refused", "Shipped", "Invoiced", "Price")
_QUANTITIES = ("ordered", "confirmed", "backordered", "rejected", "shipped", "invoiced")

_partner = click.option("--partner", help="Only this trading partner.")


@click.group()
def orders() -> None:
    """List and show orders."""


@orders.command("list")
@_partner
@click.option("--state", type=click.Choice([state.value for state in OrderState]), help="Only orders in this state.")
@click.option(
    "--limit",
    type=click.IntRange(1, overview.PAGE_ROWS_MAX),
    default=overview.PAGE_ROWS,
    show_default=True,
    help="At most so many, the newest first.",
)
@json_option
def list_orders(partner: str | None, state: str | None, limit: int, as_json: bool) -> None:
    """List orders, newest first, with the sum of each quantity."""
    statement = select(OrderRow).order_by(OrderRow.created_at.desc(), OrderRow.id.desc()).limit(limit)
    if partner is not None:
        statement = statement.where(OrderRow.partnership == partner)
    if state is not None:
        statement = statement.where(OrderRow.state == OrderState(state))
    with open_database(load_config()) as database, database.read() as reading:
        shown = [overview.order_summary(row) for row in reading.session.scalars(statement)]
    if as_json:
        print_json({"orders": shown})
        return
    print_table(_LIST, (_list_row(order) for order in shown), empty="no orders")


def _list_row(order: dict[str, Any]) -> tuple[str, ...]:
    quantities = order["quantities"]
    return (
        order["number"],
        order["partner"],
        order["state"],
        *(quantities[name] for name in _QUANTITIES),
        order["changed_at"][:19],
    )


@orders.command()
@click.argument("number")
@_partner
@json_option
def show(number: str, partner: str | None, as_json: bool) -> None:
    """Show one order: its lines with their quantities, and the answers to it."""
    with open_database(load_config()) as database, database.read() as reading:
        found = [row for row in orders_numbered(reading.session, number) if partner in (None, row.partnership)]
        if not found:
            raise UserError(f"there is no order {number}; `edi-gateway orders list` shows the orders")
        if len(found) > 1:
            names = ", ".join(row.partnership for row in found)
            raise UserError(f"several partners have an order {number}: add --partner with one of {names}")
        shown = overview.order_json(reading.session, found[0])
    if as_json:
        print_json(shown)
        return
    click.echo(f"{shown['number']} for {shown['partner']}: {shown['state']}, payment {shown['payment']}")
    print_table(_LINES, (_line_row(line) for line in shown["lines"]), empty="no lines")
    for answer in shown["confirmations"]:
        click.echo(
            f"answer {answer['revision']}: {answer['number']}, code {answer['response']}, {answer['received_at']}"
        )


def _line_row(line: dict[str, Any]) -> tuple[str, ...]:
    article = line["gtin"] or line["supplier_article"]
    quantities = line["quantities"]
    return (
        str(line["number"]),
        article,
        line["state"],
        *(quantities[name] for name in _QUANTITIES),
        line["agreed_price"] or "",
    )


@orders.command("export")
@partner_option
@click.option("--to", "file", type=click.Path(path_type=Path, dir_okay=False), help="A file; .xlsx makes a workbook.")
@click.option("--xlsx", is_flag=True, help="A workbook, whatever the file is called.")
def export_orders(file: Path | None, partner: str, xlsx: bool) -> None:
    """Write the orders that wait for a partner's answer as a sheet to be filled in."""
    from edi_gateway.gateway.sheet_upload import download_orders

    give(file, partner, download_orders, xlsx=xlsx)


@orders.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@partner_option
@json_option
def import_orders(file: Path, partner: str, as_json: bool) -> None:
    """Take in a filled-in sheet of orders: every row, or none and exit code 1 with every error."""
    from edi_gateway.gateway.sheet_upload import upload_answers

    take(file, partner, upload_answers, as_json=as_json)
