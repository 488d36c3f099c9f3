"""`edi-gateway orders`: what the vendors made of the shop's orders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import select

from edi_gateway.cli.frame import (
    UserError,
    json_option,
    load_config,
    open_database,
    print_json,
    print_table,
    user_errors,
)
from edi_gateway.cli.sheet_files import give, partner_option, take
from edi_gateway.gateway import overview
from edi_gateway.marketplace.changing import ChangeRequest, LineRequest
from edi_gateway.marketplace.fulfilment import OrderState
from edi_gateway.marketplace.parties import Period
from edi_gateway.store.business import OrderRow, orders_numbered

if TYPE_CHECKING:
    from edi_gateway.gateway.app import Gateway

NUMBER_CHARACTERS_MAX = 20


class _Number(click.ParamType[Decimal]):
    """A decimal number, exactly as it is written."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            number = Decimal(str(value)[: NUMBER_CHARACTERS_MAX + 1])
        except InvalidOperation:
            self.fail(f"{value!r} is not a number", param, ctx)
        if not number.is_finite() or len(str(value)) > NUMBER_CHARACTERS_MAX:
            self.fail(f"{value!r} is not a number of at most {NUMBER_CHARACTERS_MAX} characters", param, ctx)
        return number


class _Day(click.ParamType[date]):
    """A date, YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a date; YYYY-MM-DD", param, ctx)


NUMBER, DAY = _Number(), _Day()

_LIST = ("Order", "Partner", "State", "Ordered", "Confirmed", "Back order", "Refused", "Shipped", "Invoiced", "Since")
_LINES = ("Line", "Article", "State", "Ordered", "Confirmed", "Back order", "Refused", "Shipped", "Invoiced", "Price")
_QUANTITIES = ("ordered", "confirmed", "backordered", "rejected", "shipped", "invoiced")

_partner = click.option("--partner", help="Only this trading partner.")


@click.group()
def orders() -> None:
    """List, show, change and cancel orders."""


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
        found = _only(orders_numbered(reading.session, number), number, partner)
        shown = overview.order_json(reading.session, found)
    if as_json:
        print_json(shown)
        return
    click.echo(f"{shown['number']} for {shown['partner']}: {shown['state']}, payment {shown['payment']}")
    print_table(_LINES, (_line_row(line) for line in shown["lines"]), empty="no lines")
    for answer in shown["confirmations"]:
        click.echo(
            f"answer {answer['revision']}: {answer['number']}, code {answer['response']}, {answer['received_at']}"
        )


_reason = click.option("--reason", default="", help="Told to the vendor, and kept.")


@orders.command()
@click.argument("number")
@_partner
@_reason
@json_option
def cancel(number: str, partner: str | None, reason: str, as_json: bool) -> None:
    """Cancel an order: at once if it has not left, else the vendor is asked (ORDCHG); never what has been shipped."""
    _request(number, partner, ChangeRequest(cancel=True, reason=reason), as_json)


@orders.command()
@click.argument("number")
@_partner
@click.option("--line", type=click.IntRange(1), help="The order's line; without it the whole order's window moves.")
@click.option("--quantity", type=NUMBER, help="All that is to come of the line; 0 cancels it.")
@click.option("--price", type=NUMBER, help="The net price, per price basis of the line.")
@click.option("--earliest", type=DAY, help="The delivery window's first day, YYYY-MM-DD.")
@click.option("--latest", type=DAY, help="Its last day.")
@_reason
@json_option
def change(
    number: str,
    partner: str | None,
    line: int | None,
    quantity: Decimal | None,
    price: Decimal | None,
    earliest: date | None,
    latest: date | None,
    reason: str,
    as_json: bool,
) -> None:
    """Ask the vendor for a lower quantity, another price or another delivery window (ORDCHG)."""
    window = Period(start=earliest, end=latest) if earliest or latest else None
    if line is None:
        if quantity is not None or price is not None:
            raise UserError("--quantity and --price are of a line: name it with --line")
        request = ChangeRequest(delivery_window=window, reason=reason)
    else:
        asked = LineRequest(number=line, quantity=quantity, unit_price=price, delivery_window=window)
        request = ChangeRequest(lines=(asked,), reason=reason)
    _request(number, partner, request, as_json)


def _request(number: str, partner: str | None, request: ChangeRequest, as_json: bool) -> None:
    from edi_gateway.gateway.compose import ComposeRefused
    from edi_gateway.gateway.order_changes import ChangeConflict, ChangeRefused, request_change
    from edi_gateway.gateway.orders import UnknownPartner

    with _opened() as gateway, user_errors(UnknownPartner, ChangeConflict, ChangeRefused, ComposeRefused):
        done = request_change(gateway, _whose(gateway, number, partner), number, request)
    shown = {"number": number, "version": done.version, "state": done.state.value, "created": done.created}
    if as_json:
        print_json(shown)
    else:
        click.echo(f"change {done.version} of order {number} is {done.state.value}")


@orders.command()
@click.argument("number")
@_partner
@json_option
def release(number: str, partner: str | None, as_json: bool) -> None:
    """Let an order go on that was held, after looking at it."""
    from edi_gateway.gateway.order_changes import release_order
    from edi_gateway.gateway.orders import UnknownPartner

    with _opened() as gateway, user_errors(UnknownPartner):
        state = release_order(gateway, _whose(gateway, number, partner), number)
    if as_json:
        print_json({"number": number, "state": state.value})
    else:
        click.echo(f"order {number} is {state.value}")


@contextmanager
def _opened() -> Iterator[Gateway]:
    from edi_gateway.gateway.app import open_gateway

    config = load_config()
    with open_database(config):  # says what is wrong with the database before the gateway is opened
        pass
    gateway = open_gateway(config)
    try:
        yield gateway
    finally:
        gateway.close()


def _whose(gateway: Gateway, number: str, partner: str | None) -> str:
    with gateway.database.read() as reading:
        return _only(orders_numbered(reading.session, number), number, partner).partnership


def _only(rows: Sequence[OrderRow], number: str, partner: str | None) -> OrderRow:
    """The one order that is meant."""
    found = [row for row in rows if partner in (None, row.partnership)]
    if not found:
        raise UserError(f"there is no order {number}; `edi-gateway orders list` shows the orders")
    if len(found) > 1:
        names = ", ".join(row.partnership for row in found)
        raise UserError(f"several partners have an order {number}: add --partner with one of {names}")
    return found[0]


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


@orders.command("ship")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@partner_option
@json_option
def ship_orders(file: Path, partner: str, as_json: bool) -> None:
    """Take in a sheet of what a partner shipped: every row, or none and exit code 1 with every error."""
    from edi_gateway.gateway.sheet_shipments import upload_shipments

    take(file, partner, upload_shipments, as_json=as_json)
