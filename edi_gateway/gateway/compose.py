"""From a record to an interchange that waits to be sent (T3), within the caller's unit of work.

    compose         record -> translator -> segments
    queue_answer    verdict -> the segments of a CONTRL
    both            -> control reference, UNB to UNZ -> judged by our own checker -> payload kept -> transmission

The control reference comes from a counter in the same transaction: it is given back if the transaction rolls back, and
never used twice. What our own checker finds fault with does not leave.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from edi_gateway.edifact import contrl
from edi_gateway.edifact.characters import CharacterRefused
from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.edifact.verdict import Address, InterchangeHeader, InterchangeVerdict, MessageHeader
from edi_gateway.edifact.writer import ServiceCharacterRefused, write_interchange
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.dispatch import enqueue
from edi_gateway.gateway.fingerprints import of_interchange, of_record
from edi_gateway.messages.judge import judge
from edi_gateway.partnership import Direction, MessageAgreement, Partnership
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.documents import Interchange, InterchangeState, Message, MessageState, take_number
from edi_gateway.store.transmissions import Transmission
from edi_gateway.translators import EncodeContext, NotWritable, association, translator
from edi_gateway.translators.json_form import to_json

MESSAGE_REFERENCE = "1"
"""UNH 0062: each of our interchanges holds one message, so that a partner can refuse each alone."""

_REPETITION = {"4": "*"}
"""Syntax 4 has a repetition separator (ISO 9735-1 §6); before, the place is a space."""


_UNH_AND_UNT = 2


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
    outgoing = draft(uow, gateway, partnership, message_type, record)
    return _queue_record(uow, gateway, outgoing, _checked(write(outgoing)), record, business_key)


def draft(uow: UnitOfWork, gateway: Gateway, partnership: Partnership, message_type: str, record: Any) -> Outgoing:
    """The message and its envelope, with a control reference taken for it. Raises ComposeRefused."""
    agreement = partnership.agreement(message_type, Direction.OUT)
    translate = translator(message_type)
    if translate is None:
        raise ComposeRefused(f"records cannot be written as {message_type}")
    if agreement is None:
        raise ComposeRefused(
            f"{message_type} to {partnership.name} is not agreed: add it to [[messages]] of its partner.toml"
        )
    context = EncodeContext(
        directory=agreement.directory,
        association=agreement.association,
        timezone=partnership.edifact.timezone,
        habits=partnership.habits,
    )
    try:
        body = translate.encode(record, context)
    except NotWritable as refusal:
        raise ComposeRefused(f"the record does not fit into {message_type} {agreement.directory}: {refusal}") from None
    envelope = _envelope(uow, gateway, partnership)
    return Outgoing(partnership, envelope, _header(message_type, agreement), body)


def queue_as_written(
    uow: UnitOfWork, gateway: Gateway, outgoing: Outgoing, data: bytes, record: Any, business_key: str
) -> Message:
    """Queue bytes that the caller wrote itself, such as a counterparty that is wrong on purpose."""
    written = _Written(data, of_interchange(next(judge([data]))))
    return _queue_record(uow, gateway, outgoing, written, record, business_key)


def _queue_record(
    uow: UnitOfWork, gateway: Gateway, outgoing: Outgoing, written: _Written, record: Any, business_key: str
) -> Message:
    message = _queue(uow, gateway, outgoing, written, business_key)
    message.record = to_json(record)
    message.record_sha256 = of_record(message.record)
    message.document_number = record.number
    return message


def queue_answer(
    uow: UnitOfWork, gateway: Gateway, partnership: Partnership, verdict: InterchangeVerdict, answers: Interchange
) -> Message:
    """Queue the CONTRL for an interchange that came in. Raises ComposeRefused where it cannot be written.

    It goes from whom the interchange was for to whom it was from, and repeats their values as they came: our own
    checker may find fault with those, and the answer leaves all the same.
    """
    reference = _control_reference(uow, partnership)
    undated = contrl.envelope(verdict, date="", time="", control_reference=reference)
    date, time = _local(gateway.now(), partnership.edifact.timezone, undated.syntax_version)
    envelope = replace(undated, date=date, time=time)
    header = contrl.contrl_header(verdict, MESSAGE_REFERENCE)
    outgoing = Outgoing(partnership, envelope, header, contrl.answer(verdict), answers.id)
    data = write(outgoing)
    return _queue(uow, gateway, outgoing, _Written(data, of_interchange(next(judge([data])))), "")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message on its way out, in an interchange of its own."""

    partnership: Partnership
    envelope: InterchangeHeader
    header: MessageHeader
    body: Sequence[Segment]
    answers_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Written:
    """The bytes of an interchange, and the digest of what they say."""

    data: bytes
    content_sha256: str


