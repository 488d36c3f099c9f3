"""Sheets up and down for vendors without EDI: stock, the answers to open orders, what was shipped."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, jsonify, request
from flask_openapi3.models import Tag

from edi_gateway.gateway import sheet_shipments, sheet_upload
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.orders import UnknownPartner
from edi_gateway.gateway.overview import message_summary
from edi_gateway.gateway.sheets import CSV_TYPE, XLSX_TYPE, SheetRefused
from edi_gateway.gateway.tokens import Scope
from edi_gateway.web.api import texts
from edi_gateway.web.api.access import caller
from edi_gateway.web.api.answers import SheetTaken
from edi_gateway.web.api.bodies import read_data
from edi_gateway.web.api.errors import ApiRefusal, entry_of, invalid, not_found
from edi_gateway.web.api.models import PartnerPath, SheetQuery
from edi_gateway.web.api.routes import Form, Routes
from edi_gateway.web.api.texts import Filled, Text

SHEETS = Tag(name="sheets", description="CSV and XLSX for vendors without EDI; docs/api.md has the columns")
_PARTNER = Text("trading partner", "partenaire")
_FORMS = (Form(CSV_TYPE, "semicolons or commas; UTF-8 or Windows-1252"), Form(XLSX_TYPE, "the first sheet"))
_TYPES = {"csv": CSV_TYPE, "xlsx": XLSX_TYPE}

_Upload = Callable[[Gateway, str, bytes, str], sheet_upload.Uploaded]
_Download = Callable[[Gateway, str, str], bytes]


def add_routes(routes: Routes, gateway: Gateway) -> None:
    """POST and GET /partners/{partner}/inventory, GET /partners/{partner}/orders, POST …/confirmations, …/shipments."""
    routes = routes.under(SHEETS)

    @routes.post(
        "/partners/<partner>/inventory",
        Scope.INVENTORY_REPORT,
        "Upload stock: every row counts, or none",
        {200: SheetTaken},
        refusals=(404, 415),
        takes=_FORMS,
    )
    def upload_inventory(path: PartnerPath) -> Response:
        return _taken(gateway, path.partner, sheet_upload.upload_inventory)

    @routes.post(
        "/partners/<partner>/confirmations",
        Scope.ORDERS_ANSWER,
        "Upload answers to orders: every row counts, or none",
        {200: SheetTaken},
        refusals=(404, 415),
        takes=_FORMS,
    )
    def upload_answers(path: PartnerPath) -> Response:
        return _taken(gateway, path.partner, sheet_upload.upload_answers)

    @routes.post(
        "/partners/<partner>/shipments",
        Scope.ORDERS_ANSWER,
        "Upload what was shipped: every row counts, or none",
        {200: SheetTaken},
        refusals=(404, 415),
        takes=_FORMS,
    )
    def upload_shipments(path: PartnerPath) -> Response:
        return _taken(gateway, path.partner, sheet_shipments.upload_shipments)

    @routes.get(
        "/partners/<partner>/inventory",
        Scope.INVENTORY_READ,
        "Download stock, to be uploaded again",
        None,
        refusals=(404,),
        gives=_FORMS,
    )
    def download_inventory(path: PartnerPath, query: SheetQuery) -> Response:
        return _sheet(gateway, path.partner, query, sheet_upload.download_inventory, "inventory")

    @routes.get(
        "/partners/<partner>/orders",
        Scope.ORDERS_READ,
        "Download the orders that wait for an answer, to be filled in",
        None,
        refusals=(404,),
        gives=_FORMS,
    )
    def download_orders(path: PartnerPath, query: SheetQuery) -> Response:
        return _sheet(gateway, path.partner, query, sheet_upload.download_orders, "orders")


def _taken(gateway: Gateway, partner: str, upload: _Upload) -> Response:
    if not caller().sees(partner) or gateway.partnerships.by_name(partner) is None:
        raise not_found(_PARTNER, partner)
    if request.mimetype not in (CSV_TYPE, XLSX_TYPE):
        raise ApiRefusal(415, Filled(texts.SHEET_EXPECTED, {"types": f"{CSV_TYPE}, {XLSX_TYPE}"}))
    try:
        uploaded = upload(gateway, partner, read_data(), request.mimetype)
    except SheetRefused as refusal:
        raise invalid([entry_of(finding, finding.path or "") for finding in refusal.findings]) from None
    rows = sheet_upload.messages_of(gateway, uploaded)
    return jsonify({"rows": uploaded.rows, "messages": [message_summary(row) for row in rows]})


def _sheet(gateway: Gateway, partner: str, query: SheetQuery, download: _Download, name: str) -> Response:
    if not caller().sees(partner):
        raise not_found(_PARTNER, partner)
    content_type = _TYPES[query.format]
    try:
        data = download(gateway, partner, content_type)
    except UnknownPartner:
        raise not_found(_PARTNER, partner) from None
    response = Response(data, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{query.format}"'
    return response
