"""What can go wrong in AS2, by whose fault it is. A refusal knows the disposition that it answers with.

`explanation` is for the partner: it stands in the MDN, and never says which step of a decryption failed.
`diagnosis` is for the operator: it says what was found, what was expected, and what would help.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edi_gateway.as2.disposition import Disposition

if TYPE_CHECKING:
    from edi_gateway.as2.headers import Request


class As2Error(Exception):
    """Base of the errors of this package."""


class PartnerError(As2Error):
    """What the partner sent is wrong: bad data, never a reason for a traceback."""


class As2Refusal(PartnerError):
    """A transmission that is not accepted.

    `request` is set when enough of the headers could be read for an MDN to be made.
    """

    def __init__(
        self, disposition: Disposition, explanation: str, diagnosis: str = "", request: Request | None = None
    ) -> None:
        super().__init__(f"{disposition.status}: {diagnosis or explanation}")
        self.disposition = disposition
        self.explanation = explanation
        self.diagnosis = diagnosis or explanation
        self.request = request


class MimeMalformed(PartnerError):
    """The bytes are no MIME entity of the kind that was announced, or pass a bound."""


class ReportMalformed(PartnerError):
    """The bytes are no disposition notification that could be relied on."""


class RelationshipFault(As2Error):
    """Our side: the partnership cannot do what is asked of it (no valid key or certificate at that date,
    an algorithm that its AS2 version forbids). An operator has to change it."""
