"""Changes and cancellations over REST."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edi_gateway.partnership import Direction, MessageAgreement
from tests.gateway.documents.desk import REFUSED_3, a_partnership, ordrsp
from tests.web.test_api import Shop, shop

__all__ = ["shop"]  # a fixture


@pytest.fixture
def placed(shop: Shop) -> Shop:
    """An order that has left, with a vendor who takes ORDCHG."""
    agreed = a_partnership()
    ordchg = MessageAgreement(type="ORDCHG", direction=Direction.OUT)
    shop.desk.agree(replace(agreed, messages=(*agreed.messages, ordchg)))
    shop.post("/orders", shop.order())
    return shop


def test_a_cancellation_is_asked_once_and_waits_for_the_vendor(placed: Shop) -> None:
    asked = placed.post("/orders/MP4K7QX1/cancellation", {"reason": "the customer left"})
    assert asked.status_code == 201, asked.json
    assert (asked.json["kind"], asked.json["state"], asked.json["version"]) == ("cancel", "requested", 1)
    again = placed.post("/orders/MP4K7QX1/cancellation", {"reason": "the customer left"})
    assert (again.status_code, again.json) == (200, asked.json)
    other = placed.post("/orders/MP4K7QX1/change", {"lines": [{"number": 1, "quantity": "5"}]})
    assert (other.status_code, other.json["error"]) == (409, "conflict")
    shown = placed.get("/orders/MP4K7QX1").json
    assert (shown["state"], shown["changes"]) == ("cancel_requested", [asked.json])
    assert len(placed.desk.sent("ORDCHG")) == 1


def test_a_change_of_an_order_that_has_not_left_is_done_at_once(shop: Shop) -> None:
    shop.post("/orders", {**shop.order(), "payment": "pending"})
    done = shop.post("/orders/MP4K7QX1/change", {"lines": [{"number": 2, "quantity": "6"}]})
    assert (done.status_code, done.json["state"]) == (201, "accepted")
    assert shop.desk.sent("ORDCHG") == []


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "lines"),
        ({"lines": [{"number": 9, "quantity": "1"}]}, "lines/0/number"),
        ({"lines": [{"number": 1, "quantity": "11"}]}, "lines/0/quantity"),
        ({"lines": [{"number": 1, "quantity": "-1"}]}, "lines/0/quantity"),
        ({"lines": [{"number": 1, "quantity": "1e999"}]}, "lines/0/quantity"),
        ({"lines": [{"number": 1, "quantity": "NaN"}]}, "lines/0/quantity"),
        ({"lines": [{"number": 1, "unit_price": "0"}]}, "lines/0/unit_price"),
        ({"delivery_window": {"end": "2026-11-01"}}, "delivery_window"),
        ({"reason": "a\nb"}, "reason"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_change_that_cannot_be_asked(placed: Shop, body: dict, path: str) -> None:
    refused = placed.post("/orders/MP4K7QX1/change", body)
    assert refused.status_code == 422
    assert [entry["path"] for entry in refused.json["errors"]] == [path]


def test_a_change_is_for_the_version_that_was_read(placed: Shop) -> None:
    etag = placed.get("/orders/MP4K7QX1").headers["ETag"]
    placed.desk.later(hours=1)
    placed.desk.arrive(ordrsp("4", REFUSED_3))
    stale = placed.post("/orders/MP4K7QX1/cancellation", {}, If_Match=etag)
    assert stale.status_code == 412
    assert placed.get("/orders/MP4K7QX1").json["changes"] == []
    etag = placed.get("/orders/MP4K7QX1").headers["ETag"]
    assert placed.post("/orders/MP4K7QX1/cancellation", {}, If_Match=etag).status_code == 201


def test_of_an_order_that_is_not_there(placed: Shop) -> None:
    assert placed.post("/orders/NONE/cancellation", {}).status_code == 404
    assert placed.post("/orders/NONE/change", {}).status_code == 404


def test_a_vendor_who_takes_no_ordchg(shop: Shop) -> None:
    shop.post("/orders", shop.order())
    refused = shop.post("/orders/MP4K7QX1/cancellation", {})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["code"] == "not_sendable"
