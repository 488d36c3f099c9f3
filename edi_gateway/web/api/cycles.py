"""The commission of a cycle over REST."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models import Tag
from sqlalchemy import select

from edi_gateway.gateway import overview
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.compose import ComposeRefused
from edi_gateway.gateway.cycles import CycleRefused, NothingToInvoice, invoice_commission
from edi_gateway.gateway.orders import UnknownPartner
from edi_gateway.store.business import InvoiceRow
from edi_gateway.web.api.bodies import reads
from edi_gateway.web.api.errors import ErrorEntry, conflict, invalid
from edi_gateway.web.api.models import Answer, CommissionCycleBody
from edi_gateway.web.api.orders import unknown_partner

CYCLES = [Tag(name="cycles", description="The marketplace's commission")]


def add_routes(api: APIBlueprint, gateway: Gateway) -> None:
    """POST /cycles/commission."""

    @api.post(
        "/cycles/commission",
        tags=CYCLES,
        summary="Invoice the commission of a cycle to a vendor",
        responses={201: Answer},
    )
    @reads
    def commission(body: CommissionCycleBody) -> Response:
        """201 with the invoices; 200 where the cycle was invoiced before; 409 where nothing waits for commission."""
        try:
            issued = invoice_commission(gateway, body.partner, body.start, body.end)
        except UnknownPartner as refusal:
            raise invalid([unknown_partner(refusal)]) from None
        except CycleRefused as refusal:
            raise invalid([ErrorEntry(path="to", code="cycle", message=str(refusal))]) from None
        except (NothingToInvoice, ComposeRefused) as refusal:
            raise conflict(str(refusal)) from None
        with gateway.database.read() as reading:
            rows = list(
                reading.session.scalars(
                    select(InvoiceRow).where(InvoiceRow.id.in_(issued.invoice_ids)).order_by(InvoiceRow.id)
                )
            )
            response = jsonify({"invoices": [overview.invoice_json(row) for row in rows]})
        response.status_code = 201 if issued.created else 200
        return response
