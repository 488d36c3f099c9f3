"""A marketplace and a vendor that trade, either of which may die; and what both hold in the end.

What is checked is read from outside: from the REST API of both sides, and from their databases and payload folders as
files. `Trade.assert_whole` says it all: each document exactly once on each side, every receipt for something that is
held, nothing under way, no chain of events broken.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import urllib3

from edi_gateway.as2.certificates import PrivateKey
from edi_gateway.config import load
from edi_gateway.gateway.keys import open_keys
from edi_gateway.simulator.sides import Side, two_sides
from edi_gateway.store.database import Database
from edi_gateway.store.events import verify_chain
from edi_gateway.store.payloads import PayloadStore
from tests.crash.processes import Running
from tests.partner import Posted, SimulatedPartner

SAMPLES = Path("samples/demo")
SECONDS_MAX = 60.0
POLL_SECONDS = 0.05
LATER = timedelta(minutes=15)
"""How far the clock of a side goes on when it starts again: leases of what died are over, retries are due."""

FINAL = frozenset({"acknowledged", "unpacked", "refused", "parked", "settled", "sent"})
_STOCK = "1000000"

Json = dict[str, Any]


class Trade:
    """Two companies in `folder`, stopped."""

    def __init__(self, folder: Path, *, asynchronous: bool = False) -> None:
        opening = json.loads((SAMPLES / "inventory.json").read_text("utf-8"))
        for item in opening["items"]:
            item["actual"] = _STOCK
        folder.mkdir(parents=True, exist_ok=True)
        inventory = folder / "inventory.json"
        inventory.write_text(json.dumps(opening), "utf-8")
        sides = two_sides(folder / "sides", inventory)
        if asynchronous:
            _ask_for_asynchronous_receipts(sides[0])
        self._tune(sides)
        self.marketplace, self.vendor = Running(sides[0]), Running(sides[1])
        self.numbers: list[str] = []
        self.http = urllib3.PoolManager(retries=False, timeout=5)
        self.article = opening["items"][0]["item"]
        self._references = 0
        self.opening = Decimal(0)  # what the marketplace had on offer before the first order

    @staticmethod
    def _tune(sides: Sequence[Side]) -> None:
        for side in sides:
            file = side.root / "gateway.toml"
            file.write_text(file.read_text("utf-8").replace("sweep_seconds = 2", "sweep_seconds = 1"), "utf-8")

    def start(self) -> None:
        """Both up, and the vendor's stock known."""
        self.marketplace.start()
        self.vendor.start()
        self.until("the opening stock", lambda: self.rows(self.marketplace, "message", "type = 'INVRPT'"))
        self.opening = self._stock()

    def stop(self) -> None:
        self.vendor.stop()
        self.marketplace.stop()
        self.http.clear()

    # --- what happens -------------------------------------------------------------------------------------------

    def order(self, quantity: int = 2) -> str:
        """Bring in one order as a marketplace does: with an idempotency key, again until it is answered."""
        number = self.next_number()
        self.until(f"order {number} taken", lambda: self.try_order(number, quantity))
        return number

    def next_number(self) -> str:
        """The number of an order that has to go through from now on."""
        self.numbers.append(f"CR{len(self.numbers) + 1:05}")
        return self.numbers[-1]

    def next_reference(self) -> int:
        """A number for an interchange of the test's own."""
        self._references += 1
        return self._references

    def try_order(self, number: str, quantity: int = 2) -> bool:
        """One attempt to bring in the order; False where the marketplace is down."""
        return self._post(
            "orders", {"partner": "vendor", "order": _order(number, quantity)}, {"Idempotency-Key": number}
        )

    def close_cycle(self) -> bool:
        """Ask for the commission on everything that was invoiced; False where the marketplace is down."""
        today = (datetime.now(UTC) + self.vendor.ahead).date()
        first, last = today - timedelta(days=2), today + timedelta(days=2)
        return self._post("cycles/commission", {"partner": "vendor", "from": f"{first}", "to": f"{last}"})

    def _post(self, path: str, body: Json, headers: Json | None = None) -> bool:
        token = {"Authorization": f"Bearer {self.marketplace.side.api_token}", "Content-Type": "application/json"}
        url = f"{self.marketplace.side.url}/api/v1/{path}"
        try:
            answer = self.http.request("POST", url, body=json.dumps(body), headers=token | (headers or {}))
        except urllib3.exceptions.HTTPError:
            return False
        assert answer.status < 500 or answer.status == 503, answer.data
        assert answer.status in (200, 201, 202, 503), answer.data
        return bool(answer.status != 503)

    def partner(self) -> SimulatedPartner:
        """Somebody with the vendor's keys who posts what the test wants."""
        return SimulatedPartner(
            self.vendor.side.company.as2_id,
            self.marketplace.side.company.as2_id,
            _key(self.vendor.side),
            _key(self.marketplace.side),
        )

    def try_post(self, posted: Posted) -> bytes | None:
        """One attempt to deliver a message to the marketplace; its receipt, or None where none came."""
        headers = dict(posted.headers)
        with suppress(urllib3.exceptions.HTTPError):
            answer = self.http.request("POST", f"{self.marketplace.side.url}/as2", body=posted.body, headers=headers)
            if answer.status == 200:
                return bytes(answer.data)
        return None

    # --- what stands there --------------------------------------------------------------------------------------

    def rows(self, running: Running, table: str, where: str = "1 = 1") -> list[Json]:
        """Rows of a side's database, read as a file."""
        path = running.side.root / "data" / "gateway.sqlite"
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(f"SELECT * FROM {table} WHERE {where}")]

    def payload_file(self, running: Running, sha256: str) -> Path:
        """Where a side keeps a large payload."""
        return running.side.root / "data" / "payloads" / sha256[:2] / sha256[2:4] / sha256

    def until(self, what: str, happened: Callable[[], object], seconds: float = SECONDS_MAX) -> None:
        """Wait until it is so; say how both sides stand where it never is."""
        ends = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < ends, f"{what}: not within {seconds} s\n{self._standing()}"
            time.sleep(POLL_SECONDS)

    def _standing(self) -> str:
        lines = [f"waiting for: {self._unfinished()}"]
        for running in (self.marketplace, self.vendor):
            lines.append(f"{running.side.company.folder}: alive {running.alive}; {running.side.tail()[-1500:]}")
        return "\n".join(lines)

    @property
    def kills(self) -> int:
        return self.marketplace.kills + self.vendor.kills

    def open_orders(self) -> int:
        """How many orders are not invoiced yet."""
        return len(self.numbers) - len(self._applied(self.marketplace, "INVOIC"))

    def come_to_rest(self, seconds: float) -> None:
        """Until everything is through, or nothing has moved for a while: what is lost is counted, not waited for."""
        ends = time.monotonic() + seconds
        while self._unfinished() and time.monotonic() < ends:
            time.sleep(0.5)

    def await_quiet(self) -> None:
        """Until every order is through: confirmed, shipped, invoiced, and nothing under way on either side."""
        self.until("everything through", lambda: not self._unfinished())

    def under_way(self, running: Running) -> list[str]:
        """The transmissions of a side that are neither done nor given up."""
        return [
            f"{running.side.company.folder}: {row['direction']} {row['kind']} {row['state']} {row['document_types']}"
            for row in self.rows(running, "transmission")
            if row["state"] not in FINAL
        ]

    def commissions(self) -> list[Json]:
        """The commission invoices that the vendor has taken in."""
        return self.rows(self.vendor, "message", "type = 'INVOIC' AND direction = 'in' AND state = 'applied'")

    def _unfinished(self) -> list[str]:
        left = [*self.under_way(self.marketplace), *self.under_way(self.vendor)]
        for kind in _CHAIN:
            counted = self._applied(self.marketplace, kind)
            left += [f"{kind} for {number}" for number in self.numbers if number not in counted]
        return left

    def _applied(self, running: Running, kind: str) -> Counter[str]:
        found = self.rows(running, "message", f"type = '{kind}' AND direction = 'in' AND state = 'applied'")
        return Counter(row["business_key"] or row["document_number"] for row in found)

    def counts(self) -> tuple[int, list[str], list[str]]:
        """How many documents there ought to be; those that are lost; those that are there more than once."""
        sought = [(self.vendor, "ORDERS"), *((self.marketplace, kind) for kind in _CHAIN)]
        lost, doubled = [], []
        for running, kind in sought:
            there = self._applied(running, kind)
            lost += [f"{kind} {number}" for number in self.numbers if not there[number]]
            doubled += [f"{kind} {number}" for number in there if there[number] > 1]
        return len(sought) * len(self.numbers), lost, doubled

    def assert_whole(self) -> None:
        """Both sides, once everything is quiet."""
        _, lost, doubled = self.counts()
        assert (lost, doubled) == ([], [])
        assert self._stock() == self.opening - sum(self._confirmed())
        for running in (self.marketplace, self.vendor):
            self._assert_held(running)
            self._assert_settled(running)

    def _confirmed(self) -> Iterator[Decimal]:
        records = self.rows(self.marketplace, "message", "type = 'ORDRSP' AND state = 'applied'")
        for row in records:
            for line in json.loads(row["record"])["lines"]:
                yield Decimal(line["quantity"])

    def _stock(self) -> Decimal:
        token = {"Authorization": f"Bearer {self.marketplace.side.api_token}"}
        answer = self.http.request("GET", f"{self.marketplace.side.url}/api/v1/inventory", headers=token)
        rows = answer.json()["inventory"]
        (found,) = [row["available"] for row in rows if row["gtin"] == self.article["gtin"]]
        return Decimal(found)

    def _assert_held(self, running: Running) -> None:
        """Every payload that a row names is there, whole; the chain of events is as it was written."""
        config = load(running.side.root / "gateway.toml", {})
        database = Database(config.database_url)
        try:
            payloads = PayloadStore(config.data_dir / "payloads", database)
            for row in self.rows(running, "payload"):
                with payloads.open(row["sha256"]) as stream:
                    assert len(stream.read()) == row["size"]
            with database.read() as view:
                assert verify_chain(view.session).intact
        finally:
            database.close()

    def _assert_settled(self, running: Running) -> None:
        """Every positive receipt that this side got is for something that the other side holds."""
        other = self.vendor if running is self.marketplace else self.marketplace
        held = {
            row["message_id"] for row in self.rows(other, "transmission", "direction = 'in' AND state = 'unpacked'")
        }
        sent = self.rows(running, "transmission", "direction = 'out' AND state = 'acknowledged' AND kind = 'message'")
        assert sent, "nothing was sent"
        assert [row["message_id"] for row in sent if row["message_id"] not in held] == []
        assert self.rows(running, "transmission", "state = 'parked' AND direction = 'out'") == []


