"""Findings: what is wrong with a document, as values.

A `Rule` is one row of a catalogue: its code, how grave it is, the level it belongs to, the CONTRL
error code (data element 0085) that it answers with, and its texts in English and French. A `Finding`
is one breach of a rule at one place. Bad data never raises: a check returns every finding it has.

Codes are a letter and three digits, one block a level: T1xx transport, S2xx syntax, D3xx structure,
C4xx code list, I5xx identifier, B6xx business, Q7xx quantity and inventory, F8xx invoice and VAT,
R9xx reconciliation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

Language = Literal["en", "fr"]

_NOTHING: dict[Language, str] = {"en": "(none)", "fr": "(aucun)"}
"""What a text says in the place of a value that is empty."""


class Severity(StrEnum):
    """How grave a finding is. Only an error makes a message invalid."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Level(StrEnum):
    """Which layer of the standard, or of the trade, the finding belongs to."""

    TRANSPORT = "transport"
    SYNTAX = "syntax"
    STRUCTURE = "structure"
    CODE_LIST = "code-list"
    IDENTIFIER = "identifier"
    BUSINESS = "business"


_OF_THE_MESSAGE = frozenset({Level.STRUCTURE, Level.CODE_LIST})


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a catalogue of findings.

    The texts are format strings over the fields of the finding: {segment}, {position}, {element},
    {component}, {offset}, {value}, {expected}.
    """

    code: str
    level: Level
    severity: Severity
    en: str
    fr: str
    hint_en: str
    hint_fr: str
    contrl: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect of a document.

    `position` counts the segments of the message, UNH being 1 (0096). `element` and `component` count
    as data elements 0098 and 0104 do: the segment tag is element 1, the first component is 1.
    `offset` is the byte offset of the segment in the file that was read. `path` is the place in the
    message's groups, such as ``SG25[3]/LIN``.
    """

    rule: Rule
    segment: str | None = None
    position: int | None = None
    element: int | None = None
    component: int | None = None
    offset: int | None = None
    value: str | None = None
    expected: str | None = None
    path: str | None = None
    severity_override: Severity | None = None

    @property
    def code(self) -> str:
        return self.rule.code

    @property
    def level(self) -> Level:
        return self.rule.level

    @property
    def severity(self) -> Severity:
        return self.severity_override or self.rule.severity

    @property
    def contrl(self) -> str | None:
        """The 0085 code that a CONTRL reports for this finding, or None."""
        return self.rule.contrl

    @property
    def is_of_syntax(self) -> bool:
        """Whether a CONTRL speaks of it. Anything else is for APERAK: what was agreed beyond the directory too."""
        return self.level is Level.SYNTAX or (self.contrl is not None and self.level in _OF_THE_MESSAGE)

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def with_severity(self, severity: Severity) -> Finding:
        """The same finding as a partnership's policy grades it."""
        return replace(self, severity_override=severity)

    def text(self, language: Language = "en") -> str:
        return self._fill(self.rule.fr if language == "fr" else self.rule.en, language)

    def hint(self, language: Language = "en") -> str:
        return self._fill(self.rule.hint_fr if language == "fr" else self.rule.hint_en, language)

    def _fill(self, template: str, language: Language) -> str:
        return template.format(
            segment=_readable(self.segment, language) if self.segment else "?",
            position=self.position if self.position is not None else "?",
            element=self.element if self.element is not None else "?",
            component=self.component if self.component is not None else "?",
            offset=self.offset if self.offset is not None else "?",
            value=_readable(self.value, language),
            expected=_readable(self.expected, language),
        )

    def as_json(self, language: Language = "en") -> dict[str, object]:
        """The finding as `edi-gateway validate --json` prints it."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "level": self.level.value,
            "segment": self.segment,
            "position": self.position,
            "element": self.element,
            "component": self.component,
            "offset": self.offset,
            "value": self.value,
            "expected": self.expected,
            "path": self.path,
            "text": self.text(language),
            "hint": self.hint(language),
            "contrl": self.contrl,
        }


def _readable(value: str | None, language: Language) -> str:
    """A value for people: what cannot be seen is named by its code, such as ``<0A>`` for a line feed."""
    if not value:
        return _NOTHING[language]
    if value.isprintable():
        return value
    return "".join(c if c.isprintable() else f"<{ord(c):02X}>" for c in value)
