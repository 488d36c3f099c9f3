"""`edi-gateway explain`: an interchange in words, segment by segment, with what is wrong beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import click

from edi_gateway.cli.documents import (
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
from edi_gateway.edifact.events import (
    FileFinding,
    GroupEnded,
    GroupStarted,
    InterchangeEnded,
    InterchangeStarted,
    MessageRead,
)
from edi_gateway.edifact.findings import Finding, Language
from edi_gateway.edifact.reader import read
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.messages import message_type
from edi_gateway.messages.explain import ExplainedSegment, explain_message, explain_segment, layout_of
from edi_gateway.messages.judge import judge_header, judge_message
from edi_gateway.messages.names import segment_name
from edi_gateway.messages.policy import ANY_INTERCHANGE

INDENT = "  "
VALUE_INDENT = " " * 8
NAME_WIDTH = 36


@dataclass(frozen=True, slots=True)
class Entry:
    """One segment in words and what is wrong with it; an entry without segment holds findings about the whole."""

    explained: ExplainedSegment | None
    findings: Sequence[Finding]
    title: str = ""


@dataclass(slots=True)
class _Explainer:
    """Turns the reader's events into entries."""

    language: Language
    separators: Separators = field(default_factory=Separators)
    syntax_version: str = "3"

    def entries(self, chunks: Iterable[bytes]) -> Iterator[Entry]:
        for event in read(chunks):
            match event:
                case FileFinding(finding):
                    yield Entry(None, [finding])
                case InterchangeStarted(header, separators, _, segment):
                    self.separators, self.syntax_version = separators, header.syntax_version
                    findings = judge_header(header, ANY_INTERCHANGE, segment.offset)
                    yield Entry(self._service(segment), findings)
                case GroupStarted(_, segment):
                    yield Entry(self._service(segment), [])
                case MessageRead():
                    yield from self._message(event)
                case GroupEnded(_, findings, segment) | InterchangeEnded(findings, segment):
                    yield Entry(self._service(segment) if segment else None, findings)

    def _message(self, event: MessageRead) -> Iterator[Entry]:
        verdict = judge_message(event.message, ANY_INTERCHANGE, self.separators, self.syntax_version)
        by_position: dict[int | None, list[Finding]] = {}
        for finding in verdict.findings:
            by_position.setdefault(finding.position, []).append(finding)
        title = _title(verdict.header.type, verdict.header.directory, self.language)
        for explained in explain_message(verdict, self.language, self.syntax_version):
            yield Entry(explained, by_position.pop(explained.segment.position, []), title)
            title = ""
        left = [finding for findings in by_position.values() for finding in findings]
        if left:
            yield Entry(None, left)

    def _service(self, segment: Segment) -> ExplainedSegment:
        layout = layout_of(segment.tag, "", self.syntax_version)
        values = tuple(explain_segment(segment, layout, self.language))
        return ExplainedSegment(segment, segment_name(segment.tag, self.language), (), values)


def _title(name: str, directory: str, language: Language) -> str:
    type_ = message_type(name)
    meaning = (type_.name_fr if language == "fr" else type_.name_en) if type_ else ""
    return f"{name} {directory}" + (f": {meaning}" if meaning else "")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@json_option
@language_option
def explain(files: Sequence[str], as_json: bool, language: Language) -> None:
    """Show EDIFACT files in words: each segment and value with its name, and what is wrong beside it.

    `-` reads the standard input. Exit code 0: all valid; 1: errors found; 2: not EDIFACT, or not readable.
    """
    documents = []
    code = 0
    for path in files:
        entries: list[dict[str, object]] = []
        found, problem = _explain(path, language, entries if as_json else None)
        code = max(code, found)
        if problem:
            say(f"{path}: {problem}", err=True)
        documents.append({"path": path, "segments": entries, **({"problem": problem} if problem else {})})
    if as_json:
        print_json({"files": documents})
    click.get_current_context().exit(code)


def _explain(path: str, language: Language, document: list[dict[str, object]] | None) -> tuple[int, str]:
    """Explain one file, on stdout or into a document; the exit code, and why the file was not read."""
    code, segments = 0, 0
    if document is None:
        say(path, bold=True)
    try:
        with open_file(path) as file:
            for entry in _Explainer(language).entries(iter(partial(file.read, CHUNK_BYTES), b"")):
                segments += entry.explained is not None
                if any(finding.is_error for finding in entry.findings):
                    code = ERRORS_FOUND
                if document is None:
                    _print_entry(entry, language)
                else:
                    document.append(_entry_as_json(entry, language))
    except BrokenPipeError:  # nobody reads on; the command's frame ends quietly
        raise
    except OSError as error:
        return NOT_READ, reason_unread(error, language)
    return code if segments else NOT_READ, ""


def _print_entry(entry: Entry, language: Language) -> None:
    if entry.title:
        click.echo()
        say(entry.title)
    explained = entry.explained
    margin = ""
    if explained is not None:
        margin = INDENT * len(explained.groups)
        group = f"  [{explained.groups[-1]}]" if explained.begins_group else ""
        number = str(explained.segment.position or "").rjust(5)
        say(f"{number} {margin}{explained.segment.tag}  {explained.name}{group}")
        for value in explained.values:
            name = f"{value.identifier} {value.name}" if value.identifier else "?"
            meaning = f"  ({value.meaning})" if value.meaning else ""
            say(f"{VALUE_INDENT}{margin}{name:{NAME_WIDTH}} {value.value}{meaning}")
    for finding in entry.findings:
        print_finding(finding, language, VALUE_INDENT + margin)


def _entry_as_json(entry: Entry, language: Language) -> dict[str, object]:
    document: dict[str, object] = {"findings": [finding.as_json(language) for finding in entry.findings]}
    explained = entry.explained
    if explained is None:
        return document
    return {
        "tag": explained.segment.tag,
        "name": explained.name,
        "position": explained.segment.position or None,
        "offset": explained.segment.offset,
        "groups": list(explained.groups),
        "values": [
            {
                "element": value.element,
                "component": value.component,
                "id": value.identifier,
                "name": value.name,
                "value": value.value,
                "meaning": value.meaning,
            }
            for value in explained.values
        ],
        **document,
    }
