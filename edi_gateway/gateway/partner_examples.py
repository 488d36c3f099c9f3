"""A partner's example messages, held to what they must give under the partner's switches.

`partners/NAME/examples/TITLE.edi` is an interchange, `TITLE.json` beside it the record of its message, or the list of
them. One that the partner sends is read, and its records compared; one that we send is written from its records, and
its segments compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.edifact.verdict import InterchangeVerdict, MessageVerdict
from edi_gateway.messages.judge import judge
from edi_gateway.messages.policy import JudgingPolicy
from edi_gateway.messages.tree import Group
from edi_gateway.partnership import Direction, Partnership
from edi_gateway.translators import DecodeContext, EncodeContext, NotWritable, Translator, translator
from edi_gateway.translators.json_form import RecordInvalid, from_json, to_json

FOLDER = "examples"
EXAMPLES_MAX = 200
EXAMPLE_BYTES_MAX = 1024 * 1024
DIFFERENCES_MAX = 50
"""How many differences of one example are told."""

CODEC = "utf-8"
_NOTHING = object()


class ExampleUnusable(ValueError):
    """An example that cannot be run at all: why, and what is expected."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One example: what differs from what it must give; nothing, if it does."""

    partner: str
    example: str
    differences: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        return {"partner": self.partner, "example": self.example, "ok": self.ok, "differences": list(self.differences)}


def run(folder: Path, partnership: Partnership, *, accept: bool = False) -> list[Outcome]:
    """Every example of a partner's folder. `accept` writes what they give in place of what they should."""
    examples = folder / FOLDER
    titles = sorted({path.stem for path in examples.glob("*.*") if path.suffix in (".edi", ".json")})
    if len(titles) > EXAMPLES_MAX:
        return [Outcome(partnership.name, FOLDER, (f"{len(titles)} examples; at most {EXAMPLES_MAX} are run",))]
    return [_run(examples / title, partnership, accept=accept) for title in titles]


def _run(path: Path, partnership: Partnership, *, accept: bool) -> Outcome:
    try:
        differences = _differences(path, partnership, accept=accept)
    except (ExampleUnusable, RecordInvalid, NotWritable, OSError) as error:
        differences = [str(error)]
    if len(differences) > DIFFERENCES_MAX:
        differences = [*differences[:DIFFERENCES_MAX], f"and {len(differences) - DIFFERENCES_MAX} more"]
    return Outcome(partnership.name, path.name, tuple(differences))


def _differences(path: Path, partnership: Partnership, *, accept: bool) -> list[str]:
    edi = path.with_name(path.name + ".edi")
    if not edi.exists():
        raise ExampleUnusable(f"{edi.name} is missing: the interchange, with the header (UNB) that says who sends it")
    data = _read(edi)
    verdicts = list(judge([data], _policy(data, partnership)))
    if len(verdicts) != 1 or verdicts[0].header is None:
        raise ExampleUnusable(f"{edi.name} holds {len(verdicts)} interchanges; one is expected")
    verdict = verdicts[0]
    ours = verdict.header is not None and verdict.header.sender.identifier == partnership.edifact.our_id
    errors = [finding.text() for finding in verdict.all_findings() if finding.is_error]
    compare = _compare_written if ours else _compare_read
    return [f"error: {error}" for error in errors] + compare(path, verdict, partnership, accept=accept)


def _policy(data: bytes, partnership: Partnership) -> JudgingPolicy:
    """As the partner's interchanges are judged; what we send ourselves, as the partner might."""
    policy = JudgingPolicy.of(partnership)
    first = next(iter(judge([data])), None)
    if first is None or first.header is None or first.header.sender.identifier != partnership.edifact.our_id:
        return policy
    return JudgingPolicy(severities=policy.severities)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(EXAMPLE_BYTES_MAX + 1)
    if len(data) > EXAMPLE_BYTES_MAX:
        raise ExampleUnusable(f"{path.name} has more than {EXAMPLE_BYTES_MAX} bytes")
    return data


def _expected(path: Path) -> list[Any] | None:
    """The records beside an example; None where there are none yet."""
    file = path.with_name(path.name + ".json")
    if not file.exists():
        return None
    try:
        found = json.loads(_read(file).decode(CODEC))
    except (ValueError, RecursionError) as error:
        raise ExampleUnusable(f"{file.name} is not JSON: {error}") from None
    return found if isinstance(found, list) else [found]


def _translator(message: MessageVerdict) -> tuple[Translator[Any], Group]:
    found = translator(message.header.type)
    if found is None or not isinstance(message.tree, Group):
        raise ExampleUnusable(f"{message.header.type} is not translated, or cannot be read")
    return found, message.tree


# What the partner sends


