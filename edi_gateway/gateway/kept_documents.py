"""RECADV, SLSRPT and PRICAT: documents that are judged and kept with their record, for those who read them there.

Their record says itself what it must not say (`faults`); nothing else follows from them here.
"""

from __future__ import annotations

from collections.abc import Mapping

from edi_gateway.edifact.findings import Finding
from edi_gateway.gateway.handling import HandlerContext, RecordHandler
from edi_gateway.marketplace.price_catalogue import PriceCatalogue
from edi_gateway.marketplace.receiving import ReceivingAdvice
from edi_gateway.marketplace.sales_report import SalesReport

KEY_CHARACTERS_MAX = 80


def on_receiving_advice(context: HandlerContext, advice: ReceivingAdvice) -> list[Finding]:
    """RECADV: kept under the order that it speaks of, else under the first of its lines."""
    orders = (advice.order_number, *(line.order_number for line in advice.lines()))
    context.message.business_key = next((number for number in orders if number), "")[:KEY_CHARACTERS_MAX]
    return advice.faults()


def on_sales_report(context: HandlerContext, report: SalesReport) -> list[Finding]:
    """SLSRPT: kept."""
    return report.faults()


def on_price_catalogue(context: HandlerContext, catalogue: PriceCatalogue) -> list[Finding]:
    """PRICAT: kept."""
    return catalogue.faults()


KEPT_HANDLERS: Mapping[str, RecordHandler] = {
    "RECADV": on_receiving_advice,
    "SLSRPT": on_sales_report,
    "PRICAT": on_price_catalogue,
}
