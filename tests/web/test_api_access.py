"""Who may do what over the API: every route by its scope, and nobody sees another partner's things."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from edi_gateway.gateway.cycles import invoice_commission
from edi_gateway.gateway.tokens import ROLES, create
from edi_gateway.store.api import TokenRole
from edi_gateway.store.documents import Message
from edi_gateway.store.transmissions import Transmission
from edi_gateway.web.api import blueprint
from tests.core.marketplace.documents import TODAY
from tests.gateway.documents.desk import TOKEN, VENDOR, Desk, desadv, invoic, invrpt, other_vendor, partial
from tests.web.test_api import Shop

PREFIX = "/api/v1"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Everything has happened with `vendor`, nothing with `other`."""
    desk = Desk(tmp_path)
    desk.agree(other_vendor())
    app = Flask(__name__)
    app.register_blueprint(blueprint(desk.gateway))
    shop = Shop(desk, app.test_client())
    desk.arrive(invrpt())
    shop.post("/orders", shop.order())
    for text in (partial(), desadv(), invoic()):
        desk.later(hours=1)
        desk.arrive(text)
    desk.arrive(partial("VEN0009", order="UNKNOWN", number="OR-9"))
    invoice_commission(desk.gateway, VENDOR, TODAY, TODAY.replace(day=30))
    yield shop
    desk.close()


def operations(shop: Shop) -> list[tuple[str, str, str]]:
    paths = shop.get("/openapi.json").json["paths"]
    return [
        (method, path, described["x-scope"]) for path, methods in paths.items() for method, described in methods.items()
    ]


def ask(shop: Shop, method: str, path: str, token: str | None) -> TestResponse:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    path = path.replace("{id}", "1").replace("{number}", "X").replace("{partner}", VENDOR)
    return shop.client.open(path, method=method.upper(), headers=headers)


def test_every_route_asks_for_a_token(shop: Shop) -> None:
    found = {ask(shop, method, path, None).status_code for method, path, _ in operations(shop)}
    assert found == {401}


@pytest.mark.parametrize("role", list(TokenRole))
def test_every_route_asks_for_its_scope(shop: Shop, role: TokenRole) -> None:
    partner = VENDOR if role is TokenRole.VENDOR else None
    _, token = create(shop.desk.gateway, "t", role, partner=partner)
    allowed = {scope.value for scope in ROLES[role]}
    for method, path, scope in operations(shop):
        answer = ask(shop, method, path, token)
        assert (answer.status_code == 403) == (scope not in allowed), (method, path, answer.status_code)
        if answer.status_code == 403:
            assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
            assert scope in answer.json["detail"]


LISTS = {
    "/orders": "orders",
    "/confirmations": "confirmations",
    "/inventory": "inventory",
    "/invoices": "invoices",
    "/shipments": "shipments",
    "/statements": "statements",
    "/messages": "messages",
    "/findings": "findings",
    "/transmissions": "transmissions",
    "/events": "events",
}


def things(shop: Shop) -> list[str]:
    message = shop.desk.rows(Message)[0].id
    transmission = shop.desk.rows(Transmission)[0].id
    named = ["/orders/MP4K7QX1", "/invoices/FA-2026-0917", "/shipments/DA-1001", "/statements/1"]
    return [*named, f"/messages/{message}", f"/transmissions/{transmission}"]


def test_every_list_shows_what_belongs_to_the_tokens_partner(shop: Shop) -> None:
    _, mine = create(shop.desk.gateway, "v", TokenRole.VENDOR, partner=VENDOR)
    _, theirs = create(shop.desk.gateway, "o", TokenRole.VENDOR, partner="other")
    for path, key in LISTS.items():
        assert shop.get(path).json[key], path
        assert shop.get(path, mine).json[key] == shop.get(path).json[key], path
        for query in ("", f"?partner={VENDOR}", "?partner=other"):
            assert shop.get(path + query, theirs).json[key] == [], (path, query)


