"""`edi-gateway translate`: EDIFACT files as records, and records as EDIFACT."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from edi_gateway.cli.documents import partner_of_folder
from edi_gateway.cli.frame import UserError, json_option, print_json, user_errors
from edi_gateway.edifact.characters import character_set
from edi_gateway.edifact.events import FileFinding
from edi_gateway.edifact.findings import Finding, Language
from edi_gateway.edifact.verdict import Address, InterchangeHeader, InterchangeVerdict, MessageVerdict
from edi_gateway.edifact.writer import write_interchange
from edi_gateway.marketplace.parties import Moment, PartyRole
from edi_gateway.messages.judge import InterchangeBegun, stream
from edi_gateway.messages.policy import JudgingPolicy
from edi_gateway.messages.tree import Group
from edi_gateway.partnership import Direction, Partnership
from edi_gateway.translators import (
    MESSAGE_TYPES,
    DecodeContext,
    Decoded,
    EncodeContext,
    NotWritable,
    translator,
)

CHUNK_BYTES = 64 * 1024
RECORD_BYTES_MAX = 64 * 1024 * 1024
"""A record as JSON larger than this is not read."""

ALL_TRANSLATED, ERRORS_FOUND, NOT_READ = 0, 1, 2
DIRECTORIES = ("D.96A", "D.01B")
GS1 = "14"  # 0007
SYNTAX = "UNOC", "3"
AGREEMENT = "EANCOM"  # 0032
MESSAGE_REFERENCE = "1"  # 0062
ZONE = "Europe/Paris"
SENT_BY_BUYER = frozenset({"ORDERS", "ORDCHG", "RECADV", "REMADV"})


def _time_zone(context: click.Context, parameter: click.Parameter, value: str) -> str:
    try:
        ZoneInfo(value or ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        raise click.BadParameter(f"{value} is no time zone; name one such as Europe/Paris") from None
    return value


@click.command()
@click.argument("file", metavar="FILE")
@json_option
@click.option("--lineage", is_flag=True, help="Say of each value from which segment it came.")
@click.option(
    "--timezone", default="", callback=_time_zone, help=f"Of times without one; default: {ZONE}, or the partner's."
)
@click.option(
    "--partner", metavar="NAME", help="Read and write as agreed with this trading partner, by its folder: its habits."
)
@click.option("--language", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="Of the findings.")
@click.option(
    "--to",
    "target",
    type=click.Choice(["json", "edifact"]),
    default="json",
    show_default=True,
    help="edifact: FILE is a record as JSON, and its interchange is written.",
)
@click.option("--type", "message_type", type=click.Choice(MESSAGE_TYPES), help="Of the message to write.")
@click.option(
    "--directory", type=click.Choice(DIRECTORIES), help=f"To write; default: {DIRECTORIES[0]}, or the partner's."
)
@click.option("--reference", default="1", show_default=True, help="Control reference of the interchange to write.")
def translate(
    file: str,
    *,
    as_json: bool,
    lineage: bool,
    timezone: str,
    partner: str | None,
    language: Language,
    target: str,
    message_type: str | None,
    directory: str | None,
    reference: str,
) -> None:
    """Print the records of an EDIFACT file, what is wrong with it, and what in it has no field.

    With --partner the habits, severities and times of that partner count, both ways; its folder need not be in force.

    `-` reads the standard input. Exit code 0: all translated; 1: errors found; 2: not EDIFACT, or not readable.
    """
    agreed = partner_of_folder(partner) if partner else None
    if target == "edifact":
        if message_type is None:
            raise UserError("--to edifact needs --type, the message that the record is written as")
        context = _encode_context(message_type, directory, timezone, agreed)
        click.echo(_written(file, message_type, context, reference), nl=False)
        return
    outcome = Outcome()
    decoding = DecodeContext(timezone=timezone or ZONE, lineage=lineage)
    if agreed is not None:
        decoding = replace(decoding, timezone=timezone or agreed.edifact.timezone, habits=agreed.habits)
    # Who sends to whom is left out of account: an example may be of either direction.
    policy = JudgingPolicy(severities=agreed.edifact.severities) if agreed else JudgingPolicy()
    steps = _steps(file, decoding, policy, outcome)
    if as_json:
        print_json({"files": [_file_as_json(file, steps, outcome, language)]})
    else:
        _print(file, steps, outcome, language)
    click.get_current_context().exit(outcome.exit_code)


# Reading


@dataclass(frozen=True, slots=True)
class Translated:
    """One message: its verdict, and what it was translated to; None if there is no translator for its type."""

    verdict: MessageVerdict
    decoded: Decoded[Any] | None

    @property
    def findings(self) -> list[Finding]:
        return [*self.verdict.findings, *(self.decoded.findings if self.decoded else ())]

    @property
    def valid(self) -> bool:
        return self.verdict.valid and (self.decoded is None or self.decoded.valid)


@dataclass(slots=True)
class Outcome:
    """What became of the file as a whole; complete when all steps are taken."""

    has_interchange: bool = False
    has_errors: bool = False
    problem: str = ""

    @property
    def exit_code(self) -> int:
        if self.problem or not self.has_interchange:
            return NOT_READ
        return ERRORS_FOUND if self.has_errors else ALL_TRANSLATED


Step = InterchangeBegun | Translated | InterchangeVerdict | FileFinding


def _steps(path: str, context: DecodeContext, policy: JudgingPolicy, outcome: Outcome) -> Iterator[Step]:
    """What the file holds, one message at a time; none is kept."""
    try:
        with _opened(path) as file:
            for judgement in stream(iter(partial(file.read, CHUNK_BYTES), b""), policy):
                if isinstance(judgement, InterchangeBegun) and context.lineage:
                    context = replace(context, codec=character_set(judgement.header.syntax_identifier).codec)
                step = translated(judgement, context, policy) if isinstance(judgement, MessageVerdict) else judgement
                if isinstance(step, InterchangeVerdict):
                    outcome.has_interchange = True
                if isinstance(step, Translated | InterchangeVerdict):
                    outcome.has_errors |= not step.valid
                yield step
    except IsADirectoryError:
        outcome.problem = "this is a directory; name a file in it"
    except OSError as error:
        outcome.problem = error.strerror or str(error)


def _opened(path: str) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb")


def translated(verdict: MessageVerdict, context: DecodeContext, policy: JudgingPolicy) -> Translated:
    """The record of a judged message, if there is a translator for it."""
    found = translator(verdict.header.type)
    if found is None or not isinstance(verdict.tree, Group):
        return Translated(verdict, None)
    decoded = found.decode(verdict.tree, context, verdict.findings)
    return Translated(verdict, replace(decoded, findings=policy.grade(decoded.findings)))


# For programs


def _file_as_json(path: str, steps: Iterable[Step], outcome: Outcome, language: Language) -> dict[str, Any]:
    """The shape of `validate --json`, each message with its record, what is unmapped, and its lineage if asked for."""
    interchanges: list[dict[str, Any]] = []
    outside: list[dict[str, Any]] = []
    for step in steps:
        match step:
            case InterchangeBegun(header=header):
                interchanges.append({**_header_as_json(header), "messages": [], "findings": []})
            case Translated():
                interchanges[-1]["messages"].append(_message_as_json(step, language))
            case InterchangeVerdict():
                interchanges[-1]["findings"] = [finding.as_json(language) for finding in _envelope_findings(step)]
            case FileFinding(finding):
                outside.append(finding.as_json(language))
    document: dict[str, Any] = {"path": path, "interchanges": interchanges}
    if outcome.problem:
        document["problem"] = outcome.problem
    if outside:
        document["findings"] = outside
    return document


def _header_as_json(header: InterchangeHeader) -> dict[str, str]:
    return {
        "sender": header.sender.identifier,
        "recipient": header.recipient.identifier,
        "control_reference": header.control_reference,
    }


def _envelope_findings(verdict: InterchangeVerdict) -> list[Finding]:
    return [*verdict.findings, *(finding for group in verdict.groups for finding in group.findings)]


def _message_as_json(message: Translated, language: Language) -> dict[str, Any]:
    header, decoded = message.verdict.header, message.decoded
    document: dict[str, Any] = {
        "reference": header.reference,
        "type": header.type,
        "directory": header.directory,
        "valid": message.valid,
        "record": _record_as_json(decoded),
        "findings": [finding.as_json(language) for finding in message.findings],
        "unmapped": [unmapped.as_json() for unmapped in decoded.unmapped] if decoded else [],
    }
    if decoded and decoded.lineage:
        document["lineage"] = {path: source.as_json() for path, source in decoded.lineage.items()}
    return document


def _record_as_json(decoded: Decoded[Any] | None) -> dict[str, Any] | None:
    if decoded is None or decoded.record is None:
        return None
    from edi_gateway.translators.json_form import (
        to_json,  # pydantic is slow to import; a file without records needs none
    )

    return to_json(decoded.record)


# For people


def _print(path: str, steps: Iterable[Step], outcome: Outcome, language: Language) -> None:
    click.secho(path, bold=True)
    for step in steps:
        match step:
            case InterchangeBegun(header=header):
                named = (header.control_reference, header.sender.identifier, header.recipient.identifier)
                _say("Interchange {} from {} to {}".format(*(name or "(none)" for name in named)))
            case Translated():
                _print_message(step, language)
            case InterchangeVerdict():
                for finding in _envelope_findings(step):
                    _print_finding(finding, language)
            case FileFinding(finding):
                _print_finding(finding, language)
    if outcome.problem:
        click.echo(f"  not read: {outcome.problem}")


def _print_message(message: Translated, language: Language) -> None:
    header, decoded = message.verdict.header, message.decoded
    _say(f"{header.type} {header.reference} ({header.directory}): {_summary(message)}")
    record = _record_as_json(decoded)
    if record is not None:
        for line in json.dumps(record, indent=2, ensure_ascii=False).splitlines():
            _say("  " + line)
    for finding in message.findings:
        _print_finding(finding, language)
    for unmapped in decoded.unmapped if decoded else ():
        place = _component(unmapped.element, unmapped.component)
        _say(f"  no field: segment {unmapped.position}{place}: {unmapped.text}")
    for path, source in decoded.lineage.items() if decoded else ():
        for part in (source, *source.parts):
            place = f"{part.position}{_component(part.element, part.component)}, byte {part.offset}"
            _say(f"  {path} <- {part.segment} at {place}")


def _summary(message: Translated) -> str:
    if message.decoded is None:
        return f"no record is made of {message.verdict.header.type}"
    if message.decoded.record is None:
        return "no record"
    return type(message.decoded.record).__name__ + ("" if message.valid else ", with errors")


def _component(element: int | None, component: int | None) -> str:
    return f", element {element}, component {component}" if element is not None else ""


def _print_finding(finding: Finding, language: Language) -> None:
    place = "" if finding.position is None else f" segment {finding.position}"
    place += "" if finding.element is None else f", element {finding.element}"
    place += "" if finding.component is None else f", component {finding.component}"
    _say(f"  {finding.severity.value} {finding.code}{place}: {finding.text(language)}")
    _say(f"    -> {finding.hint(language)}")


def _say(line: str) -> None:
    """A line with text from a file: control characters in it must not reach the terminal."""
    click.echo("".join(character if character.isprintable() else "?" for character in line))


# Writing


def _encode_context(
    message_type: str, directory: str | None, timezone: str, agreed: Partnership | None
) -> EncodeContext:
    """How to write: as the options say, else as it is agreed, else plainly."""
    if agreed is None:
        return EncodeContext(directory=directory or DIRECTORIES[0], timezone=timezone or ZONE)
    message = agreed.agreement(message_type, Direction.OUT if message_type in SENT_BY_BUYER else Direction.IN)
    context = EncodeContext(timezone=timezone or agreed.edifact.timezone, habits=agreed.habits)
    if directory or message is None:
        return replace(context, directory=directory or DIRECTORIES[0])
    return replace(context, directory=message.directory, association=message.association)


def _written(path: str, message_type: str, context: EncodeContext, reference: str) -> bytes:
    """The interchange of the record that a file holds as JSON, from its buyer to its supplier or back."""
    from edi_gateway.edifact.characters import CharacterRefused
    from edi_gateway.translators.json_form import RecordInvalid, validate_record

    found = translator(message_type)
    assert found is not None  # noqa: S101 - click offers no other type
    with user_errors(OSError), _opened(path) as file:
        data = file.read(RECORD_BYTES_MAX + 1)
    if len(data) > RECORD_BYTES_MAX:
        raise UserError(f"{path} has more than {RECORD_BYTES_MAX} bytes; a record is not that large")
    with user_errors(ValueError, RecursionError):
        document = json.loads(data)
    with user_errors(RecordInvalid, NotWritable, CharacterRefused):
        record = validate_record(found.record_type, document)
        body = found.encode(record, context)
        header = _interchange_header(record, message_type, context.timezone, reference)
        return write_interchange(header, [(found.header(MESSAGE_REFERENCE, context), body)])


def _interchange_header(record: Any, message_type: str, timezone: str, reference: str) -> InterchangeHeader:
    buyer, supplier = (_address(record, role) for role in (PartyRole.BUYER, PartyRole.SUPPLIER))
    sender, recipient = (buyer, supplier) if message_type in SENT_BY_BUYER else (supplier, buyer)
    prepared = _local(record.issued, timezone)
    return InterchangeHeader(
        *SYNTAX, sender, recipient, f"{prepared:%y%m%d}", f"{prepared:%H%M}", reference, agreement=AGREEMENT
    )


def _address(record: Any, role: PartyRole) -> Address:
    party = next((party for party in record.parties if party.role is role), None)
    if party is None or not party.identifier:
        raise UserError(f"the record names no party {role.value} with an identifier, to send from or to")
    return Address(party.identifier, GS1 if party.gln else "")


def _local(moment: Moment, timezone: str) -> datetime:
    """The document's own time stands for the time of preparation, so that the same record gives the same bytes."""
    if isinstance(moment, datetime):
        return moment.astimezone(ZoneInfo(timezone))
    return datetime(moment.year, moment.month, moment.day, tzinfo=ZoneInfo(timezone))
