"""The whole way once: stock, three orders, answers, shipments, invoices, commission, between two processes.

What happens is driven over the marketplace's REST API alone; what happened is read from the REST APIs of both sides.
`run` plays it; `Story.checks` says, one by one, whether what was promised happened.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import urllib3

from edi_gateway.simulator.companies import VENDOR
from edi_gateway.simulator.sides import DemonstrationFailed, Side, two_sides

STEP_SECONDS_MAX = 30
POLL_SECONDS = 0.1
PAGE_ROWS = 500
INVENTORY = "inventory.json"
ORDERS = "order-*.json"
ORDERS_EXPECTED = 3

Json = dict[str, Any]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, and whether it was kept."""

    name: str
    ok: bool
    detail: str


class Api:
    """The REST API of one side."""

    def __init__(self, side: Side, http: urllib3.PoolManager) -> None:
        self.side = side
        self._http = http

    def get(self, path: str, key: str, **query: str | int) -> list[Json]:
        """The rows of a list that fits into one page."""
        rows: list[Json] = self._call(
            "GET", path, fields={"limit": str(PAGE_ROWS), **{k: str(v) for k, v in query.items()}}
        )[key]
        return rows

    def show(self, path: str) -> Json:
        return self._call("GET", path)

    def post(self, path: str, body: Json, headers: Mapping[str, str] | None = None) -> Json:
        return self._call("POST", path, body=json.dumps(body), headers=headers)

    def _call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Json:
        authorised = {"Authorization": f"Bearer {self.side.api_token}", **(headers or {})}
        if "body" in more:
            authorised["Content-Type"] = "application/json"
        url = f"{self.side.url}/api/v1/{path}"
        try:
            answer = self._http.request(method, url, headers=authorised, retries=False, timeout=10, **more)
        except urllib3.exceptions.HTTPError as error:
            self.side.assert_running()
            raise DemonstrationFailed(f"{method} {url}: {error}") from None
        if answer.status >= 300:
            text = answer.data.decode(errors="replace")
            raise DemonstrationFailed(f"{method} {url} answered {answer.status}: {text[:1000]}")
        document: Json = answer.json()
        return document


@dataclass(slots=True)
class Story:
    """What was seen."""

    data_dir: Path
    commission_rate: Decimal = Decimal("0.12")
    orders: list[Json] = field(default_factory=list)
    stock_before: list[Json] = field(default_factory=list)
    stock_after: list[Json] = field(default_factory=list)
    invoices: list[Json] = field(default_factory=list)
    transmissions: list[Json] = field(default_factory=list)
    vendor_transmissions: list[Json] = field(default_factory=list)
    messages: list[Json] = field(default_factory=list)
    vendor_messages: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    seconds: float = 0.0
    checks: list[Check] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return bool(self.checks) and all(check.ok for check in self.checks)

    def as_json(self) -> Json:
        """The document of `edi-gateway demo --json`."""
        return {
            "orders": [_order_shown(order) for order in self.orders],
            "inventory": _inventory_shown(self.stock_before, self.stock_after),
            "invoices": [_invoice_shown(invoice) for invoice in self.invoices],
            "transmissions": [_transmission_shown(row) for row in self.transmissions],
            "ok": self.ok,
            "checks": [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in self.checks],
            "events": [{name: e[name] for name in ("kind", "order_number", "at")} for e in self.events],
            "seconds": round(self.seconds, 1),
            "data_dir": str(self.data_dir),
        }


def run(samples: Path, data_dir: Path, progress: Progress) -> Story:
    """Play the demonstration. Raises DemonstrationFailed where a step does not happen in time."""
    began = time.monotonic()
    orders = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(samples.glob(ORDERS))]
    if len(orders) != ORDERS_EXPECTED or not (samples / INVENTORY).exists():
        raise DemonstrationFailed(f"{samples} must hold {INVENTORY} and {ORDERS_EXPECTED} files {ORDERS}")
    story = Story(data_dir)
    with urllib3.PoolManager(maxsize=4) as http:
        progress("Two companies: keys, certificates, partnerships, databases")
        try:
            marketplace, vendor = two_sides(data_dir, samples / INVENTORY)
        except OSError as error:
            raise DemonstrationFailed(f"{data_dir} cannot be made: {error}; choose another --data-dir") from None
        with _running(marketplace, vendor, http):
            _play(Api(marketplace, http), Api(vendor, http), orders, story, progress)
    story.seconds = time.monotonic() - began
    story.checks = checks(story)
    return story


