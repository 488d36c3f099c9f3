"""`edi-gateway simulate`: a counterparty with its own keys; the test console of a partner, and a load generator."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edi_gateway.cli.frame import UserError, json_option, load_config, print_json, print_table, user_errors

if TYPE_CHECKING:
    from edi_gateway.config import Config
    from edi_gateway.gateway.app import Gateway
    from edi_gateway.marketplace.inventory import InventoryReport
    from edi_gateway.simulator.behaviours import Manner

DATA_DIR = "data/simulated-vendor"
PORT = 8180
ARTICLE = "3760123450010"
"""What is on the shelves of a vendor that was not told."""
LOAD_MAX = 1_000_000


@click.group()
def simulate() -> None:
    """Run a simulated counterparty."""


@simulate.command()
@click.option("--language", type=click.Choice(["en", "fr"]), default="en", show_default=True)
@json_option
def behaviours(language: str, as_json: bool) -> None:
    """List what a simulated vendor can be ordered to do."""
    from edi_gateway.simulator.behaviours import TABLE

    if as_json:
        rows = [
            {"name": name.value, "en": said.en, "fr": said.fr, "of_connection": said.of_connection}
            for name, said in TABLE.items()
        ]
        print_json({"behaviours": rows})
        return
    headers = ("Nom", "Ce qu'il fait") if language == "fr" else ("Name", "What it does")
    print_table(headers, [(name.value, getattr(said, language)) for name, said in TABLE.items()], empty="")


@simulate.command()
@click.option(
    "--behaviour",
    "names",
    multiple=True,
    metavar="NAME",
    help="How it behaves; may be given several times. `edi-gateway simulate behaviours` lists them. Default: by-stock.",
)
@click.option(
    "--for",
    "rules",
    multiple=True,
    metavar="PREFIX=NAME,NAME",
    help="How it behaves towards orders whose number begins so; may be given several times.",
)
@click.option("--delay", default="26h", show_default=True, help="How late `late` answers: a number and s, m, h or d.")
@click.option(
    "--inventory",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What is on its shelves: an InventoryReport record as JSON, such as samples/demo/inventory.json. It is "
    "announced once. Default: one article, and nothing is announced.",
)
@click.option("--once", is_flag=True, help="End when one order has been seen through: --orders 1.")
@click.option("--orders", type=click.IntRange(1, LOAD_MAX), help="End when so many orders have been seen through.")
@click.option("--reports", type=click.IntRange(1, LOAD_MAX), help="Load: send so many stock reports, then end.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Reports a second; default: as fast as it can.")
@click.option("--gateway-url", help="The AS2 URL of the gateway to talk to. Then no configuration is needed.")
@click.option(
    "--gateway-certificate",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="That gateway's certificate.",
)
@click.option("--gateway-as2-id", default="MARKETPLACE", show_default=True, help="That gateway's AS2 name.")
@click.option("--gateway-gln", default="3760000000017", show_default=True, help="That gateway's GLN.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(DATA_DIR),
    show_default=True,
    help="With --gateway-url: where the vendor lives.",
)
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True, help="With --gateway-url.")
@json_option
def vendor(
    names: tuple[str, ...],
    rules: tuple[str, ...],
    delay: str,
    inventory: Path | None,
    once: bool,
    orders: int | None,
    reports: int | None,
    rate: float | None,
    gateway_url: str | None,
    gateway_certificate: Path | None,
    gateway_as2_id: str,
    gateway_gln: str,
    data_dir: Path,
    port: int,
    as_json: bool,
) -> None:
    """Run a vendor: it answers orders as it is told to, ships and invoices.

    It is a gateway in the vendor's role, with keys, database and partners of its own: those of --config, or with
    --gateway-url and --gateway-certificate those that it makes in --data-dir. At the start it prints what the other
    gateway must be told: AS2 name, URL, certificate, and a partner.toml. At the end it prints its figures: what was
    sent, the MDNs that came, and how long they took; --json prints them as one document.
    """
    from edi_gateway.gateway.keys import KeyStoreError
    from edi_gateway.gateway.tasks import TASKS
    from edi_gateway.simulator import alone
    from edi_gateway.simulator.behaviours import BehaviourUnknown
    from edi_gateway.simulator.behaviours import manner as manner_of
    from edi_gateway.simulator.vendor import Vendor, announce_stock
    from edi_gateway.web import api
    from edi_gateway.web.process import DatabaseBehind, run

    if rate is not None and reports is None:
        raise UserError("--rate is that of --reports; say how many")
    with user_errors(BehaviourUnknown, alone.SetUpFailed):
        manner = manner_of(names, rules)
        config = _config(gateway_url, gateway_certificate, (gateway_as2_id, gateway_gln), data_dir, port)
    counterparty = Vendor(_opening(inventory), manner, _duration(delay))
    load = alone.Load(reports or 0, rate or 0.0, orders or (1 if once else 0))

    def begin(gateway: Gateway) -> None:
        if inventory is not None:
            announce_stock(gateway, counterparty)

    def adapt(gateway: Gateway) -> Gateway:
        if gateway_url is not None:
            alone.agree(gateway)
            _introduce(alone.told(gateway), data_dir, as_json)
        return alone.adapted(gateway, manner.behaviours)

    with user_errors(KeyStoreError, DatabaseBehind, alone.SetUpFailed):
        try:
            run(
                config,
                handlers=counterparty.handlers(),
                blueprints=lambda gateway: [api.blueprint(gateway)],
                begin=begin,
                announce=partial(click.echo, err=as_json),
                adapt=adapt,
                tasks={**TASKS, **counterparty.tasks()},
                beside=partial(alone.running, counterparty, load, partial(_finish, as_json, manner)),
            )
        except OSError as error:
            raise UserError(f"cannot listen on {config.host}:{config.port} or use {config.data_dir}: {error}") from None


def _config(url: str | None, certificate: Path | None, who: tuple[str, str], data_dir: Path, port: int) -> Config:
    """The vendor's own, made if need be. Raises SetUpFailed."""
    from edi_gateway.simulator.alone import Counterpart, set_up

    if (url is None) != (certificate is None):
        raise UserError("--gateway-url and --gateway-certificate belong together")
    if url is not None and certificate is not None:
        as2_id, gln = who
        try:
            return set_up(data_dir, port, Counterpart(url, certificate.read_bytes(), as2_id, gln))
        except OSError as error:
            raise UserError(f"{data_dir} cannot be made: {error}; choose another --data-dir") from None
    config = load_config()
    if config.role != "vendor":
        raise UserError(
            'the configuration says role = "marketplace"; a simulated vendor needs role = "vendor", '
            "or --gateway-url and --gateway-certificate of the gateway that it is to talk to"
        )
    return config


