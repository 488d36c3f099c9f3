"""The demonstration end to end: two processes, real AS2, and what the stores say afterwards."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from edi_gateway.simulator.sides import DemonstrationFailed, two_sides

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 60

Shown = dict[str, Any]
Ask = Callable[..., Any]


def edi_gateway(*arguments: str, config: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EDI_GATEWAY_")}
    if config is not None:
        environment["EDI_GATEWAY_CONFIG"] = str(config)
    return subprocess.run(
        [sys.executable, "-m", "edi_gateway", *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demonstration") / "demo"


@pytest.fixture(scope="module")
def shown(data_dir: Path) -> Shown:
    """What `edi-gateway demo --json` printed, last."""
    done = edi_gateway("demo", "--json", "--data-dir", str(data_dir))
    assert done.returncode == 0, done.stdout + done.stderr
    document: Shown = json.loads(done.stdout)
    return document


@pytest.fixture
def ask(shown: Shown, data_dir: Path) -> Ask:
    """What a command of one side prints as JSON."""

    def command(side: str, *arguments: str) -> Any:
        done = edi_gateway(*arguments, "--json", config=data_dir / side / "gateway.toml")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return command


def test_every_promise_is_kept(shown: Shown) -> None:
    assert [check for check in shown["checks"] if not check["ok"]] == []
    assert shown["ok"] is True
    assert shown["seconds"] < SECONDS_MAX


def test_one_order_whole_one_in_part_one_refused(shown: Shown) -> None:
    whole, part, refused = shown["orders"]
    assert whole["confirmed"] == whole["ordered"] == whole["shipped"] == whole["invoiced"]
    assert [(li["confirmed"], li["back_ordered"], li["refused"]) for li in part["lines"]] == [
        ("6", "2", "0"),
        ("0", "0", "4"),
        ("5", "0", "0"),
    ]
    assert refused["state"] == "rejected"
    assert refused["refused"] == refused["ordered"]


def test_stock_before_less_what_was_confirmed_is_stock_after(shown: Shown) -> None:
    confirmed: dict[str, Decimal] = {}
    for order in shown["orders"]:
        for line in order["lines"]:
            confirmed[line["gtin"]] = confirmed.get(line["gtin"], Decimal(0)) + Decimal(line["confirmed"])
    for row in shown["inventory"]:
        gtin = row["gtin"][-13:]
        before, after = Decimal(row["before"]["available"]), Decimal(row["after"]["available"])
        assert after == before - confirmed.get(gtin, Decimal(0)), gtin


def test_the_store_agrees_with_the_summary(shown: Shown, ask: Ask) -> None:
    stored = {order["number"]: order for order in ask("marketplace", "orders", "list")["orders"]}
    assert {order["number"]: order["state"] for order in shown["orders"]} == {
        number: order["state"] for number, order in stored.items()
    }
    for order in shown["orders"]:
        quantities = stored[order["number"]]["quantities"]
        assert (order["confirmed"], order["shipped"], order["invoiced"]) == (
            quantities["confirmed"],
            quantities["shipped"],
            quantities["invoiced"],
        )


def test_both_stores_hold_every_transmission(shown: Shown, ask: Ask) -> None:
    summary = {row["message_id"]: row["mic"] for row in shown["transmissions"]}
    for side in ("marketplace", "vendor"):
        rows = ask(side, "transmissions", "list", "--limit", "500")
        assert {row["message_id"]: row["mic"] for row in rows} == summary


@pytest.mark.parametrize("side", ["marketplace", "vendor"])
def test_the_event_chain_of_each_side_verifies(shown: Shown, data_dir: Path, side: str) -> None:
    done = edi_gateway("events", "verify", config=data_dir / side / "gateway.toml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_contrl_comes_before_the_answer(shown: Shown) -> None:
    """Each ORDERS is acknowledged before its ORDRSP arrives: three CONTRL stand before the last ORDRSP."""
    received = [row["type"] for row in shown["transmissions"] if row["direction"] == "in"]
    for ordinal in range(1, 4):
        answer = [index for index, kind in enumerate(received) if kind == "ORDRSP"][ordinal - 1]
        assert received[:answer].count("CONTRL") >= ordinal


def test_sigterm_in_the_middle_leaves_no_process_behind(tmp_path: Path) -> None:
    """As a CI's time limit sends it."""
    command = [sys.executable, "-m", "edi_gateway", "demo", "--data-dir", str(tmp_path / "demo")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        ports = []
        for line in demo.stdout:
            ports += [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", line)]
            if len(ports) == 2:
                demo.terminate()
        assert demo.wait(SECONDS_MAX) == 128 + signal.SIGTERM
    assert len(ports) == 2
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = edi_gateway("demo", "--data-dir", str(tmp_path / "file" / "demo"))
    assert done.returncode == 2
    assert "cannot be made" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_no_demonstration_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "accounts.xlsx").write_bytes(b"precious")
    with pytest.raises(DemonstrationFailed, match="not empty"):
        two_sides(tmp_path, ROOT / "samples/demo/inventory.json")
    assert (tmp_path / "accounts.xlsx").read_bytes() == b"precious"