def _queue(uow: UnitOfWork, gateway: Gateway, outgoing: Outgoing, written: _Written, business_key: str) -> Message:
    """Keep the bytes, queue the transmission, and put interchange and message into the store."""
    partnership, header = outgoing.partnership, outgoing.header
    transmission = enqueue(
        uow,
        gateway,
        partnership,
        gateway.payloads.put(io.BytesIO(written.data)),
        partnership.as2.content_type,
        f"{header.type.lower()}-{outgoing.envelope.control_reference}.edi",
        document_types=header.type,
    )
    uow.session.flush()
    interchange = _interchange(gateway, transmission, outgoing, written)
    uow.session.add(interchange)
    uow.session.flush()
    message = _message(gateway, interchange, outgoing, business_key)
    uow.session.add(message)
    uow.record_event(
        "message.state",
        message.subject,
        None,
        message.state,
        f"{header.type} {business_key} for {partnership.name}",
        {"control_reference": interchange.control_reference, "transmission": transmission.id},
        interchange.at,
    )
    uow.session.flush()
    return message


def _header(message_type: str, agreement: MessageAgreement) -> MessageHeader:
    version, _, release = agreement.directory.partition(".")
    code = agreement.association or association(message_type, agreement.directory)
    return MessageHeader(MESSAGE_REFERENCE, message_type, version, release, association=code)


def _envelope(uow: UnitOfWork, gateway: Gateway, partnership: Partnership) -> InterchangeHeader:
    """UNB: addresses, local time, and the next control reference of the partnership."""
    policy = partnership.edifact
    date, time = _local(gateway.now(), policy.timezone, policy.syntax_version)
    return InterchangeHeader(
        syntax_identifier=policy.syntax_identifier,
        syntax_version=policy.syntax_version,
        sender=Address(policy.our_id, policy.our_qualifier),
        recipient=Address(policy.their_id, policy.their_qualifier),
        date=date,
        time=time,
        control_reference=_control_reference(uow, partnership),
        acknowledgement_request=contrl.ACKNOWLEDGEMENT_ASKED if policy.request_acknowledgement else "",
        agreement=policy.agreement,
        test_indicator="1" if policy.test else "",
    )


def _control_reference(uow: UnitOfWork, partnership: Partnership) -> str:
    return f"{take_number(uow.session, f'interchange:{partnership.name}'):09d}"


def _local(now: datetime, timezone: str, syntax_version: str) -> tuple[str, str]:
    """S004 in the partnership's time zone: the year has four digits from syntax 4 on."""
    local = now.astimezone(ZoneInfo(timezone))
    return local.strftime("%Y%m%d" if syntax_version == "4" else "%y%m%d"), local.strftime("%H%M")


def write(outgoing: Outgoing) -> bytes:
    """The interchange. Raises ComposeRefused for what its character set does not have."""
    envelope = outgoing.envelope
    separators = Separators(repetition=_REPETITION.get(envelope.syntax_version, ""))
    una = outgoing.partnership.edifact.send_una
    try:
        return write_interchange(envelope, [(outgoing.header, outgoing.body)], separators, una=una)
    except (CharacterRefused, ServiceCharacterRefused) as refusal:
        raise ComposeRefused(f"{outgoing.header.type} cannot be written: {refusal}") from None


def _checked(data: bytes) -> _Written:
    """The bytes, if our own checker finds no error in them."""
    verdicts = list(judge([data]))
    findings = [finding for verdict in verdicts for finding in verdict.all_findings()]
    errors = [finding for finding in findings if finding.is_error]
    if errors or len(verdicts) != 1:
        raise ComposeRefused("our own checker refuses the message: " + "; ".join(f.text() for f in errors), findings)
    return _Written(data, of_interchange(verdicts[0]))


def _interchange(gateway: Gateway, transmission: Transmission, outgoing: Outgoing, written: _Written) -> Interchange:
    envelope = outgoing.envelope
    return Interchange(
        id=gateway.new_id(),
        direction=Direction.OUT,
        state=InterchangeState.SENT,
        partnership=outgoing.partnership.name,
        transmission_id=transmission.id,
        payload_sha256=transmission.payload_sha256,
        content_sha256=written.content_sha256,
        sender=_address(envelope.sender),
        recipient=_address(envelope.recipient),
        control_reference=envelope.control_reference,
        syntax=f"{envelope.syntax_identifier}:{envelope.syntax_version}",
        test=envelope.is_test,
        at=transmission.created_at,
        contrl_asked_at=transmission.created_at if envelope.acknowledgement_request else None,
        answers_id=outgoing.answers_id,
    )


def _message(gateway: Gateway, interchange: Interchange, outgoing: Outgoing, business_key: str) -> Message:
    header = outgoing.header
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
        segments=len(outgoing.body) + _UNH_AND_UNT,
        at=interchange.at,
        changed_at=interchange.at,
    )


def _address(address: Address) -> str:
    return f"{address.identifier}:{address.qualifier}" if address.qualifier else address.identifier
