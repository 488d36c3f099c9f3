"""`edi-gateway validate`: what is wrong with EDIFACT files, for people, for programs, or as our CONTRL.

Each message is judged, printed and let go, so that a file may be larger than memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, cast

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
from edi_gateway.cli.frame import UserError, json_option, load_config
from edi_gateway.edifact.events import FileFinding
from edi_gateway.edifact.findings import Finding, Language, Severity
from edi_gateway.edifact.verdict import Address, InterchangeHeader, InterchangeVerdict, MessageVerdict
from edi_gateway.messages.guideline import SHIPPED, Guideline, shipped
from edi_gateway.messages.judge import InterchangeBegun, stream
from edi_gateway.messages.policy import JudgingPolicy

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "valid": "valid",
        "errors": "{0} errors",
        "warnings": "{0} warnings",
        "one error": "1 error",
        "one warning": "1 warning",
        "interchange": "Interchange {0} from {1} to {2}",
        "envelope": "Envelope of {0}",
        "not read": "not read: {0}",
    },
    "fr": {
        "valid": "valide",
        "errors": "{0} erreurs",
        "warnings": "{0} avertissements",
        "one error": "1 erreur",
        "one warning": "1 avertissement",
        "interchange": "Interchange {0} de {1} à {2}",
        "envelope": "Enveloppe de {0}",
        "not read": "pas lu : {0}",
    },
}
INDENT = "    "


class Output(Protocol):
    """Where the verdicts go, in the order of the files."""

    def begin_file(self, path: str) -> None: ...
    def begin_interchange(self, header: InterchangeHeader) -> None: ...
    def message(self, verdict: MessageVerdict) -> None: ...
    def end_interchange(self, verdict: InterchangeVerdict) -> None: ...
    def end_file(self, path: str, outside: Sequence[Finding], problem: str) -> None: ...
    def end(self) -> None: ...


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@json_option
@click.option("--contrl", "as_contrl", is_flag=True, help="Write the CONTRL that we would answer instead.")
@click.option(
    "--guideline", "guidelines", multiple=True, type=click.Choice(tuple(SHIPPED)), help="Judge by this guideline too."
)
@click.option("--partner", metavar="NAME", help="Judge as what this trading partner sends, by its folder.")
@language_option
def validate(
    files: Sequence[str], as_json: bool, as_contrl: bool, guidelines: Sequence[str], partner: str, language: Language
) -> None:
    """Judge EDIFACT files by their directories and print what is wrong with them.

    With --partner they are judged as the gateway judges what comes from that partner: who sends to whom, which
    messages are agreed, its guidelines and severities. Its folder need not be in force yet.

    `-` reads the standard input. Exit code 0: all valid; 1: errors found; 2: not EDIFACT, or not readable.
    """
    if as_json and as_contrl:
        raise click.UsageError("--json and --contrl exclude each other")
    added = tuple(guideline for name in guidelines for guideline in shipped(name))
    policy = _policy_of(partner, added) if partner else JudgingPolicy(guidelines=added)
    outputs: dict[bool, Callable[[Language], Output]] = {as_json: ForPrograms, as_contrl: AsContrl}
    output = outputs.get(True, ForPeople)(language)
    codes = [judge_file(path, policy, output, language) for path in files]
    output.end()
    click.get_current_context().exit(max(codes))


def _policy_of(partner: str, added: Sequence[Guideline]) -> JudgingPolicy:
    """How what a partner sends is judged, by its folder as it stands."""
    from edi_gateway.gateway import onboarding  # it brings the store, which the start of this command cannot wait for
    from edi_gateway.partner_file import Ours

    config = load_config()
    folders, problems = onboarding.read_folders(config.partners_dir, [partner])
    ours = Ours(as2_id=config.identity.as2_id, gln=config.identity.gln)
    checked = onboarding.check(folders, ours, datetime.now(UTC))
    if problems or checked.problems:
        raise UserError("\n".join(str(problem) for problem in (*problems, *checked.problems)))
    (partnership,) = checked.partnerships
    return JudgingPolicy.of(partnership, guidelines=added)


def judge_file(path: str, policy: JudgingPolicy, output: Output, language: Language) -> int:
    """Judge one file and print it; the exit code that it asks for."""
    outside: list[Finding] = []
    problem, code = "", NOT_READ
    output.begin_file(path)
    try:
        with open_file(path) as file:
            code = _judge(iter(partial(file.read, CHUNK_BYTES), b""), policy, output, outside)
    except BrokenPipeError:  # nobody reads on; the command's frame ends quietly
        raise
    except OSError as error:
        problem, code = reason_unread(error, language), NOT_READ
    output.end_file(path, outside, problem)
    return code


def _judge(chunks: Iterable[bytes], policy: JudgingPolicy, output: Output, outside: list[Finding]) -> int:
    code = NOT_READ  # until an interchange begins
    for judgement in stream(chunks, policy):
        match judgement:
            case InterchangeBegun(header):
                code = ALL_VALID if code == NOT_READ else code
                output.begin_interchange(header)
            case MessageVerdict():
                output.message(judgement)
            case InterchangeVerdict():
                code = code if judgement.valid else ERRORS_FOUND
                output.end_interchange(judgement)
            case FileFinding(finding):
                code = ERRORS_FOUND if finding.is_error and code == ALL_VALID else code
                outside.append(finding)
    return code


def _of_envelopes(interchange: InterchangeVerdict) -> list[Finding]:
    return [*interchange.findings, *(finding for group in interchange.groups for finding in group.findings)]


@dataclass(slots=True)
class ForPeople:
    """Lines to read."""

    language: Language
    control_reference: str = ""

    def begin_file(self, path: str) -> None:
        say(path, bold=True)

    def begin_interchange(self, header: InterchangeHeader) -> None:
        self.control_reference = header.control_reference
        sender, recipient = _address(header.sender), _address(header.recipient)
        say("  " + self._words["interchange"].format(header.control_reference, sender, recipient))

    def message(self, verdict: MessageVerdict) -> None:
        header = verdict.header
        self._print(f"{header.type} {header.reference} ({header.directory})", verdict.findings)

    def end_interchange(self, verdict: InterchangeVerdict) -> None:
        findings = _of_envelopes(verdict)
        if findings:
            self._print(self._words["envelope"].format(self.control_reference), findings)

    def end_file(self, path: str, outside: Sequence[Finding], problem: str) -> None:
        if problem:
            click.echo("  " + self._words["not read"].format(problem))
        for finding in outside:
            print_finding(finding, self.language, INDENT)

    def end(self) -> None:
        pass

    @property
    def _words(self) -> dict[str, str]:
        return _WORDS[self.language]

    def _print(self, what: str, findings: Sequence[Finding]) -> None:
        say(f"  {what}: {_tally(findings, self._words)}")
        for finding in findings:
            print_finding(finding, self.language, INDENT)


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


@dataclass(slots=True)
class ForPrograms:
    """One JSON document, written as it becomes known."""

    language: Language
    files: int = 0
    interchanges: int = 0  # of the file
    messages: int = 0  # of the interchange
    is_open: bool = False  # whether an interchange is

    def begin_file(self, path: str) -> None:
        click.echo('{"files": [' if not self.files else ",")
        click.echo(f' {{"path": {_json(path)}, "interchanges": [', nl=False)
        self.files, self.interchanges = self.files + 1, 0

    def begin_interchange(self, header: InterchangeHeader) -> None:
        click.echo("," if self.interchanges else "")
        names = {
            "sender": header.sender.identifier,
            "recipient": header.recipient.identifier,
            "control_reference": header.control_reference,
        }
        click.echo(f'  {_json(names)[:-1]}, "messages": [', nl=False)
        self.interchanges, self.messages, self.is_open = self.interchanges + 1, 0, True

    def message(self, verdict: MessageVerdict) -> None:
        header = verdict.header
        document = {
            "reference": header.reference,
            "type": header.type,
            "directory": header.directory,
            "valid": verdict.valid,
            "findings": self._findings(verdict.findings),
        }
        click.echo("," if self.messages else "")
        click.echo(f"   {_json(document)}", nl=False)
        self.messages += 1

    def end_interchange(self, verdict: InterchangeVerdict) -> None:
        self._close_interchange(_of_envelopes(verdict))

    def end_file(self, path: str, outside: Sequence[Finding], problem: str) -> None:
        if self.is_open:  # the file could not be read to its end
            self._close_interchange([])
        more: dict[str, object] = {"problem": problem} if problem else {}
        if outside:
            more["findings"] = self._findings(outside)
        click.echo(f"]{', ' + _json(more)[1:-1] if more else ''}}}", nl=False)

    def end(self) -> None:
        click.echo("\n]}")

    def _close_interchange(self, findings: Sequence[Finding]) -> None:
        click.echo(f'], "findings": {_json(self._findings(findings))}}}', nl=False)
        self.is_open = False

    def _findings(self, findings: Sequence[Finding]) -> list[dict[str, object]]:
        return [finding.as_json(self.language) for finding in findings]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


@dataclass(slots=True)
class AsContrl:
    """One CONTRL interchange for each that was read, none for a CONTRL; what was not read is said on stderr."""

    language: Language
    answers: int = 0

    def begin_file(self, path: str) -> None:
        pass

    def begin_interchange(self, header: InterchangeHeader) -> None:
        pass

    def message(self, verdict: MessageVerdict) -> None:
        pass

    def end_interchange(self, verdict: InterchangeVerdict) -> None:
        from edi_gateway.edifact import contrl

        if contrl.needs_answer(verdict, agreed=True):
            self.answers += 1
            click.echo(_contrl(verdict, datetime.now(UTC), str(self.answers)))

    def end_file(self, path: str, outside: Sequence[Finding], problem: str) -> None:
        reason = problem or "; ".join(finding.text(self.language) for finding in outside if finding.is_error)
        if reason:
            say(f"{path}: {_WORDS[self.language]['not read'].format(reason)}", err=True)

    def end(self) -> None:
        pass


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
