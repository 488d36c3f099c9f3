"""`edi-gateway validate`: what is wrong with EDIFACT files, for people, for programs, or as our CONTRL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import cast

import click

from edi_gateway.cli.documents import (
    ALL_VALID,
    CHUNK_BYTES,
    ERRORS_FOUND,
    NOT_READ,
    language_option,
    open_file,
    print_finding,
    reason_unread,
    say,
)
from edi_gateway.cli.frame import json_option, print_json
from edi_gateway.edifact.events import FileFinding
from edi_gateway.edifact.findings import Finding, Language, Severity
from edi_gateway.edifact.verdict import Address, InterchangeHeader, InterchangeVerdict, MessageVerdict
from edi_gateway.messages.guideline import SHIPPED, shipped
from edi_gateway.messages.judge import InterchangeBegun, stream
from edi_gateway.messages.policy import ANY_INTERCHANGE, JudgingPolicy

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "valid": "valid",
        "errors": "{0} errors",
        "warnings": "{0} warnings",
        "one error": "1 error",
        "one warning": "1 warning",
        "interchange": "Interchange {0} from {1} to {2}",
        "not read": "not read: {0}",
    },
    "fr": {
        "valid": "valide",
        "errors": "{0} erreurs",
        "warnings": "{0} avertissements",
        "one error": "1 erreur",
        "one warning": "1 avertissement",
        "interchange": "Interchange {0} de {1} à {2}",
        "not read": "pas lu : {0}",
    },
}
INDENT = "    "


@dataclass(slots=True)
class FileReport:
    """One file: its interchanges, what stood outside of them, or why it was not read at all."""

    path: str
    interchanges: list[InterchangeVerdict] = field(default_factory=list)
    outside: list[Finding] = field(default_factory=list)
    problem: str = ""

    @property
    def exit_code(self) -> int:
        if self.problem or not self.interchanges:
            return NOT_READ
        return ALL_VALID if all(interchange.valid for interchange in self.interchanges) else ERRORS_FOUND


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@json_option
@click.option("--contrl", "as_contrl", is_flag=True, help="Write the CONTRL that we would answer instead.")
@click.option(
    "--guideline", "guidelines", multiple=True, type=click.Choice(tuple(SHIPPED)), help="Judge by this guideline too."
)
@language_option
def validate(
    files: Sequence[str], as_json: bool, as_contrl: bool, guidelines: Sequence[str], language: Language
) -> None:
    """Judge EDIFACT files by their directories and print what is wrong with them.

    `-` reads the standard input. Exit code 0: all valid; 1: errors found; 2: not EDIFACT, or not readable.
    """
    if as_json and as_contrl:
        raise click.UsageError("--json and --contrl exclude each other")
    policy = JudgingPolicy(guidelines=tuple(guideline for name in guidelines for guideline in shipped(name)))
    reports = [report(path, language, policy) for path in files]
    if as_json:
        print_json({"files": [file_as_json(found, language) for found in reports]})
    elif as_contrl:
        _write_contrl(reports, language)
    else:
        for found in reports:
            _print_report(found, language)
    click.get_current_context().exit(max(found.exit_code for found in reports))


def report(path: str, language: Language, policy: JudgingPolicy = ANY_INTERCHANGE) -> FileReport:
    """Judge one file. The messages' segments are let go as they are judged."""
    found = FileReport(path)
    try:
        with open_file(path) as file:
            _judge(iter(partial(file.read, CHUNK_BYTES), b""), found, policy)
    except OSError as error:
        found.problem = reason_unread(error, language)
    return found


def _judge(chunks: Iterable[bytes], found: FileReport, policy: JudgingPolicy) -> None:
    messages: list[MessageVerdict] = []
    for judgement in stream(chunks, policy):
        match judgement:
            case MessageVerdict():
                messages.append(MessageVerdict(replace(judgement.message, segments=[]), judgement.findings))
            case InterchangeVerdict():
                judgement.messages, messages = messages, []
                found.interchanges.append(judgement)
            case FileFinding(finding):
                found.outside.append(finding)
            case InterchangeBegun():
                pass


# For programs


