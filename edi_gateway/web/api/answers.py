"""What answers hold: the models of the OpenAPI description. `edi_gateway.gateway.overview` makes the values.

Quantities and amounts are strings of digits, times ISO 8601 in UTC. Further keys may come with a later version; none of
these goes away within v1.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from edi_gateway.edifact.findings import Level, Severity
from edi_gateway.marketplace.fulfilment import OrderMessageState, OrderState, PaymentState
from edi_gateway.marketplace.matching import DiscrepancyClass, MatchStatus, Owner
from edi_gateway.marketplace.quantities import LineState
from edi_gateway.partnership import Direction
from edi_gateway.store.api import EndpointState
from edi_gateway.store.business import ChangeKind, ChangeState, InvoiceKind, InvoiceState
from edi_gateway.store.documents import InterchangeState, MessageState
from edi_gateway.store.transmissions import TransmissionKind, TransmissionState

Digits = Annotated[str, Field(description="a decimal number", examples=["12.50"])]
When = Annotated[str, Field(description="ISO 8601: a time in UTC, or a date", examples=["2026-11-22T12:00:00+00:00"])]
Next = Annotated[str | None, Field(description="`cursor` of the page that follows; null on the last one")]


class Answer(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="allow")


class OrderSummary(Answer):
    """An order in a list: its state and the sum of each quantity."""

    partner: str
    number: str
    state: OrderState
    payment: PaymentState
    message: OrderMessageState
    currency: str
    quantities: dict[str, Digits]
    created_at: When
    changed_at: When


class OrderedLine(Answer):
    """A line of an order with what became of it."""

    number: int
    state: LineState
    gtin: str
    supplier_article: str
    description: str
    unit: str
    quantities: dict[str, Digits]
    unit_price: Digits | None
    agreed_price: Digits | None
    proposed_price: Digits | None
    net_amount: Digits
    vat_rate: Digits | None
    promised_ship: When | None
    promised_delivery: When | None
    reason: str


class AnswerToOrder(Answer):
    """One answer (ORDRSP) to an order; a later revision replaces the lines that it speaks of."""

    revision: int
    number: str
    response: str = Field(description="BGM 1225", examples=["29"])
    received_at: When
    message_id: str


class OrderAsPlaced(OrderSummary):
    """An order with its lines and the answers to it; `order` is the Order record."""

    issued: When
    message_id: str | None
    lines: list[OrderedLine]
    confirmations: list[AnswerToOrder]
    order: dict[str, Any]


class PackageOut(Answer):
    """A package of a shipment."""

    number: str
    parent: str
    type: str
    ssccs: list[str]


class LineOfOrder(Answer):
    """How much of which order line."""

    order_number: str
    order_line: int
    quantity: Digits


class ShipmentOut(Answer):
    """A shipment (DESADV) with its packages and what it brought of which order line."""

    partner: str
    number: str
    shipped: When | None
    estimated_arrival: When | None
    carrier: str
    tracking: str
    received_at: When
    message_id: str
    packages: list[PackageOut]
    lines: list[LineOfOrder]


class ChangeOut(Answer):
    """A change or cancellation that was asked of an order; `request` is what was asked."""

    version: int
    number: str
    kind: ChangeKind
    state: ChangeState
    request: dict[str, Any]
    reason: str
    message_id: str | None
    requested_at: When
    settled_at: When | None
    settled_by: str


class OrderWithShipments(OrderAsPlaced):
    """One order with all that happened."""

    shipments: list[ShipmentOut]
    changes: list[ChangeOut]


class Orders(Answer):
    """A page of orders."""

    orders: list[OrderSummary]
    next: Next


class ConfirmationOut(AnswerToOrder):
    """An answer to an order, with its record."""

    partner: str
    order_number: str
    record: dict[str, Any] | None = Field(description="the OrderConfirmation record")


class Confirmations(Answer):
    """A page of answers."""

    confirmations: list[ConfirmationOut]
    next: Next


class Stock(Answer):
    """The stock of an article at a place."""

    partner: str
    article: str
    gtin: str
    supplier_article: str
    location: str
    unit: str
    actual: Digits
    committed: Digits
    reserved: Digits
    despatched: Digits
    available: Digits
    in_transit: Digits
    discontinued: bool
    as_of: When
    message_id: str


class Inventory(Answer):
    """A page of stock."""

    inventory: list[Stock]
    next: Next


class Offer(Answer):
    """Who has an article, and where."""

    partner: str
    location: str
    available: Digits
    in_transit: Digits
    discontinued: bool
    as_of: When


class ArticleAvailability(Answer):
    """What can be sold of an article now, over all vendors and places."""

    gtin: str
    known: bool
    available: Digits
    offers: list[Offer]


class Availability(Answer):
    """What can be sold, one entry for each GTIN asked for, in that order."""

    availability: list[ArticleAvailability]


class DiscrepancyOut(Answer):
    """One disagreement of an invoice."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    kind: DiscrepancyClass = Field(alias="class")
    owner: Owner
    path: str
    found: str
    expected: str
    within_tolerance: bool
    since: When