@contextmanager
def _running(marketplace: Side, vendor: Side, http: urllib3.PoolManager) -> Iterator[None]:
    """Both processes up, and down again whatever happens."""
    try:
        marketplace.start()
        marketplace.await_ready(http)  # the vendor announces its stock as soon as it runs
        vendor.start()
        vendor.await_ready(http)
        yield
    finally:
        for side in (vendor, marketplace):
            side.stop()


def _play(marketplace: Api, vendor: Api, orders: Sequence[Json], story: Story, progress: Progress) -> None:
    progress(f"The vendor on {vendor.side.url} announces its stock (INVRPT)")
    _until("INVRPT applied", lambda: marketplace.get("inventory", "inventory"))
    story.stock_before = marketplace.get("inventory", "inventory")

    progress(f"{len(orders)} orders enter the REST API of the marketplace on {marketplace.side.url}")
    for order in orders:
        body = {"partner": VENDOR.folder, "order": order}
        marketplace.post("orders", body, {"Idempotency-Key": f"demo-{order['number']}"})

    progress("ORDERS leave; the vendor answers CONTRL, then ORDRSP")
    numbers = [order["number"] for order in orders]
    _until("every order answered", lambda: all(_answered(marketplace, number) for number in numbers))

    progress("What was accepted is despatched (DESADV) and invoiced (INVOIC)")
    _until("shipped and invoiced", lambda: all(_done(marketplace, number) for number in numbers))

    progress("The marketplace invoices its commission for the cycle (INVOIC)")
    days = sorted(invoice["issued"][:10] for invoice in marketplace.get("invoices", "invoices", direction="in"))
    marketplace.post("cycles/commission", {"partner": VENDOR.folder, "from": days[0], "to": days[-1]})

    _until("every document acknowledged", lambda: _quiet(marketplace) and _quiet(vendor))
    progress("Every document was acknowledged")
    story.orders = [marketplace.show(f"orders/{number}") for number in numbers]
    story.stock_after = marketplace.get("inventory", "inventory")
    story.invoices = marketplace.get("invoices", "invoices")[::-1]
    story.transmissions = marketplace.get("transmissions", "transmissions")[::-1]
    story.vendor_transmissions = vendor.get("transmissions", "transmissions")[::-1]
    story.messages = marketplace.get("messages", "messages")[::-1]
    story.vendor_messages = vendor.get("messages", "messages")[::-1]
    story.events = marketplace.get("events", "events")


def _until(what: str, happened: Callable[[], object]) -> None:
    ends = time.monotonic() + STEP_SECONDS_MAX
    while not happened():
        if time.monotonic() > ends:
            raise DemonstrationFailed(f"{what}: not within {STEP_SECONDS_MAX} s; the logs are in the data folder")
        time.sleep(POLL_SECONDS)


def _answered(api: Api, number: str) -> bool:
    return bool(api.show(f"orders/{number}")["confirmations"])


def _done(api: Api, number: str) -> bool:
    """Whether everything that was confirmed has been shipped and invoiced."""
    lines = api.show(f"orders/{number}")["lines"]
    quantities = [line["quantities"] for line in lines]
    return all(Decimal(q["confirmed"]) == Decimal(q["shipped"]) == Decimal(q["invoiced"]) for q in quantities)


def _quiet(api: Api) -> bool:
    """Whether nothing is under way on this side: all sent, acknowledged, received, unpacked."""
    api.side.assert_running()
    final = {"acknowledged", "unpacked", "refused", "parked"}
    settled = all(row["state"] in final for row in api.get("transmissions", "transmissions"))
    return settled and all(row["state"] != "sent" or row["type"] == "CONTRL" for row in api.get("messages", "messages"))


# --- what was promised ---------------------------------------------------------------------------


def checks(story: Story) -> list[Check]:
    """Every promise of the demonstration, held against what was seen on both sides."""
    return [
        _check_stock(story),
        _check_outcomes(story),
        *_check_order_quantities(story),
        _check_packages(story),
        _check_invoices(story),
        _check_commission(story),
        _check_acknowledgements("marketplace", story.messages),
        _check_acknowledgements("vendor", story.vendor_messages),
        _check_security("marketplace", story.transmissions),
        _check_security("vendor", story.vendor_transmissions),
        _check_both_sides(story),
        _check_events(story),
    ]


