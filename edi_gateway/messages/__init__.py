"""What each message may contain, and the judgement of a message against it.

`directory` and `specification` give the tables, `check` judges one message, `judge.judge` whole files.
"""

from __future__ import annotations

from edi_gateway.messages._check import check
from edi_gateway.messages._directory import Directory, UnknownDirectoryError, directory
from edi_gateway.messages._specification import (
    DIRECTORIES,
    MESSAGE_TYPES,
    MessageSpecification,
    message_type,
    specification,
)
from edi_gateway.messages.policy import ANY_INTERCHANGE, JudgingPolicy

__all__ = [
    "ANY_INTERCHANGE",
    "DIRECTORIES",
    "MESSAGE_TYPES",
    "Directory",
    "JudgingPolicy",
    "MessageSpecification",
    "UnknownDirectoryError",
    "check",
    "directory",
    "message_type",
    "specification",
]