def _compare_read(path: Path, verdict: InterchangeVerdict, partnership: Partnership, *, accept: bool) -> list[str]:
    records, errors = _records(verdict, partnership)
    if accept:
        _accept_records(path, records)
        return errors
    expected = _expected(path)
    if expected is None:
        return [*errors, f"{path.name}.json is missing: the record; --accept writes it as it is read now"]
    return [*errors, *differing(expected, records)]


def _records(verdict: InterchangeVerdict, partnership: Partnership) -> tuple[list[Any], list[str]]:
    """The records of an interchange under the partner's switches, as JSON, and what is wrong with them."""
    records, errors = [], []
    grade = JudgingPolicy.of(partnership).grade
    for message in verdict.messages:
        kind, tree = _translator(message)
        context = DecodeContext(
            directory=message.header.directory,
            timezone=partnership.edifact.timezone,
            habits=partnership.habits,
        )
        decoded = kind.decode(tree, context, message.findings)
        errors += [f"error: {finding.text()}" for finding in grade(decoded.findings) if finding.is_error]
        records.append(None if decoded.record is None else to_json(decoded.record))
    return records, errors


def _accept_records(path: Path, records: Sequence[Any]) -> None:
    text = json.dumps(records[0] if len(records) == 1 else records, indent=2, ensure_ascii=False)
    path.with_name(path.name + ".json").write_text(text + "\n", CODEC)


def differing(expected: Sequence[Any], found: Sequence[Any]) -> list[str]:
    """What differs between two lists of records, by its path."""
    alone = len(expected) == len(found) == 1
    before, after = (dict(_leaves(each[0] if alone else list(each), "")) for each in (expected, found))
    names = [*before, *(name for name in after if name not in before)]
    return [
        f"{name or 'the record'}: expected {_shown(before, name)}, is {_shown(after, name)}"
        for name in names
        if before.get(name, _NOTHING) != after.get(name, _NOTHING)
    ]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, f"{path}/{name}" if path else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
    else:
        yield path, value


def _shown(leaves: Mapping[str, Any], name: str) -> str:
    return json.dumps(leaves[name], ensure_ascii=False) if name in leaves else "nothing"


# What we send


def _compare_written(path: Path, verdict: InterchangeVerdict, partnership: Partnership, *, accept: bool) -> list[str]:
    expected = _expected(path)
    if expected is None and accept:
        expected, errors = _records(verdict, partnership)
        if errors:
            return errors
        _accept_records(path, expected)
    if expected is None or len(expected) != len(verdict.messages):
        raise ExampleUnusable(f"{path.name}.json is to hold the {len(verdict.messages)} records that we send")
    differences: list[str] = []
    bodies: list[list[str]] = []
    for message, record in zip(verdict.messages, expected, strict=True):
        written = _written(message, record, partnership)
        bodies.append(written)
        there = _texts(message.message.segments[1:-1])
        differences += unified_diff(there, written, "expected", "is", lineterm="", n=1)
    if accept and differences:
        _replace(path.with_name(path.name + ".edi"), verdict, bodies)
        return []
    return differences


def _written(message: MessageVerdict, record: Any, partnership: Partnership) -> list[str]:
    kind, _ = _translator(message)
    agreement = partnership.agreement(kind.message_type, Direction.OUT)
    if agreement is None:
        raise ExampleUnusable(f"{kind.message_type} is not agreed as a message that we send: add it to [[messages]]")
    context = EncodeContext(
        directory=agreement.directory, timezone=partnership.edifact.timezone, habits=partnership.habits
    )
    return _texts(kind.encode(from_json(kind.record_type, record), context))


_TO_RELEASE = str.maketrans({character: "?" + character for character in "?+:'"})


def _texts(segments: Sequence[Segment]) -> list[str]:
    """The segments with the usual service characters, one a line."""
    return [
        "+".join(":".join(part.translate(_TO_RELEASE) for part in parts) for parts in segment.elements)
        for segment in segments
    ]


def _replace(file: Path, verdict: InterchangeVerdict, bodies: Sequence[Sequence[str]]) -> None:
    """The interchange with other messages: its header and references stay."""
    first = file.read_bytes().decode("latin-1").split("UNH", 1)[0]
    lines = []
    for message, body in zip(verdict.messages, bodies, strict=True):
        unh, unt = message.message.segments[0], message.message.segments[-1]
        lines += [*_texts([unh]), *body, f"UNT+{len(body) + 2}+{unt.get(2)}"]
    header = verdict.header
    assert header is not None  # noqa: S101 - looked at before
    lines.append(f"UNZ+{len(bodies)}+{header.control_reference}")
    file.write_bytes((first + "".join(f"{line}'\n" for line in lines)).encode("latin-1"))
