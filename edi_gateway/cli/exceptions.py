"""`edi-gateway exceptions`: what an operator has to look at."""

from __future__ import annotations

import click

from edi_gateway.cli.documents import language_option
from edi_gateway.cli.frame import json_option, load_config, open_database, print_json, print_table
from edi_gateway.edifact.findings import Language
from edi_gateway.gateway import exceptions as listed
from edi_gateway.gateway.app import utc_now
from edi_gateway.gateway.overview import PAGE_ROWS, PAGE_ROWS_MAX

_COLUMNS = ("Kind", "Partner", "Order", "Since", "What", "Where", "What to do")
_EMPTY = {"en": "nothing waits for you", "fr": "rien ne vous attend"}


@click.command()
@click.option("--partner", help="Only this trading partner.")
@click.option(
    "--limit",
    type=click.IntRange(1, PAGE_ROWS_MAX),
    default=PAGE_ROWS,
    show_default=True,
    help="At most so many, the longest first.",
)
@language_option
@json_option
def exceptions(partner: str | None, limit: int, language: Language, as_json: bool) -> None:
    """List what waits for an operator: documents without effect, held invoices and orders, what is late or too much."""
    with open_database(load_config()) as database, database.read() as reading:
        found = listed.exceptions(reading.session, utc_now(), partner=partner, limit=limit, language=language)
    if as_json:
        print_json({"exceptions": found})
        return
    names = ("kind", "partner", "order_number", "since", "text", "subject", "hint")
    rows = ([item[name][:16] if name == "since" else item[name] for name in names] for item in found)
    print_table(_COLUMNS, rows, empty=_EMPTY[language])
