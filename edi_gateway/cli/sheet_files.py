"""What `inventory` and `orders` share: sheets read from files, and written to files or stdout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edi_gateway.cli.frame import UserError, load_config, open_database, print_json, user_errors

if TYPE_CHECKING:
    from edi_gateway.gateway.app import Gateway
    from edi_gateway.gateway.sheet_upload import Uploaded

SHEET_BYTES_MAX = 64 * 1024 * 1024

Upload = Callable[["Gateway", str, bytes, str], "Uploaded"]
Download = Callable[["Gateway", str, str], bytes]

partner_option = click.option("--partner", required=True, help="The trading partner.")


def take(file: Path, partner: str, upload: Upload, *, as_json: bool) -> None:
    """Upload a file; exit code 1, with every error, where it is refused."""
    from edi_gateway.gateway.app import open_gateway
    from edi_gateway.gateway.keys import KeyStoreError
    from edi_gateway.gateway.marketplace_side import HANDLERS
    from edi_gateway.gateway.orders import UnknownPartner
    from edi_gateway.gateway.sheets import SheetRefused

    data, config = _content(file), load_config()
    with open_database(config), user_errors(KeyStoreError):
        gateway = open_gateway(config, handlers=HANDLERS)
    try:
        with user_errors(UnknownPartner):
            uploaded = upload(gateway, partner, data, _type_of(file))
        taken = {"rows": uploaded.rows, "messages": list(uploaded.message_ids), "errors": []}
    except SheetRefused as refusal:
        taken = {"rows": 0, "messages": [], "errors": [finding.as_json() for finding in refusal.findings]}
        _tell(taken, [f"{finding.path}: {finding.text()}" for finding in refusal.findings], as_json=as_json)
        click.get_current_context().exit(1)
    else:
        _tell(taken, [f"{uploaded.rows} rows were taken in"], as_json=as_json)
    finally:
        gateway.close()


def _tell(document: object, lines: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        click.echo("\n".join(lines))


def give(file: Path | None, partner: str, download: Download, *, xlsx: bool) -> None:
    """Write a sheet to a file, or CSV to stdout."""
    from edi_gateway.cli.frame import open_services
    from edi_gateway.gateway.orders import UnknownPartner
    from edi_gateway.gateway.sheets import CSV_TYPE, XLSX_TYPE

    if file is None and xlsx:
        raise UserError("a workbook is written to a file: say which with --to")
    content_type = XLSX_TYPE if xlsx or (file is not None and file.suffix.lower() == ".xlsx") else CSV_TYPE
    with open_services() as gateway, user_errors(UnknownPartner):
        data = download(gateway, partner, content_type)
    if file is None:
        click.echo(data, nl=False)
    else:
        with user_errors(OSError):
            file.write_bytes(data)


def _content(file: Path) -> bytes:
    with user_errors(OSError), file.open("rb") as stream:
        data = stream.read(SHEET_BYTES_MAX + 1)
    if len(data) > SHEET_BYTES_MAX:
        raise UserError(f"{file} is larger than {SHEET_BYTES_MAX} bytes")
    return data


def _type_of(file: Path) -> str:
    from edi_gateway.gateway.sheets import CSV_TYPE, XLSX_TYPE

    return XLSX_TYPE if file.suffix.lower() == ".xlsx" else CSV_TYPE
