"""What is wrong with a document though its syntax is right: an APERAK tells the partner, if that is agreed.

One APERAK a document, with all its errors (313; 312 for one that took effect and is held for a warning): our code, the
text in the partner's language, and the line. It is queued in the transaction that found the errors (T2), after the
CONTRL. An acknowledgement is never answered by one, and what is our own doing (T1xx) is no matter of the partner's.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edi_gateway.edifact.findings import Finding, Severity
from edi_gateway.edifact.folding import fold
from edi_gateway.edifact.segment import Segment
from edi_gateway.gateway import rules
from edi_gateway.gateway.compose import ComposeRefused, compose
from edi_gateway.gateway.handling import HandlerContext
from edi_gateway.marketplace.acknowledgement import (
    PREVIOUS_MESSAGE,
    REFUSED,
    AcknowledgementType,
    ApplicationAcknowledgement,
    ApplicationError,
)
from edi_gateway.marketplace.parties import Note, Party, PartyRole, Reference
from edi_gateway.marketplace.rules import HELD
from edi_gateway.messages import message_type
from edi_gateway.messages.tree import Group
from edi_gateway.partnership import Direction
from edi_gateway.store.documents import Message, answers_to, take_number
from edi_gateway.translators.json_form import to_json

APERAK = "APERAK"

ERRORS_MAX = 999
"""ERC in an APERAK of D.96A."""

TEXT_LINES_MAX = 5
TEXT_LINE_CHARACTERS = 70
"""FTX C108 in D.96A: five times 4440, an..70."""

REFERENCE_CHARACTERS_MAX = 35
"""RFF 1154 in D.96A; a longer number would name another document."""

LINE_NUMBER_CHARACTERS_MAX = 6
"""LIN 1082."""

DOCUMENT_REFERENCE: Mapping[str, str] = {"ORDERS": "ON", "ORDCHG": "ON", "DESADV": "AAK", "INVOIC": "IV"}
"""1153 of the number of a document, by message type; RELATED_DOCUMENT for any other."""

RELATED_DOCUMENT, ORDER, LINE_ITEM = "ACE", "ON", "LI"
OUR_LIST = "ZZZ"  # 1131: agreed between the two
ERROR_DESCRIPTION = "AAO"  # 4451
GS1 = "9"  # 3055
GLN_QUALIFIER = "14"  # 0007

_LINE_PATH = re.compile(r"(?:orders\[(?P<order>.+)\]/)?(?:lines|items)\[(?P<line>[0-9]{1,6})\]")


@dataclass(frozen=True, slots=True)
class _Roles:
    """Who of us buys: it decides the parties, and in whose list our codes are (3055)."""

    ours: PartyRole
    theirs: PartyRole
    agency: str


_WE_BUY = _Roles(PartyRole.BUYER, PartyRole.SUPPLIER, "92")
_WE_SELL = _Roles(PartyRole.SUPPLIER, PartyRole.BUYER, "91")


def refuse(context: HandlerContext, findings: Sequence[Finding], tree: object | None = None) -> None:
    """Queue the APERAK for what the partner has to mend, where it is agreed. `tree` is that of the message.

    Told once: tried again by an operator with the same outcome, the document is not refused a second time.
    """
    errors = [finding for finding in findings if _is_told(finding)]
    type_ = message_type(context.message.type)
    agreed = context.partnership.agreement(APERAK, Direction.OUT)
    if not errors or agreed is None or type_ is None or type_.acknowledges:
        return
    record = _record(context, errors[:ERRORS_MAX], tree)
    earlier = answers_to(context.uow.session, context.message.id)
    if earlier and earlier[0].record["errors"] == to_json(record)["errors"]:
        return
    _queue(context, record)


def _is_told(finding: Finding) -> bool:
    if finding.rule in rules.RULES:
        return False
    return finding.is_error or (finding.rule in HELD and finding.severity is Severity.WARNING)


def _queue(context: HandlerContext, record: ApplicationAcknowledgement) -> None:
    subject = context.message
    try:
        sent = compose(
            context.uow, context.gateway, context.partnership, APERAK, record, business_key=subject.business_key
        )
    except ComposeRefused as refusal:
        # It repeats the partner's own references, which may hold what cannot be written; the rest still stands.
        context.uow.record_event("alert.unanswered", subject.subject, None, None, refusal.why, {}, context.now)
        return
    sent.answers_id = subject.id
    context.uow.session.flush()


def _record(context: HandlerContext, errors: Sequence[Finding], tree: object | None) -> ApplicationAcknowledgement:
    roles = _WE_SELL if context.partnership.agreement("ORDERS", Direction.IN) else _WE_BUY
    refused = any(finding.is_error for finding in errors)
    number = take_number(context.uow.session, f"APERAK:{context.partnership.name}")
    lines = _lines(tree, {finding.position for finding in errors if finding.position}) if tree else {}
    return ApplicationAcknowledgement(
        type=AcknowledgementType.ERROR if refused else AcknowledgementType.TAKEN_IN,
        number=f"AP{number:08d}",
        function=REFUSED if refused else "",
        issued=context.now.replace(second=0, microsecond=0),
        references=tuple(_references(context.message)),
        parties=tuple(_parties(context, roles)),
        errors=tuple(_error(context, finding, lines, roles) for finding in errors),
    )


def _references(message: Message) -> Iterator[Reference]:
    """The document by its number, its order, and the message by its reference (0062)."""
    own = DOCUMENT_REFERENCE.get(message.type, RELATED_DOCUMENT)
    order = message.business_key if own != ORDER else ""
    for qualifier, number in (
        (own, message.document_number),
        (ORDER, order),
        (PREVIOUS_MESSAGE, message.reference),
    ):
        if number and len(number) <= REFERENCE_CHARACTERS_MAX:
            yield Reference(qualifier=qualifier, number=number)


def _parties(context: HandlerContext, roles: _Roles) -> Iterator[Party]:
    edifact = context.partnership.edifact
    our_gln = context.gateway.config.identity.gln or (edifact.our_id if edifact.our_qualifier == GLN_QUALIFIER else "")
    both = (
        (roles.ours, our_gln, edifact.our_id),
        (roles.theirs, context.partnership.partner.gln, edifact.their_id),
    )
    for role, gln, address in sorted(both):
        yield Party(role=role, identifier=gln or address, agency=GS1 if gln else "")


def _error(context: HandlerContext, finding: Finding, lines: Mapping[int, str], roles: _Roles) -> ApplicationError:
    line = _line_reference(finding, lines)
    return ApplicationError(
        code=finding.code,
        list_code=OUR_LIST,
        agency=roles.agency,
        notes=(Note(subject=ERROR_DESCRIPTION, text=_text(context, finding)),),
        references=(line,) if line else (),
    )


def _text(context: HandlerContext, finding: Finding) -> tuple[str, ...]:
    """What is wrong and what to do, in lines that D.96A can hold and the agreed character set has."""
    language = context.partnership.partner.speaks
    lines = [
        line
        for text in (finding.text(language), finding.hint(language))
        for line in textwrap.wrap(fold(text, context.partnership.edifact.syntax_identifier), TEXT_LINE_CHARACTERS)
    ]
    return tuple(lines[:TEXT_LINES_MAX])


def _line_reference(finding: Finding, lines: Mapping[int, str]) -> Reference | None:
    """The line of the document, or of the order, that the error is about."""
    if finding.position is not None:
        line = lines.get(finding.position, "")
        return Reference(qualifier=LINE_ITEM, number=line) if line else None
    found = _LINE_PATH.match(finding.path or "")
    if found is None:
        return None
    order, line = found["order"], found["line"]
    if order and len(order) <= REFERENCE_CHARACTERS_MAX:
        return Reference(qualifier=ORDER, number=order, line=line)
    return Reference(qualifier=LINE_ITEM, number=line)


def _lines(tree: object, positions: set[int]) -> dict[int, str]:
    """Position of a segment -> LIN 1082 of the line that it belongs to, for these positions."""
    return dict(_walk(tree, positions, "")) if isinstance(tree, Group) else {}


def _walk(group: Group, positions: set[int], line: str) -> Iterator[tuple[int, str]]:
    for child in group.children:
        if isinstance(child, Segment):
            if line and child.position in positions:
                yield child.position, line
        else:
            yield from _walk(child, positions, _line_number(child) if child.trigger == "LIN" else line)


def _line_number(group: Group) -> str:
    return next(group.walk()).get(1)[:LINE_NUMBER_CHARACTERS_MAX]