_CHAIN = ("ORDRSP", "DESADV", "INVOIC")
"""What the vendor sends for each order."""


def _order(number: str, quantity: int) -> Json:
    order: Json = json.loads((SAMPLES / "order-1.json").read_text("utf-8"))
    (line,) = order["lines"] = order["lines"][:1]
    line["quantity"] = str(quantity)
    line["net_amount"] = order["total_net"] = str(quantity * Decimal(line["unit_price"]))
    order["number"] = number
    return order


def _key(side: Side) -> PrivateKey:
    key: PrivateKey = open_keys(load(side.root / "gateway.toml", {})).all()[0]
    return key


def _ask_for_asynchronous_receipts(side: Side) -> None:
    file = side.root / "partners" / "vendor" / "partner.toml"
    file.write_text(file.read_text("utf-8").replace("[as2]\n", '[as2]\nmdn_mode = "async"\n'), "utf-8")
    side.command("partners", "apply")


def retried(attempt: Callable[[], bytes | None], seconds: float = SECONDS_MAX) -> bytes:
    """What a partner does: the same again until there is an answer."""
    ends = time.monotonic() + seconds
    while (answer := attempt()) is None:
        assert time.monotonic() < ends, "no receipt"
        time.sleep(POLL_SECONDS)
    return answer


@contextmanager
def trading(folder: Path, *, asynchronous: bool = False) -> Iterator[Trade]:
    """A trade that runs, stopped at the end."""
    trade = Trade(folder, asynchronous=asynchronous)
    try:
        trade.start()
        yield trade
    finally:
        trade.stop()
