"""The cash-out cycles over REST: invoiced, listed, looked at."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3.models import Tag
from sqlalchemy import select

from edi_gateway.gateway import overview
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.compose import ComposeRefused
from edi_gateway.gateway.cycles import CYCLE_DAYS_MAX, CycleRefused, NothingToInvoice, invoice_commission
from edi_gateway.gateway.orders import UnknownPartner
from edi_gateway.gateway.tokens import Scope
from edi_gateway.store.business import CommissionCycle, InvoiceRow
from edi_gateway.web.api.access import caller, visible
from edi_gateway.web.api.answers import InvoicesFound, StatementOut, Statements
from edi_gateway.web.api.errors import conflict, fault, invalid, not_found
from edi_gateway.web.api.models import CommissionCycleBody, StatementPath, StatementsQuery
from edi_gateway.web.api.orders import unknown_partner
from edi_gateway.web.api.pages import bad_cursor
from edi_gateway.web.api.routes import Routes
from edi_gateway.web.api.texts import Filled, Text

CYCLES = Tag(name="statements", description="Cash-out cycles and the marketplace's commission")
_STATEMENT = Text("statement", "relevé")
_NO_CYCLE = Text(
    "a cycle is 1 to {days} days long, and its last day does not come before its first",
    "un cycle dure de 1 à {days} jours, et son dernier jour ne précède pas le premier",
)
_NOTHING = Text("the commission cannot be invoiced: {why}", "la commission ne peut être facturée : {why}")


def add_routes(routes: Routes, gateway: Gateway) -> None:
    """POST /cycles/commission, GET /statements, GET /statements/{id}."""
    routes = routes.under(CYCLES)

    @routes.post(
        "/cycles/commission",
        Scope.CYCLES_RUN,
        "Invoice the commission of a cycle to a vendor",
        {200: InvoicesFound, 201: InvoicesFound},
        refusals=(409, 415),
    )
    def commission(body: CommissionCycleBody) -> Response:
        """201 with the invoices; 200 where the cycle was invoiced before; 409 where nothing waits for commission."""
        if not caller().sees(body.partner):
            raise invalid([unknown_partner(body.partner)])
        try:
            issued = invoice_commission(gateway, body.partner, body.start, body.end)
        except UnknownPartner:
            raise invalid([unknown_partner(body.partner)]) from None
        except CycleRefused:
            raise invalid([fault("to", "cycle", Filled(_NO_CYCLE, {"days": CYCLE_DAYS_MAX}))]) from None
        except (NothingToInvoice, ComposeRefused) as refusal:
            raise conflict(Filled(_NOTHING, {"why": refusal})) from None
        with gateway.database.read() as reading:
            rows = list(
                reading.session.scalars(
                    select(InvoiceRow).where(InvoiceRow.id.in_(issued.invoice_ids)).order_by(InvoiceRow.id)
                )
            )
            response = jsonify({"invoices": [overview.invoice_json(row) for row in rows]})
        response.status_code = 201 if issued.created else 200
        return response

    @routes.get("/statements", Scope.CYCLES_READ, "List cash-out cycles, newest first", Statements)
    def statements(query: StatementsQuery) -> Response:
        with gateway.database.read() as reading, bad_cursor():
            rows, following = overview.page_by_number(
                reading.session,
                select(CommissionCycle).where(*visible(CommissionCycle.partnership, query.partner)),
                CommissionCycle.id,
                limit=query.limit,
                cursor=query.cursor,
            )
            shown = [overview.cycle_json(reading.session, row) for row in rows]
            return jsonify({"statements": shown, "next": following})

    @routes.get("/statements/<int:id>", Scope.CYCLES_READ, "One cash-out cycle", StatementOut, refusals=(404,))
    def statement(path: StatementPath) -> Response:
        with gateway.database.read() as reading:
            row = reading.session.get(CommissionCycle, path.id)
            if row is None or not caller().sees(row.partnership):
                raise not_found(_STATEMENT, str(path.id))
            return jsonify(overview.cycle_json(reading.session, row))
