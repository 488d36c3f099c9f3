"""What one message type in one directory may contain, ready to check against."""

from __future__ import annotations

from functools import cache

from edi_gateway.messages._directory import Directory, Node, SegmentDefinition, directory, has_directory
from edi_gateway.messages._grammar import Grammar, compile_grammar

SERVICE_TAG_INITIALS = "UN", "UC"


class MessageSpecification:
    """A message type of a directory, with the service segments of a syntax version (3 stands for 1 to 3)."""

    def __init__(self, message_type: str, of: Directory, service: Directory, nodes: tuple[Node, ...]) -> None:
        self.message_type = message_type
        self.directory = of
        self.service = service
        self.nodes = nodes
        self._grammar: Grammar | None = None

    @property
    def grammar(self) -> Grammar:
        if self._grammar is None:
            self._grammar = compile_grammar(self.message_type, self.nodes)
        return self._grammar

    def segment(self, tag: str) -> SegmentDefinition | None:
        return self.service.segment(tag) or self.directory.segment(tag)


@cache
def specification(message_type: str, directory_name: str, syntax_version: str = "3") -> MessageSpecification | None:
    """The specification of a message type, or None if the type or the directory is not carried."""
    service = directory("syntax-4" if syntax_version == "4" else "syntax-3")
    if not has_directory(directory_name):
        return None
    of = directory(directory_name)
    nodes = of.message(message_type)
    return None if nodes is None else MessageSpecification(message_type, of, service, nodes)
