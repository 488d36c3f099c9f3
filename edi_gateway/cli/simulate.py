"""`edi-gateway simulate`: a counterparty with its own keys, for demonstrations and for tests of a connection."""

from __future__ import annotations

import json
from pathlib import Path

import click

from edi_gateway.cli.frame import UserError, load_config, user_errors


@click.group()
def simulate() -> None:
    """Run a simulated counterparty."""


@simulate.command()
@click.option(
    "--inventory",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="What is on its shelves: an InventoryReport record as JSON, such as samples/demo/inventory.json.",
)
def vendor(inventory: Path) -> None:
    """Run a vendor: it announces its stock, answers orders by it, ships and invoices.

    It is a gateway in the vendor's role with a configuration of its own (--config): keys, database, partners. A line
    with stock enough is accepted, a short one goes on back order for the rest, an article that is unknown,
    discontinued or sold out is refused.
    """
    from edi_gateway.gateway.keys import KeyStoreError
    from edi_gateway.marketplace.inventory import InventoryReport
    from edi_gateway.simulator.vendor import Vendor, announce_stock
    from edi_gateway.translators.json_form import RecordInvalid, validate_record
    from edi_gateway.web import api
    from edi_gateway.web.process import DatabaseBehind, run

    config = load_config()
    if config.role != "vendor":
        raise UserError('the configuration says role = "marketplace"; a simulated vendor needs role = "vendor"')
    try:
        opening = validate_record(InventoryReport, json.loads(inventory.read_bytes()))
    except (ValueError, RecordInvalid) as error:
        raise UserError(f"{inventory} is no InventoryReport: {error}") from None
    counterparty = Vendor(opening)
    with user_errors(KeyStoreError, DatabaseBehind):
        try:
            run(
                config,
                handlers=counterparty.handlers(),
                blueprints=lambda gateway: [api.blueprint(gateway)],
                begin=lambda gateway: announce_stock(gateway, counterparty),
                announce=click.echo,
            )
        except OSError as error:
            raise UserError(f"cannot listen on {config.host}:{config.port} or use {config.data_dir}: {error}") from None
