"""What requests hold. Unknown keys are errors: a typing error must not become a default."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from edi_gateway.edifact.findings import Severity
from edi_gateway.gateway.overview import KEY_MAX, PAGE_ROWS, PAGE_ROWS_MAX
from edi_gateway.marketplace.changing import ChangeRequest, LineRequest
from edi_gateway.marketplace.fulfilment import OrderState
from edi_gateway.marketplace.order import Order
from edi_gateway.marketplace.ordering import (
    LINE_NUMBER_MAX,
    LINES_MAX,
    PRICE_DECIMALS_MAX,
    PRICE_MAX,
    QUANTITY_DECIMALS_MAX,
    QUANTITY_MAX,
)
from edi_gateway.marketplace.parties import Period
from edi_gateway.partnership import Direction
from edi_gateway.store.business import InvoiceKind, InvoiceState
from edi_gateway.store.documents import MessageState
from edi_gateway.store.transmissions import TransmissionState

Name = Annotated[str, Field(min_length=1, max_length=80)]
Gtin = Annotated[str, Field(pattern=r"^[0-9]{8,14}$", description="8 to 14 digits", examples=["3760123450010"])]
Kind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,59}(\.\*)?$", examples=["payment.capturable", "alert.*"])]
IDEMPOTENCY_KEY_CHARACTERS_MAX = 200
ETAG_CHARACTERS_MAX = 200
GTINS_MAX = 500
KINDS_MAX = 50


class Strict(BaseModel):
    """A part of a request."""

    model_config = ConfigDict(extra="forbid")


class PlaceOrder(Strict):
    """An order for a vendor. `order` is an Order record; amounts and quantities as strings or JSON numbers."""

    partner: Name
    order: Order
    payment: Literal["accepted", "pending"] = Field(
        default="accepted", description="ORDERS leaves once the payment is accepted; pending holds it back"
    )


class OrderHeaders(BaseModel):
    """The headers of POST /orders."""

    model_config = ConfigDict(populate_by_name=True)

    idempotency_key: str | None = Field(
        default=None,
        alias="Idempotency-Key",
        min_length=1,
        max_length=IDEMPOTENCY_KEY_CHARACTERS_MAX,
        description="One for each order: the same order under the same key is placed once",
    )


class DecidePayment(Strict):
    """What the payment provider says."""

    payment: Literal["accepted", "refused"]


class OrderPath(Strict):
    number: Name


class InvoicePath(Strict):
    number: Name


class ShipmentPath(Strict):
    number: Name


class MessagePath(Strict):
    id: Name


class PartnerQuery(Strict):
    partner: Name | None = Field(default=None, description="where the number is used with several partners")


class PageQuery(Strict):
    limit: int = Field(default=PAGE_ROWS, ge=1, le=PAGE_ROWS_MAX)
    cursor: str | None = Field(default=None, max_length=200, description="`next` of the page before")
    partner: Name | None = None


class OrdersQuery(PageQuery):
    state: OrderState | None = None


class ConfirmationsQuery(PageQuery):
    order: Name | None = Field(default=None, description="only answers to orders of this number")


class InventoryQuery(PageQuery):
    gtin: Gtin | None = None


class AvailabilityQuery(Strict):
    gtin: list[Gtin] = Field(
        min_length=1, max_length=GTINS_MAX, description="one or more, each as a parameter of its own: gtin=…&gtin=…"
    )
    partner: Name | None = None


class InvoicesQuery(PageQuery):
    state: InvoiceState | None = None
    kind: InvoiceKind | None = None
    direction: Direction | None = None


class ShipmentsQuery(PageQuery):
    order: Name | None = Field(default=None, description="only shipments of this order number")


class MessagesQuery(PageQuery):
    direction: Direction | None = None
    type: str | None = Field(default=None, max_length=20)
    state: MessageState | None = None
    document: Name | None = Field(default=None, description="document or order number")
    overdue: bool = Field(default=False, description="only those of ours whose CONTRL did not come in time")


class MessageQuery(Strict):
    language: Literal["en", "fr"] | None = Field(default=None, description="of the findings; else by Accept-Language")


class FindingsQuery(PageQuery):
    code: str | None = Field(default=None, max_length=8, description="such as B601")
    severity: Severity | None = None
    message: Name | None = Field(default=None, description="only those of the message with this id")
    language: Literal["en", "fr"] | None = Field(default=None, description="else by Accept-Language")


class TransmissionPath(Strict):
    id: Name


class StatementsQuery(PageQuery):
    pass


class StatementPath(Strict):
    id: int = Field(ge=1, le=KEY_MAX)


class TransmissionsQuery(PageQuery):
    direction: Direction | None = None
    state: TransmissionState | None = None


class EventsQuery(Strict):
    after: int = Field(default=0, ge=0, le=KEY_MAX, description="number of the last event seen")
    limit: int = Field(default=PAGE_ROWS, ge=1, le=PAGE_ROWS_MAX)
    kind: list[Kind] = Field(default=[], max_length=KINDS_MAX, description="only these kinds; may be repeated")
    partner: Name | None = None


class CommissionCycleBody(Strict):
    """A cycle, both days included."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    partner: Name
    start: date = Field(alias="from")
    end: date = Field(alias="to")


class AddEndpoint(Strict):
    """A URL that is to hear of events."""

    url: str = Field(min_length=1, max_length=2000, examples=["https://shop.example/hooks/edi"])
    kinds: list[Kind] = Field(default=[], max_length=KINDS_MAX, description="of events; none: all of them")
    partner: Name | None = Field(default=None, description="only this partner's events")
    after: int | None = Field(
        default=None, ge=0, le=KEY_MAX, description="from the event after this number on; else from now on"
    )


class EndpointPath(Strict):
    id: Name


class PartnerPath(Strict):
    partner: Name


class SheetQuery(Strict):
    format: Literal["csv", "xlsx"] = Field(default="csv", description="of the sheet")


class Window(Strict):
    """When the goods may be delivered; either end may be open."""

    start: date | None = None
    end: date | None = None

    def period(self) -> Period:
        return Period(start=self.start, end=self.end)


class LineChangeBody(Strict):
    """What is asked of one line; what is left out stays. A quantity is all that is to come of it; 0 cancels it."""

    number: int = Field(ge=1, le=LINE_NUMBER_MAX)
    quantity: Decimal | None = Field(default=None, ge=0, lt=QUANTITY_MAX, decimal_places=QUANTITY_DECIMALS_MAX)
    unit_price: Decimal | None = Field(default=None, gt=0, lt=PRICE_MAX, decimal_places=PRICE_DECIMALS_MAX)
    delivery_window: Window | None = None


Reason = Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$", description="for the vendor to read")]


class ChangeOrder(Strict):
    """A change of an order, asked of the vendor by ORDCHG."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"lines": [{"number": 2, "quantity": "6"}], "reason": "too many"}]},
    )

    lines: list[LineChangeBody] = Field(default=[], max_length=LINES_MAX)
    delivery_window: Window | None = None
    reason: Reason = ""

    def request(self) -> ChangeRequest:
        lines = tuple(
            LineRequest(
                number=line.number,
                quantity=line.quantity,
                unit_price=line.unit_price,
                delivery_window=line.delivery_window.period() if line.delivery_window is not None else None,
            )
            for line in self.lines
        )
        window = self.delivery_window.period() if self.delivery_window is not None else None
        return ChangeRequest(lines=lines, delivery_window=window, reason=self.reason)


class CancelOrder(Strict):
    """A cancellation of a whole order, asked of the vendor by ORDCHG."""

    reason: Reason = ""
