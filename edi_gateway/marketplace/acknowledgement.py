"""What an application says of a document that it received (APERAK): taken in, or refused, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edi_gateway.marketplace.parties import Moment, Note, Party, Reference


class AcknowledgementType(StrEnum):
    """BGM 1001 of an APERAK."""

    TAKEN_IN = "312"
    ERROR = "313"


REFUSED = "27"
"""BGM 1225: not accepted."""

PREVIOUS_MESSAGE = "ACW"
"""1153 of the reference to the message as it was sent: its 0062, or the 0020 of its interchange."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationError:
    """One thing that is wrong: its code, in whose list, the text, and the line that it is about."""

    code: str  # ERC C901/9321
    list_code: str = ""  # 1131
    agency: str = ""  # 3055
    notes: tuple[Note, ...] = ()  # FTX
    references: tuple[Reference, ...] = ()  # RFF: in D.96A one

    @property
    def text(self) -> str:
        return " ".join(line for note in self.notes for line in note.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """DOC, from D.01B on: the document that is spoken of."""

    type: str  # 1001
    number: str = ""  # C503/1004


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationAcknowledgement:
    """One APERAK."""

    type: str = AcknowledgementType.ERROR  # BGM 1001, which partners take from other lists too
    number: str = ""  # BGM 1004
    function: str = ""  # BGM 1225
    issued: Moment | None = None  # DTM 137
    documents: tuple[Document, ...] = ()
    references: tuple[Reference, ...] = ()
    parties: tuple[Party, ...] = ()
    notes: tuple[Note, ...] = ()
    errors: tuple[ApplicationError, ...] = ()

    @property
    def negative(self) -> bool:
        """Whether the document is refused: said so, or errors are listed and it is not said to be taken in."""
        if self.type == AcknowledgementType.ERROR or self.function == REFUSED:
            return True
        return bool(self.errors) and self.type != AcknowledgementType.TAKEN_IN
