"""`edi-gateway validate`: what is wrong with EDIFACT files, for people, for programs, or as our CONTRL.

Each message is judged, printed and let go, so that a file may be larger than memory. A message that is right in form is
also read for the business, as the gateway reads it: what a CONTRL accepts, an APERAK may still refuse.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol, cast

import click

from edi_gateway.cli.documents import (
    ALL_VALID,
    CHUNK_BYTES,
    ERRORS_FOUND,
    NOT_READ,
    language_option,
    open_file,
    partner_of_folder,
    print_finding,
    reason_unread,
    say,
)
from edi_gateway.cli.frame import json_option
from edi_gateway.edifact.events import FileFinding
from edi_gateway.edifact.findings import Finding, Language, Severity
from edi_gateway.edifact.segment import Separators
from edi_gateway.edifact.verdict import Address, InterchangeHeader, InterchangeVerdict, MessageVerdict
from edi_gateway.messages.guideline import SHIPPED, shipped
from edi_gateway.messages.judge import InterchangeBegun, stream
from edi_gateway.messages.policy import JudgingPolicy

if TYPE_CHECKING:
    from edi_gateway.partnership import Partnership
    from edi_gateway.translators.business import BusinessReading

BusinessReader = Callable[[MessageVerdict], "BusinessReading | None"]

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
        "none": "(none)",
        "in form": "valid in form",
        "answers": "answer: {0}",
        "4": "CONTRL rejects it",
        "7": "CONTRL accepts it",
        "312": "APERAK 312 takes it in, and it is held",
        "313": "APERAK 313 refuses it",
        "contrl": "CONTRL {0}",
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
        "none": "(aucun)",
        "in form": "valide dans la forme",
        "answers": "réponse : {0}",
        "4": "CONTRL le rejette",
        "7": "CONTRL l'accepte",
        "312": "APERAK 312 le prend en charge, et il reste bloqué",
        "313": "APERAK 313 le refuse",
        "contrl": "CONTRL {0}",
    },
}
INDENT = "    "

CONTRL = "CONTRL"  # 0065
DEFAULT_TIMEZONE = "Europe/Paris"
"""Of times without a zone, where no partner is named."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One message: what was judged of its form, and of its business where that was read."""

    verdict: MessageVerdict
    business: BusinessReading | None

    @property
    def findings(self) -> list[Finding]:
        return [*self.verdict.findings, *(self.business.findings if self.business else ())]

    @property
    def contrl(self) -> str:
        """0083 that a CONTRL gives to this message, by itself: 4 or 7."""
        return "4" if any(finding.is_error and finding.is_of_syntax for finding in self.verdict.findings) else "7"

    @property
    def aperak(self) -> str | None:
        """BGM 1001 of the APERAK that answers it where one is agreed, None if there is nothing to say."""
        from edi_gateway.translators.business import aperak_for

        if not any(not finding.is_of_syntax for finding in self.findings):
            return None
        answer = aperak_for(self.findings)
        return answer.value if answer else None


class Output(Protocol):
    """Where the verdicts go, in the order of the files."""

    def begin_file(self, path: str) -> None: ...
    def begin_interchange(self, header: InterchangeHeader) -> None: ...
    def message(self, judged: Judged) -> None: ...
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
@click.option(
    "--business",
    type=click.Choice(["report", "require", "off"]),
    default="report",
    show_default=True,
    help="Errors of the business: show them; count them for the exit code too; do not look for them.",
)
@language_option
def validate(
    files: Sequence[str],
    *,
    as_json: bool,
    as_contrl: bool,
    guidelines: Sequence[str],
    partner: str,
    business: str,
    language: Language,
) -> None:
    """Judge EDIFACT files by their directories and print what is wrong with them.

    "valid" speaks of the form: what a CONTRL answers, guidelines, check digits. A message that is valid is then read as
    a document, and errors of the business (a date that is missing, totals that do not add up) are shown with the
    APERAK that would answer them, where one is agreed.

    With --partner they are judged as the gateway judges what comes from that partner: who sends to whom, which
    messages are agreed, its guidelines, severities and habits. Its folder need not be in force yet.

    `-` reads the standard input. Exit code 0: all valid; 1: errors found (with --business=require those of the business
    too); 2: not EDIFACT, or not readable.
    """
    if as_json and as_contrl:
        raise click.UsageError("--json and --contrl exclude each other")
    added = tuple(guideline for name in guidelines for guideline in shipped(name))
    agreed = partner_of_folder(partner) if partner else None
    policy = JudgingPolicy.of(agreed, guidelines=added) if agreed else JudgingPolicy(guidelines=added)
    reader = None if business == "off" or as_contrl else _business_reader(policy, agreed)
    judge = Judge(policy, reader, business_counts=business == "require")
    outputs: dict[bool, Callable[[Language], Output]] = {as_json: ForPrograms, as_contrl: AsContrl}
    output = outputs.get(True, ForPeople)(language)
    codes = [judge_file(path, judge, output, language) for path in files]
    output.end()
    click.get_current_context().exit(max(codes))


def _business_reader(policy: JudgingPolicy, agreed: Partnership | None) -> BusinessReader:
    def read(verdict: MessageVerdict) -> BusinessReading | None:
        # Translators are slow to import, and a file of CONTRL or of broken messages needs none.
        from edi_gateway.translators import DecodeContext
        from edi_gateway.translators.business import read_for_business

        context = DecodeContext(directory=verdict.header.directory)
        if agreed is not None:
            context = replace(context, timezone=agreed.edifact.timezone, habits=agreed.habits)
        return read_for_business(verdict, context, policy.grade)

    return read


