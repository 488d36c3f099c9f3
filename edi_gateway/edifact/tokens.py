"""The text of one segment, split into elements, repetitions and components.

ISO 9735 §5: the release character takes away the service meaning of the character behind it. The
common segment holds none and is split in C; only one that holds a release or a repetition comes here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from edi_gateway.edifact.segment import Separators


@dataclass(frozen=True, slots=True)
class Tokens:
    """A segment split up; `released_data` is a released character that needed no release, or ""."""

    elements: list[list[str]]
    repeats: dict[int, list[list[str]]] | None = None
    released_data: str = ""
    dangling: bool = False


def is_open(text: str, release: str) -> bool:
    """Whether the text ends in an odd run of release characters: what follows was released."""
    run = 0
    while run < len(text) and text[-1 - run] == release:
        run += 1
    return run % 2 == 1


def split(text: str, separators: Separators) -> Tokens:
    """Split one segment's text, its terminator taken off."""
    release, element, component = separators.release, separators.element, separators.component
    if not release or release not in text:
        parts = text.split(element)
        elements = [part.split(component) for part in parts]
        return Tokens(elements, _repeats(parts, elements, separators))
    parts = _split_released(text, element, release)
    elements = [
        [_restore(value, release) for value in _split_released(part, component, release)]
        if release in part
        else part.split(component)
        for part in parts
    ]
    return Tokens(
        elements, _repeats(parts, elements, separators), _needless_release(text, separators), is_open(text, release)
    )


def _split_released(text: str, separator: str, release: str) -> list[str]:
    """Split at the separators that are not released; the release characters stay in the pieces."""
    pieces = text.split(separator)
    if release not in text or len(pieces) == 1:
        return pieces
    joined: list[str] = []
    held: list[str] = []
    for piece in pieces:
        held.append(piece)
        if piece.endswith(release) and is_open(piece, release):
            continue
        joined.append(separator.join(held) if len(held) > 1 else piece)
        held = []
    if held:
        joined.append(separator.join(held))
    return joined


def _restore(value: str, release: str) -> str:
    """Drop each release character and keep the character behind it."""
    if not release or release not in value:
        return value
    pair = release + release
    if pair not in value:
        return value.replace(release, "")
    return release.join(half.replace(release, "") for half in value.split(pair))


def _repeats(parts: list[str], elements: list[list[str]], separators: Separators) -> dict[int, list[list[str]]] | None:
    """Split repeated elements (syntax 4): the first stays in `elements`, the others are returned."""
    repetition = separators.repetition
    if not repetition:
        return None
    found: dict[int, list[list[str]]] = {}
    for index, part in enumerate(parts):
        if repetition in part:
            occurrences = [
                [_restore(value, separators.release) for value in _pieces(occurrence, separators.component, separators)]
                for occurrence in _pieces(part, repetition, separators)
            ]
            elements[index] = occurrences[0]
            if len(occurrences) > 1:
                found[index] = occurrences[1:]
    return found or None


def _pieces(text: str, separator: str, separators: Separators) -> list[str]:
    return _split_released(text, separator, separators.release) if separators.release else text.split(separator)


def _needless_release(text: str, separators: Separators) -> str:
    """The first released character that is neither a service character nor the release itself."""
    service = {
        separators.component, separators.element, separators.release, separators.terminator, separators.repetition,
    }  # fmt: skip
    position = text.find(separators.release)
    while 0 <= position < len(text) - 1:
        if text[position + 1] not in service:
            return text[position + 1]
        position = text.find(separators.release, position + 2)
    return ""


# How `Splitter` writes released characters while it works; a clean text holds no control characters.
_RELEASED_RELEASE, _RELEASED_ELEMENT, _RELEASED_COMPONENT = "\x01", "\x02", "\x03"
_NEVER = "\ud800"  # occurs in no text: stands for a release character where there is none


