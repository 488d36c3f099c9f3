"""Webhooks over REST."""

from __future__ import annotations

import pytest

from edi_gateway.gateway.tokens import create
from edi_gateway.store.api import TokenRole, WebhookEndpoint
from tests.gateway.documents.desk import TOKEN, other_vendor
from tests.web.test_api import Shop, shop

__all__ = ["shop"]  # a fixture

URL = "https://shop.example/hooks"


def test_a_webhook_from_its_beginning_to_its_end(shop: Shop) -> None:
    made = shop.post("/webhooks", {"url": URL, "kinds": ["payment.capturable"]})
    assert made.status_code == 201
    assert made.json["secret"].startswith("whsec_")
    where = made.headers["Location"].removeprefix("/api/v1")
    shown = shop.get(where)
    assert (shown.json["state"], shown.json["waiting"]) == ("active", 0)
    assert "secret" not in shown.json
    assert shop.get("/webhooks").json == {"webhooks": [shown.json]}
    assert shop.post(f"{where}/retry", b"").json["state"] == "active"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert shop.client.delete(f"/api/v1{where}", headers=headers).status_code == 204
    assert shop.get(where).status_code == 404
    assert shop.client.delete(f"/api/v1{where}", headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"url": "http://shop.example/"}, "url"),
        ({"url": "https://192.168.1.1/"}, "url"),
        ({"url": ""}, "url"),
        ({"kinds": ["Not A Kind"]}, "kinds/0"),
        ({"kinds": ["a"] * 51}, "kinds"),
        ({"partner": "nobody"}, "partner"),
        ({"after": -1}, "after"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_added(shop: Shop, changes: dict, path: str) -> None:
    refused = shop.post("/webhooks", {"url": URL, **changes})
    assert refused.status_code == 422
    assert [entry["path"] for entry in refused.json["errors"]] == [path]
    assert shop.desk.rows(WebhookEndpoint) == []


def test_a_vendor_has_his_own_webhooks_and_no_others(shop: Shop) -> None:
    shop.desk.agree(other_vendor())
    _, mine = create(shop.desk.gateway, "v", TokenRole.VENDOR, partner="vendor")
    _, theirs = create(shop.desk.gateway, "o", TokenRole.VENDOR, partner="other")
    made = shop.post("/webhooks", {"url": URL}, mine).json
    assert made["partner"] == "vendor"
    assert shop.get("/webhooks", theirs).json == {"webhooks": []}
    for answer in (
        shop.get(f"/webhooks/{made['id']}", theirs),
        shop.post(f"/webhooks/{made['id']}/test", b"", theirs),
        shop.post(f"/webhooks/{made['id']}/retry", b"", theirs),
        shop.client.delete(f"/api/v1/webhooks/{made['id']}", headers={"Authorization": f"Bearer {theirs}"}),
    ):
        assert answer.status_code == 404
    assert shop.post("/webhooks", {"url": URL, "partner": "vendor"}, theirs).status_code == 422
