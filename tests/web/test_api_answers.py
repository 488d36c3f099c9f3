"""How the API answers: versions, pages, languages, and availability from an index."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import create_engine
from sqlalchemy.dialects import sqlite

from edi_gateway.gateway.availability import levels_statement
from edi_gateway.store.schema import metadata
from tests.gateway.documents.desk import TOKEN, desadv, invrpt, other_vendor, partial
from tests.web.test_api import Shop, shop, traded

__all__ = ["shop", "traded"]  # fixtures


def ask(shop: Shop, path: str, **headers: str) -> object:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return shop.client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {TOKEN}", **named})


# Versions.


@pytest.mark.parametrize(
    "path", ["/orders", "/orders/MP4K7QX1", "/inventory", "/invoices", "/events", "/messages", "/confirmations"]
)
def test_what_one_has_is_not_sent_again(traded: Shop, path: str) -> None:
    first = ask(traded, path)
    again = ask(traded, path, If_None_Match=first.headers["ETag"])
    other = ask(traded, path, If_None_Match='"another"')
    assert (first.status_code, again.status_code, other.status_code) == (200, 304, 200)
    assert again.data == b""
    assert first.headers["Cache-Control"] == "private, no-cache"


def test_a_change_gives_another_version(shop: Shop) -> None:
    shop.post("/orders", shop.order())
    before = ask(shop, "/orders/MP4K7QX1").headers["ETag"]
    shop.desk.later(hours=1)
    shop.desk.arrive(partial())
    answered = ask(shop, "/orders/MP4K7QX1").headers["ETag"]
    shop.desk.arrive(desadv())
    shipped = ask(shop, "/orders/MP4K7QX1").headers["ETag"]
    assert len({before, answered, shipped}) == 3


def test_what_has_changed_is_not_overwritten(shop: Shop) -> None:
    shop.post("/orders", {**shop.order(), "payment": "pending"})
    etag = ask(shop, "/orders/MP4K7QX1").headers["ETag"]
    decide = {"payment": "accepted"}
    refused = shop.post("/orders/MP4K7QX1/payment", decide, If_Match='"older"')
    assert (refused.status_code, refused.json["error"]) == (412, "precondition_failed")
    assert etag in refused.json["detail"]
    assert shop.post("/orders/MP4K7QX1/payment", decide, If_Match=etag).status_code == 200
    assert shop.post("/orders/MP4K7QX1/payment", decide, If_Match="*").status_code == 200


# Pages.


def test_pages_of_numbers_stay_in_step_while_more_comes(shop: Shop) -> None:
    shop.desk.agree(other_vendor())
    shop.desk.arrive(invrpt())
    first = shop.get("/inventory?limit=1").json
    shop.desk.arrive(invrpt("VEN0005", number="INV-2", at="202611220700"))
    second = shop.get(f"/inventory?limit=1&cursor={first['next']}").json
    assert [row["gtin"] for row in first["inventory"] + second["inventory"]] == ["3760123450010", "3760123450027"]
    assert second["next"] is None


@pytest.mark.parametrize("path", ["/inventory", "/statements", "/findings", "/messages"])
@pytest.mark.parametrize("cursor", ["x", "%00", "é", "bnVtYmVyIDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MA", "MDAwMQ"])
def test_a_cursor_that_no_page_gave(shop: Shop, path: str, cursor: str) -> None:
    assert shop.get(f"{path}?cursor={cursor}").status_code == 422


def test_an_order_that_comes_meanwhile_shifts_no_page(shop: Shop) -> None:
    for number in range(3):
        shop.desk.later(seconds=1)
        shop.post("/orders", shop.order(f"MP{number}"))
    first = shop.get("/orders?limit=2").json
    shop.desk.later(seconds=1)
    shop.post("/orders", shop.order("MP9"))
    second = shop.get(f"/orders?limit=2&cursor={first['next']}").json
    assert [order["number"] for order in first["orders"] + second["orders"]] == ["MP2", "MP1", "MP0"]


# Events.


def test_events_of_one_kind_and_one_partner(traded: Shop) -> None:
    every = traded.get("/events").json["events"]
    some = traded.get("/events?kind=stock.reserved&kind=stock.released&partner=vendor").json["events"]
    assert [event["kind"] for event in some] == ["stock.reserved", "stock.released"]
    assert all(event in every for event in some)
    assert traded.get("/events?partner=other").json["events"] == []


# Languages.


def test_errors_in_french(shop: Shop) -> None:
    body = shop.order()
    body["order"]["lines"][0]["quantity"] = "0"
    answer = shop.post("/orders", body, Accept_Language="fr-FR,fr;q=0.9,en;q=0.5")
    assert answer.headers["Content-Language"] == "fr"
    assert answer.content_type == "application/problem+json"
    assert answer.json["title"] == "La requête comporte des erreurs"
    (error,) = [entry for entry in answer.json["errors"] if entry["code"] == "Q702"]
    assert error["message"] == "La quantité 0 n'est pas supérieure à zéro"
    missing = shop.post("/orders", {"partner": "vendor"}, Accept_Language="fr")
    assert [entry["message"] for entry in missing.json["errors"]] == ["champ obligatoire"]


@pytest.mark.parametrize(("accepted", "word"), [("fr", "inconnue"), ("de, en;q=0.1", "not known"), ("", "not known")])
def test_findings_in_the_clients_language(shop: Shop, accepted: str, word: str) -> None:
    shop.desk.arrive(partial(order="UNKNOWN"))
    (shown,) = ask(shop, "/findings?code=B601", Accept_Language=accepted).json["findings"]
    assert word in shown["text"]
    assert shown["document_number"] == "OR-1001"


# Bad input of every kind.


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        (b"", 400, None),
        (b"\xff\xfe", 400, None),
        (b'{"partner": "vendor", "partner": "x"}', 422, "partner"),
        (b'{"partner": "ven\\u0000dor"}', 422, "partner"),
        (b'{"partner": "\\ud800"}', 400, None),
        (b'{"partner": ' + b"1" * 5000 + b"}", 400, None),
        (b'{"partner": NaN}', 400, None),
        (b'{"partner": Infinity}', 400, None),
        (b"[" * 100_000, 400, None),
        (b"[" * 60 + b"]" * 60, 400, None),
        (b'{"partner": "' + b"x" * 100_000 + b'"}', 422, "partner"),
        ('{"partner": "Ωmega"}'.encode(), 422, "order"),
    ],
)
def test_a_body_that_makes_no_sense(shop: Shop, body: bytes, status: int, path: str | None) -> None:
    answer = shop.post("/orders", body)
    assert answer.status_code == status
    if path is not None:
        assert path in [entry["path"] for entry in answer.json["errors"]]


@pytest.mark.parametrize(
    "query", ["limit=1&limit=2", "limit=1e3", "limit=99999999999999999999999", "partner=%00", "partner=", "x=1"]
)
def test_parameters_that_make_no_sense(shop: Shop, query: str) -> None:
    for path in ("/orders", "/events", "/messages", "/inventory"):
        answer = shop.get(f"{path}?{query}")
        assert answer.status_code == 422, path
        assert answer.json["errors"][0]["path"] == query.partition("=")[0]


# Availability.


def test_availability_of_many_articles(traded: Shop) -> None:
    asked = "gtin=3760123450027&gtin=3760123450010&gtin=9521321000001"
    entries = traded.get(f"/availability?{asked}").json["availability"]
    assert [(entry["gtin"], entry["known"]) for entry in entries] == [
        ("3760123450027", True),
        ("3760123450010", True),
        ("9521321000001", False),
    ]
    stock = {row["gtin"]: row["available"] for row in traded.get("/inventory").json["inventory"]}
    assert [entry["available"] for entry in entries[:2]] == [stock[entry["gtin"]] for entry in entries[:2]]


def test_leading_zeros_make_no_other_article(traded: Shop) -> None:
    short, long = traded.get("/availability?gtin=3760123450010&gtin=03760123450010").json["availability"]
    assert short["known"]
    assert short["offers"] == long["offers"]


def test_availability_is_answered_from_an_index() -> None:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    for partner in (None, "vendor"):
        statement = levels_statement(["3760123450010", "3760123450027"], partner)
        compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
        parameters = tuple(compiled.params[name] for name in compiled.positiontup)
        with engine.connect() as connection:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", parameters)]
        assert any("USING INDEX" in step for step in plan), plan
        assert not any(step.startswith("SCAN") for step in plan), plan
    engine.dispose()


@pytest.mark.parametrize(("count", "status"), [(0, 422), (1, 200), (500, 200), (501, 422)])
def test_the_bound_of_articles_on_both_sides(shop: Shop, count: int, status: int) -> None:
    asked = "&".join(f"gtin={number:013}" for number in range(count))
    assert shop.get(f"/availability?{asked}").status_code == status


def test_the_description_is_complete(shop: Shop) -> None:
    described = shop.get("/openapi.json", token=None).json
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert {"400", "401", "403", "422", "503"} <= set(operation["responses"]), (method, path)
            assert operation["summary"], (method, path)
            for status, answer in operation["responses"].items():
                has_body = status not in ("204", "304")
                assert bool(answer.get("content")) == has_body, (method, path, status)
    assert "MISSING" not in json.dumps(described)
