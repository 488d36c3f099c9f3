"""Sheets over REST: a vendor without EDI reports stock and answers orders, by the rules of all others."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook
from werkzeug.test import TestResponse

from edi_gateway.cli import main
from edi_gateway.gateway.sheet_upload import _ORDERS_SHOWN, ORDERS
from edi_gateway.gateway.sheets import CSV_TYPE, XLSX_TYPE, Column, read, write
from edi_gateway.gateway.tokens import create
from edi_gateway.store.api import TokenRole
from edi_gateway.store.documents import Message
from tests.gateway.documents.desk import other_vendor
from tests.web.test_api import Shop, shop

__all__ = ["shop"]  # a fixture


def vendor(shop: Shop, partner: str = "vendor") -> str:
    return create(shop.desk.gateway, f"token of {partner}", TokenRole.VENDOR, partner=partner)[1]


def upload(shop: Shop, path: str, data: bytes | str, token: str, content_type: str = CSV_TYPE) -> TestResponse:
    body = data.encode() if isinstance(data, str) else data
    return shop.post(f"/partners/vendor/{path}", body, token, Content_Type=content_type)


STOCK = "EAN;Référence;Stock;Réservé;Situation au\n3760123450010;SKU-1;1 148,00;10;22/11/2026\n;SKU-9;5;;\n"
ANSWERS = (
    "commande;ligne;réponse;confirmé;reste;livraison le\n"
    "MP4K7QX1;1;accepter;;;26/11/2026\nMP4K7QX1;2;modifier;6;reliquat;27/11/2026\nMP4K7QX1;3;refuser;;;\n"
)


def test_stock_is_reported(shop: Shop) -> None:
    answer = upload(shop, "inventory", STOCK, vendor(shop))
    assert answer.status_code == 200, answer.json
    assert answer.json["rows"] == 2
    assert [(one["type"], one["state"]) for one in answer.json["messages"]] == [("INVRPT", "applied")]
    shown = shop.get("/inventory").json["inventory"]
    assert [(row["gtin"], row["supplier_article"], row["actual"], row["available"]) for row in shown] == [
        ("3760123450010", "SKU-1", "1148", "1138"),
        ("", "SKU-9", "5", "5"),
    ]


def test_every_error_has_its_row_and_column_and_nothing_is_kept(shop: Shop) -> None:
    sheet = (
        "ean;stock;date;arrêté\n3760123450011;1;;\n3760123450010;beaucoup;;\n;4;;\n"
        "3760123450027;-1;;\n3760123450034;1;31/31/2026;peut-être\n3760123450041;1;;\n3760123450041;2;;\n"
    )
    answer = upload(shop, "inventory", sheet, vendor(shop))
    assert answer.status_code == 422
    assert [(entry["path"], entry["code"]) for entry in answer.json["errors"]] == [
        ("row 2/gtin", "B634"),
        ("row 3/actual", "T166"),
        ("row 4/gtin", "T165"),
        ("row 5/actual", "Q710"),
        ("row 6/discontinued", "T168"),
        ("row 6/as_of", "T167"),
        ("row 8/gtin", "T169"),
    ]
    assert shop.get("/inventory").json["inventory"] == []


def test_an_error_of_the_trade_undoes_the_whole_sheet(shop: Shop) -> None:
    sheet = "ean;stock;date\n3760123450010;1;\n3760123450027;1;01/01/2030\n"
    answer = upload(shop, "inventory", sheet, vendor(shop))
    assert [(entry["path"], entry["code"]) for entry in answer.json["errors"]] == [("row 3", "Q705")]
    assert shop.get("/inventory").json["inventory"] == []
    assert shop.desk.rows(Message) == []


def test_an_order_is_answered_by_a_sheet(shop: Shop) -> None:
    upload(shop, "inventory", STOCK, token := vendor(shop))
    shop.post("/orders", shop.order())
    answer = upload(shop, "confirmations", ANSWERS, token)
    assert answer.status_code == 200, answer.json
    assert [(one["type"], one["state"]) for one in answer.json["messages"]] == [("ORDRSP", "applied")]
    shown = shop.get("/orders/MP4K7QX1").json
    quantities = [line["quantities"] for line in shown["lines"]]
    assert [(line["confirmed"], line["backordered"], line["rejected"]) for line in quantities] == [
        ("10", "0", "0"),
        ("6", "2", "0"),
        ("0", "0", "4"),
    ]
    assert shown["lines"][0]["promised_delivery"] == "2026-11-26"
    kinds = {event["kind"] for event in shop.get("/events").json["events"]}
    assert {"stock.reserved", "stock.released", "payment.refund_requested"} <= kinds


@pytest.mark.parametrize(
    ("sheet", "found"),
    [
        (ANSWERS.replace("MP4K7QX1;3;refuser;;;\n", ""), [("row 3/line", "T170")]),
        (ANSWERS.replace("MP4K7QX1;3", "MP4K7QX1;9"), [("row 4/line", "B603"), ("row 4/line", "T170")]),
        (ANSWERS.replace("MP4K7QX1", "UNKNOWN"), [("row 2/order", "B601")]),
        (ANSWERS.replace(";6;reliquat", ";;reliquat"), [("row 3/confirmed", "T165")]),
        (ANSWERS.replace(";6;reliquat", ";6;"), [("row 3/rest", "T165")]),
        (ANSWERS.replace(";6;reliquat", ";60;reliquat"), [("row 3", "B608")]),
        (ANSWERS.replace("accepter;;", "accepter;7;"), [("row 2/confirmed", "T171")]),
        (ANSWERS.replace("accepter", "peut-être"), [("row 2/answer", "T168")]),
        ("commande;ligne;réponse\nMP4K7QX1;1;\n", [("row 2/answer", "T173")]),
    ],
)
def test_an_answer_that_cannot_be_is_refused_whole(shop: Shop, sheet: str, found: list[tuple[str, str]]) -> None:
    shop.post("/orders", shop.order())
    before = shop.get("/orders/MP4K7QX1").json
    answer = upload(shop, "confirmations", sheet, vendor(shop))
    assert answer.status_code == 422
    assert [(entry["path"], entry["code"]) for entry in answer.json["errors"]] == found
    assert shop.get("/orders/MP4K7QX1").json == before


@pytest.mark.parametrize(("form", "content_type"), [("csv", CSV_TYPE), ("xlsx", XLSX_TYPE)])
def test_open_orders_go_down_are_filled_in_and_come_up(shop: Shop, form: str, content_type: str) -> None:
    shop.post("/orders", shop.order())
    token = vendor(shop)
    sheet = shop.get(f"/partners/vendor/orders?format={form}", token)
    assert sheet.headers["Content-Disposition"] == f'attachment; filename="orders.{form}"'
    columns = (*ORDERS, *(Column(name) for name in _ORDERS_SHOWN))
    rows = [dict(row.cells) for row in read(sheet.data, content_type, columns)]
    assert [(row["order"], row["line"], row["ordered"], row["unit_price"]) for row in rows] == [
        ("MP4K7QX1", "1", "10", "12.5"),
        ("MP4K7QX1", "2", "8", "20"),
        ("MP4K7QX1", "3", "4", "5"),
    ]
    filled = [list((row | {"answer": "accept"}).values()) for row in rows]
    answer = upload(shop, "confirmations", write(list(rows[0]), filled, content_type), token, content_type)
    assert answer.status_code == 200, answer.json
    assert shop.get("/orders/MP4K7QX1").json["state"] == "confirmed"
    assert len(read_rows(shop.get("/partners/vendor/orders", token).data)) == 1


def read_rows(data: bytes) -> list[str]:
    return data.decode("utf-8-sig").splitlines()


def test_stock_goes_down_and_comes_up_again(shop: Shop) -> None:
    token = vendor(shop)
    upload(shop, "inventory", STOCK, token)
    workbook = shop.get("/partners/vendor/inventory?format=xlsx", token)
    assert load_workbook(io.BytesIO(workbook.data)).active["A2"].value == "3760123450010"
    sheet = shop.get("/partners/vendor/inventory", token)
    assert sheet.content_type == CSV_TYPE
    assert upload(shop, "inventory", sheet.data, token).status_code == 200


def test_a_sheet_is_for_its_own_partner(shop: Shop) -> None:
    shop.desk.agree(other_vendor())
    theirs = vendor(shop, "other")
    for path in ("inventory", "confirmations"):
        assert upload(shop, path, STOCK, theirs).status_code == 404
    for path in ("inventory", "orders"):
        assert shop.get(f"/partners/vendor/{path}", theirs).status_code == 404
        assert shop.get(f"/partners/nobody/{path}").status_code == 404


def test_another_form_is_refused(shop: Shop) -> None:
    assert upload(shop, "inventory", STOCK, vendor(shop), "application/json").status_code == 415


def test_errors_in_french(shop: Shop) -> None:
    answer = shop.post("/partners/vendor/inventory", b"stock\n", Content_Type=CSV_TYPE, Accept_Language="fr")
    assert answer.json["errors"][0]["message"] == "Aucune ligne ne dit quoi que ce soit"


def test_the_same_by_command(shop: Shop, tmp_path: Path) -> None:
    from edi_gateway.store import migrate

    folder = tmp_path / "other"
    folder.mkdir()
    config = folder / "gateway.toml"
    url = shop.desk.gateway.database.url
    config.write_text(f'data_dir = "{shop.desk.gateway.config.data_dir}"\ndatabase_url = "{url}"\n')
    shop.desk.gateway.config.data_dir.joinpath("key-passphrase").write_text("correct horse battery staple")
    shop.desk.gateway.config.data_dir.joinpath("key-passphrase").chmod(0o600)
    present, needed = migrate.state(url)
    if present is None:  # the tables of a test are made without a migration
        with shop.desk.gateway.database.write() as uow:
            uow.connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            uow.connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{needed}')")
            uow.commit()

    def run(*arguments: str):
        return CliRunner().invoke(main, ["--config", str(config), *arguments])

    sheet = tmp_path / "stock.csv"
    sheet.write_text(STOCK)
    taken = run("inventory", "import", str(sheet), "--partner", "vendor")
    assert (taken.exit_code, taken.stdout) == (0, "2 rows were taken in\n"), taken.output
    sheet.write_text("ean;stock\n1;x\n")
    refused = run("inventory", "import", str(sheet), "--partner", "vendor")
    assert (refused.exit_code, refused.stdout.splitlines()[0][:10]) == (1, "row 2/gtin")
    assert "3760123450010" in run("inventory", "export", "--partner", "vendor").stdout
    shop.post("/orders", shop.order())
    orders = tmp_path / "orders.xlsx"
    assert run("orders", "export", "--partner", "vendor", "--to", str(orders)).exit_code == 0
    assert load_workbook(orders).active["A2"].value == "MP4K7QX1"
    assert run("orders", "import", str(orders), "--partner", "vendor").exit_code == 1
    sheet.write_text("order;line;shipped\nUNKNOWN;1;2\n")
    shipped = run("orders", "ship", str(sheet), "--partner", "vendor")
    assert (shipped.exit_code, shipped.stdout.splitlines()[0][:11]) == (1, "row 2/order")
    assert run("inventory", "export", "--partner", "nobody").exit_code == 2