@dataclass(frozen=True, slots=True)
class Judge:
    """How files are judged: by which policy, with which business reading, and whether that one counts."""

    policy: JudgingPolicy
    reader: BusinessReader | None
    business_counts: bool

    def message(self, verdict: MessageVerdict) -> Judged:
        readable = self.reader is not None and verdict.valid and verdict.header.type != CONTRL
        return Judged(verdict, self.reader(verdict) if self.reader and readable else None)

    def passes(self, judged: Judged) -> bool:
        return not self.business_counts or judged.business is None or judged.business.valid


def judge_file(path: str, judge: Judge, output: Output, language: Language) -> int:
    """Judge one file and print it; the exit code that it asks for."""
    outside: list[Finding] = []
    problem, code = "", NOT_READ
    output.begin_file(path)
    try:
        with open_file(path) as file:
            code = _judge(iter(partial(file.read, CHUNK_BYTES), b""), judge, output, outside)
    except BrokenPipeError:  # nobody reads on; the command's frame ends quietly
        raise
    except OSError as error:
        problem, code = reason_unread(error, language), NOT_READ
    output.end_file(path, outside, problem)
    return code


def _judge(chunks: Iterable[bytes], judge: Judge, output: Output, outside: list[Finding]) -> int:
    code = NOT_READ  # until an interchange begins
    for judgement in stream(chunks, judge.policy):
        match judgement:
            case InterchangeBegun(header):
                code = ALL_VALID if code == NOT_READ else code
                output.begin_interchange(header)
            case MessageVerdict():
                judged = judge.message(judgement)
                code = code if judge.passes(judged) else ERRORS_FOUND
                output.message(judged)
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
        named = (header.control_reference, _address(header.sender), _address(header.recipient))
        say("  " + self._words["interchange"].format(*(name or self._words["none"] for name in named)))

    def message(self, judged: Judged) -> None:
        header = judged.verdict.header
        name = f"{header.type} {header.reference} ({header.directory})"
        self._print(name, judged.findings, _answers(judged, self._words), in_form=judged.verdict.valid)

    def end_interchange(self, verdict: InterchangeVerdict) -> None:
        findings = _of_envelopes(verdict)
        if findings:
            self._print(self._words["envelope"].format(self.control_reference), findings)
        for number, segment in enumerate(_answer(verdict)):
            say("  " + (self._words["contrl"].format(segment) if not number else f"       {segment}"))

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

    def _print(self, what: str, findings: Sequence[Finding], answers: str = "", *, in_form: bool = False) -> None:
        say(f"  {what}: {_tally(findings, self._words, in_form=in_form)}")
        if answers:
            say(f"{INDENT}{self._words['answers'].format(answers)}")
        for finding in findings:
            print_finding(finding, self.language, INDENT)


def _address(address: Address) -> str:
    return f"{address.identifier}:{address.qualifier}" if address.qualifier else address.identifier


def _answers(judged: Judged, words: dict[str, str]) -> str:
    """What is answered, where it is not simply accepted."""
    answers = [judged.contrl, *([judged.aperak] if judged.aperak else [])]
    return "" if answers == ["7"] else "; ".join(words[answer] for answer in answers)


def _answer(verdict: InterchangeVerdict) -> list[str]:
    """The segments of the CONTRL that we would answer, from UCI on; none to a CONTRL."""
    from edi_gateway.edifact import contrl
    from edi_gateway.edifact.writer import write_segment

    if not contrl.needs_answer(verdict, agreed=True):
        return []
    return [write_segment(segment, Separators()) for segment in contrl.answer(verdict)]


def _tally(findings: Sequence[Finding], words: dict[str, str], *, in_form: bool) -> str:
    errors = sum(finding.is_error for finding in findings)
    warnings = sum(finding.severity is Severity.WARNING for finding in findings)
    parts = [
        words[f"one {kind}"] if count == 1 else words[f"{kind}s"].format(count)
        for kind, count in (("error", errors), ("warning", warnings))
        if count
    ]
    if errors:
        return ", ".join([words["in form"], *parts] if in_form else parts)
    return ", ".join([words["valid"], *parts])


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

    def message(self, judged: Judged) -> None:
        header, business = judged.verdict.header, judged.business
        document = {
            "reference": header.reference,
            "type": header.type,
            "directory": header.directory,
            "valid": judged.verdict.valid,
            "business_valid": business.valid if business else None,
            "answers": {"contrl": judged.contrl, "aperak": judged.aperak},
            "findings": self._findings(judged.findings),
        }
        click.echo("," if self.messages else "")
        click.echo(f"   {_json(document)}", nl=False)
        self.messages += 1

    def end_interchange(self, verdict: InterchangeVerdict) -> None:
        self._close_interchange(_of_envelopes(verdict), _answer(verdict))

    def end_file(self, path: str, outside: Sequence[Finding], problem: str) -> None:
        if self.is_open:  # the file could not be read to its end
            self._close_interchange([], [])
        more: dict[str, object] = {"problem": problem} if problem else {}
        if outside:
            more["findings"] = self._findings(outside)
        click.echo(f"]{', ' + _json(more)[1:-1] if more else ''}}}", nl=False)

    def end(self) -> None:
        click.echo("\n]}")

    def _close_interchange(self, findings: Sequence[Finding], answer: Sequence[str]) -> None:
        click.echo(f'], "findings": {_json(self._findings(findings))}, "contrl": {_json(answer)}}}', nl=False)
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

    def message(self, judged: Judged) -> None:
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
