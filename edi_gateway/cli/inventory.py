"""`edi-gateway inventory`: stock as sheets, for vendors without EDI."""

from __future__ import annotations

from pathlib import Path

import click

from edi_gateway.cli.frame import json_option
from edi_gateway.cli.sheet_files import give, partner_option, take


@click.group()
def inventory() -> None:
    """Take in stock from a CSV or XLSX file, or write it to one."""


@inventory.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@partner_option
@json_option
def import_inventory(file: Path, partner: str, as_json: bool) -> None:
    """Take in a sheet of stock: every row, or none and exit code 1 with every error."""
    from edi_gateway.gateway.sheet_upload import upload_inventory

    take(file, partner, upload_inventory, as_json=as_json)


@inventory.command("export")
@partner_option
@click.option("--to", "file", type=click.Path(path_type=Path, dir_okay=False), help="A file; .xlsx makes a workbook.")
@click.option("--xlsx", is_flag=True, help="A workbook, whatever the file is called.")
def export_inventory(file: Path | None, partner: str, xlsx: bool) -> None:
    """Write a partner's stock as a sheet that can be taken in again."""
    from edi_gateway.gateway.sheet_upload import download_inventory

    give(file, partner, download_inventory, xlsx=xlsx)