def test_the_thing_of_another_partner_is_not_there(shop: Shop) -> None:
    _, mine = create(shop.desk.gateway, "v", TokenRole.VENDOR, partner=VENDOR)
    _, theirs = create(shop.desk.gateway, "o", TokenRole.VENDOR, partner="other")
    for path in things(shop):
        assert shop.get(path, mine).status_code == 200, path
        assert shop.get(path, theirs).status_code == 404, path
        assert shop.get(f"{path}?partner={VENDOR}", theirs).status_code in (404, 422), path


def test_no_list_or_thing_was_left_out(shop: Shop) -> None:
    """A new GET route is either in one of the two tests above, or here with its reason."""
    tested = {*LISTS, *("/".join(path.split("/")[:2]) + "/{}" for path in things(shop))}
    sheets = {"/partners/{}/orders", "/partners/{}/inventory"}  # test_api_sheets
    elsewhere = {"/availability", "/webhooks", "/webhooks/{}"} | sheets  # below, and test_api_webhooks
    routes = {path.removeprefix(PREFIX) for method, path, _ in operations(shop) if method == "get"}
    by_shape = {"/".join("{}" if part.startswith("{") else part for part in path.split("/")) for path in routes}
    assert by_shape - tested - elsewhere == set()


def test_availability_is_the_partners_own(shop: Shop) -> None:
    _, mine = create(shop.desk.gateway, "v", TokenRole.VENDOR, partner=VENDOR)
    _, theirs = create(shop.desk.gateway, "o", TokenRole.VENDOR, partner="other")
    asked = "/availability?gtin=3760123450010"
    assert shop.get(asked, mine).json == shop.get(asked).json
    for query in ("", f"&partner={VENDOR}"):
        (entry,) = shop.get(asked + query, theirs).json["availability"]
        assert (entry["known"], entry["available"], entry["offers"]) == (False, "0", [])


def test_an_order_is_not_placed_for_another_partner(shop: Shop) -> None:
    _, bound = create(shop.desk.gateway, "m", TokenRole.MARKETPLACE, partner="other")
    answer = shop.post("/orders", shop.order("MP9"), bound)
    unknown = shop.post("/orders", {**shop.order("MP9"), "partner": "nobody"})
    assert (answer.status_code, unknown.status_code) == (422, 422)
    assert answer.json["errors"][0]["code"] == unknown.json["errors"][0]["code"] == "unknown_partner"
    assert shop.post("/orders/MP4K7QX1/payment", {"payment": "accepted"}, bound).status_code == 404


def test_a_token_of_the_store_opens_without_a_configured_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path, token=None)
    app = Flask(__name__)
    app.register_blueprint(blueprint(desk.gateway))
    shop = Shop(desk, app.test_client())
    assert shop.get("/orders", TOKEN).status_code == 503
    _, token = create(desk.gateway, "r", TokenRole.READ_ONLY)
    assert (shop.get("/orders", token).status_code, shop.get("/orders", TOKEN).status_code) == (200, 401)
    desk.close()


def test_a_key_that_another_partner_used_does_not_say_whose(shop: Shop) -> None:
    shop.post("/orders", shop.order("MP8"), Idempotency_Key="k")
    _, bound = create(shop.desk.gateway, "m", TokenRole.MARKETPLACE, partner="other")
    body = shop.order("MP9")
    body["partner"] = "other"
    body["order"]["parties"][1]["identifier"] = "3760000001021"
    answer = shop.post("/orders", body, bound, Idempotency_Key="k")
    assert answer.status_code == 409
    assert "MP8" not in answer.text
    assert VENDOR not in answer.json["detail"]


def test_the_same_order_at_the_same_time_is_placed_once(shop: Shop) -> None:
    """Four clients that repeat themselves: one order, one ORDERS, and the same answer for all."""
    app = shop.client.application

    def place(_: int) -> TestResponse:
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "once"}
        return app.test_client().post(f"{PREFIX}/orders", json=shop.order("MP7"), headers=headers)

    before = len(shop.desk.sent("ORDERS"))
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(place, range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.text for answer in answers}) == 1
    assert len(shop.desk.sent("ORDERS")) == before + 1