def file_as_json(found: FileReport, language: Language) -> dict[str, object]:
    """One file of `validate --json`."""
    document: dict[str, object] = {
        "path": found.path,
        "interchanges": [_interchange_as_json(interchange, language) for interchange in found.interchanges],
    }
    if found.problem:
        document["problem"] = found.problem
    if found.outside:
        document["findings"] = [finding.as_json(language) for finding in found.outside]
    return document


def _interchange_as_json(interchange: InterchangeVerdict, language: Language) -> dict[str, object]:
    header = interchange.header
    groups = [finding for group in interchange.groups for finding in group.findings]
    return {
        "sender": header.sender.identifier if header else "",
        "recipient": header.recipient.identifier if header else "",
        "control_reference": header.control_reference if header else "",
        "messages": [_message_as_json(message, language) for message in interchange.messages],
        "findings": [finding.as_json(language) for finding in [*interchange.findings, *groups]],
    }


def _message_as_json(message: MessageVerdict, language: Language) -> dict[str, object]:
    header = message.header
    return {
        "reference": header.reference,
        "type": header.type,
        "directory": header.directory,
        "valid": message.valid,
        "findings": [finding.as_json(language) for finding in message.findings],
    }


# For people


def _print_report(found: FileReport, language: Language) -> None:
    words = _WORDS[language]
    click.secho(found.path, bold=True)
    if found.problem:
        click.echo("  " + words["not read"].format(found.problem))
    for finding in found.outside:
        print_finding(finding, language, INDENT)
    for interchange in found.interchanges:
        header = cast(InterchangeHeader, interchange.header)
        sender, recipient = _address(header.sender), _address(header.recipient)
        say("  " + words["interchange"].format(header.control_reference, sender, recipient))
        for finding in [*interchange.findings, *(f for group in interchange.groups for f in group.findings)]:
            print_finding(finding, language, INDENT)
        for message in interchange.messages:
            what = f"{message.header.type} {message.header.reference} ({message.header.directory})"
            say(f"  {what}: {_tally(message.findings, words)}")
            for finding in message.findings:
                print_finding(finding, language, INDENT)


def _address(address: Address) -> str:
    return f"{address.identifier}:{address.qualifier}" if address.qualifier else address.identifier


def _tally(findings: Sequence[Finding], words: dict[str, str]) -> str:
    errors = sum(finding.is_error for finding in findings)
    warnings = sum(finding.severity is Severity.WARNING for finding in findings)
    parts = [
        words[f"one {kind}"] if count == 1 else words[f"{kind}s"].format(count)
        for kind, count in (("error", errors), ("warning", warnings))
        if count
    ]
    return ", ".join(parts) if errors else ", ".join([words["valid"], *parts])


# As CONTRL


def _write_contrl(reports: Sequence[FileReport], language: Language) -> None:
    """One CONTRL interchange for each that was read, none for a CONTRL; what was not read is said on stderr."""
    from edi_gateway.edifact import contrl

    now, answers = datetime.now(UTC), 0
    for found in reports:
        for interchange in found.interchanges:
            if contrl.needs_answer(interchange, agreed=True):
                answers += 1
                click.echo(_contrl(interchange, now, str(answers)))
        if found.exit_code == NOT_READ:
            reason = found.problem or "; ".join(finding.text(language) for finding in found.outside)
            click.echo(f"{found.path}: {_WORDS[language]['not read'].format(reason)}", err=True)


def _contrl(interchange: InterchangeVerdict, now: datetime, control_reference: str) -> bytes:
    from edi_gateway.edifact import contrl, writer
    from edi_gateway.edifact.characters import CharacterRefused

    header = cast(InterchangeHeader, interchange.header)
    date = now.strftime("%Y%m%d" if header.syntax_version == "4" else "%y%m%d")
    unb = contrl.envelope(interchange, date=date, time=now.strftime("%H%M"), control_reference=control_reference)
    message = (contrl.contrl_header(interchange, "1"), contrl.answer(interchange))
    try:
        return writer.write_interchange(unb, [message])
    except CharacterRefused:  # the subject itself used characters that it did not declare; its answer repeats them
        return writer.write_interchange(replace(unb, syntax_identifier="UNOY"), [message])