def _check_stock(story: Story) -> Check:
    before = {row["article"]: Decimal(row["available"]) for row in story.stock_before}
    after = {row["article"]: Decimal(row["available"]) for row in story.stock_after}
    taken: dict[str, Decimal] = {}
    for line in _lines(story):
        article = _article_of(line, story.stock_before)
        taken[article] = taken.get(article, Decimal(0)) + Decimal(line["quantities"]["confirmed"])
    wrong = [a for a in before if after.get(a) != before[a] - taken.get(a, Decimal(0))]
    detail = f"{len(before)} articles; " + (
        f"not as confirmed: {', '.join(wrong)}" if wrong else "less what was confirmed"
    )
    return Check("INVRPT gave the stock, confirmations reserved it", bool(before) and not wrong, detail)


def _article_of(line: Json, stock: Sequence[Json]) -> str:
    for row in stock:
        if row["gtin"] == line["gtin"]:
            return str(row["article"])
    return ""


def _lines(story: Story) -> list[Json]:
    return [line for order in story.orders for line in order["lines"]]


def _check_outcomes(story: Story) -> Check:
    """One order whole, one in part (a short line with back order, a refused line), one refused."""
    seen = sorted(_outcome(order) for order in story.orders)
    return Check(
        "one order accepted whole, one in part, one refused", seen == ["part", "refused", "whole"], ", ".join(seen)
    )


def _outcome(order: Json) -> str:
    quantities = [line["quantities"] for line in order["lines"]]
    if all(q["confirmed"] == q["ordered"] for q in quantities):
        return "whole"
    if all(q["rejected"] == q["ordered"] for q in quantities):
        return "refused"
    short = any(Decimal(q["confirmed"]) > 0 and Decimal(q["backordered"]) > 0 for q in quantities)
    refused = any(q["rejected"] == q["ordered"] for q in quantities)
    return "part" if short and refused else "other"


def _check_order_quantities(story: Story) -> list[Check]:
    return [
        Check(
            f"order {order['number']}: shipped and invoiced as confirmed",
            all(q["confirmed"] == q["shipped"] == q["invoiced"] for q in (li["quantities"] for li in order["lines"])),
            order["state"],
        )
        for order in story.orders
    ]


def _check_packages(story: Story) -> Check:
    shipments = [shipment for order in story.orders for shipment in order["shipments"]]
    ssccs = [sscc for shipment in shipments for package in shipment["packages"] for sscc in package["ssccs"]]
    confirmed = [order for order in story.orders if _outcome(order) != "refused"]
    ok = len(shipments) == len(confirmed) and bool(ssccs) and len(set(ssccs)) == len(ssccs)
    return Check("accepted orders despatched with packages and SSCC", ok, f"{len(shipments)} DESADV, {len(ssccs)} SSCC")


def _check_invoices(story: Story) -> Check:
    goods = [invoice for invoice in story.invoices if invoice["direction"] == "in"]
    rates = {line["vat_rate"] for line in _lines(story)}
    ok = len(goods) == 2 and all(invoice["match"]["agrees"] for invoice in goods) and len(rates) >= 2
    return Check(
        "goods invoices agree with what was confirmed and shipped, at two VAT rates",
        ok,
        ", ".join(f"{i['number']} {i['total']} {i['match']['status']}" for i in goods),
    )


def _check_commission(story: Story) -> Check:
    goods = [invoice for invoice in story.invoices if invoice["direction"] == "in"]
    issued = [invoice for invoice in story.invoices if invoice["direction"] == "out"]
    due = sum((Decimal(invoice["net"]) for invoice in goods), Decimal(0)) * story.commission_rate
    received = [m for m in story.vendor_messages if m["direction"] == "in" and m["type"] == "INVOIC"]
    ok = (
        len(issued) == 1
        and abs(Decimal(issued[0]["net"]) - due) <= Decimal("0.01") * len(goods)
        and [m["state"] for m in received] == ["applied"]
    )
    detail = ", ".join(f"{i['number']} {i['net']} + {i['vat']} = {i['total']}" for i in issued)
    return Check("the commission of the cycle invoiced and taken in by the vendor", ok, detail)


