"""Sheets of what was shipped: a vendor without EDI ships by the rules of a DESADV."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from edi_gateway.gateway.sheet_shipments import SHIPMENTS
from edi_gateway.gateway.sheets import CSV_TYPE, XLSX_TYPE, write
from edi_gateway.store.business import ShipmentRow
from tests.web.test_api import Shop, shop
from tests.web.test_api_sheets import ANSWERS, upload, vendor

__all__ = ["shop"]  # a fixture

HEAD = "commande;ligne;ean;quantité;reste;expédié le;transporteur;suivi;colis;bon de livraison\n"
ONE = "MP4K7QX1;1;;10;;25/11/2026;DHL;JD0146;337601234500000011;\n"
TWO = "MP4K7QX1;;3760123450027;4;reliquat;25/11/2026;DHL;JD0146;337601234500000028;\n"


@pytest.fixture
def answered(shop: Shop) -> Shop:
    shop.post("/orders", shop.order())
    assert sent(shop, ANSWERS, "confirmations").status_code == 200
    return shop


def sent(shop: Shop, sheet: str | bytes, path: str = "shipments", content_type: str = CSV_TYPE) -> TestResponse:
    body = sheet.encode() if isinstance(sheet, str) else sheet
    return shop.post(f"/partners/vendor/{path}", body, Content_Type=content_type)


def shipped(shop: Shop) -> list[str]:
    return [line["quantities"]["shipped"] for line in shop.get("/orders/MP4K7QX1").json["lines"]]


def errors(shop: Shop, sheet: str) -> list[tuple[str, str]]:
    answer = sent(shop, sheet)
    assert answer.status_code == 422, answer.json
    return [(entry["path"], entry["code"]) for entry in answer.json["errors"]]


def test_an_order_is_shipped_by_a_sheet(answered: Shop) -> None:
    answer = upload(answered, "shipments", HEAD + ONE + TWO, vendor(answered))
    assert answer.status_code == 200, answer.json
    assert answer.json["rows"] == 2
    assert [(one["type"], one["state"]) for one in answer.json["messages"]] == [("DESADV", "applied")]
    assert shipped(answered) == ["10", "4", "0"]
    (row,) = answered.desk.rows(ShipmentRow)
    assert (row.carrier, row.tracking, str(row.shipped)[:10]) == ("DHL", "JD0146", "2026-11-25")
    assert [sscc.sscc for package in row.packages for sscc in package.ssccs] == [
        "337601234500000011",
        "337601234500000028",
    ]
    kinds = {event["kind"] for event in answered.get("/events").json["events"]}
    assert "payment.capturable" in kinds


def test_the_same_sheet_twice_ships_nothing_twice(answered: Shop) -> None:
    assert sent(answered, HEAD + ONE).status_code == 200
    assert errors(answered, HEAD + ONE) == [("number", "B615")]
    assert shipped(answered) == ["10", "0", "0"]


def test_a_delivery_note_that_goes_on_elsewhere_is_another_shipment(answered: Shop) -> None:
    rows = ONE.replace(";\n", ";BL-7\n") + TWO.replace("JD0146", "JD0147").replace(";\n", ";BL-7\n")
    answer = sent(answered, HEAD + rows)
    assert [message["type"] for message in answer.json["messages"]] == ["DESADV", "DESADV"]
    assert [row.number for row in answered.desk.rows(ShipmentRow)] == ["BL-7", "BL-7/2"]


def test_what_has_no_answer_yet_waits_for_it(shop: Shop) -> None:
    shop.post("/orders", shop.order())
    answer = sent(shop, HEAD + ONE)
    assert [one["state"] for one in answer.json["messages"]] == ["waiting"]
    assert shipped(shop) == ["0", "0", "0"]
    sent(shop, ANSWERS, "confirmations")
    assert shipped(shop) == ["10", "0", "0"]


def test_a_workbook_does_as_well(answered: Shop) -> None:
    names = [column.name for column in SHIPMENTS]
    data = write(names, [["MP4K7QX1", "1", "", "", "10", *[""] * 6]], XLSX_TYPE)
    assert sent(answered, data, content_type=XLSX_TYPE).status_code == 200
    assert shipped(answered) == ["10", "0", "0"]


@pytest.mark.parametrize(
    ("sheet", "found"),
    [
        (HEAD + ONE.replace("MP4K7QX1", "UNKNOWN"), [("row 2/order", "B601")]),
        (HEAD + ONE.replace(";1;;", ";9;;"), [("row 2/line", "B603")]),
        (HEAD + ONE.replace(";1;;", ";;;"), [("row 2/line", "T165")]),
        (HEAD + ONE.replace(";1;;", ";1;3760123450099;"), [("row 2/gtin", "B634")]),
        (HEAD + ONE.replace(";1;;", ";;3760123450041;"), [("row 2/gtin", "B603")]),
        (HEAD + ONE.replace(";10;", ";dix;"), [("row 2/shipped", "T166")]),
        (HEAD + ONE.replace(";10;", ";-1;"), [("row 2/shipped", "Q710")]),
        (HEAD + ONE.replace("000011", "000012"), [("row 2/sscc", "T174")]),
        (HEAD + ONE.replace("25/11/2026", "31/31/2026"), [("row 2/despatched", "T167")]),
        (HEAD + TWO.replace("reliquat", "peut-être"), [("row 2/rest", "T168")]),
        (HEAD + "MP4K7QX1;1;;;;;;;;\n", [("row 2/shipped", "T173")]),
        (HEAD.replace("quantité", "couleur") + ONE, [("row 1/couleur", "T162"), ("row 1/shipped", "T164")]),
    ],
)
def test_every_error_has_its_row_and_nothing_is_kept(answered: Shop, sheet: str, found: list[tuple[str, str]]) -> None:
    assert errors(answered, sheet) == found
    assert shipped(answered) == ["0", "0", "0"]
