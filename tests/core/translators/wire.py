"""Messages by hand and through the wire, for the tests of the translators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edi_gateway import messages
from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.reader import MessageRead, read
from edi_gateway.edifact.segment import Segment
from edi_gateway.edifact.verdict import Address, InterchangeHeader, Message, MessageHeader
from edi_gateway.edifact.writer import write_interchange
from edi_gateway.messages.tree import Group
from edi_gateway.translators import DecodeContext, Decoded, EncodeContext, translator

HEADER = InterchangeHeader(
    "UNOC", "3", Address("3760000000017", "14"), Address("3760000001014", "14"), "261122", "0915", "MKT0001"
)


def message_header(message_type: str, directory: str = "D.96A") -> MessageHeader:
    version, release = directory.split(".")
    return MessageHeader("1", message_type, version, release)


def through_the_wire(message_type: str, body: Sequence[Segment], directory: str = "D.96A") -> Message:
    """The message as read back from the interchange that was written of it."""
    written = write_interchange(HEADER, [(message_header(message_type, directory), body)])
    found = [event.message for event in read([written]) if isinstance(event, MessageRead)]
    assert len(found) == 1
    assert [finding.text() for finding in found[0].findings] == []
    return found[0]


def judged(message: Message) -> tuple[Group, list[Finding]]:
    """The tree, and the errors of form."""
    specification = messages.specification(message.header.type, message.header.directory)
    assert specification is not None
    verdict = messages.check(message, specification)
    assert isinstance(verdict.tree, Group)
    return verdict.tree, [finding for finding in verdict.findings if finding.is_error]


def segments(text: str) -> list[Segment]:
    """Segments of text, one a line or ended by an apostrophe; no released characters."""
    lines = [line.strip() for line in text.replace("'", "\n").splitlines() if line.strip()]
    return [
        Segment(line[:3], [element.split(":") for element in line.split("+")], position)
        for position, line in enumerate(lines, start=2)
    ]


def tree_of(message_type: str, body: str, directory: str = "D.96A") -> Group:
    """The group tree of a message given by its body, without UNH and UNT."""
    return judged(message_of(message_type, segments(body), directory))[0]


def decoded(message_type: str, body: str, directory: str = "D.96A", **context: Any) -> Decoded[Any]:
    """What a message given by its body says."""
    found = translator(message_type)
    assert found is not None
    return found.decode(tree_of(message_type, body, directory), DecodeContext(directory=directory, **context))


def message_of(message_type: str, body: Sequence[Segment], directory: str = "D.96A") -> Message:
    """The message around a body, as the reader would give it."""
    version, release = directory.split(".")
    unh = Segment("UNH", [["UNH"], ["1"], [message_type, version, release, "UN"]], 1)
    unt = Segment("UNT", [["UNT"], [str(len(body) + 2)], ["1"]], len(body) + 2)
    return Message(message_header(message_type, directory), [unh, *body, unt])


def there_and_back(message_type: str, record: Any, directory: str = "D.96A", **context: Any) -> Decoded[Any]:
    """The record written, checked against the directory without an error, and decoded again."""
    found = translator(message_type)
    assert found is not None
    body = found.encode(record, EncodeContext(directory=directory, **context))
    tree, errors = judged(message_of(message_type, body, directory))
    assert [(error.code, error.segment, error.position, error.value, error.text()) for error in errors] == []
    return found.decode(tree, DecodeContext(directory=directory))
