"""`edi-gateway demo`: the whole way once, between two processes, and a summary of what happened; or scenarios."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Literal

import click

from edi_gateway.cli.frame import UserError, json_option, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from edi_gateway.simulator.demonstration import Story

SAMPLES = "samples/demo"
PLAIN_WIDTH = 132
"""Characters a line where the output does not go to a terminal."""

WIDE = 110
"""From so many characters a line on, the quantities of an order are headed by whole words."""

_LONG = (">Ordered", ">Confirmed", ">Back order", ">Refused", ">Shipped", ">Invoiced")
_SHORT = (">Ord.", ">Conf.", ">Back", ">Ref.", ">Ship.", ">Inv.")


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data/demo"),
    show_default=True,
    help="Where both companies live; emptied at the start, kept at the end.",
)
@click.option(
    "--samples",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help=f"Folder with inventory.json and order-*.json; default: {SAMPLES}.",
)
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    metavar="NAME",
    help="Play this scenario instead: a name from --list, or a folder with scenario.toml. May be given several times.",
)
@click.option("--all", "every", is_flag=True, help="Play every scenario of the project instead.")
@click.option("--list", "listed", is_flag=True, help="List the scenarios of the project.")
@json_option
def demo(
    data_dir: Path, samples: Path | None, scenarios: tuple[str, ...], every: bool, listed: bool, as_json: bool
) -> None:
    """Let three orders travel to a simulated vendor and back, or play a scenario.

    Two processes with their own ports, keys, databases and folders talk AS2 over loopback: stock, orders, answers,
    shipments, invoices, commission, each signed, encrypted and acknowledged. Exit code 0 if all of it happened.

    A scenario (docs/scenarios.md) is a script of what is sent, when, and of what must come of it. Exit code 1 if an
    expectation is not met, 2 if the script cannot be read or played.
    """
    if listed or every or scenarios:
        from edi_gateway.cli import scenarios as played

        if listed:
            played.show_list(as_json)
            return
        raise SystemExit(played.play_all(scenarios, every, as_json))
    from rich.console import Console

    from edi_gateway.simulator.demonstration import run
    from edi_gateway.simulator.sides import DemonstrationFailed

    progress = Console(stderr=as_json, highlight=False)
    try:
        with _ending_on_signals():
            story = run(samples or _samples(), data_dir, lambda step: progress.print(f"[cyan]·[/cyan] {step}"))
    except DemonstrationFailed as failure:
        if as_json:
            print_json(
                {"orders": [], "inventory": [], "invoices": [], "transmissions": [], "ok": False, "error": str(failure)}
            )
        raise UserError(str(failure)) from None
    if as_json:
        print_json(story.as_json())
    else:
        console = Console(highlight=False)
        _show(console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH), story)
    raise SystemExit(0 if story.ok else 1)


@contextmanager
def _ending_on_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end it as Ctrl-C does: both companies are stopped, and no process of theirs stays behind."""

    def end(number: int, frame: FrameType | None) -> None:
        for each in heard:
            signal.signal(each, signal.SIG_IGN)  # a second one must not cut the stopping short
        raise SystemExit(128 + number)

    heard = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_DFL]
    for number in heard:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, signal.SIG_DFL)


def _samples() -> Path:
    """The demonstration's documents: in the current folder, or beside the package in its checkout."""
    for root in (Path(), Path(__file__).parents[2]):
        if (root / SAMPLES).is_dir():
            return root / SAMPLES
    raise UserError(f"{SAMPLES} is not here: run this in a checkout of the project, or name the folder with --samples")


def _show(console: Console, story: Story) -> None:
    """Tables for a person: orders, stock, invoices, transmissions, and what was promised."""
    from rich.markup import escape
    from rich.padding import Padding

    shown = story.as_json()
    console.print()
    _table(
        console,
        "Orders, and the lines of each",
        ("Order", "!State", *(_SHORT if console.width < WIDE else _LONG)),
        [
            row
            for order in shown["orders"]
            for row in (
                (f"[bold]{order['number']}[/bold]", f"[bold]{order['state']}[/bold]", *_quantities(order)),
                *(
                    (
                        Padding(f"{line['number']} {escape(line['description'] or line['gtin'])}", (0, 0, 0, 2)),
                        line["state"],
                        *_quantities(line),
                    )
                    for line in order["lines"]
                ),
            )
        ],
    )
    _table(
        console,
        "Stock (available is the report less what is committed, reserved and shipped)",
        ("Article", "!GTIN", ">Report", ">Committed", ">Available before", ">Reserved", ">Shipped", ">Available after"),
        [
            (
                row["supplier_article"],
                row["gtin"],
                row["before"]["actual"],
                row["before"]["committed"],
                row["before"]["available"],
                row["after"]["reserved"],
                row["after"]["despatched"],
                row["after"]["available"],
            )
            for row in shown["inventory"]
        ],
    )
    _table(
        console,
        "Invoices",
        ("!Invoice", "From", "For", ">Net", ">VAT", ">Total", "Confirmed and shipped?"),
        [
            (
                row["number"],
                "vendor" if row["direction"] == "in" else "marketplace",
                ", ".join(row["orders"]) if row["direction"] == "in" else "commission of the cycle",
                row["net"],
                row["vat"],
                f"{row['total']} {row['currency']}",
                {True: "[green]agrees[/green]", False: "[red]does not agree[/red]", None: ""}[row["agrees"]],
            )
            for row in shown["invoices"]
        ],
    )
    _table(
        console,
        "Transmissions (signed, encrypted; size of the interchange and on the wire)",
        ("!", "Message", ">Bytes", ">On the wire", "MDN", ">Attempts", ">Seconds"),
        [
            (
                "→ vendor" if row["direction"] == "out" else "← vendor",
                row["type"],
                str(row["size"]),
                str(row["wire_size"]),
                row["disposition"] or "",
                str(row["attempts"]) if row["direction"] == "out" else "",
                f"{row['seconds']:.2f}" if row["seconds"] is not None else "",
            )
            for row in shown["transmissions"]
        ],
    )
    _table(
        console,
        "What was promised",
        ("", "Promise", "Seen"),
        [("[green]✓[/green]" if c.ok else "[red]✗[/red]", c.name, c.detail) for c in story.checks],
    )
    verdict = (
        "[bold green]Everything happened.[/bold green]" if story.ok else "[bold red]Not all of it happened.[/bold red]"
    )
    console.print(f"{verdict} {story.seconds:.1f} s; both companies' stores and logs are in {story.data_dir}")


def _quantities(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in ("ordered", "confirmed", "back_ordered", "refused", "shipped", "invoiced"))


def _table(console: Console, title: str, headers: tuple[str, ...], rows: Sequence[tuple[RenderableType, ...]]) -> None:
    """A table; a header that begins with ``>`` heads a column of figures, one with ``!`` what is never folded."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1 if console.width < WIDE else 2, 0, 0))
    for header in headers:
        justify: Literal["left", "right"] = "right" if header.startswith(">") else "left"
        table.add_column(header.lstrip(">!"), justify=justify, no_wrap=header.startswith("!"), overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(f"[bold]{title}[/bold]")
    console.print(table)
    console.print()
