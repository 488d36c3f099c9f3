"""From a record to an interchange that waits to be sent (T3), within the caller's unit of work.

    compose    record -> translator -> segments
    queue      segments -> control references, UNB to UNZ -> judged by our own checker -> payload kept -> transmission

The control reference comes from a counter in the same transaction: it is given back if the transaction rolls back, and
never used twice. What our own checker finds fault with does not leave.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from edi_gateway.edifact.characters import CharacterRefused
from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.edifact.verdict import Address, InterchangeHeader, InterchangeVerdict, MessageHeader
from edi_gateway.edifact.writer import ServiceCharacterRefused, write_interchange
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.dispatch import enqueue
from edi_gateway.gateway.fingerprints import of_interchange, of_record
from edi_gateway.messages.judge import judge
from edi_gateway.partnership import Direction, EdifactPolicy, MessageAgreement, Partnership
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.documents import Interchange, InterchangeState, Message, MessageState, take_number
from edi_gateway.store.transmissions import Transmission
from edi_gateway.translators import EncodeContext, NotWritable, association, translator
from edi_gateway.translators.json_form import to_json

MESSAGE_REFERENCE = "1"
"""UNH 0062: each of our interchanges holds one message, so that a partner can refuse each alone."""

_REPETITION = {"4": "*"}
"""Syntax 4 has a repetition separator (ISO 9735-1 §6); before, the place is a space."""


class ComposeRefused(Exception):
    """A document that cannot be sent: why, and what our own checker found."""

    def __init__(self, why: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(why)
        self.why = why
        self.findings = tuple(findings)


def compose(
    uow: UnitOfWork,
    gateway: Gateway,
    partnership: Partnership,
    message_type: str,
    record: Any,
    *,
    business_key: str = "",
) -> Message:
    """Queue a record for the partner as the agreed message. Raises ComposeRefused; nothing is queued then."""
    agreement = partnership.agreement(message_type, Direction.OUT)
    translate = translator(message_type)
    if translate is None:
        raise ComposeRefused(f"records cannot be written as {message_type}")
    if agreement is None:
        raise ComposeRefused(
            f"{message_type} to {partnership.name} is not agreed: add it to [[messages]] of its partner.toml"
        )
    context = EncodeContext(
        directory=agreement.directory, association=agreement.association, timezone=partnership.edifact.timezone
    )
    try:
        body = translate.encode(record, context)
    except NotWritable as refusal:
        raise ComposeRefused(f"the record does not fit into {message_type} {agreement.directory}: {refusal}") from None
    message = queue(uow, gateway, partnership, _header(message_type, agreement), body, business_key=business_key)
    message.record = to_json(record)
    message.record_sha256 = of_record(message.record)
    message.document_number = record.number
    return message


def queue(
    uow: UnitOfWork,
    gateway: Gateway,
    partnership: Partnership,
    header: MessageHeader,
    body: Sequence[Segment],
    *,
    business_key: str = "",
    answers: Interchange | None = None,
) -> Message:
    """Queue the body of one message (without UNH and UNT) for the partner, in an interchange of its own.

    `answers` is the interchange that a CONTRL answers; a CONTRL asks for no acknowledgement. Raises ComposeRefused.
    """
    now = gateway.now()
    envelope = _envelope(uow, partnership.edifact, partnership.name, now, acknowledged=answers is None)
    data = _written(envelope, header, body, partnership.edifact)
    content_sha256 = of_interchange(_checked(data))
    payload = gateway.payloads.put(io.BytesIO(data))
    transmission = enqueue(
        uow,
        gateway,
        partnership,
        payload,
        partnership.as2.content_type,
        f"{header.type.lower()}-{envelope.control_reference}.edi",
        document_types=header.type,
    )
    uow.session.flush()
    interchange = _interchange(gateway, transmission, envelope, content_sha256)
    interchange.answers_id = answers.id if answers is not None else None
    uow.session.add(interchange)
    uow.session.flush()
    message = _message(gateway, interchange, header, len(body) + 2, business_key)
    uow.session.add(message)
    uow.record_event(
        "message.state",
        message.subject,
        None,
        message.state,
        f"{header.type} {business_key} for {partnership.name}",
        {"control_reference": envelope.control_reference, "transmission": transmission.id},
        now,
    )
    uow.session.flush()
    return message


def _header(message_type: str, agreement: MessageAgreement) -> MessageHeader:
    version, _, release = agreement.directory.partition(".")
    code = agreement.association or association(message_type, agreement.directory)
    return MessageHeader(MESSAGE_REFERENCE, message_type, version, release, association=code)


def _envelope(
    uow: UnitOfWork, policy: EdifactPolicy, partnership: str, now: datetime, *, acknowledged: bool
) -> InterchangeHeader:
    """UNB: addresses, local time, and the next control reference of the partnership."""
    local = now.astimezone(ZoneInfo(policy.timezone))
    reference = take_number(uow.session, f"interchange:{partnership}")
    return InterchangeHeader(
        syntax_identifier=policy.syntax_identifier,
        syntax_version=policy.syntax_version,
        sender=Address(policy.our_id, policy.our_qualifier),
        recipient=Address(policy.their_id, policy.their_qualifier),
        date=local.strftime("%Y%m%d" if policy.syntax_version == "4" else "%y%m%d"),
        time=local.strftime("%H%M"),
        control_reference=f"{reference:09d}",
        acknowledgement_request="1" if acknowledged and policy.request_acknowledgement else "",
        agreement=policy.agreement,
        test_indicator="1" if policy.test else "",
    )


def _written(
    envelope: InterchangeHeader, header: MessageHeader, body: Sequence[Segment], policy: EdifactPolicy
) -> bytes:
    separators = Separators(repetition=_REPETITION.get(policy.syntax_version, ""))
    try:
        return write_interchange(envelope, [(header, body)], separators, una=policy.send_una)
    except (CharacterRefused, ServiceCharacterRefused) as refusal:
        raise ComposeRefused(f"{header.type} cannot be written: {refusal}") from None


def _checked(data: bytes) -> InterchangeVerdict:
    """What our own checker says of what we wrote; an error refuses it."""
    verdicts = list(judge([data]))
    findings = [finding for verdict in verdicts for finding in verdict.all_findings()]
    errors = [finding for finding in findings if finding.is_error]
    if errors or len(verdicts) != 1:
        raise ComposeRefused("our own checker refuses the message: " + "; ".join(f.text() for f in errors), findings)
    return verdicts[0]


def _interchange(
    gateway: Gateway, transmission: Transmission, envelope: InterchangeHeader, content_sha256: str
) -> Interchange:
    return Interchange(
        id=gateway.new_id(),
        direction=Direction.OUT,
        state=InterchangeState.SENT,
        partnership=transmission.partnership,
        transmission_id=transmission.id,
        payload_sha256=transmission.payload_sha256,
        content_sha256=content_sha256,
        sender=_address(envelope.sender),
        recipient=_address(envelope.recipient),
        control_reference=envelope.control_reference,
        syntax=f"{envelope.syntax_identifier}:{envelope.syntax_version}",
        test=envelope.is_test,
        at=transmission.created_at,
    )


def _message(
    gateway: Gateway, interchange: Interchange, header: MessageHeader, segments: int, business_key: str
) -> Message:
    return Message(
        id=gateway.new_id(),
        interchange_id=interchange.id,
        ordinal=1,
        direction=Direction.OUT,
        partnership=interchange.partnership,
        state=MessageState.SENT,
        reference=header.reference,
        type=header.type,
        directory=header.directory,
        association=header.association,
        business_key=business_key,
        segments=segments,
        at=interchange.at,
        changed_at=interchange.at,
    )


def _address(address: Address) -> str:
    return f"{address.identifier}:{address.qualifier}" if address.qualifier else address.identifier
