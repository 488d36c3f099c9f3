"""`edi-gateway overdue`: what partners should have sent by now, and have not."""

from __future__ import annotations

from typing import Any

import click

from edi_gateway.cli.documents import language_option
from edi_gateway.cli.frame import json_option, load_config, open_database, print_json, print_table
from edi_gateway.edifact.findings import Language
from edi_gateway.gateway import overdue_list
from edi_gateway.gateway.app import utc_now
from edi_gateway.gateway.overview import PAGE_ROWS, PAGE_ROWS_MAX
from edi_gateway.partnership import DeadlineKind

_COLUMNS = ("What", "Partner", "Order", "Due", "Late", "Where", "What to do")


@click.command()
@click.option("--partner", help="Only this trading partner.")
@click.option("--kind", type=click.Choice([kind.value for kind in DeadlineKind]), help="Only this kind of deadline.")
@click.option(
    "--limit",
    type=click.IntRange(1, PAGE_ROWS_MAX),
    default=PAGE_ROWS,
    show_default=True,
    help="At most so many, the longest overdue first.",
)
@language_option
@json_option
def overdue(partner: str | None, kind: str | None, limit: int, language: Language, as_json: bool) -> None:
    """List what is overdue: receipts, CONTRL, answers, despatches, invoices, stock reports.

    What each deadline is, and what happens when it has passed, is agreed in [deadlines] of partner.toml.
    """
    with open_database(load_config()) as database, database.read() as reading:
        found = overdue_list.overdue_json(
            reading.session,
            utc_now(),
            partner=partner,
            kind=DeadlineKind(kind) if kind else None,
            limit=limit,
            language=language,
        )
    if as_json:
        print_json({"overdue": found})
        return
    print_table(_COLUMNS, (_row(item) for item in found), empty="nothing is overdue")


def _row(item: dict[str, Any]) -> tuple[str, ...]:
    return (
        item["kind"],
        item["partner"],
        item["order_number"],
        item["due_at"][:16],
        item["late"],
        item["subject"],
        item["hint"],
    )
