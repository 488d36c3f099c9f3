"""`edi-gateway simulate vendor` against a gateway that knows nothing of it but what it prints."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edi_gateway.cli import main
from edi_gateway.config import Role
from edi_gateway.gateway.app import open_gateway
from edi_gateway.gateway.marketplace_side import HANDLERS
from edi_gateway.gateway.onboarding import apply, check, plan, read_folders
from edi_gateway.gateway.orders import place_order
from edi_gateway.marketplace.order import Order
from edi_gateway.partner_file import Ours
from edi_gateway.simulator import sight
from edi_gateway.simulator.alone import Counterpart, set_up, told
from edi_gateway.simulator.behaviours import TABLE, Behaviour
from edi_gateway.simulator.companies import MARKETPLACE
from edi_gateway.simulator.stage import Actor, Stage
from edi_gateway.store import partnerships as partnership_store
from edi_gateway.translators.json_form import validate_record

ROOT = Path(__file__).parents[2]
ORDER = ROOT / "samples" / "demo" / "order-1.json"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path / "stage", datetime.now(UTC)) as stage:
        yield stage


@pytest.fixture
def marketplace(stage: Stage) -> Actor:
    return stage.enter(MARKETPLACE, Role.MARKETPLACE, HANDLERS)


@contextmanager
def at_work(stage: Stage) -> Iterator[None]:
    """The gateway's work is done in a thread, as time goes by."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.02):
            stage.now = datetime.now(UTC)
            for actor in stage.actors:
                actor.rouse()
            stage.settle()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def arguments(marketplace: Actor, folder: Path, port: int) -> list[str]:
    certificate = folder.parent / "marketplace.pem"
    certificate.write_text(marketplace.key.certificate.pem)
    address = ["--gateway-url", f"{marketplace.server.url}/as2", "--gateway-certificate", str(certificate)]
    return ["simulate", "vendor", *address, "--data-dir", str(folder), "--port", str(port), "--json"]


def introduce(marketplace: Actor, folder: Path, port: int) -> None:
    """What `simulate vendor` prints is put into the marketplace's partners folder, and applied."""
    certificate = marketplace.key.certificate.pem.encode()
    config = set_up(folder, port, Counterpart(f"{marketplace.server.url}/as2", certificate))
    vendor = open_gateway(config)
    vendor.keys.generate(config.identity.as2_id, now=datetime.now(UTC), key="rsa-2048")
    described = told(vendor)
    vendor.close()
    partner = folder.parent / "partners" / "vendor"
    partner.mkdir(parents=True)
    (partner / "partner.toml").write_text(described["partner_toml"])
    (partner / "certificate.pem").write_text(described["certificate"])
    folders, _ = read_folders(partner.parent)
    checked = check(folders, Ours(MARKETPLACE.as2_id, MARKETPLACE.gln), datetime.now(UTC))
    assert not checked.problems
    with marketplace.gateway.database.write() as uow:
        apply(uow, plan(checked.partnerships, partnership_store.in_force(uow.session)), datetime.now(UTC))
        uow.commit()
    marketplace.gateway.partnerships.refresh()


def simulate(stage: Stage, given: list[str]) -> tuple[Result, dict[str, Any]]:
    with at_work(stage):
        done = CliRunner().invoke(main, given)
    assert done.exit_code == 0, done.output
    return done, json.loads(done.stdout)


def test_it_sees_one_order_through_and_ends(stage: Stage, marketplace: Actor, tmp_path: Path) -> None:
    folder, port = tmp_path / "vendor", free_port()
    introduce(marketplace, folder, port)
    place_order(marketplace.gateway, "vendor", validate_record(Order, json.loads(ORDER.read_bytes())))
    given = [*arguments(marketplace, folder, port), "--once", "--for", "MP4=partial"]
    done, figures = simulate(stage, given)
    assert f"URL          http://127.0.0.1:{port}/as2" in done.stderr
    assert (figures["mdn_refused"], figures["parked"], figures["unsettled"]) == (0, 0, 0)
    assert figures["sent"] == figures["mdn_ok"] >= 4  # CONTRL, ORDRSP, DESADV, INVOIC
    assert figures["latency_ms"]["median"] > 0
    (order,) = figures["orders"]
    assert [(each["type"], each["state"]) for each in order["documents"]] == [
        ("ORDRSP", "acknowledged"),
        ("DESADV", "acknowledged"),
        ("INVOIC", "acknowledged"),
    ]
    (invoice,) = sight.rows(marketplace.gateway, "invoices")
    assert invoice["state"] == "matched"


def test_it_sends_reports_as_a_load(stage: Stage, marketplace: Actor, tmp_path: Path) -> None:
    folder, port = tmp_path / "vendor", free_port()
    introduce(marketplace, folder, port)
    _, figures = simulate(stage, [*arguments(marketplace, folder, port), "--reports", "5", "--rate", "50"])
    assert (figures["sent"], figures["mdn_ok"]) == (5, 5)
    reports = [row for row in sight.rows(marketplace.gateway, "messages") if row["type"] == "INVRPT"]
    assert [row["state"] for row in reports] == ["applied"] * 5


def test_a_certificate_that_nobody_knows_is_refused(stage: Stage, marketplace: Actor, tmp_path: Path) -> None:
    folder, port = tmp_path / "vendor", free_port()
    introduce(marketplace, folder, port)
    given = [*arguments(marketplace, folder, port), "--reports", "1", "--behaviour", "wrong-certificate"]
    _, figures = simulate(stage, given)
    assert (figures["sent"], figures["mdn_ok"], figures["mdn_refused"]) == (1, 0, 1)


def test_asynchronous_mdns_come_by_themselves(stage: Stage, marketplace: Actor, tmp_path: Path) -> None:
    folder, port = tmp_path / "vendor", free_port()
    introduce(marketplace, folder, port)
    given = [*arguments(marketplace, folder, port), "--reports", "1", "--behaviour", "async-mdn"]
    _, figures = simulate(stage, given)
    assert (figures["sent"], figures["mdn_ok"]) == (1, 1)
    assert [row["kind"] for row in sight.rows(marketplace.gateway, "transmissions")].count("receipt") == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--behaviour", "nice"], "'nice' is no behaviour; one of by-stock, accept"),
        (["--for", "MP9"], "'MP9' is no rule"),
        (["--delay", "soon"], "is not a duration"),
        (["--rate", "5"], "say how many"),
        (["--gateway-url", "http://127.0.0.1:9/as2"], "belong together"),
    ],
)
def test_options_that_cannot_be_are_named(given: list[str], said: str, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("EDI_GATEWAY_ROLE", "vendor")
    monkeypatch.setenv("EDI_GATEWAY_DATA_DIR", str(tmp_path))
    done = CliRunner().invoke(main, ["simulate", "vendor", *given])
    assert done.exit_code == 2
    assert said in done.output


def test_the_table_has_every_behaviour_in_both_languages() -> None:
    assert set(TABLE) == set(Behaviour)
    listed = json.loads(CliRunner().invoke(main, ["simulate", "behaviours", "--json"]).stdout)["behaviours"]
    assert all(each["en"] and each["fr"] and each["en"] != each["fr"] for each in listed)