class Match(Answer):
    """What the comparison of an invoice came to."""

    status: MatchStatus | None
    agrees: bool
    discrepancies: list[DiscrepancyOut]


class InvoiceOut(Answer):
    """An invoice of a vendor, or our commission invoice."""

    partner: str
    direction: Direction
    kind: InvoiceKind
    number: str
    type_code: str
    state: InvoiceState
    issued: When
    due: When | None
    currency: str
    net: Digits
    vat: Digits
    total: Digits
    at: When
    message_id: str
    match: Match
    lines: list[LineOfOrder]


class Invoices(Answer):
    """A page of invoices."""

    invoices: list[InvoiceOut]
    next: Next


class InvoicesFound(Answer):
    """Invoices that belong together."""

    invoices: list[InvoiceOut]


class ShipmentsFound(Answer):
    """The shipments of one number."""

    shipments: list[ShipmentOut]


class Shipments(Answer):
    """A page of shipments."""

    shipments: list[ShipmentOut]
    next: Next


class StatementOut(Answer):
    """A cash-out cycle of a vendor in one currency, with the invoice of its commission."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    id: int
    partner: str
    start: When = Field(alias="from")
    end: When = Field(alias="to")
    currency: str
    commission: InvoiceOut
    goods: int = Field(description="how many goods invoices it charges")


class Statements(Answer):
    """A page of cycles."""

    statements: list[StatementOut]
    next: Next


class FindingOut(Answer):
    """One defect of a document."""

    code: str
    severity: Severity
    level: Level
    segment: str | None
    position: int | None
    element: int | None
    component: int | None
    offset: int | None
    value: str | None
    expected: str | None
    path: str | None
    text: str
    hint: str
    contrl: str | None


class ListedFinding(FindingOut):
    """A finding with the document that it was found in."""

    partner: str
    interchange_id: str
    message_id: str | None
    type: str | None
    document_number: str | None
    at: When


class Findings(Answer):
    """A page of findings."""

    findings: list[ListedFinding]
    next: Next


class MessageSummary(Answer):
    """A message in a list."""

    id: str
    partner: str
    direction: Direction
    type: str
    directory: str
    reference: str
    state: MessageState
    reason: str
    document_number: str
    business_key: str
    awaits: str
    at: When
    changed_at: When


class Messages(Answer):
    """A page of messages."""

    messages: list[MessageSummary]
    next: Next


class InterchangeOut(Answer):
    """The envelope of a message."""

    id: str
    control_reference: str
    sender: str
    recipient: str
    syntax: str
    state: InterchangeState
    overdue_since: When | None
    test: bool
    transmission_id: str
    payload_sha256: str
    findings: list[FindingOut]


class MessageOut(MessageSummary):
    """A message with its findings, its interchange, the acknowledgements of it and its record."""

    segments: int
    findings: list[FindingOut]
    interchange: InterchangeOut
    answers: str | None
    acknowledgements: list[dict[str, Any]]
    record: dict[str, Any] | None
    unmapped: list[dict[str, Any]] = Field(description="what of the message has no field of the record, with its place")


class TransmissionOut(Answer):
    """A transmission: what travelled, how large, what came of it."""

    id: str
    partner: str | None
    direction: Direction
    kind: TransmissionKind
    state: TransmissionState
    reason: str
    documents: str
    message_id: str | None
    size: int | None
    wire_size: int | None
    disposition: str | None
    mic: str | None
    signed_with: str | None
    encrypted_with: str | None
    attempts: int
    created_at: When
    settled_at: When | None
    seconds: float | None


class Transmissions(Answer):
    """A page of transmissions."""

    transmissions: list[TransmissionOut]
    next: Next


class EventOut(Answer):
    """Something that the shop must hear of. The same `id` never comes with another content."""

    number: int
    id: str
    kind: str = Field(examples=["payment.capturable"])
    partner: str
    order_number: str
    at: When
    body: dict[str, Any]


class Events(Answer):
    """Events, oldest first; `after` is where the next request goes on."""

    events: list[EventOut]
    after: int


class EndpointOut(Answer):
    """A webhook endpoint."""

    id: str
    url: str
    state: EndpointState
    kinds: list[str]
    partner: str | None
    position: int = Field(description="number of the last event that it took, or that was not for it")
    waiting: int = Field(description="events that wait for it, counted up to 1000")
    attempts: int
    reason: str
    due_at: When | None
    created_at: When
    delivered_at: When | None


class NewEndpoint(EndpointOut):
    """A new endpoint with its secret, which is shown this once."""

    secret: str


class Endpoints(Answer):
    """The webhook endpoints."""

    webhooks: list[EndpointOut]


class TestOfEndpoint(Answer):
    """What a trial came to."""

    delivered: bool
    status: int | None
    reason: str


class SheetTaken(Answer):
    """What an uploaded sheet did."""

    rows: int = Field(description="rows that said something")
    messages: list[MessageSummary]
