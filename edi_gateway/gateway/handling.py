"""What a handler of records is given, and how it says that a record has to wait.

A role (the marketplace here, the vendor in the simulator) is a table `message type -> RecordHandler`. The handler
works within the transaction of `gateway.unpack`: what it returns are findings, and errors among them make the message
an exception that an operator sees; nothing that it did is undone by that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from edi_gateway.edifact.findings import Finding
from edi_gateway.gateway.app import Gateway
from edi_gateway.partnership import Partnership
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.documents import Message, add_findings

SETTLEMENT = "CONTRL"
"""The key of the handler that hears how a partner acknowledged a message of ours; its record is a `Settled`."""


@dataclass(slots=True)
class HandlerContext:
    """One message being applied: the transaction, the partnership, the row."""

    uow: UnitOfWork
    gateway: Gateway
    partnership: Partnership
    message: Message
    now: datetime
    awaits: str = ""
    answered: list[str] = field(default_factory=list)

    def wait_for(self, order_number: str) -> None:
        """Leave the message until the answer to this order has been applied; then its handler runs again."""
        self.awaits = order_number

    def annotate(self, message: Message, findings: Sequence[Finding]) -> None:
        """Put findings down with another message than the one in hand, such as a message of ours."""
        add_findings(self.uow.session, findings, message.interchange_id, message.id)

    def has_answered(self, order_number: str) -> None:
        """The message was the answer to this order: what waits for it may go on."""
        self.answered.append(order_number)


@dataclass(frozen=True, slots=True)
class Settled:
    """How the partner acknowledged a message of ours (the context's message): accepted, or the code of the error.

    That is a code of 0085 in a CONTRL, one of the partner's own in an APERAK.
    """

    accepted: bool
    code: str = ""
    by: str = "CONTRL"


RecordHandler = Callable[[HandlerContext, Any], list[Finding]]
