"""Asynchronous receipts both ways between two real processes: each answers 2xx first and POSTs its MDN afterwards."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3

from edi_gateway.gateway.evidence_readme import COMMAND, OUTPUT
from edi_gateway.simulator.companies import VENDOR
from edi_gateway.simulator.demonstration import Api
from edi_gateway.simulator.sides import Side, two_sides

SAMPLES = Path(__file__).parents[2] / "samples" / "demo"
SECONDS_MAX = 45.0
ANSWERS = {"INVRPT", "CONTRL", "ORDRSP", "DESADV", "INVOIC"}

Rows = list[dict[str, Any]]


def until(happened: Callable[[], object]) -> None:
    ends = time.monotonic() + SECONDS_MAX
    while not happened():
        assert time.monotonic() < ends, f"not within {SECONDS_MAX} s"
        time.sleep(0.2)


def ask_for_asynchronous_receipts(side: Side, other: Side) -> None:
    """As an operator would: two lines in the partner's file, then apply."""
    file = side.root / "partners" / other.company.folder / "partner.toml"
    lines = f'[as2]\nmdn_mode = "async"\nmdn_url = "{other.url}/as2"\n'
    file.write_text(file.read_text(encoding="utf-8").replace("[as2]\n", lines), encoding="utf-8")
    side.command("partners", "apply")


@dataclass(frozen=True)
class Traded:
    """One side after it stopped, and its transmissions, oldest first."""

    side: Side
    rows: Rows

    @classmethod
    def of(cls, side: Side) -> Traded:
        rows: Rows = json.loads(side.command("transmissions", "list", "--limit", "500", "--json"))
        return cls(side, rows[::-1])

    def among(self, direction: str, kind: str) -> Rows:
        return [row for row in self.rows if (row["direction"], row["kind"]) == (direction, kind)]


def at_rest(rows: Rows) -> bool:
    return bool(rows) and all(row["state"] in ("acknowledged", "unpacked", "settled", "sent", "parked") for row in rows)


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Traded, Traded]:
    """An order went to the vendor, and his answers came back; both are at rest again."""
    marketplace, vendor = two_sides(tmp_path_factory.mktemp("asynchronous") / "two", SAMPLES / "inventory.json")
    ask_for_asynchronous_receipts(marketplace, vendor)
    ask_for_asynchronous_receipts(vendor, marketplace)
    order = json.loads(sorted(SAMPLES.glob("order-*.json"))[0].read_text(encoding="utf-8"))
    with urllib3.PoolManager(retries=False, timeout=10) as http:
        shop, seller = Api(marketplace, http), Api(vendor, http)
        try:
            for side in (marketplace, vendor):
                side.start()
                side.await_ready(http)
            shop.post("orders", {"partner": VENDOR.folder, "order": order})
            until(lambda: {row["documents"] for row in received(shop)} >= ANSWERS)
            until(lambda: all(at_rest(api.get("transmissions", "transmissions")) for api in (shop, seller)))
        finally:
            for side in (vendor, marketplace):
                side.stop()
    return Traded.of(marketplace), Traded.of(vendor)


def received(api: Api) -> Rows:
    return [row for row in api.get("transmissions", "transmissions") if row["direction"] == "in"]


def test_every_message_is_acknowledged_by_an_mdn_in_a_post_of_its_own(traded: tuple[Traded, Traded]) -> None:
    for us, them in (traded, traded[::-1]):
        sent, receipts = us.among("out", "message"), us.among("in", "receipt")
        assert sent
        assert {row["state"] for row in sent} == {"acknowledged"}
        assert {row["state"] for row in receipts} == {"settled"}
        assert sorted(row["answers"] for row in receipts) == sorted(row["id"] for row in sent)
        assert {row["attempts"] for row in sent} == {1}
        posted = them.among("out", "receipt")
        assert {row["state"] for row in posted} == {"sent"}
        assert sorted(row["message_id"] for row in posted) == sorted(row["message_id"] for row in receipts)


def test_both_sides_have_the_same_mic(traded: tuple[Traded, Traded]) -> None:
    mics = [{row["message_id"]: row["mic"] for row in one.rows if row["kind"] == "message"} for one in traded]
    assert mics[0] == mics[1]
    assert None not in mics[0].values()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("direction", ["in", "out"])
def test_a_third_party_verifies_both_directions(traded: tuple[Traded, Traded], tmp_path: Path, direction: str) -> None:
    row = traded[0].among(direction, "message")[0]
    output = ("--output", str(tmp_path / "evidence.zip"), "--json")
    written = json.loads(traded[0].side.command("transmissions", "evidence", row["id"], *output))
    assert written["missing"] == []
    folder = tmp_path / "evidence"
    with zipfile.ZipFile(written["path"]) as archive:
        archive.extractall(folder)
    script = "set -e\n"
    for line in (folder / "README.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(COMMAND):
            script += f"{line.removeprefix(COMMAND)} > printed\n"
        elif line.startswith(OUTPUT):
            script += f"test \"$(cat printed)\" = '{line.removeprefix(OUTPUT)}'\n"
    assert script.count("openssl cms -verify") == 2
    done = subprocess.run(
        ["/bin/sh"], input=script, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_doctor_finds_nothing(traded: tuple[Traded, Traded]) -> None:
    side, rows = traded[1].side, (traded[1].among("in", "message")[0], traded[1].among("out", "message")[0])
    for row in rows:
        document = json.loads(side.command("doctor", "transmission", row["id"], "--json"))
        assert (document["failed"], document["diagnoses"]) == (False, []), row