def _opening(inventory: Path | None) -> InventoryReport:
    from edi_gateway.marketplace.inventory import InventoryItem, InventoryReport
    from edi_gateway.marketplace.parties import ItemIdentity
    from edi_gateway.translators.json_form import RecordInvalid, validate_record

    if inventory is None:
        item = InventoryItem(number=1, item=ItemIdentity(gtin=ARTICLE), actual=Decimal(100))
        return InventoryReport(number="NONE", issued=datetime.now(UTC).replace(second=0, microsecond=0), items=(item,))
    try:
        return validate_record(InventoryReport, json.loads(inventory.read_bytes()))
    except (ValueError, RecordInvalid) as error:
        raise UserError(f"{inventory} is no InventoryReport: {error}") from None


def _duration(text: str) -> timedelta:
    from pydantic import TypeAdapter, ValidationError

    from edi_gateway.checked_fields import Duration

    try:
        found: timedelta = TypeAdapter(Duration).validate_python(text)
    except ValidationError:
        raise UserError(f'--delay {text!r} is not a duration: a number and s, m, h or d, such as "15m"') from None
    return found


def _introduce(told: dict[str, Any], data_dir: Path, as_json: bool) -> None:
    """Say what the other gateway must be told, and leave it in a folder that it can take as it is."""
    folder = data_dir / "for-the-gateway" / "simulated-vendor"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "certificate.pem").write_text(told["certificate"], encoding="ascii")
    (folder / "partner.toml").write_text(told["partner_toml"], encoding="utf-8")
    lines = (
        f"AS2 name     {told['as2_id']}",
        f"URL          {told['url']}",
        f"GLN          {told['gln']}",
        f"Certificate  {folder / 'certificate.pem'} (SHA-256 {told['fingerprint']})",
        f"The gateway must be told: copy {folder} into its partners folder, then `edi-gateway partners apply` there.",
    )
    for line in lines:
        click.echo(line, err=as_json)


def _finish(as_json: bool, manner: Manner, figures: dict[str, Any]) -> None:
    if as_json:
        rules = {rule.prefix: sorted(rule.behaviours) for rule in manner.rules}
        print_json({"behaviours": sorted(manner.behaviours), "rules": rules, **figures})
        return
    for order in figures["orders"]:
        click.echo(f"{order['number']}: {_documents(order['documents']) or 'no answer'}")
    latency = figures["latency_ms"]
    click.echo(
        f"sent {figures['sent']}, MDN positive {figures['mdn_ok']}, negative {figures['mdn_refused']}, parked "
        f"{figures['parked']}, on the way {figures['unsettled']}; {figures['per_second']} a second; latency in ms: "
        f"median {latency['median']}, p90 {latency['p90']}, p99 {latency['p99']}, max {latency['max']}"
    )


def _documents(documents: Sequence[dict[str, str]]) -> str:
    return ", ".join(f"{each['type']} {each['number']} {each['state']}" for each in documents)
