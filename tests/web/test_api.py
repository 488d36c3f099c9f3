"""The REST API: orders in, everything out, and every error with its path."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from edi_gateway.store import partnerships as partnership_store
from edi_gateway.store.events import Event
from edi_gateway.store.partnerships import PartnershipState
from edi_gateway.translators.json_form import to_json
from edi_gateway.web.api import blueprint
from tests.core.marketplace.documents import an_order
from tests.gateway.documents.desk import TOKEN, Desk, desadv, invoic, invrpt, other_vendor, partial


class Shop:
    """The marketplace as a client of the API."""

    def __init__(self, desk: Desk, client: FlaskClient) -> None:
        self.desk = desk
        self.client = client

    def get(self, path: str, token: str | None = TOKEN) -> TestResponse:
        return self.client.get(f"/api/v1{path}", headers=_authorization(token))

    def post(self, path: str, body: Any, token: str | None = TOKEN, **headers: str) -> TestResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(
            f"/api/v1{path}",
            data=data,
            headers={"Content-Type": "application/json", **_authorization(token), **named},
        )

    def order(self, number: str = "MP4K7QX1", **changes: Any) -> dict[str, Any]:
        return {"partner": "vendor", "order": {**to_json(an_order(number)), **changes}}


def _authorization(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    desk = Desk(tmp_path)
    app = Flask(__name__)
    app.register_blueprint(blueprint(desk.gateway))
    yield Shop(desk, app.test_client())
    desk.close()


def _cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def paths(response: TestResponse) -> list[str]:
    return [entry["path"] for entry in response.json["errors"]]


# Who may.


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN[:-1], TOKEN + "x"])
def test_without_the_token_there_is_nothing(shop: Shop, token: str | None) -> None:
    """RFC 6750 §3."""
    response = shop.get("/orders", token)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert shop.post("/orders", shop.order(), token).status_code == 401
    assert shop.desk.sent() == []


def test_another_scheme_is_refused(shop: Shop) -> None:
    headers = {"Authorization": f"Basic {TOKEN}"}
    assert shop.client.get("/api/v1/orders", headers=headers).status_code == 401


def test_without_a_configured_token_nobody_may(tmp_path: Path) -> None:
    desk = Desk(tmp_path, token=None)
    app = Flask(__name__)
    app.register_blueprint(blueprint(desk.gateway))
    response = app.test_client().get("/api/v1/orders", headers=_authorization("None"))
    assert response.status_code == 503
    assert "api_token" in response.json["detail"]
    desk.close()


# Orders in.


def test_an_order_is_placed_and_sent(shop: Shop) -> None:
    response = shop.post("/orders", shop.order())
    assert response.status_code == 201
    assert response.headers["Location"] == "/api/v1/orders/MP4K7QX1"
    assert response.json["state"] == "emitted"
    assert response.json["lines"][0]["quantities"]["ordered"] == "10"
    assert len(shop.desk.sent("ORDERS")) == 1


def test_the_same_order_again_is_answered_as_before(shop: Shop) -> None:
    first = shop.post("/orders", shop.order(), Idempotency_Key="k1")
    again = shop.post("/orders", shop.order(), Idempotency_Key="k1")
    without = shop.post("/orders", shop.order())
    assert (first.status_code, again.status_code, without.status_code) == (201, 200, 200)
    assert first.json == again.json
    assert len(shop.desk.sent("ORDERS")) == 1


def test_the_number_or_the_key_for_another_order_is_a_conflict(shop: Shop) -> None:
    shop.post("/orders", shop.order(), Idempotency_Key="k1")
    other_content = shop.post("/orders", shop.order(total_net=None))
    other_order = shop.post("/orders", shop.order("MP4K7QX2"), Idempotency_Key="k1")
    assert (other_content.status_code, other_order.status_code) == (409, 409)
    assert len(shop.desk.sent("ORDERS")) == 1


def test_an_order_waits_for_its_payment(shop: Shop) -> None:
    placed = shop.post("/orders", {**shop.order(), "payment": "pending"})
    assert (placed.status_code, placed.json["state"]) == (201, "payment_pending")
    assert shop.desk.sent() == []
    paid = shop.post("/orders/MP4K7QX1/payment", {"payment": "accepted"})
    assert (paid.status_code, paid.json["state"]) == (200, "emitted")
    assert len(shop.desk.sent("ORDERS")) == 1
    again = shop.post("/orders/MP4K7QX1/payment", {"payment": "accepted"})
    assert again.status_code == 200
    assert len(shop.desk.sent("ORDERS")) == 1
    assert shop.post("/orders/MP4K7QX1/payment", {"payment": "refused"}).status_code == 409


def test_a_refused_payment_cancels_the_order(shop: Shop) -> None:
    shop.post("/orders", {**shop.order(), "payment": "pending"})
    refused = shop.post("/orders/MP4K7QX1/payment", {"payment": "refused"})
    assert refused.json["state"] == "cancelled"
    assert shop.desk.sent() == []
    assert [event.kind for event in shop.desk.shop_events()] == ["stock.released"]


def test_every_error_is_told_with_its_path(shop: Shop) -> None:
    body = shop.order()
    body["order"]["lines"][0]["quantity"] = "many"
    body["order"]["lines"][1]["colour"] = "red"
    del body["order"]["currency"]
    body["payment"] = "perhaps"
    response = shop.post("/orders", body)
    assert response.status_code == 422
    assert {"order/lines/0/quantity", "order/lines/1/colour", "order/currency", "payment"} <= set(paths(response))


def test_every_breach_of_a_rule_is_told_with_its_path(shop: Shop) -> None:
    body = shop.order(total_net=None)
    body["order"]["lines"][0] |= {"quantity": "0", "net_amount": None}
    body["order"]["lines"][1]["item"]["gtin"] = "3760123450011"
    body["order"]["parties"] = body["order"]["parties"][:2]
    response = shop.post("/orders", body)
    assert response.status_code == 422
    assert sorted(paths(response)) == ["order/lines/0/quantity", "order/lines/1/item/gtin", "order/parties"]
    assert shop.get("/orders").json["orders"] == []


def test_an_order_for_a_partner_that_does_not_exist(shop: Shop) -> None:
    response = shop.post("/orders", {**shop.order(), "partner": "nobody"})
    assert response.status_code == 422
    assert paths(response) == ["partner"]
    (event,) = shop.desk.rows(Event, Event.kind == "order.refused")
    assert event.subject == "order:nobody/MP4K7QX1"
    assert "no active trading partner 'nobody'" in event.reason
    assert '"number":"MP4K7QX1"' in shop.desk.payload(event.details["payload"])


def test_an_order_that_edifact_cannot_carry_is_refused_and_not_kept(shop: Shop) -> None:
    """UNOC is ISO 8859-1: no Greek."""
    body = shop.order()
    body["order"]["lines"][0]["description"] = "Ελλάδα"
    response = shop.post("/orders", body)
    assert response.status_code == 422
    assert response.json["errors"][0]["code"] == "not_sendable"
    assert shop.get("/orders").json["orders"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"partner": NaN}', 400),
        (b'{"partner": "a", "partner": "b"}', 422),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
    ],
)
def test_what_is_no_order_is_refused(shop: Shop, body: bytes, status: int) -> None:
    assert shop.post("/orders", body).status_code == status


@pytest.mark.parametrize(("text", "status"), [("\ud800", 400), ("\x00", 422), ("\u2028", 422), ("😀", 422)])
def test_text_that_cannot_be_carried_is_refused(shop: Shop, text: str, status: int) -> None:
    body = shop.order(total_net=None)
    body["order"]["lines"][0]["description"] = text
    assert shop.post("/orders", body).status_code == status
    assert shop.post("/orders", {**shop.order(), "partner": text}).status_code == status


def test_another_content_type_is_refused(shop: Shop) -> None:
    assert shop.post("/orders", shop.order(), Content_Type="text/plain").status_code == 415


def test_the_bound_of_the_body_on_both_sides(shop: Shop) -> None:
    bound = shop.desk.gateway.config.limits.api_body_bytes_max
    assert shop.post("/orders", b" " * bound).status_code == 400
    assert shop.post("/orders", b" " * (bound + 1)).status_code == 413


def test_numbers_are_read_exactly(shop: Shop) -> None:
    """A number type of JSON is no float on its way in."""
    body = json.dumps({**shop.order(total_net=None), "payment": "pending"}).encode()
    exact = body.replace(b'"12.50"', b"12345678901.123456").replace(b'"125.00"', b"null")
    response = shop.post("/orders", exact)
    assert response.status_code == 201, response.json
    assert response.json["lines"][0]["unit_price"] == "12345678901.123456"


# Everything out.


@pytest.fixture
def traded(shop: Shop) -> Shop:
    """An order from stock to invoice."""
    shop.desk.arrive(invrpt())
    shop.post("/orders", shop.order())
    for text in (partial(), desadv(), invoic()):
        shop.desk.later(hours=1)
        shop.desk.arrive(text)
    return shop


def test_one_order_with_all_that_happened(traded: Shop) -> None:
    shown = traded.get("/orders/MP4K7QX1").json
    assert shown["state"] == "partially_shipped"
    assert [line["state"] for line in shown["lines"]] == ["shipped", "shipped_part", "rejected"]
    assert shown["confirmations"][0]["response"] == "4"
    assert shown["shipments"][0]["packages"][1]["ssccs"] == ["337601234500000011"]
    listed = traded.get("/orders").json["orders"][0]
    assert listed["quantities"]["confirmed"] == "16"


def test_inventory(traded: Shop) -> None:
    shown = traded.get("/inventory?gtin=3760123450010").json["inventory"]
    assert [(row["actual"], row["committed"], row["available"]) for row in shown] == [("148", "10", "128")]


def test_invoices_with_their_match(traded: Shop) -> None:
    (shown,) = traded.get("/invoices").json["invoices"]
    assert (shown["total"], shown["match"]["status"], shown["match"]["agrees"]) == ("294.00", "matched", True)
    assert traded.get("/invoices/FA-2026-0917").json["invoices"] == [shown]


def test_shipments(traded: Shop) -> None:
    (shown,) = traded.get("/shipments?order=MP4K7QX1").json["shipments"]
    assert [line["quantity"] for line in shown["lines"]] == ["10", "6"]
    assert traded.get("/shipments/DA-1001").json["shipments"] == [shown]
    assert traded.get("/shipments?order=OTHER").json["shipments"] == []


def test_messages_with_their_findings(traded: Shop) -> None:
    traded.desk.arrive(partial("VEN0009", order="UNKNOWN", number="OR-9"))
    (failed,) = traded.get("/messages?state=exception").json["messages"]
    shown = traded.get(f"/messages/{failed['id']}?language=fr").json
    assert [finding["code"] for finding in shown["findings"]] == ["B601"]
    assert "inconnue" in shown["findings"][0]["text"]
    assert shown["interchange"]["control_reference"] == "VEN0009"


def test_transmissions(traded: Shop) -> None:
    shown = traded.get("/transmissions?direction=out").json["transmissions"]
    assert {row["documents"] for row in shown} == {"ORDERS", "CONTRL"}
    assert all(row["state"] == "queued" for row in shown)


def test_events_from_where_one_left_off(traded: Shop) -> None:
    first = traded.get("/events?limit=2").json
    rest = traded.get(f"/events?after={first['after']}").json
    kinds = [event["kind"] for event in first["events"] + rest["events"]]
    assert kinds == [
        "order.state",
        "order.state",
        "payment.refund_requested",
        "stock.reserved",
        "stock.released",
        "order.state",
        "payment.capturable",
    ]
    capturable = rest["events"][-1]["body"]
    assert (capturable["net"], capturable["total"]) == ("245.00", "294.00")


def test_the_commission_of_a_cycle(traded: Shop) -> None:
    cycle = {"partner": "vendor", "from": "2026-11-21", "to": "2026-11-30"}
    made = traded.post("/cycles/commission", cycle)
    again = traded.post("/cycles/commission", cycle)
    assert (made.status_code, again.status_code) == (201, 200)
    (invoice,) = made.json["invoices"]
    assert (invoice["net"], invoice["vat"], invoice["total"]) == ("29.40", "5.88", "35.28")
    assert again.json == made.json
    assert len(traded.desk.sent("INVOIC")) == 1
    other = traded.post("/cycles/commission", {**cycle, "to": "2026-11-29"})
    assert other.status_code == 409
    backwards = traded.post("/cycles/commission", {**cycle, "to": "2026-11-01"})
    assert (backwards.status_code, paths(backwards)) == (422, ["to"])


def test_pages(shop: Shop) -> None:
    for number in range(5):
        shop.desk.later(seconds=number % 2)
        shop.post("/orders", shop.order(f"MP{number}"))
    seen, following = [], ""
    while following is not None:
        page = shop.get(f"/orders?limit=2{following and '&cursor=' + following}").json
        seen += [order["number"] for order in page["orders"]]
        following = page["next"]
    assert seen == ["MP4", "MP3", "MP2", "MP1", "MP0"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=x",
        "cursor=x",
        "cursor=MjAyNg",
        "cursor=" + _cursor("2026-11-22T00:00:00+00:00 x"),
        "cursor=" + _cursor("2026-11-22T00:00:00+00:00 " + "9" * 30),
        "cursor=" + _cursor("2026-11-22T00:00:00 1"),
        "state=lost",
        "colour=red",
    ],
)
def test_a_query_that_makes_no_sense_is_refused(shop: Shop, query: str) -> None:
    assert shop.get(f"/orders?{query}").status_code == 422


@pytest.mark.parametrize("path", ["/orders/NONE", "/invoices/NONE", "/shipments/NONE", "/messages/NONE", "/nothing"])
def test_what_is_not_there(shop: Shop, path: str) -> None:
    assert shop.get(path).status_code == 404


def test_a_number_that_two_partners_use_needs_the_partner(shop: Shop) -> None:
    shop.desk.agree(other_vendor())
    shop.post("/orders", shop.order())
    body = shop.order()
    body["partner"] = "other"
    body["order"]["parties"][1]["identifier"] = "3760000001021"
    assert shop.post("/orders", body).status_code == 201
    assert shop.get("/orders/MP4K7QX1").status_code == 409
    assert shop.get("/orders/MP4K7QX1?partner=other").json["partner"] == "other"


def test_a_path_or_method_that_no_route_has_is_refused_in_the_same_shape(shop: Shop) -> None:
    for answer, status in ((shop.get("/nothing"), 404), (shop.client.delete("/api/v1/orders"), 405)):
        assert answer.status_code == status
        assert answer.get_json()["error"] in ("not_found", "method_not_allowed")
    assert shop.client.get("/elsewhere").mimetype == "text/html"


def test_a_fault_of_ours_is_refused_in_the_same_shape(shop: Shop) -> None:
    shop.desk.gateway.database.close()
    (shop.desk.gateway.config.data_dir / "gateway.sqlite").unlink(missing_ok=True)
    answer = shop.get("/orders")
    assert (answer.status_code, answer.get_json()["error"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "60"


def test_the_description_names_the_header_that_is_read(shop: Shop) -> None:
    placing = shop.get("/openapi.json").get_json()["paths"]["/api/v1/orders"]["post"]
    assert {given["name"] for given in placing["parameters"]} == {"Idempotency-Key", "Accept-Language"}


def test_the_description_names_every_route(shop: Shop) -> None:
    described = shop.get("/openapi.json", token=None).json
    assert described["openapi"].startswith("3.1")
    routes = {"/orders", "/orders/{number}", "/orders/{number}/payment", "/inventory", "/invoices", "/messages/{id}"}
    assert {f"/api/v1{route}" for route in routes} <= set(described["paths"])
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    schemas = described["components"]["schemas"]
    assert "PlaceOrder" in schemas
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(described)))
    assert references <= set(schemas)
    assert set(described["paths"]["/api/v1/orders"]["post"]["responses"]) >= {"200", "201", "401", "409", "422"}


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_order_however_broken_is_more_than_refused(shop: Shop, data: st.DataObject) -> None:
    """One value of a good order replaced by any other: an answer below 500, and nothing by half."""
    body = shop.order(f"MP{data.draw(st.integers(0, 10**6))}")
    node: Any = body
    while True:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if not (isinstance(node[key], (dict, list)) and node[key]) or data.draw(st.booleans()):
            break
        node = node[key]
    node[key] = data.draw(_json)
    response = shop.post("/orders", body)
    assert response.status_code in (200, 201, 409, 422), response.json
    if response.status_code == 422:
        assert response.json["errors"]


def test_what_the_services_refuse_is_said_in_french(shop: Shop) -> None:
    """The partner was suspended after its order came in: nothing can be sent to it."""
    shop.post("/orders", shop.order())
    gateway = shop.desk.gateway
    with gateway.database.write() as uow:
        rows = partnership_store.in_force(uow.session)
        suspended = [(row.partnership, PartnershipState.SUSPENDED) for row in rows]
        partnership_store.put_in_force(uow.session, suspended, gateway.now())
        uow.commit()
    gateway.partnerships.refresh()
    answer = shop.post("/orders/MP4K7QX1/cancellation", {"reason": "x"}, Accept_Language="fr")
    assert (answer.status_code, answer.json["detail"]) == (409, "il n'y a pas de partenaire actif vendor")