class Splitter:
    """Splits the clean texts of segments: without control characters, repetitions and odd releases.

    Written for speed: a segment is split when it is first asked for an element, and most are. Those without a
    release character, most again, are split by the segment itself: ``raw.split(splitter.element)``.
    """

    __slots__ = (
        "_released_component",
        "_released_element",
        "_released_pair",
        "_released_terminator",
        "component",
        "element",
        "release",
        "separators",
    )

    def __init__(self, separators: Separators) -> None:
        self.separators = separators
        self.component, self.element = separators.component, separators.element
        self.release = release = separators.release or _NEVER
        self._released_pair = release + release
        self._released_element = release + separators.element
        self._released_component = release + separators.component
        self._released_terminator = release + separators.terminator

    def split(self, text: str) -> list[Any]:
        """The elements of a text: strings that are not split yet, and lists of components where a release stood."""
        if self.release not in text:
            return text.split(self.element)
        marked = False
        if self._released_pair in text:
            text, marked = text.replace(self._released_pair, _RELEASED_RELEASE), True
        if self._released_element in text:
            text, marked = text.replace(self._released_element, _RELEASED_ELEMENT), True
        if self._released_component in text:
            text, marked = text.replace(self._released_component, _RELEASED_COMPONENT), True
        if self.release in text:
            text = text.replace(self._released_terminator, self.separators.terminator)
        parts: list[Any] = text.split(self.element)
        if marked:
            for index, part in enumerate(parts):
                if not part.isprintable():  # no mark is; what else is not has nothing to restore
                    parts[index] = self._restored(part)
        return parts

    def _restored(self, part: str) -> list[str]:
        components = part.split(self.component)
        for index, value in enumerate(components):
            if not value.isprintable():
                value = value.replace(_RELEASED_ELEMENT, self.element).replace(_RELEASED_COMPONENT, self.component)
                components[index] = value.replace(_RELEASED_RELEASE, self.release)
        return components

    def split_fully(self, text: str) -> list[list[str]]:
        """The elements of a text as lists of components."""
        component = self.component
        elements: list[list[str]] = []
        for part in self.split(text):  # a loop: a comprehension would be one call more
            elements.append(part.split(component) if part.__class__ is str else part)
        return elements


def are_printable(separators: Separators) -> bool:
    """Whether releases can be marked with control characters: none of the separators is one."""
    return (
        not separators.release
        or (separators.component + separators.element + separators.release + separators.terminator).isprintable()
    )


class Cutter:
    """Cuts clean texts at the terminators that are not released; written for speed, as `Splitter` is."""

    __slots__ = ("_allowed", "_find_released", "_released_terminator", "_separators")

    def __init__(self, separators: Separators) -> None:
        release = separators.release
        service = (release, separators.element, separators.component, separators.terminator)
        self._allowed = {release + character for character in service}
        # From left to right, each release with what it releases: so a release that is released is told apart.
        self._find_released = re.compile(re.escape(release) + ".?", re.DOTALL).findall
        self._released_terminator = release + separators.terminator
        self._separators = separators

    def releases_plainly(self, text: str) -> bool:
        """Whether each release character stands before a service character or another release."""
        release = self._separators.release
        return not release or release not in text or self._allowed.issuperset(self._find_released(text))

    def cut(self, text: str) -> list[str]:
        """The texts of the segments, without their terminators and with their releases."""
        terminator, release, released = self._separators.terminator, self._separators.release, self._released_terminator
        if not release or released not in text:
            return text.split(terminator)
        marked = release + released in text  # released releases before terminators: rare
        if marked:
            text = text.replace(release + release, _RELEASED_RELEASE + _RELEASED_RELEASE)
        first, *others = text.split(released)
        texts = first.split(terminator)
        for other in others:
            rest, *following = other.split(terminator)
            texts[-1] = f"{texts[-1]}{released}{rest}"
            texts += following
        return [text.replace(_RELEASED_RELEASE, release) for text in texts] if marked else texts