def _check_acknowledgements(side: str, messages: Sequence[Json]) -> Check:
    sent = [m for m in messages if m["direction"] == "out" and m["type"] != "CONTRL"]
    received = [m for m in messages if m["direction"] == "in" and m["type"] != "CONTRL"]
    answers = [m for m in messages if m["direction"] == "out" and m["type"] == "CONTRL"]
    ok = (
        bool(sent)
        and all(m["state"] == "acknowledged" for m in sent)
        and all(m["state"] == "applied" for m in received)
        and len(answers) == len(received)
    )
    return Check(
        f"{side}: every document answered by CONTRL",
        ok,
        f"{len(sent)} sent and acknowledged, {len(received)} received, {len(answers)} CONTRL sent",
    )


def _check_security(side: str, rows: Sequence[Json]) -> Check:
    wrong = [
        row["message_id"]
        for row in rows
        if "sha-256" not in str(row["signed_with"]).lower()
        or "aes-256-cbc" not in str(row["encrypted_with"]).lower()
        or not str(row["disposition"]).lower().endswith("processed")
        or row["state"] not in ("acknowledged", "unpacked")
    ]
    detail = f"{len(rows)} transmissions" + (f"; not so: {', '.join(map(str, wrong))}" if wrong else "")
    return Check(
        f"{side}: each transmission signed (SHA-256), encrypted (AES-256-CBC), receipt verified",
        bool(rows) and not wrong,
        detail,
    )


def _check_both_sides(story: Story) -> Check:
    """What one side sent is what the other received: the same Message-IDs, the same MICs."""
    ours = {(row["message_id"], row["mic"]) for row in story.transmissions}
    theirs = {(row["message_id"], row["mic"]) for row in story.vendor_transmissions}
    return Check(
        "both sides hold the same transmissions with the same MICs", bool(ours) and ours == theirs, f"{len(ours)}"
    )


def _check_events(story: Story) -> Check:
    kinds = {event["kind"] for event in story.events}
    wanted = {"payment.capturable", "payment.cancel_requested", "stock.reserved"}
    return Check("the shop hears of stock and payments", wanted <= kinds, ", ".join(sorted(kinds)))


# --- what is shown -------------------------------------------------------------------------------


def _order_shown(order: Json) -> Json:
    return {
        "number": order["number"],
        "state": order["state"],
        **_quantities_shown(order["quantities"]),
        "lines": [
            {
                "number": line["number"],
                "gtin": line["gtin"],
                "description": line["description"],
                "state": line["state"],
                **_quantities_shown(line["quantities"]),
            }
            for line in order["lines"]
        ],
    }


_SHOWN = {
    "ordered": "ordered",
    "confirmed": "confirmed",
    "backordered": "back_ordered",
    "rejected": "refused",
    "shipped": "shipped",
    "invoiced": "invoiced",
}


def _quantities_shown(quantities: Json) -> Json:
    return {shown: quantities[name] for name, shown in _SHOWN.items()}


def _inventory_shown(before: Sequence[Json], after: Sequence[Json]) -> list[Json]:
    names = ("actual", "committed", "reserved", "despatched", "available", "in_transit")
    later = {(row["article"], row["location"]): row for row in after}
    return [
        {
            "gtin": row["gtin"],
            "supplier_article": row["supplier_article"],
            "before": {name: row[name] for name in names},
            "after": {name: later[row["article"], row["location"]][name] for name in names},
        }
        for row in before
    ]


def _invoice_shown(invoice: Json) -> Json:
    names = ("number", "kind", "direction", "state", "issued", "currency", "net", "vat", "total")
    return {
        **{name: invoice[name] for name in names},
        "orders": sorted({line["order_number"] for line in invoice["lines"]}),
        "agrees": invoice["match"]["agrees"] if invoice["direction"] == "in" else None,
        "discrepancies": invoice["match"]["discrepancies"],
    }


def _transmission_shown(row: Json) -> Json:
    return {
        "direction": row["direction"],
        "type": row["documents"],
        "size": row["size"],
        "wire_size": row["wire_size"],
        "disposition": row["disposition"],
        "state": row["state"],
        "attempts": row["attempts"],
        "seconds": row["seconds"],
        "at": row["created_at"],
        "message_id": row["message_id"],
        "mic": row["mic"],
        "signed_with": row["signed_with"],
        "encrypted_with": row["encrypted_with"],
    }
