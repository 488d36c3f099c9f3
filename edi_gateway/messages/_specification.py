"""What one message type in one directory may contain, compiled as far as it was asked for."""

from __future__ import annotations

from functools import cache, cached_property
from importlib import import_module

from edi_gateway.edifact.segment import Separators
from edi_gateway.messages._directory import Directory, Node, SegmentDefinition, directory, has_directory
from edi_gateway.messages._elements import SegmentLayout
from edi_gateway.messages._grammar import Grammar, compile_grammar
from edi_gateway.messages._shapes import Shapes
from edi_gateway.messages._type import MessageType

MESSAGE_TYPES: dict[str, str] = {
    "ORDERS": "orders",
    "ORDCHG": "ordchg",
    "ORDRSP": "ordrsp",
    "DESADV": "desadv",
    "RECADV": "recadv",
    "INVOIC": "invoic",
    "REMADV": "remadv",
    "INVRPT": "invrpt",
    "SLSRPT": "slsrpt",
    "PRICAT": "pricat",
    "APERAK": "aperak",
    "CONTRL": "contrl",
}
"""Message type -> its module here. Adding a type is adding its file, a row, and its table to the directories."""

DIRECTORIES = ("D.96A", "D.01B")

SEPARATOR_SETS_MAX = 16
"""Separators for which shapes are kept at a time; a file may declare any of some thousands."""


def message_type(name: str) -> MessageType | None:
    """What is particular to a message type, or None if it is not carried."""
    return _load_type(MESSAGE_TYPES[name]) if name in MESSAGE_TYPES else None


@cache
def _load_type(module: str) -> MessageType:
    found = import_module(f"edi_gateway.messages.{module}").TYPE
    assert isinstance(found, MessageType)  # noqa: S101 - a module of MESSAGE_TYPES without its TYPE is our bug
    return found


class MessageSpecification:
    """A message type of a directory, under a syntax version."""

    def __init__(
        self, type_: MessageType, of: Directory, service: Directory, nodes: tuple[Node, ...], syntax_version: str
    ) -> None:
        self.type = type_
        self.directory = of
        self.nodes = nodes
        self.syntax_version = syntax_version
        self._service = service
        self._layouts: dict[str, SegmentLayout | None] = {}
        self._shapes: dict[tuple[Separators, str], Shapes] = {}

    @property
    def message_type(self) -> str:
        return self.type.type

    @cached_property
    def grammar(self) -> Grammar:
        return compile_grammar(self.message_type, self.nodes)

    def segment(self, tag: str) -> SegmentDefinition | None:
        """The definition of a segment, of the message or of the syntax; None if there is none."""
        return self._service.segment(tag) or self.directory.segment(tag)

    def layout(self, tag: str) -> SegmentLayout | None:
        """A segment's elements by position, under this syntax version."""
        if tag not in self._layouts:
            definition = self.segment(tag)
            self._layouts[tag] = None if definition is None else SegmentLayout.of(definition, self.syntax_version)
        return self._layouts[tag]

    def shapes(self, separators: Separators) -> Shapes:
        """What was learnt about clean segments written with these separators."""
        key = separators, separators.decimal_marks  # which do not count where separators are compared
        shapes = self._shapes.get(key)
        if shapes is None:
            if len(self._shapes) >= SEPARATOR_SETS_MAX:
                self._shapes.clear()
            shapes = self._shapes[key] = Shapes(separators)
        return shapes


def specification(name: str, directory_name: str, syntax_version: str = "3") -> MessageSpecification | None:
    """The specification of a message type in a directory, such as ``D.96A``; None if either is not carried.

    For CONTRL the "directory" is what UNH says: ``2.2``, ``D.3`` or ``4.1``.
    """
    type_ = message_type(name)
    if type_ is None:
        return None
    version, _, release = directory_name.partition(".")
    of = type_.directory_of(version, release)
    # Only what is carried reaches the cache: the names come from headers that anybody may write.
    return _build(type_.type, of, syntax_version == "4") if has_directory(of) else None


@cache
def _build(name: str, directory_name: str, is_syntax_4: bool) -> MessageSpecification | None:
    type_, of = message_type(name), directory(directory_name)
    nodes = of.message(name)
    if type_ is None or nodes is None:
        return None
    service = directory("syntax-4" if is_syntax_4 else "syntax-3")
    if type_.service_directories is not None:
        service = of
    return MessageSpecification(type_, of, service, nodes, "4" if service.name == "syntax-4" else "3")
